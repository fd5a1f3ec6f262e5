"""One organisation as a write sees it: look up, save, and undo.

Every save is remembered until the element is done, so that what a refused one
had saved can be taken back.  `touched` gathers the objects whose kept answers
are stale.
"""
import datetime
import zoneinfo

from ..objects import ACCOUNTING_OBJECTS
from ..org.invoices import RATES
from ..org.ledger import CHART
from ..values import DAY_MS, Day, Instant, Iso, Number, iso_seconds

ZONES = {"AU": "Australia/Sydney", "UK": "Europe/London", "NZ": "Pacific/Auckland"}


class Refused(Exception):
    """An element that fails validation: every reason."""

    def __init__(self, *reasons):
        super().__init__(*reasons)
        self.reasons = list(reasons)


class Books:
    def __init__(self, org, clock, options):
        self.org = org
        self.options = options
        self.now = Instant(int(clock.now() * 1000))
        self.touched = set()
        self.saved = []                     # (spec, key, record before or None)
        self.warnings = []

    def has(self, quirk):
        return quirk in self.options.quirks

    # looking up ----------------------------------------------------------

    @staticmethod
    def spec(name):
        return name if not isinstance(name, str) else ACCOUNTING_OBJECTS[name]

    def table(self, name):
        return self.org.table(self.spec(name))

    def get(self, name, key):
        """The record with this key, or None."""
        table = self.table(name)
        row = table.row_by_key(str(key)) if key else None
        return table.record(row) if row is not None else None

    def find(self, name, path, text):
        """Live records whose text equals this, without regard to case."""
        table = self.table(name)
        return [table.record(row) for row in table.find(path, text)]

    def records(self, name):
        table = self.table(name)
        return [table.record(row) for row in table.rows()]

    def account(self, given):
        """The account that {AccountID}, or {Code} or a line's {AccountCode}, names."""
        if given.get("AccountID"):
            return self.get("Accounts", given["AccountID"])
        code = given.get("Code") or given.get("AccountCode")
        found = self.find("Accounts", "Code", code) if code else []
        return found[0] if found else None

    def account_in_use(self, account):
        """Whether something written refers to the account; documents of the
        generator use what the chart of accounts has had from the start."""
        if self.org.table(self.spec("Accounts")).row_by_key(account["AccountID"]) < len(CHART):
            return True
        mark = account["AccountID"]
        return any(mark in str(record) for name, table in self.org.filled() if name != "Accounts"
                   for record in table.laid_over.values())

    def tax_rate(self, code):
        found = self.get("TaxRates", code)
        return found if found and found["Status"] == "ACTIVE" else None

    def base_currency(self):
        return self.org.locale["currency"]

    def day_rate(self, currency):
        """The exchange rate that Xero takes when none is given."""
        return RATES.get(currency, Number("1.0000000000")) if currency != self.base_currency() else \
            Number("1.0000000000")

    @staticmethod
    def day_words(ms):
        """A date as messages tell it: 30 June 2023."""
        return (datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=ms)).strftime("%-d %B %Y")

    def today(self):
        """The date where the organisation is."""
        zone = zoneinfo.ZoneInfo(ZONES[self.org.country])
        moment = datetime.datetime.fromtimestamp(self.now / 1000, zone)
        return Day((moment.date() - datetime.date(1970, 1, 1)).days * DAY_MS)

    def locked_until(self):
        """The last day on which nothing can be changed."""
        organisation = self.records("Organisation")[0]
        return max((organisation.get(name) or Day(-1 << 60) for name in ("PeriodLockDate", "EndOfYearLockDate")))

    def new_id(self, name):
        table = self.table(name)
        return self.org.ids(f"written {self.spec(name).name}").of(table.size)

    def new_part_id(self, kind):
        """An id for what is inside a record: a line, an allocation."""
        self.org.parts += 1
        return self.org.ids("written " + kind).of(self.org.parts)

    def number(self, name, form, first):
        """The next free number of an object, as `form` spells it."""
        natural = self.spec(name).natural
        n = self.org.numbers.get(name, max(first, self.table(name).size))
        while self.table(name).find(natural, form.format(n)):
            n += 1
        self.org.numbers[name] = n + 1
        return form.format(n)

    # saving --------------------------------------------------------------

    def save(self, name, record, bump=True):
        """Store a record; `bump` moves its clock."""
        spec = self.spec(name)
        table = self.org.table(spec)
        key = record[spec.key]
        row = table.row_by_key(str(key))
        before = table.record(row) if row is not None else None
        if bump:
            self._stamp(spec, record, before)
        self.saved.append((spec, key, before))
        self._lay(spec, table, record)
        return record

    def _stamp(self, spec, record, before):
        if spec.clock == "CreatedDateUTC":
            if before is None:
                record.update(CreatedDateUTC=self.now, CreatedDateUTCString=iso_seconds(self.now))
        elif spec.clock == "updatedDateUTC":
            record["updatedDateUTC"] = Iso(iso_seconds(self.now))
        elif spec.clock:
            record["UpdatedDateUTC"] = self.now
            if spec.has_clock_text:
                record["UpdatedDateUTCString"] = iso_seconds(self.now) + "Z"

    def _lay(self, spec, table, record):
        row = table.upsert(record)
        self.touched.add(spec)
        if spec.name == "Contacts" and self.org.contacts.show(row, record)[1]:
            self.touched |= self.org.contacts_shown_anew()

    def remove(self, name, key):
        spec = self.spec(name)
        self.saved.append((spec, key, self.get(name, key)))
        self.org.table(spec).remove(key)
        self.touched.add(spec)

    def mark(self):
        return len(self.saved)

    def undo(self, mark):
        """Take back what was saved since the mark."""
        while len(self.saved) > mark:
            spec, key, before = self.saved.pop()
            table = self.org.table(spec)
            if before is None:
                table.remove(str(key))
            else:
                self._lay(spec, table, before)

    # references as documents show them -------------------------------------

    def contact_reference(self, contact):
        row = self.table("Contacts").row_by_key(contact["ContactID"])
        return self.org.contacts.show(row, contact)[0]

    @staticmethod
    def account_reference(account):
        return {name: account.get(name) for name in ("AccountID", "Code", "Name")}


def line_by_id(record, key, name="LineItems"):
    return next((line for line in record.get(name) or [] if line.get("LineItemID") == key), None)
