"""Credit notes, prepayments and overpayments set against invoices."""
from decimal import Decimal

from ..values import Number
from . import messages
from .handler import Handler
from .payments import CUSTOMER
from .rounding import amount
from .settlement import CREDITS, allocated_invoice, credit_on_invoice, rebalance


class Allocations:
    """What a handler of credits can do below one credit."""

    def allocate(self, visit, credit, rest):
        """PUT …/{id}/Allocations."""
        if rest:
            visit.unknown()
        kind, elements = self.spec.name, visit.elements("Allocations", "Allocation", bare=True)
        tasks = []
        for given, complaints in elements:
            tasks.append((lambda given=given: self._allocate(kind, credit[self.spec.key], given), given, complaints))
        return visit.carry_out(tasks, visit.parts("Allocations", "AllocationID"))

    def _allocate(self, kind, key, given):
        self.reasons = []
        credit = self.books.get(kind, key)
        self.require(given, "Invoice", "Amount", "Date")
        self.settle()
        invoice = self._invoice(given["Invoice"])
        wanted = Decimal(given["Amount"])
        if credit["Status"] != "AUTHORISED" or amount(credit, "RemainingCredit") <= 0:
            self.refuse(messages.CREDIT_NOT_OPEN)
        elif wanted > amount(credit, "RemainingCredit"):
            self.refuse(messages.OVERALLOCATED)
        if wanted <= 0:
            self.refuse(messages.NOT_POSITIVE)
        if invoice["Status"] not in ("AUTHORISED", "PAID"):
            self.refuse(messages.NOT_PAYABLE)
        elif wanted > amount(invoice, "AmountDue"):
            self.refuse(messages.OVERALLOCATED_INVOICE)
        if (credit["Type"] in CUSTOMER) != (invoice["Type"] in CUSTOMER) or credit["CurrencyCode"] != \
                invoice["CurrencyCode"] or credit["Contact"]["ContactID"] != invoice["Contact"]["ContactID"]:
            self.refuse(messages.ALLOCATION_TYPE)
        self.in_open_period(given["Date"])
        self.settle()
        allocation = {"AllocationID": self.books.new_part_id("allocations"), "Amount": given["Amount"],
                      "Date": given["Date"], "IsDeleted": False, "Invoice": allocated_invoice(invoice)}
        self._record(kind, credit, credit.get("Allocations", []) + [allocation], invoice, given["Date"])
        member = kind[:-1]
        return {**allocation, member: {self.spec.key: credit[self.spec.key], "LineItems": []}}

    def _invoice(self, words):
        invoice = self.books.get("Invoices", words.get("InvoiceID"))
        if not invoice and words.get("InvoiceNumber") and not words.get("InvoiceID"):
            found = self.books.find("Invoices", "InvoiceNumber", words["InvoiceNumber"])
            invoice = found[0] if found else None
        if not invoice:
            self.stop(messages.PAYMENT_TARGET_UNKNOWN, "Invoice")
        return invoice

    def _record(self, kind, credit, allocations, invoice, on):
        """Store both sides: what the credit has left, what the invoice owes."""
        key = CREDITS[kind]
        credit = self.books.save(kind, rebalance({**credit, "Allocations": allocations}, on))
        applied = sum((Decimal(one["Amount"]) for one in allocations
                       if one["Invoice"]["InvoiceID"] == invoice["InvoiceID"]), Decimal(0))
        shown = [part for part in invoice.get(kind, []) if part[key] != credit[key]]
        if applied:
            shown.append(credit_on_invoice(kind, credit, applied))
        self.books.save("Invoices", rebalance({**invoice, kind: shown}, on))

    def release(self, visit, credit, rest):
        """DELETE …/{id}/Allocations/{id}: a bare object is the answer."""
        allocation = next((one for one in credit.get("Allocations", []) if rest == [one["AllocationID"]]), None)
        if not allocation:
            visit.unknown()
        self.in_open_period(allocation["Date"])
        self.settle()
        left = [one for one in credit["Allocations"] if one is not allocation]
        invoice = self.books.get("Invoices", allocation["Invoice"]["InvoiceID"])
        self._record(self.spec.name, credit, left, invoice, allocation["Date"])
        return visit.answers.bare({"AllocationId": allocation["AllocationID"], "Date": allocation["Date"],
                                   "Invoice": [{"InvoiceID": invoice["InvoiceID"]}], "IsDeleted": True,
                                   "Amount": Number(allocation["Amount"])})


class Credits(Allocations, Handler):
    """Prepayments and overpayments: bank transactions make them."""
