"""Manual journals: lines without ids, that sum to nothing."""
from decimal import Decimal

from ..values import Number, iso_seconds
from . import messages
from .handler import Handler
from .lines import Lines, fits
from .rounding import ZERO, amount
from .statuses import MACHINES
from .totals import tax

FORBIDDEN = ("DEBTORS", "CREDITORS", "RETAINEDEARNINGS")


class ManualJournals(Handler):
    machine = MACHINES["ManualJournal"]

    def create(self, given):
        self.require(given, "Narration")
        if len(given.get("JournalLines", [])) < 2:
            self.refuse(messages.FEW_LINES)
        if given.get("Status", "DRAFT") not in self.machine.first:
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        record = {"ManualJournalID": self.books.new_id(self.spec), "Date": self.books.today(), "Status": "DRAFT",
                  "LineAmountTypes": "NoTax", "ShowOnCashBasisReports": True, "HasAttachments": False}
        return self._store(record, given, None)

    def change(self, before, given):
        if self.machine.final(before["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        after = given.get("Status", before["Status"])
        if not self.machine.may(before["Status"], after):
            self.stop(messages.STATUS_CHANGE, self.label, before["Status"], after)
        if not self.books.has("journals-without-narration"):
            self.require(given, "Narration")                # spec: ManualJournal.required
            self.settle()
        return self._store(dict(before), given, before)

    def _store(self, record, given, before):
        lines = given.get("JournalLines")
        record.update({name: value for name, value in given.items() if name != "JournalLines"})
        record["DateString"] = iso_seconds(record["Date"])
        if not record.get("Narration"):
            self.refuse(messages.REQUIRED, "Narration")
        if "xero" in given.get("Url", "").lower():          # docs
            self.refuse(messages.URL_XERO)
        self.in_open_period(record["Date"], (before or record)["Date"])
        if lines is not None:
            if len(lines) < 2:
                self.refuse(messages.FEW_LINES)
            record["JournalLines"] = [self._line(line, record["LineAmountTypes"].lower()) for line in lines]
            self._balance(record)
        self.settle()
        return self.books.save(self.spec, record)

    def _line(self, given, style):
        line = {"IsBlank": False, "Description": "", **given, "Tracking": Lines(self, style, True, False).tracking(
            given.get("Tracking", []))}
        self.require(given, "LineAmount")
        account = self.books.account(given)
        if not account and not (given.get("AccountCode") or given.get("AccountID")):
            self.refuse(messages.NO_ACCOUNT)
        elif not account or account["Status"] != "ACTIVE":
            self.refuse(messages.BAD_ACCOUNT, given.get("AccountCode") or given.get("AccountID"))
        elif account["Type"] in ("BANK", "INVENTORY") or account.get("SystemAccount") in FORBIDDEN:
            self.refuse(messages.JOURNAL_ACCOUNT, account["Code"])
        else:
            line.update(AccountID=account["AccountID"], AccountCode=account["Code"])
        rate = self.books.tax_rate(given.get("TaxType") or "NONE")
        if not rate:
            self.refuse(messages.BAD_TAX, given.get("TaxType"))
        elif account and style != "notax" and not fits(rate, account):
            self.refuse(messages.TAX_ON_ACCOUNT, given["TaxType"], account["Code"])
        line["TaxType"] = "NONE" if style == "notax" else given.get("TaxType") or "NONE"
        if "TaxAmount" not in given or style == "notax":
            percent = Decimal((rate or {}).get("EffectiveRate", 0))
            line["TaxAmount"] = Number(tax(amount(given, "LineAmount"), percent, style))
        return line

    def _balance(self, record):
        """Debits are positive; taxes count where amounts are without."""
        taxed = record["LineAmountTypes"] == "Exclusive"
        totals = [amount(line, "LineAmount") + (amount(line, "TaxAmount") if taxed else 0)
                  for line in record["JournalLines"]]
        debits = sum((total for total in totals if total > 0), ZERO)
        credits = -sum((total for total in totals if total < 0), ZERO)
        if debits != credits:
            self.refuse(messages.UNBALANCED, debits, credits)
