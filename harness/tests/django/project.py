"""The project of the applications here, which are programs of their own: settings, an app named `shop` whose models are the
program's, and what they share.

The database is the one that the environment names: DB_KIND (postgresql or mysql), DB_HOST, DB_PORT, DB_USER, DB_NAME. The first argument is a mark that every
secret has; the second says who puts parameters into statements, `client` or `server`.
"""

import os
import sys
import tempfile

import django
from django.conf import settings

MARK, BINDING = sys.argv[1:3]
KIND = os.environ["DB_KIND"]
OPTIONS = {"postgresql": {"server_side_binding": BINDING == "server"}, "mysql": {"ssl_mode": "DISABLED"}}

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    ROOT_URLCONF="__main__",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    MIGRATION_MODULES={"shop": "shop_migrations"},
    DATABASES={
        "default": {
            "ENGINE": f"django.db.backends.{KIND}",
            "HOST": os.environ["DB_HOST"],
            "PORT": os.environ["DB_PORT"],
            "USER": os.environ["DB_USER"],
            "NAME": os.environ["DB_NAME"],
            "OPTIONS": OPTIONS[KIND],
        }
    },
)
django.setup()

from django.apps import AppConfig, apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import NotSupportedError, transaction  # noqa: E402


class Shop(AppConfig):
    name = "shop"
    label = "shop"
    path = os.path.dirname(__file__)


sys.modules["shop"] = sys.modules["__main__"]
shop = Shop("shop", sys.modules["__main__"])
shop.apps = apps
shop.models = apps.all_models["shop"]
apps.app_configs["shop"] = shop


def refused(query):
    """What would need the plain value in the database fails, and only that."""
    try:
        with transaction.atomic():
            query()
    except NotSupportedError as error:
        assert MARK not in str(error), error
    else:
        raise AssertionError("it was not refused")


def migrate(later=None):
    """Makes the tables by migrations; `later` changes the models, as a next release does, for a second one."""
    with tempfile.TemporaryDirectory() as folder:
        migrations = os.path.join(folder, "shop_migrations")
        os.mkdir(migrations)
        open(os.path.join(migrations, "__init__.py"), "w").close()
        sys.path.insert(0, folder)
        for release, change in enumerate([None, later] if later else [None], 1):
            if change:
                change()
            call_command("makemigrations", "shop", verbosity=0)
            call_command("migrate", verbosity=0)
            assert len([name for name in os.listdir(migrations) if name.startswith("000")]) == release
        call_command("migrate", check_unapplied=True, verbosity=0)
