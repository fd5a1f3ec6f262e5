"""Django, with models as inspectdb makes them."""
import datetime
import io
import re
import types

import django
from django.conf import settings

from harness import ask

DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "postgres",
    "OPTIONS": {"options": "-c search_path=xero"},
}}
settings.configure(DATABASES=DATABASES)
django.setup()

# pylint: disable=wrong-import-position
from django.core.management import call_command                             # noqa: E402
from django.db import models, transaction                                   # noqa: E402
from django.db.models import Q, Sum                                         # noqa: E402
from django.db.models.functions import TruncMonth                           # noqa: E402


class XeroKey(models.UUIDField):
    """Given by Xero, and returned."""

    db_returning = True


def inspectdb(**keys):
    """The model of a table.  A foreign table has no key, so its column is given."""
    text = io.StringIO()
    call_command("inspectdb", *keys, stdout=text)
    text = text.getvalue().replace("        db_table", "        app_label = 'xero'\n        db_table")
    for key in keys.values():
        text = re.sub(rf"\b{key} = .*", f"{key} = XeroKey(primary_key=True)", text, count=1)
    return text


def model(name, **keys):
    module = types.ModuleType(name)
    module.XeroKey = XeroKey
    exec(inspectdb(**keys), module.__dict__)                                # pylint: disable=exec-used
    return getattr(module, name)


def cursor(wanted):
    """The first rows of a cursor on the server."""
    for number, _ in enumerate(Invoice.objects.iterator(chunk_size=100), 1):
        if number == wanted:
            break
    return number


def cursor_in_transaction(wanted):
    with transaction.atomic():
        return cursor(wanted)


def save(instance, only=None, **changed):
    for name, value in changed.items():
        setattr(instance, name, value)
    instance.save(update_fields=only)


Invoice, Contact = model("Invoices", invoices="invoice_id"), model("Contacts", contacts="contact_id")
ask("inspectdb", lambda: len(Invoice._meta.fields + Contact._meta.fields))  # pylint: disable=protected-access
names = Contact.objects.filter
this_year = Invoice.objects.filter(date__gte=datetime.date(2026, 1, 1))

keys = list(Contact.objects.order_by("name").values_list("pk", flat=True)[:30])
ask("order_by a text, [:n]", lambda: len(keys))
ask("get", lambda: Contact.objects.get(pk=keys[0]).pk == keys[0])
ask("in_bulk", lambda: len(Contact.objects.in_bulk(keys)))
ask("date__gte, status", lambda: len(this_year.filter(status="PAID")))
ask("date__range", lambda: len(Invoice.objects.filter(date__range=("2026-04-01", "2026-04-30"))))
ask("date__year", lambda: len(Invoice.objects.filter(date__year=2026)))
ask("date__year, date__month", lambda: len(Invoice.objects.filter(date__year=2026, date__month=6)))
ask("status__in", lambda: len(Invoice.objects.filter(status__in=("DRAFT", "SUBMITTED"))))
ask("Q", lambda: len(Invoice.objects.filter(Q(status="DRAFT") | Q(status="SUBMITTED"))))
ask("exclude", lambda: len(this_year.exclude(status="PAID")))
ask("contact_number__isnull", lambda: len(names(contact_number__isnull=False)))
ask("name__startswith", lambda: len(names(name__startswith="Acme")))
ask("name__contains", lambda: len(names(name__contains="Pty")))
ask("name__icontains", lambda: len(names(name__icontains="pty")))
ask("name__iexact", lambda: len(names(name__iexact=" leading blank pty")))
ask("count", this_year.count)
ask("exists", this_year.exists)
ask("first", lambda: this_year.order_by("-date").first() is not None)
ask("latest", lambda: Invoice.objects.latest("date") is not None)
ask("order_by a date, [m:n]", lambda: len(Invoice.objects.order_by("-date")[100:150]))
ask("order_by a date, [m:n], further on", lambda: len(Invoice.objects.order_by("-date")[1000:1050]))
ask("distinct", lambda: len(Invoice.objects.values_list("status", flat=True).distinct()))
ask("aggregate", lambda: len(this_year.aggregate(Sum("total"))))
ask("annotate", lambda: len(this_year.annotate(month=TruncMonth("date")).values("month").annotate(Sum("total"))))
ask("iterator", lambda: cursor(3000))
ask("iterator, some rows, WITH HOLD", lambda: cursor(150))
ask("iterator, some rows", lambda: cursor_in_transaction(150))

ask("create", lambda: Contact.objects.create(name="Ann").pk is not None)
ask("bulk_create", lambda: len(Contact.objects.bulk_create([Contact(name=f"Bob {n}") for n in range(20)])))
contact = Contact.objects.get(pk=keys[3])
ask("get another", lambda: contact.first_name)
ask("save(update_fields)", lambda: save(contact, ["first_name"], first_name="A."))
contact.refresh_from_db()
ask("refresh_from_db", lambda: contact.first_name)
ask("save", lambda: save(contact, first_name="B."))
invoice = this_year.filter(status="DRAFT").order_by("date").first()
ask("first draft", lambda: invoice.status)
ask("save it", lambda: save(invoice, reference="R"))
ask("update", lambda: names(pk__in=keys[5:9]).update(first_name="C."))
some = list(names(pk__in=keys[5:9]))
for contact in some:
    contact.last_name = "D."
ask("some contacts", lambda: len(some))
ask("bulk_update", lambda: Contact.objects.bulk_update(some, ["last_name"]))
ask("delete", lambda: names(pk=keys[10]).delete()[0])
