"""A shop in Django: it makes its tables by migrations and does what applications do with them.

ssn, photo and card are protected by what is between; the code here knows nothing of that, but for `refused`. Ends with an error
where something is not as without protection.
"""

import io
from decimal import Decimal

from project import BINDING, KIND, MARK, migrate, refused

from django.contrib import admin
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.core.paginator import Paginator
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Lower
from django.test import Client
from django.urls import path


class SecretField(models.TextField):
    """A text that is kept as bytes."""

    def db_type(self, connection):
        return "bytea" if KIND == "postgresql" else "longblob"

    def get_db_prep_value(self, value, connection, prepared=False):
        return value if value is None else connection.Database.Binary(value.encode())

    def from_db_value(self, value, expression, connection):
        return value if value is None else bytes(value).decode()


class Customer(models.Model):
    name = models.CharField(max_length=80, db_index=True)
    email = models.EmailField(unique=True)
    ssn = SecretField(null=True, blank=True)
    photo = models.BinaryField(null=True)
    active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "shop"
        ordering = ["id"]


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    total = models.DecimalField(max_digits=9, decimal_places=2)
    card = SecretField()

    class Meta:
        app_label = "shop"
        indexes = [models.Index(fields=["customer", "-total"])]


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "ssn"]
    search_fields = ["name", "email"]
    list_filter = ["active"]
    list_per_page = 10


urlpatterns = [path("admin/", admin.site.urls)]


def ssn(number):
    return f"{MARK} number {number} 'ü' \\ \U0001f511"


def photo(number):
    return f"{MARK} photo {number}".encode() + bytes(range(256))


def next_release():
    Customer.add_to_class("score", models.IntegerField(default=0))
    Order._meta.get_field("card").null = True


def create():
    first = Customer.objects.create(name="Ada", email="ada@example.org", ssn=ssn(1), photo=photo(1))
    first.refresh_from_db()
    assert first.ssn == ssn(1) and bytes(first.photo) == photo(1)
    made = Customer.objects.bulk_create(
        [
            Customer(name=f"Customer {n}", email=f"c{n}@example.org", ssn=ssn(n) if n % 3 else None, photo=photo(n))
            for n in range(2, 60)
        ],
        batch_size=25,
    )
    assert all(customer.pk for customer in made) or not connection.features.can_return_rows_from_bulk_insert
    again, is_new = Customer.objects.get_or_create(email="ada@example.org", defaults={"ssn": ssn(0)})
    assert not is_new and again.ssn == ssn(1)
    other, is_new = Customer.objects.get_or_create(email="eve@example.org", defaults={"name": "Eve", "ssn": ssn(60)})
    assert is_new and Customer.objects.get(pk=other.pk).ssn == ssn(60)
    changed, is_new = Customer.objects.update_or_create(email="eve@example.org", defaults={"ssn": ssn(61)})
    assert not is_new and Customer.objects.get(name="Eve").ssn == ssn(61)
    Customer.objects.bulk_create(
        [Customer(name="Eve", email="eve@example.org", ssn=ssn(62)), Customer(name="Bob", email="bob@example.org", ssn="")],
        update_conflicts=True,
        unique_fields=["email"] if connection.features.supports_update_conflicts_with_target else None,
        update_fields=["ssn"],
    )
    assert Customer.objects.get(name="Eve").ssn == ssn(62) and Customer.objects.get(name="Bob").ssn == ""
    Customer.objects.bulk_create([Customer(name="Ada", email="ada@example.org", ssn=ssn(0))], ignore_conflicts=True)
    assert Customer.objects.count() == 61
    Order.objects.bulk_create(
        Order(customer=customer, total=Decimal(n), card=ssn(1000 + n))
        for customer in Customer.objects.filter(name__startswith="Customer")[:20]
        for n in (1, 2)
    )


