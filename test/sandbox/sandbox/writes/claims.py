"""Receipts and the expense claims made of them."""
from decimal import Decimal

from ..values import Number
from . import messages
from .documents import Document
from .handler import Handler
from .rounding import ZERO, amount
from .statuses import MACHINES


def user(handler, given):
    """The user that {UserID} names, as records show it."""
    found = handler.books.get("Users", (given or {}).get("UserID"))
    if not found:
        handler.refuse(messages.BAD_USER)
        return None
    return {name: found[name] for name in ("UserID", "EmailAddress", "FirstName", "LastName", "IsSubscriber",
                                           "OrganisationRole") if name in found}


class Receipts(Document):
    required = ("Date", "Contact", "LineItems", "User")
    approved = ("DRAFT",)
    style = "Inclusive"

    def sales(self, record):
        return False

    def finish(self, record, given, before):
        if "User" in given:
            record["User"] = user(self, given["User"])
        record["ID"] = record["ReceiptID"]
        if not before:
            record["ReceiptNumber"] = str(self.books.table(self.spec).size + 1)


class ExpenseClaims(Handler):
    machine = MACHINES["ExpenseClaim"]

    def create(self, given):
        self.require(given, "User", "Receipts")
        if given.get("Status", "SUBMITTED") not in self.machine.first:
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        claimant = user(self, given["User"])
        receipts = []
        for words in given["Receipts"]:
            receipt = self.books.get("Receipts", words.get("ReceiptID"))
            if not receipt or receipt["Status"] != "DRAFT":
                self.refuse(messages.BAD_RECEIPT, words.get("ReceiptID"))
            else:
                receipts.append(receipt)
        self.settle()
        total = sum((amount(receipt, "Total") for receipt in receipts), ZERO)
        for receipt in receipts:
            self.books.save("Receipts", {**receipt, "Status": "SUBMITTED"})
        return self.books.save(self.spec, {
            "ExpenseClaimID": self.books.new_id(self.spec), "User": claimant, "Status": "SUBMITTED", "Payments": [],
            "Receipts": [{"ReceiptID": receipt["ReceiptID"], "Total": receipt["Total"], "Date": receipt["Date"],
                          "LineItems": []} for receipt in receipts],
            "ReceiptID": receipts[0]["ReceiptID"], "Total": Number(total), "AmountDue": Number(total),
            "AmountPaid": Number(Decimal("0.00"))})

    def change(self, claim, given):
        after = given.get("Status", claim["Status"])
        if self.machine.final(claim["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        if not self.machine.may(claim["Status"], after):
            self.stop(messages.STATUS_CHANGE, self.label, claim["Status"], after)
        return self.books.save(self.spec, {**claim, "Status": after})
