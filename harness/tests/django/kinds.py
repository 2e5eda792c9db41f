"""Accounts whose columns are protected in every way: encrypted, searchable, tokenized, masked, typed.

The models are those of any application: the code here knows of the protection by `refused` alone. The third argument is `create`,
for the tables, or `run`. Ends with an error where something is not as without protection.
"""

import datetime
import sys
import uuid
from decimal import Decimal

from project import BINDING, KIND, MARK, migrate, refused

from django.contrib import admin
from django.contrib.auth.models import User
from django.core import serializers
from django.core.paginator import Paginator
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Avg, Case, Count, Exists, F, Max, OuterRef, Prefetch, Q, Subquery, Sum, Value, When
from django.test import Client
from django.urls import path


class Team(models.Model):
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        app_label = "shop"

    def __str__(self):
        return self.name


class Account(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="accounts", null=True)
    name = models.CharField(max_length=80)
    points = models.IntegerField(default=0)
    # Encrypted.
    note = models.TextField(null=True, blank=True)
    photo = models.BinaryField(null=True)
    # Searchable.
    email = models.EmailField(null=True)
    phone = models.CharField(max_length=40, blank=True)
    # Tokenized, all but the badge consistently.
    login = models.CharField(max_length=60, unique=True)
    number = models.BigIntegerField(unique=True)
    badge = models.IntegerField(null=True, blank=True)
    # Masked.
    card = models.CharField(max_length=40, null=True)
    # Typed.
    age = models.IntegerField(null=True)
    visits = models.BigIntegerField(default=0)
    active = models.BooleanField(default=True)
    born = models.DateField(null=True)
    seen = models.DateTimeField(null=True)
    balance = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    score = models.FloatField(null=True)
    key = models.UUIDField(null=True)
    data = models.JSONField(null=True)

    class Meta:
        app_label = "shop"
        ordering = ["id"]


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "login", "card", "age", "active", "balance"]
    list_select_related = ["team"]
    search_fields = ["name", "email__exact", "login__exact"]
    list_per_page = 10
    ordering = ["-id"]


urlpatterns = [path("admin/", admin.site.urls)]

PROTECTED = [
    "note", "photo", "email", "phone", "login", "number", "badge", "card",
    "age", "visits", "active", "born", "seen", "balance", "score", "key", "data",
]  # fmt: skip


def values(number):
    return {
        "note": f"{MARK} note {number} 'ж' \\ \U0001f511",
        "photo": MARK.encode() + bytes([0, 255, 39, 92, number % 256]),
        "email": f"{MARK}-{number}@example.org",
        "phone": f"{MARK} {number % 7}" if number % 5 else "",
        "login": f"{MARK}-login-{number}",
        "number": (number << 33) + 1,
        "badge": number - 5,
        "card": f"{MARK} 4111 {number:04}",
        "age": number - 5,
        "visits": number << 40,
        "active": number % 2 == 0,
        "born": datetime.date(1950, 1, 1) + datetime.timedelta(days=number),
        "seen": datetime.datetime(2024, 2, 29, 12, number % 60, 1, number * 1000, tzinfo=datetime.timezone.utc),
        "balance": Decimal(number) + Decimal("0.25"),
        "score": number / 7,
        "key": uuid.UUID(int=number << 60),
        "data": {"mark": MARK, "n": [number, None, "ж\\'\""]},
    }


def account(number, **more):
    return Account(name=f"Account {number}", **{**values(number), **more})


def same(found, number):
    for column, value in values(number).items():
        read = getattr(found, column)
        read = bytes(read) if column == "photo" else read
        assert read == value, (number, column, read, value)


