"""Bank transactions and transfers."""
from decimal import Decimal

from ..values import Number, iso_seconds
from . import messages
from .documents import Document
from .handler import Handler
from .lines import Lines
from .rounding import ZERO
from .settlement import rebalance, settled
from .statuses import MACHINES

PLAIN = ("SPEND", "RECEIVE")
CREDIT_OF = {"PREPAYMENT": ("Prepayments", "PrepaymentID"), "OVERPAYMENT": ("Overpayments", "OverpaymentID")}


def bank_account(handler, given):
    account = handler.books.account(given)
    if not account or account["Type"] != "BANK" or account["Status"] != "ACTIVE":
        handler.refuse(messages.BAD_BANK_ACCOUNT)
        return None
    return account


class BankTransactions(Document):
    style = "Inclusive"
    required = ("Type", "Contact", "LineItems", "BankAccount")

    def blank(self, given):
        self.kind = given["Type"].partition("-")[2]
        self.any_account = self.kind == "OVERPAYMENT"       # goes to debtors or creditors
        return {"IsReconciled": False}

    def create(self, given):
        if given.get("Type", "").endswith("TRANSFER"):
            self.stop(messages.TRANSFER_TYPE)
        return super().create(given)

    def allowed(self, before, given):
        if before.get("IsReconciled"):
            self.stop(messages.RECONCILED)
        if given.get("Status") == "DELETED":
            return
        if before["Type"] not in PLAIN:
            self.stop(messages.TRANSFER_TYPE)

    def finish(self, record, given, before):
        if "BankAccount" in given:
            account = bank_account(self, given["BankAccount"])
            if account:
                record["BankAccount"] = self.books.account_reference(account)
                if not before and "CurrencyCode" not in given and account.get("CurrencyCode"):
                    record["CurrencyCode"] = account["CurrencyCode"]
                    record["CurrencyRate"] = given.get("CurrencyRate") or self.books.day_rate(record["CurrencyCode"])

    def store(self, record, given, before):
        if before is None and self.kind:
            self._credit(record)
        elif before and record["Status"] == "DELETED":
            self._drop_credit(record)
        return self.books.save(self.spec, record)

    def _credit(self, record):
        """Money for nothing yet: the credit that the transaction makes."""
        name, key = CREDIT_OF[self.kind]
        credit = {member: record[member] for member in (
            "Type", "Contact", "Date", "DateString", "LineAmountTypes", "LineItems", "SubTotal", "TotalTax", "Total",
            "CurrencyCode", "CurrencyRate") if member in record}
        credit.update({key: self.books.new_id(name), "Status": "AUTHORISED", "Reference": record.get("Reference", ""),
                       "Allocations": [], "Payments": [], "HasAttachments": False})
        record[key] = credit[key]
        self.books.save(name, rebalance(credit, record["Date"]))

    def _drop_credit(self, record):
        for name, key in CREDIT_OF.values():
            credit = self.books.get(name, record.get(key))
            if credit and settled(credit):
                self.stop(messages.SETTLED_ELSEWHERE)
            if credit:
                self.books.save(name, {**credit, "Status": "VOIDED", "RemainingCredit": Number(ZERO)})


class BankTransfers(Handler):
    def create(self, given):
        self.require(given, "FromBankAccount", "ToBankAccount", "Amount")
        if given.get("Status", "AUTHORISED") != "AUTHORISED":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        accounts = [bank_account(self, given[side]) for side in ("FromBankAccount", "ToBankAccount")]
        if Decimal(given["Amount"]) <= 0:
            self.refuse(messages.NOT_POSITIVE)
        date = given.get("Date") or self.books.today()
        self.in_open_period(date)
        self.settle()
        if accounts[0]["AccountID"] == accounts[1]["AccountID"]:
            self.stop(messages.SAME_ACCOUNT)
        lines = Lines(self, "NoTax", True, False)
        transfer = {
            "BankTransferID": self.books.new_id(self.spec), "Date": date, "DateString": iso_seconds(date),
            "Status": "AUTHORISED", "Amount": given["Amount"], "CurrencyRate": Number("1.000000"),
            "FromIsReconciled": given.get("FromIsReconciled", False),
            "ToIsReconciled": given.get("ToIsReconciled", False),
            "Reference": given.get("Reference", ""), "HasAttachments": False,
            "FromTracking": lines.tracking(given.get("FromTracking", [])),
            "ToTracking": lines.tracking(given.get("ToTracking", []))}
        self.settle()
        for side, account, kind in zip(("From", "To"), accounts, ("SPEND-TRANSFER", "RECEIVE-TRANSFER")):
            transfer[side + "BankAccount"] = self.books.account_reference(account)
            transfer[side + "BankTransactionID"] = self._transaction(transfer, account, kind, side)
        return self.books.save(self.spec, transfer)

    def _transaction(self, transfer, account, kind, side):
        total = transfer["Amount"]
        key = self.books.new_id("BankTransactions")
        self.books.save("BankTransactions", {
            "BankTransactionID": key, "Type": kind, "BankAccount": self.books.account_reference(account),
            "IsReconciled": transfer[side + "IsReconciled"], "Date": transfer["Date"],
            "DateString": transfer["DateString"], "Reference": transfer["Reference"], "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax", "LineItems": [], "SubTotal": total, "TotalTax": Number("0.00"), "Total": total,
            "CurrencyCode": account.get("CurrencyCode") or self.books.base_currency(), "HasAttachments": False})
        return key

    def change(self, transfer, given):
        """A transfer is never changed, only deleted, with both its halves."""
        if given.get("Status") != "DELETED":
            self.stop(messages.ONLY_DELETE, "A bank transfer")
        if MACHINES["BankTransfer"].final(transfer["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        if transfer.get("FromIsReconciled") or transfer.get("ToIsReconciled"):
            self.stop(messages.RECONCILED)
        self.in_open_period(transfer["Date"])
        self.settle()
        for side in ("From", "To"):
            half = self.books.get("BankTransactions", transfer[side + "BankTransactionID"])
            if half:
                self.books.save("BankTransactions", {**half, "Status": "DELETED"})
        return self.books.save(self.spec, {**transfer, "Status": "DELETED"})

    def post(self, given):
        """POST on the collection deletes, it never creates."""
        if not given.get("BankTransferID"):
            self.reasons = []
            self.stop(messages.REQUIRED, "BankTransferID")
        return super().post(given)
