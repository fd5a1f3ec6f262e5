"""Purchase orders, quotes and repeating invoices."""
from ..org.lines import with_tax, without_tax
from . import messages
from .documents import BASE_RATE, Document
from .invoices import same
from .statuses import MACHINES


class PurchaseOrders(Document):
    """No discounts: docs (DiscountRate is for sales invoices and quotes)."""

    number = ("PurchaseOrderNumber", "PO-{:04d}", 0)
    existing_contact = True

    def blank(self, given):
        return {"Type": "PURCHASEORDER", "SentToContact": False, "IsDiscounted": False, "HasErrors": False}

    def match(self, given):
        return self.same_number(given)

    def change(self, before, given):
        """Live answers of 2026 keep the contact of an order that is posted with
        its id and Reference."""
        if self.books.has("orders-lose-contact") and "Status" in given and "Contact" not in given:
            before = {name: value for name, value in before.items() if name != "Contact"}
        return super().change(before, given)


class Quotes(Document):
    """A quote's LineAmountTypes are in capitals.  Every change must name its
    contact and date.

    A POST is not partial: what its header leaves out is as in a new quote, its
    lines, number and status excepted.  And lines of an INCLUSIVE quote are
    shown with amounts without tax, but are read as with it: whoever sends them
    back takes the tax off again (XeroAPI/xero-mcp-server PR#309: 1,092.00
    became 992.73).
    """

    number = ("QuoteNumber", "QU-{:04d}", 0)
    required = ("Contact", "Date", "LineItems")
    style = "EXCLUSIVE"
    approved = ()
    discounts = True
    editable = ("DRAFT", "SENT")
    always = {"QuoteID", "Contact", "Date", "Status"}
    omitted = {"Reference": "", "Terms": "", "Title": "", "Summary": "", "ExpiryDate": None, "BrandingThemeID": None,
               "CurrencyRate": BASE_RATE, "LineAmountTypes": "EXCLUSIVE"}

    def sales(self, record):
        return True

    def match(self, given):
        return self.same_number(given)

    def change(self, before, given):
        if "Contact" not in given:
            self.refuse(messages.NO_CONTACT)
        self.require(given, "Date")
        self.settle()
        if not self.books.has("quotes-keep-omitted"):
            given = {**self.omitted, "CurrencyCode": self.books.base_currency(), **given}
        return super().change(before, given)

    def allowed(self, before, given):
        changed = {name for name, value in given.items()
                   if not same(before.get(name) or "", "" if value is None else value)}
        if before["Status"] not in self.editable and changed - self.always:
            self.stop(messages.NOT_MODIFIABLE, self.label)

    def _lines(self, record, given, before):
        if self.books.has("quotes-as-entered"):
            return super()._lines(record, given, before)
        if before and before["LineAmountTypes"] == "INCLUSIVE":
            entered = [with_tax(line) for line in before["LineItems"]]
            before, record["LineItems"] = {**before, "LineItems": entered}, entered
        super()._lines(record, given, before)
        if record["LineAmountTypes"] == "INCLUSIVE":
            record["LineItems"] = [without_tax(line) for line in record["LineItems"]]


class RepeatingInvoices(Document):
    """Templates: made and deleted, never changed."""

    required = ("Type", "Contact", "LineItems", "Schedule")
    dated = False
    approved = ("DRAFT", "AUTHORISED")
    schedule = ("Period", "Unit", "DueDate", "DueDateType", "StartDate")

    def blank(self, given):
        self.discounts = given["Type"] == "ACCREC"
        return {"ApprovedForSending": False, "SendCopy": False, "MarkAsSent": False, "IncludePDF": False}

    def finish(self, record, given, before):
        schedule = record["Schedule"]
        self.require(schedule, *self.schedule)
        record["ID"] = record["RepeatingInvoiceID"]
        record["Schedule"] = {"NextScheduledDate": schedule.get("StartDate"), **schedule}

    def change(self, before, given):
        if given.get("Status") != "DELETED":
            self.stop(messages.ONLY_DELETE, "A repeating invoice")
        if MACHINES["RepeatingInvoice"].final(before["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        return self.books.save(self.spec, {**before, "Status": "DELETED"})