def create():
    made = Account.objects.create(name="Account 1", **values(1))
    same(Account.objects.get(pk=made.pk), 1)
    made.refresh_from_db()
    same(made, 1)
    account(2).save(force_insert=True)
    Team.objects.bulk_create([Team(name="red"), Team(name="blue")])
    teams = list(Team.objects.order_by("id"))
    made = Account.objects.bulk_create([account(n, team=teams[n % 2]) for n in range(3, 40)], batch_size=15)
    assert all(one.pk for one in made) or not connection.features.can_return_rows_from_bulk_insert
    nothing = {column: None for column in PROTECTED if Account._meta.get_field(column).null}
    empty = Account.objects.create(name="empty", login="", number=0, phone="", **nothing)
    empty = Account.objects.get(pk=empty.pk)
    assert all(getattr(empty, column) is None for column in nothing) and empty.login == empty.phone == ""
    empty.delete()

    # By a searchable column, and by consistent tokens.
    for key in ("email", "login", "number"):
        rest = values(3)
        again, is_new = Account.objects.get_or_create(**{key: rest.pop(key)}, defaults={**rest, "name": "no"})
        assert not is_new and again.name == "Account 3"
        same(again, 3)
    for number, key in ((50, "email"), (51, "login"), (52, "number")):
        rest = values(number)
        made, is_new = Account.objects.get_or_create(**{key: rest.pop(key)}, defaults={**rest, "name": f"Account {number}"})
        assert is_new
        same(Account.objects.get(pk=made.pk), number)
        changed = {**values(number + 10), key: values(number)[key]}
        found, is_new = Account.objects.update_or_create(**{key: values(number)[key]}, defaults=changed)
        assert not is_new and found.pk == made.pk and Account.objects.get(pk=made.pk).card == values(number + 10)["card"]
    assert Account.objects.filter(name__in=["Account 50", "Account 51", "Account 52"]).delete()[0] == 3

    # Unique keys hold for consistent tokens.
    for same_key in ({"login": values(4)["login"]}, {"number": values(4)["number"]}):
        try:
            with transaction.atomic():
                Account.objects.create(name="twice", **{**values(60), **same_key})
        except IntegrityError as error:
            assert MARK not in str(error), error
        else:
            raise AssertionError("a unique key does not hold")
    twice = [account(5, email="other@example.org"), account(70)]
    Account.objects.bulk_create(twice, ignore_conflicts=True)
    assert not Account.objects.filter(email="other@example.org").exists()
    same(Account.objects.get(login=values(70)["login"]), 70)
    unique = connection.features.supports_update_conflicts_with_target or None
    for key in ("login", "number"):
        changed = [account(6, card=f"{MARK} {key}", age=600), account(70, card=f"{MARK} {key}", age=700)]
        Account.objects.bulk_create(changed, update_conflicts=True, unique_fields=unique and [key], update_fields=["card", "age", "email"])
        read = Account.objects.filter(number__in=[one.number for one in changed])
        assert [(one.card, one.age) for one in read] == [(f"{MARK} {key}", 600), (f"{MARK} {key}", 700)]
    Account.objects.filter(login=values(6)["login"]).update(card=values(6)["card"], age=values(6)["age"])
    Account.objects.get(number=values(70)["number"]).delete()
    assert Account.objects.count() == 39


