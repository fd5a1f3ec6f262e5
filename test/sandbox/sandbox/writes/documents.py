"""Documents with a contact and lines: what they share.

A subclass says what its kind is called, requires and allows; the order of work
is the same for all: status, contact, currency, dates, lines and sums.
"""
from decimal import Decimal

from ..values import Day, Number, iso_seconds
from . import messages
from .contacts import NestedContact
from .handler import Handler
from .lines import Lines
from .rounding import amount
from .statuses import MACHINES
from .totals import discount, sums

BASE_RATE = Number("1.0000000000")
WITH_TEXT = ("Date", "DueDate", "DeliveryDate", "ExpectedArrivalDate", "ExpiryDate")      # with a …String beside
TOTALS = ("SubTotal", "TotalTax", "Total")
MOST_ROUNDING = Decimal("0.10")
LARGEST_DAY = Day(253_402_300_799_000)


class Document(Handler):
    style = "Exclusive"                 # LineAmountTypes unless given
    required = ("Contact", "LineItems")
    approved = ("AUTHORISED",)          # statuses that need complete lines
    approval = ()                       # members that they need
    discounts = False
    number = None                       # (member, form, first number)
    existing_contact = False
    dated = True
    any_account = False

    @property
    def machine(self):
        return MACHINES[self.spec.type_name]

    def sales(self, record):
        """Whether it is about selling: items, taxes and accounts follow."""
        return record.get("Type", "").startswith(("ACCREC", "RECEIVE"))

    def blank(self, given):
        """A new record before anything given is in it."""
        return {}

    def create(self, given):
        if "Contact" in self.required and "Contact" not in given:
            self.refuse(messages.NO_CONTACT)
        if "LineItems" in self.required and not given.get("LineItems"):
            self.refuse(messages.NO_LINES)
        self.require(given, *(name for name in self.required if name not in ("Contact", "LineItems")))
        if given.get("Status", self.machine.usual) not in self.machine.first:
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        record = {self.spec.key: self.books.new_id(self.spec), "Status": self.machine.usual,
                  "LineAmountTypes": self.style, "CurrencyCode": self.books.base_currency(),
                  "CurrencyRate": BASE_RATE, "HasAttachments": False, "LineItems": [], **self.blank(given)}
        if self.dated:
            record.setdefault("Date", self.books.today())
        return self._write(record, given, None)

    def change(self, before, given):
        if self.machine.final(before["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        if "Type" in before and given.get("Type", before["Type"]) != before["Type"]:
            self.refuse(messages.TYPE_FIXED, "Type")
        after = given.get("Status", before["Status"])
        if not self.machine.may(before["Status"], after):
            self.refuse(messages.STATUS_CHANGE, self.label, before["Status"], after)
        self.settle()
        self.allowed(before, given)
        return self._write(dict(before), given, before)

    def allowed(self, before, given):
        """Hook: refuse changes that the record's state forbids."""

    def _write(self, record, given, before):
        given = dict(given)
        contact = given.pop("Contact", None)
        lines = given.pop("LineItems", None)
        status = given.pop("Status", None)
        if contact is not None:
            shown = NestedContact(self, self.existing_contact).resolve(contact, before is None)
            if shown:
                record["Contact"] = shown
        self._currency(record, given)
        self._theme(given)
        self._url(given)
        totals = {name: given.pop(name) for name in TOTALS if name in given}
        record.update(given)
        for name in WITH_TEXT:
            if record.get(name) is not None:
                record[name + "String"] = iso_seconds(record[name])
            else:
                record.pop(name + "String", None)
        if status:
            record["Status"] = status
        self._period(record, before)
        self._lines(record, lines, before)
        self._number(record, given, before)
        self._rounding(record, totals)
        self.finish(record, given, before)
        self.settle()
        return self.store(record, given, before)

    def finish(self, record, given, before):
        """Hook: members that follow from the others; last complaints."""

    def store(self, record, given, before):
        """Hook: save, and what has to be saved with it."""
        return self.books.save(self.spec, record)

    # steps ---------------------------------------------------------------

    def _currency(self, record, given):
        code = given.get("CurrencyCode")
        if code and code != record.get("CurrencyCode"):
            if not self.books.get("Currencies", code):
                self.refuse(messages.BAD_CURRENCY, code)
            record["CurrencyRate"] = self.books.day_rate(code)
        if "CurrencyRate" in given and (code or record["CurrencyCode"]) == self.books.base_currency():
            given["CurrencyRate"] = BASE_RATE
        if amount(given, "CurrencyRate") == amount(record, "CurrencyRate"):
            given.pop("CurrencyRate", None)

    def _theme(self, given):
        theme = given.get("BrandingThemeID")
        if theme and not self.books.get("BrandingThemes", theme):
            self.refuse(messages.BAD_THEME, theme)

    def _url(self, given):
        """docs: the link cannot be to Xero."""
        if "xero" in given.get("Url", "").lower():
            self.refuse(messages.URL_XERO)

    def _rounding(self, record, totals):
        """spec 19.0.0: where the organisation has opted in, and the three totals
        of a document that is not a draft are given and agree, they stand; the
        RoundingAmount is what is between them and the lines."""
        if not self.books.has("rounding-amounts") or len(totals) < len(TOTALS) or record["Status"] == "DRAFT":
            return
        sub, tax, total = (amount(totals, name) for name in TOTALS)
        rounding = total - amount(record, "Total")
        if sub + tax + rounding == total and rounding and abs(rounding) <= MOST_ROUNDING:
            record.update(Total=Number(total), RoundingAmount=Number(rounding))

    def _period(self, record, before):
        """Neither before nor after."""
        if self.dated:
            self.in_open_period(record["Date"], before["Date"] if before else LARGEST_DAY)

    def _lines(self, record, given, before):
        style = record["LineAmountTypes"]
        lines = Lines(self, style, self.sales(record), self.discounts, self.any_account)
        restyled = before is not None and style != before["LineAmountTypes"]
        if given is None and restyled:
            given = [{"LineItemID": line["LineItemID"]} for line in record["LineItems"]]
        if given is not None:
            if not given:
                self.refuse(messages.NO_LINES)
            record["LineItems"] = lines.replace(given, before["LineItems"] if before else [], restyled)
            record.update(sums(record["LineItems"], style.lower()))
            record.pop("RoundingAmount", None)
            taken = discount(record["LineItems"])
            if taken is not None or "TotalDiscount" in record:
                record["TotalDiscount"] = taken or Number("0.00")
            if amount(record, "Total") < 0:
                self.refuse(messages.BELOW_ZERO)
        changed = before is None or before["Status"] != record["Status"] or given is not None
        if record["Status"] in self.approved and changed:
            lines.complete(record["LineItems"])
            self.require(record, *self.approval)

    def numbered(self, record):
        """Whether this record's number is Xero's to give, and unique."""
        return True

    def _number(self, record, given, before):
        if not self.number:
            return
        name, form, first = self.number
        if not self.numbered(record):
            return
        if not record.get(name):
            record[name] = self.books.number(self.spec.name, form, first)
        elif name in given and given[name] != (before or {}).get(name):
            if not given[name].isascii() or not given[name].isprintable():
                self.refuse(messages.NOT_ASCII, name)
            if self.taken(name, given[name], record[self.spec.key],
                          lambda other: other.get("Status") != "DELETED" and self.numbered(other)):
                self.refuse(self.number_taken(name, given[name]))

    def number_taken(self, name, number):
        return messages.UNIQUE.format(name, number)

    def same_number(self, given):
        """The document that an element without id means by its number."""
        name = self.number[0]
        if not given.get(name):
            return None
        found = [record for record in self.books.find(self.spec, name, given[name])
                 if record.get("Status") != "DELETED" and self.numbered(record)]
        return found[0] if found else None
