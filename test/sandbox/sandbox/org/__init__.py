"""One organisation: its tables, filled on first use from the seed."""
from .. import seeds
from ..canned import Canned
from ..objects import ACCOUNTING_OBJECTS, EMPLOYEES_AU, EMPLOYEES_UK_NZ
from ..store import Table
from ..values import day
from .contacts import Contacts
from .countries import COUNTRIES
from .documents import Documents
from .invoices import Invoices
from .ledger import Ledger
from .payroll import employees

STAMP = day("2026-10-01") + 12 * 3_600_000        # DateTimeUTC of every envelope: same seed, same bytes


def tenant_ids(seed, count):
    ids = seeds.Ids(seed, "tenants")
    return [ids.of(number) for number in range(count)]


class Org:
    def __init__(self, options, number, tenant_id):
        self.number = number
        self.tenant_id = tenant_id
        self.connection_id = seeds.Ids(options.seed, "connections").of(number)
        self.auth_event_id = seeds.Ids(options.seed, "consents").of(0)
        rotation = list(COUNTRIES)
        self.country = rotation[(rotation.index(options.country) + number) % len(rotation)]
        self.locale = COUNTRIES[self.country]
        self.name = f"Demo Company ({self.country})" + (f" {number + 1}" if number >= 3 else "")
        self.seed = (options.seed, number)
        self.stamp = STAMP
        self.attachments = getattr(options, "attachments", 0)
        self.quotes_as_entered = "quotes-as-entered" in getattr(options, "quirks", ())
        self._ids = {}
        self.parts = 0                  # of records written: lines, allocations, …
        self.numbers = {}               # object -> the next number to try
        self.canned = Canned()
        self.ledger = Ledger(self)
        self.contacts = Contacts(self, options.contacts)
        self.invoices = Invoices(self, options.invoices)
        self.documents = Documents(self)
        self._tables = {}

    def ids(self, kind):
        """The uuids of one kind of thing, here."""
        if kind not in self._ids:
            self._ids[kind] = seeds.Ids(*self.seed, kind)
        return self._ids[kind]

    def key(self, kind):
        return seeds.key_of(*self.seed, kind)

    def envelope_id(self, text):
        return seeds.Ids(*self.seed, "envelope").of(seeds.key_of(text) & 0xffffffff)

    def table(self, spec):
        """The rows of an object, generated when first asked for."""
        table = self._tables.get((spec.base, spec.name))
        if table is None:
            table = self._tables[spec.base, spec.name] = self._fill(spec)
        return table

    def filled(self):
        """The tables that were asked for, by object."""
        return [(name, table) for (_, name), table in self._tables.items()]

    def _fill(self, spec):
        if spec in (EMPLOYEES_AU, EMPLOYEES_UK_NZ):
            return Table.of(spec, employees(self))
        lazy = {"Invoices": self.invoices.table, "Payments": self.invoices.payments_table,
                "Contacts": self.contacts.table}.get(spec.name)
        if lazy:
            return lazy(spec)
        for source in (self.ledger, self.documents):
            make = getattr(source, snake(spec.name), None)
            if make:
                records = make()
                if self.attachments and spec.kind("LineItems") and (
                        spec.kind("HasAttachments") or spec.name == "Quotes"):
                    for n, record in enumerate(records):
                        self.documents.attach(spec.name, record, spec.key, n)
                return Table.of(spec, records)
        return Table(spec)

    def changed(self, spec):
        """Rows of an object changed in ways unknown: other tables' views of them
        are stale."""
        if spec.name == "Contacts":
            self.contacts.refresh(self.table(spec))
            self.contacts_shown_anew()

    def contacts_shown_anew(self):
        """Names and the like of contacts changed; the objects that show them."""
        for table in self._tables.values():
            table.forget_nested("Contact.")
        return {spec for spec in ACCOUNTING_OBJECTS.values() if spec.kind("Contact")}

    def warm(self, spec, paths):
        """Compute ahead what filtered pages need, in small steps."""
        table = self.table(spec)
        yield lambda: table.ordered([])
        if spec.clock:
            yield lambda: table.ordered([(spec.clock, "instant", False)])
        for path in sorted(paths):
            yield lambda path=path: table.view(path, "equal" if spec.kind(path) == "str" else "exact")


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