def read():
    accounts = Account.objects
    for number, one in enumerate(accounts.order_by("id"), 1):
        same(one, number)
    for number in (1, 2, 17, 39):
        value = values(number)
        for key in ("email", "login", "number"):
            same(accounts.get(**{key: value[key]}), number)
            found = accounts.filter(**{f"{key}__in": [value[key], values(5)[key], values(999)[key]]})
            assert sorted(one.name for one in found) == sorted([f"Account {number}", "Account 5"])
            assert accounts.exclude(**{key: value[key]}).count() == 38
        same(accounts.get(Q(email=value["email"]) & Q(login=value["login"]) | Q(number=-1)), number)
        assert accounts.filter(~Q(email=value["email"]), name=f"Account {number}").count() == 0
    assert not accounts.filter(email="nobody@example.org").exists() and not accounts.filter(login="nobody").exists()
    assert accounts.filter(email__isnull=True).count() == 0 and accounts.exclude(card=None).count() == 39
    assert accounts.filter(phone="").count() == 7
    assert accounts.in_bulk([values(9)["login"]], field_name="login")[values(9)["login"]].name == "Account 9"
    assert list(accounts.in_bulk([values(9)["number"]], field_name="number")) == [values(9)["number"]]

    # Groups by what equality tells.
    phones = accounts.order_by().values("phone").annotate(n=Count("id"), points=Sum("points"))
    numbers = {row["phone"]: row["n"] for row in phones}
    expected = [values(n)["phone"] for n in range(1, 40)]
    assert numbers == {phone: expected.count(phone) for phone in expected}
    counted = accounts.aggregate(all=Count("*"), phones=Count("phone", distinct=True), logins=Count("login", distinct=True))
    assert counted == {"all": 39, "phones": len(set(expected)), "logins": 39}
    phones = accounts.order_by().values_list("phone", flat=True).distinct()
    assert set(phones) == set(expected) and len(phones) == len(set(expected))
    assert len(accounts.order_by().values_list("login").distinct()) == 39
    assert accounts.aggregate(points=Sum("points"), mean=Avg("id"), last=Max("name"), notes=Count("note"))["notes"] == 39

    # Parts of rows, and other tables.
    row = accounts.values(*PROTECTED).get(name="Account 8")
    assert {**row, "photo": bytes(row["photo"])} == values(8)
    assert accounts.values_list("email", "age", named=True).get(login=values(8)["login"]) == (values(8)["email"], 3)
    assert accounts.only("email").get(name="Account 8").card == values(8)["card"]
    same(accounts.defer("photo", "data").get(name="Account 8"), 8)
    for one in accounts.select_related("team").filter(team__name="red"):
        same(one, int(one.name.split()[1]))
    teams = Team.objects.prefetch_related(Prefetch("accounts", accounts.filter(email__isnull=False), to_attr="all")).order_by("id")
    assert [len(team.all) for team in teams] == [18, 19]
    assert Team.objects.get(accounts__email=values(4)["email"]).name == "red"
    assert Team.objects.filter(accounts__login__in=[values(n)["login"] for n in (3, 4, 5)]).distinct().count() == 2
    latest = accounts.filter(team=OuterRef("pk")).order_by("-id")
    found = Team.objects.annotate(
        mail=Subquery(latest.values("email")[:1]), any=Exists(latest.filter(login=values(38)["login"])), n=Count("accounts")
    ).order_by("id")
    assert [(team.mail, team.any, team.n) for team in found] == [(values(38)["email"], True, 18), (values(39)["email"], False, 19)]
    same(accounts.filter(login__in=accounts.filter(email=values(7)["email"]).values("login")).get(), 7)
    same(accounts.filter(email__in=accounts.filter(login=values(7)["login"]).values("email")).get(), 7)
    card = Case(When(points=0, then=F("card")), default=Value(None))
    assert accounts.annotate(shown=card).get(name="Account 7").shown == values(7)["card"]

    # Pages, server-side cursors, raw SQL, serializers.
    pages = Paginator(accounts.all(), 7)
    assert pages.count == 39
    for page in pages:
        for at, one in enumerate(page.object_list, page.start_index()):
            same(one, at)
    for number, one in enumerate(accounts.iterator(chunk_size=5), 1):
        same(one, number)
    with transaction.atomic():
        assert sum(1 for _ in accounts.filter(phone=values(1)["phone"]).iterator(chunk_size=2)) == expected.count(values(1)["phone"])
    for number in (9, 10):
        same(accounts.raw("SELECT * FROM shop_account WHERE email = %s AND login = %s", [values(number)[key] for key in ("email", "login")])[0], number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT age, balance, born, active, email FROM shop_account WHERE number = %s", [values(11)["number"]])
        assert list(cursor.fetchall()) == [tuple(values(11)[column] for column in ("age", "balance", "born", "active", "email"))]
        if KIND == "postgresql":
            cursor.execute("SELECT id FROM shop_account WHERE email = ANY(%s) ORDER BY id", [[values(n)["email"] for n in (3, 4, 999)]])
            assert len(cursor.fetchall()) == 2
            cursor.execute("SELECT name FROM shop_account WHERE number = ANY(%s)", [[values(12)["number"]]])
            assert cursor.fetchall() == [("Account 12",)]
    for number, one in enumerate(serializers.deserialize("json", serializers.serialize("json", accounts.all())), 1):
        same(one.object, number)


def change():
    of = ("self",) if connection.features.has_select_for_update_of else ()
    accounts = Account.objects
    one = accounts.get(name="Account 5")
    for column, value in values(105).items():
        setattr(one, column, value)
    one.points = F("points") + 7
    one.save()
    one.refresh_from_db()
    same(one, 105)
    assert one.points == 7
    for column, value in values(5).items():
        setattr(one, column, value)
        one.save(update_fields=[column])
    same(accounts.get(pk=one.pk), 5)
    assert accounts.filter(email=values(6)["email"]).update(points=F("points") + 1, card=values(106)["card"]) == 1
    assert accounts.filter(login__in=[values(6)["login"]]).update(**values(106)) == 1
    same(accounts.get(name="Account 6"), 106)
    some = list(accounts.filter(name__in=[f"Account {n}" for n in range(10, 20)]))
    for number, one in enumerate(some, 210):
        for column, value in values(number).items():
            setattr(one, column, value)
        one.points = number
    accounts.bulk_update(some, ["points", *PROTECTED], batch_size=4)
    for number, one in enumerate(accounts.filter(pk__in=[one.pk for one in some]), 210):
        same(one, number)
        assert one.points == number
    accounts.filter(points=210).update(team=None, badge=None)
    assert accounts.filter(badge__isnull=True).get().points == 210

    # Part of a transaction is taken back, then all of it.
    try:
        with transaction.atomic():
            locked = accounts.select_for_update(of=of).get(email=values(20)["email"])
            locked.login, locked.age = values(320)["login"], 320
            locked.save()
            try:
                with transaction.atomic():
                    accounts.filter(login=values(320)["login"]).update(email=values(321)["email"])
                    raise KeyError
            except KeyError:
                pass
            refused(lambda: accounts.order_by("email").first())
            again = accounts.get(login=values(320)["login"])
            assert again.pk == locked.pk and again.email == values(20)["email"] and again.age == 320
            raise ValueError
    except ValueError:
        pass
    same(accounts.get(name="Account 20"), 20)

    for query in (
        lambda: list(accounts.order_by("email")),
        lambda: accounts.filter(email__icontains="example").count(),
        lambda: accounts.filter(age__gt=3).count(),
        lambda: accounts.filter(badge=3).count(),
        lambda: accounts.aggregate(Sum("age")),
        lambda: accounts.update(name=F("card")),
        lambda: accounts.update(age=F("age") + 1),
    ):
        refused(query)
    assert accounts.filter(email=values(21)["email"]).delete()[0] == 1
    assert accounts.filter(number__in=[values(22)["number"], values(23)["number"]]).delete()[0] == 2
    accounts.get(login=values(24)["login"]).delete()
    assert accounts.count() == 35


def manage():
    """What the pages of the admin do."""
    User.objects.create_superuser("root", password="root")
    client = Client()
    assert client.login(username="root", password="root")
    where = "/admin/shop/account/"
    for ask in ({"p": 2}, {"q": values(30)["email"]}, {"q": values(30)["login"]}):
        listed = client.get(where, ask)
        text = listed.content.decode()
        assert listed.status_code == 200 and (values(30)["card"] in text) == ("q" in ask or "Account 30" in text), ask
    one = Account.objects.get(name="Account 30")
    page = f"{where}{one.pk}/change/"
    text = client.get(page).content.decode()
    assert values(30)["email"] in text and values(30)["card"] in text and str(values(30)["key"]) in text
    form = {
        "team": one.team_id, "name": "Account 30", "points": 3, "note": "n", "email": values(430)["email"], "phone": "",
        "login": values(430)["login"], "number": 430, "badge": "", "card": values(430)["card"], "age": 430, "visits": 1,
        "born": "2001-02-03", "seen_0": "2001-02-03", "seen_1": "04:05:06", "balance": "4.30", "score": "0.5",
        "key": str(values(430)["key"]), "data": '{"a": 1}',
    }  # fmt: skip
    assert client.post(page, form).status_code == 302
    one = Account.objects.get(email=values(430)["email"])
    assert (one.number, one.age, one.active, one.balance, one.data) == (430, 430, False, Decimal("4.30"), {"a": 1})
    assert one.born == datetime.date(2001, 2, 3) and one.badge is None
    # A form tells that a login is taken, which a query on tokens finds.
    text = client.post(page, {**form, "login": values(31)["login"]}).content.decode()
    assert "already exists" in text
    assert client.post(where, {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}).status_code == 302
    assert not Account.objects.filter(login=values(430)["login"]).exists()


if sys.argv[3] == "create":
    migrate()
else:
    create()
    read()
    change()
    manage()
    print(Account.objects.count(), BINDING)
