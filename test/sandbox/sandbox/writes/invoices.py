"""Invoices and credit notes: documents that are paid and allocated."""
from decimal import Decimal

from ..values import Number
from . import messages
from .allocations import Allocations
from .documents import Document
from .rounding import ZERO
from .settlement import rebalance, settled, show_invoice_anew

# What can still be changed once something was paid on a document; of bills, by
# Xero's changelog of 19 March 2026.
AFTER_PAYMENT = {"Reference", "DueDate", "InvoiceNumber", "CreditNoteNumber", "BrandingThemeID", "Contact", "Url",
                 "LineItems", "SentToContact", "ExpectedPaymentDate", "PlannedPaymentDate", "Status", "InvoiceID",
                 "CreditNoteID"}
LINE_AMOUNTS = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount", "TaxType", "DiscountRate", "DiscountAmount")
SILENT_AFTER_PAYMENT = {"DueDate", "SentToContact"}        # their changes do not move the clock then


class Payable(Document):
    approval = ("DueDate",)

    def blank(self, given):
        return {"Type": given["Type"], "SentToContact": False, "HasErrors": False, "Payments": [],
                **({} if self.spec.name == "CreditNotes" else {"IsDiscounted": False})}

    def create(self, given):
        self.require(given, "Type")
        if given.get("Type") and given["Type"] not in self.types:
            self.refuse(messages.INVOICE_TYPE)
        self.settle()
        return super().create(given)

    def match(self, given):
        return self.same_number(given) if given.get("Type", self.types[0]) == self.types[0] else None

    def numbered(self, record):
        return record["Type"] == self.types[0]

    def allowed(self, before, given):
        """A document with payments can only be changed in what is no amount."""
        if not settled(before):
            return
        if given.get("Status") == "VOIDED":
            self.stop(messages.VOID_SETTLED)
        for name, value in given.items():
            if name not in AFTER_PAYMENT and not same(before.get(name), value):
                self.stop(messages.SETTLED)

    def finish(self, record, given, before):
        if "SentToContact" in given and record["Status"] not in ("AUTHORISED", "PAID"):
            record["SentToContact"] = (before or {}).get("SentToContact", False)
            self.books.warnings.append(messages.SENT_TO_CONTACT)
        if before and settled(before) and "LineItems" in record and not same_amounts(before, record):
            self.refuse(messages.SETTLED)
        if "IsDiscounted" in record:
            record["IsDiscounted"] = any(line.get("DiscountAmount") for line in record["LineItems"])
        rebalance(record, record["Date"])

    def store(self, record, given, before):
        changed = {name for name in given if not before or not same(before.get(name), given[name])}
        silent = before and settled(before) and changed and changed <= SILENT_AFTER_PAYMENT
        self.books.save(self.spec, record, bump=not silent)
        self._mark_contact(record)
        return record

    def _mark_contact(self, record):
        """A first sale makes a customer, a first purchase a supplier; that
        moves no clock."""
        flag = "IsCustomer" if self.sales(record) else "IsSupplier"
        contact = self.books.get("Contacts", record["Contact"]["ContactID"])
        if contact and not contact.get(flag) and record["Status"] in ("AUTHORISED", "PAID"):
            self.books.save("Contacts", {**contact, flag: True}, bump=False)


class Invoices(Payable):
    types = ("ACCREC", "ACCPAY")
    number = ("InvoiceNumber", "INV-{:06d}", 0)
    required = ("Contact", "LineItems")

    def blank(self, given):
        self.discounts = given["Type"] == "ACCREC"
        return {**super().blank(given), "CreditNotes": [], "Prepayments": [], "Overpayments": [],
                "AmountDue": Number(ZERO), "AmountPaid": Number(ZERO), "AmountCredited": Number(ZERO)}

    def change(self, before, given):
        self.discounts = before["Type"] == "ACCREC"
        return super().change(before, given)

    def number_taken(self, name, number):
        return messages.INVOICE_NUMBER_TAKEN

    def finish(self, record, given, before):
        super().finish(record, given, before)
        approved = record["Status"] == "AUTHORISED" and (not before or before["Status"] != "AUTHORISED")
        if approved and record["Type"] == "ACCREC" and self.call.params.get("allowBackorders", "").lower() != "true":
            self._check_stock(record["LineItems"])

    def _check_stock(self, lines):
        """More than there is of a tracked item cannot be sold, unless asked for."""
        wanted = {}
        for line in lines:
            if line.get("ItemCode"):
                wanted[line["ItemCode"]] = wanted.get(line["ItemCode"], 0) + Decimal(line.get("Quantity") or 0)
        for code, quantity in wanted.items():
            item, = self.books.find("Items", "Code", code)[:1] or [{}]
            if item.get("IsTrackedAsInventory") and quantity > Decimal(item.get("QuantityAvailable") or 0):
                self.refuse(messages.OUT_OF_STOCK, code)

    def store(self, record, given, before):
        super().store(record, given, before)
        if before and (before.get("InvoiceNumber") != record.get("InvoiceNumber")
                       or before["Contact"]["ContactID"] != record["Contact"]["ContactID"]):
            show_invoice_anew(self.books, record)
        return record


class CreditNotes(Allocations, Payable):
    types = ("ACCRECCREDIT", "ACCPAYCREDIT")
    number = ("CreditNoteNumber", "CN-{:05d}", 2000)
    required = ("Contact",)
    approval = ()

    def blank(self, given):
        return {**super().blank(given), "Allocations": [], "AppliedAmount": Number(ZERO),
                "RemainingCredit": Number(ZERO), "SubTotal": Number(ZERO), "TotalTax": Number(ZERO),
                "Total": Number(ZERO)}

    def finish(self, record, given, before):
        super().finish(record, given, before)
        record["ID"] = record["CreditNoteID"]


def same(old, new):
    """Whether a given value is what the record has."""
    if isinstance(new, Number) and old not in (None, ""):
        return Decimal(old) == Decimal(new)
    return old == new


def same_amounts(before, record):
    def amounts(document):
        return {line.get("LineItemID"): tuple(line.get(name) and str(line[name]) for name in LINE_AMOUNTS)
                for line in document["LineItems"]}
    return amounts(before) == amounts(record)