def read():
    customers = Customer.objects
    assert [c.ssn for c in customers.filter(Q(name="Ada") | Q(email__icontains="EVE"))] == [ssn(1), ssn(62)]
    assert customers.filter(ssn__isnull=True).count() == 19
    assert customers.exclude(ssn__isnull=True).filter(active=True).exists()
    order = Order.objects.select_related("customer").order_by("-total", "id").first()
    assert order.card == ssn(1002) and order.customer.ssn == ssn(2)
    found = customers.prefetch_related("orders").filter(orders__total__gte=2).order_by("id")
    for customer in found.distinct("id") if connection.features.can_distinct_on_fields else found:
        assert sorted(order.card for order in customer.orders.all()) == [ssn(1001), ssn(1002)]
    assert customers.values_list("ssn", flat=True).get(name="Ada") == ssn(1)
    assert customers.only("name").get(name="Ada").ssn == ssn(1)
    assert customers.defer("photo").in_bulk([order.customer_id])[order.customer_id].ssn == ssn(2)
    # Columns of all kinds, grouped by the key, as admin lists have them.
    spent = customers.defer("ssn", "photo").values("id", "name").annotate(n=Count("orders"), sum=Sum("orders__total"))
    assert spent.order_by("-n", "id").first()["sum"] == 3
    latest = Order.objects.filter(customer=OuterRef("pk")).order_by("-total")
    found = customers.annotate(card=Subquery(latest.values("card")[:1]), any=Exists(latest), low=Lower("name"))
    found = found.filter(any=True, low__contains="customer")
    assert {customer.card for customer in found} == {ssn(1002)}
    assert customers.annotate(either=Coalesce("ssn", "ssn")).get(name="Ada").either == ssn(1)
    assert {c.ssn for c in customers.filter(pk__in=Order.objects.values("customer"))} == {
        c.ssn for c in customers.filter(orders__isnull=False)
    }
    both = customers.filter(name="Ada").order_by().union(customers.filter(name="Eve").order_by(), all=True)
    assert sorted(c.ssn for c in both) == [ssn(1), ssn(62)]
    raw = customers.raw("SELECT * FROM shop_customer WHERE name = %s", ["Ada"])
    assert raw[0].ssn == ssn(1)
    pages = Paginator(customers.all(), 7)
    assert pages.count == 61 and sum(len(page.object_list) for page in pages) == 61
    assert pages.page(1).object_list[0].ssn == ssn(1)
    # Server-side cursors, in a transaction and across one.
    seen = [c.ssn for c in customers.exclude(ssn=None).iterator(chunk_size=5)]
    assert len(seen) == 42 and seen[0] == ssn(1)
    with transaction.atomic():
        assert [c.ssn for c in customers.exclude(ssn=None).iterator(chunk_size=5)] == seen
    copies = list(serializers.deserialize("json", serializers.serialize("json", customers.all())))
    assert copies[0].object.ssn == ssn(1) and bytes(copies[0].object.photo) == photo(1)
    if BINDING == "client":
        plan = customers.filter(name="Ada").explain(analyze=True)
        assert "shop_customer" in plan


def change():
    of = ("self",) if connection.features.has_select_for_update_of else ()
    ada = Customer.objects.get(name="Ada")
    ada.ssn, ada.score = ssn(2001), F("score") + 1
    ada.save()
    ada.refresh_from_db()
    assert ada.ssn == ssn(2001) and ada.score == 1
    ada.photo = photo(2001)
    ada.save(update_fields=["photo"])
    assert Customer.objects.filter(name="Ada").update(ssn=ssn(2002), score=F("score") + 1) == 1
    assert Customer.objects.get(name="Ada").ssn == ssn(2002)
    some = list(Customer.objects.filter(name__startswith="Customer")[:10])
    for at, customer in enumerate(some):
        customer.ssn, customer.score = (None if at == 5 else ssn(3000 + at)), at
    Customer.objects.bulk_update(some, ["ssn", "score"], batch_size=4)
    assert [c.ssn for c in Customer.objects.filter(pk__in=[c.pk for c in some])] == [c.ssn for c in some]
    Order.objects.update(total=F("total") + Value(Decimal("0.50")))
    # Part of a transaction is taken back, then all of it.
    try:
        with transaction.atomic():
            locked = Customer.objects.select_for_update(of=of).get(name="Ada")
            locked.ssn = ssn(4001)
            locked.save()
            try:
                with transaction.atomic():
                    Customer.objects.filter(pk=locked.pk).update(ssn=ssn(4002))
                    raise KeyError
            except KeyError:
                pass
            refused(lambda: Customer.objects.filter(ssn=ssn(4001)).first())
            locked.refresh_from_db()
            assert locked.ssn == ssn(4001)
            raise ValueError
    except ValueError:
        pass
    assert Customer.objects.get(name="Ada").ssn == ssn(2002)
    for query in (
        lambda: list(Customer.objects.order_by("ssn")),
        lambda: Customer.objects.filter(ssn__contains=MARK).count(),
        lambda: Customer.objects.update(name=F("ssn")),
        lambda: list(Customer.objects.values("ssn").distinct()),
    ):
        refused(query)
    gone = Customer.objects.get(name="Bob")
    gone.delete()
    customer = Order.objects.first().customer
    assert customer.delete()[1]["shop.Order"] == 2
    assert Customer.objects.filter(email="eve@example.org").delete()[0] == 1


def manage():
    """What the pages of the admin do."""
    User.objects.create_superuser("root", password="root")
    client = Client()
    assert client.login(username="root", password="root")
    listed = client.get("/admin/shop/customer/", {"q": "customer", "active__exact": 1, "p": 2})
    assert listed.status_code == 200 and MARK in listed.content.decode()
    new = {"name": "Zoe", "email": "zoe@example.org", "ssn": ssn(5001), "active": "on", "score": 0}
    assert client.post("/admin/shop/customer/add/", new).status_code == 302
    zoe = Customer.objects.get(name="Zoe")
    assert zoe.ssn == ssn(5001)
    new["ssn"] = ssn(5002)
    page = f"/admin/shop/customer/{zoe.pk}/change/"
    assert MARK in client.get(page).content.decode()
    assert client.post(page, new).status_code == 302
    zoe.refresh_from_db()
    assert zoe.ssn == ssn(5002)
    action = {"action": "delete_selected", "_selected_action": [zoe.pk], "post": "yes"}
    assert client.post("/admin/shop/customer/", action).status_code == 302
    assert not Customer.objects.filter(name="Zoe").exists()
    call_command("dumpdata", "shop", stdout=io.StringIO())
    assert connection.introspection.get_sequences(connection.cursor(), "shop_customer")


migrate(next_release)
create()
read()
change()
manage()
print("all of it done")
