"""Accounts, currencies and tax rates."""
import re
from decimal import Decimal

from ..values import Number
from . import messages
from .handler import Handler
from .rounding import ZERO, places
from .statuses import MACHINES

CLASSES = {"ASSET": "BANK CURRENT FIXED INVENTORY NONCURRENT PREPAYMENT", "EQUITY": "EQUITY",
           "EXPENSE": "DEPRECIATN DIRECTCOSTS EXPENSE OVERHEADS",
           "LIABILITY": "CURRLIAB LIABILITY TERMLIAB PAYG", "REVENUE": "OTHERINCOME REVENUE SALES"}
CLASS_OF = {kind: group for group, kinds in CLASSES.items() for kind in kinds.split()}


class Accounts(Handler):
    def create(self, given):
        self.require(given, "Name", "Type", *(() if given.get("Type") == "BANK" else ("Code",)))
        if given.get("Type") == "BANK":
            self.require(given, "BankAccountNumber")
        if given.get("Status", "ACTIVE") != "ACTIVE":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self._check(given, None)
        self.settle()
        group = CLASS_OF[given["Type"]]
        usual = {"REVENUE": self.books.org.locale["sales"], "EXPENSE": self.books.org.locale["purchases"]}
        record = {"AccountID": self.books.new_id("Accounts"), "Code": None, "Status": "ACTIVE",
                  "TaxType": usual.get(group, "NONE"), "Class": group, "EnablePaymentsToAccount": False,
                  "ShowInExpenseClaims": False, "ReportingCode": group[:3], "ReportingCodeName": group.title(),
                  "HasAttachments": False, "AddToWatchlist": False}
        if given["Type"] == "BANK":
            record.update(BankAccountType="BANK", CurrencyCode=self.books.base_currency())
        return self.books.save("Accounts", {**record, **given})

    def change(self, account, given):
        after = given.get("Status", account["Status"])
        if after != account["Status"]:
            if set(given) - {"AccountID", "Status"}:
                self.refuse(messages.ARCHIVE_ALONE)
            if account.get("SystemAccount"):
                self.refuse(messages.SYSTEM_ACCOUNT)
            if not MACHINES["Account"].may(account["Status"], after):
                self.refuse(messages.STATUS_CHANGE, self.label, account["Status"], after)
        elif account["Status"] != "ACTIVE":
            self.refuse(messages.NOT_MODIFIABLE, self.label)
        if account.get("SystemAccount") and given.get("Type", account["Type"]) != account["Type"]:
            self.refuse(messages.SYSTEM_ACCOUNT)
        self._check(given, account)
        self.settle()
        record = {**account, **given}
        record["Class"] = CLASS_OF[record["Type"]]
        return self.books.save("Accounts", record)

    def _check(self, given, before):
        key = before and before["AccountID"]
        for name, message in (("Name", messages.UNIQUE_NAME), ("Code", messages.UNIQUE_CODE)):
            if given.get(name) and given[name] != (before or {}).get(name) and self.taken(name, given[name], key):
                self.refuse(message)
            if given.get(name) == "" and before:
                self.refuse(messages.REQUIRED, name)
        if given.get("TaxType") and not self.books.tax_rate(given["TaxType"]):
            self.refuse(messages.BAD_TAX, given["TaxType"])
        if given.get("CurrencyCode") and not self.books.get("Currencies", given["CurrencyCode"]):
            self.refuse(messages.BAD_CURRENCY, given["CurrencyCode"])

    def remove(self, account):
        """Gone for good, unless the system or a document needs it."""
        if account.get("SystemAccount"):
            self.stop(messages.SYSTEM_ACCOUNT)
        if self.books.account_in_use(account):
            self.stop(messages.ACCOUNT_USED)
        self.books.remove("Accounts", account["AccountID"])
        return {**account, "Status": "DELETED", "UpdatedDateUTC": self.books.now}


class Currencies(Handler):
    def create(self, given):
        code = given.get("Code", "")
        if not re.fullmatch("[A-Z]{3}", code):
            self.stop(messages.CURRENCY_CODE, code)
        if self.books.get("Currencies", code):
            self.stop(messages.UNIQUE, "Currency", code)
        return self.books.save("Currencies", {"Code": code, "Description": given.get("Description", code)})


class TaxRates(Handler):
    def put(self, given):
        self.reasons = []
        return self.create(given)

    def post(self, given):
        self.reasons = []
        record = self.match(given)
        return self.change(record, given) if record else self.create(given)

    def match(self, given):
        if given.get("TaxType"):
            return self.books.get("TaxRates", given["TaxType"])
        found = self.books.find("TaxRates", "Name", given["Name"]) if given.get("Name") else []
        return next((rate for rate in found if rate["Status"] != "DELETED"), None)

    def create(self, given):
        self.require(given, "Name", "TaxComponents")
        if given.get("Name") and self.taken("Name", given["Name"], live=lambda rate: rate["Status"] != "DELETED"):
            self.refuse(messages.UNIQUE, "Tax rate", given["Name"])
        if given.get("Status", "ACTIVE") != "ACTIVE":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        n = 1
        while self.books.get("TaxRates", f"TAX{n:03d}"):
            n += 1
        report = given.get("ReportTaxType", "INPUT")
        output = report == "OUTPUT"
        record = {"Name": given["Name"], "TaxType": f"TAX{n:03d}", "ReportTaxType": report, "Status": "ACTIVE",
                  "CanApplyToAssets": True, "CanApplyToEquity": True, "CanApplyToExpenses": not output,
                  "CanApplyToLiabilities": True, "CanApplyToRevenue": output}
        return self._store(record, given)

    def change(self, rate, given):
        machine, after = MACHINES["TaxRate"], given.get("Status", rate["Status"])
        if not machine.may(rate["Status"], after) or machine.final(rate["Status"]):
            self.stop(messages.STATUS_CHANGE, self.label, rate["Status"], after)
        return self._store({**rate, "Status": after}, given)

    def _store(self, record, given):
        record.update({name: given[name] for name in ("Name", "ReportTaxType") if name in given})
        if given.get("TaxComponents"):
            parts = given["TaxComponents"]
            for part in parts:
                self.require(part, "Name", "Rate")
            self.settle()
            record["TaxComponents"] = [{"IsCompound": False, "IsNonRecoverable": False, **part} for part in parts]
            plain = sum((Decimal(part["Rate"]) for part in parts if not part.get("IsCompound")), ZERO)
            compound = [Decimal(part["Rate"]) for part in parts if part.get("IsCompound")]
            effective = plain + sum(rate * (1 + plain / 100) for rate in compound)
            record["DisplayTaxRate"] = Number(places(plain + sum(compound), 4))
            record["EffectiveRate"] = Number(places(effective, 4))
        return self.books.save("TaxRates", record)
