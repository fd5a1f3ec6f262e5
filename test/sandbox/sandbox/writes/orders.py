"""Purchase orders, quotes and repeating invoices."""
from . import messages
from .documents import Document
from .statuses import MACHINES


class PurchaseOrders(Document):
    number = ("PurchaseOrderNumber", "PO-{:04d}", 0)
    existing_contact = True
    discounts = True

    def blank(self, given):
        return {"Type": "PURCHASEORDER", "SentToContact": False, "IsDiscounted": False, "HasErrors": False}

    def match(self, given):
        return self.same_number(given)


class Quotes(Document):
    """A quote's LineAmountTypes are in capitals.  Every change must name its
    contact and date."""

    number = ("QuoteNumber", "QU-{:04d}", 0)
    required = ("Contact", "Date", "LineItems")
    style = "EXCLUSIVE"
    approved = ()
    discounts = True
    editable = ("DRAFT", "SENT")
    always = {"QuoteID", "Contact", "Date", "Status"}

    def sales(self, record):
        return True

    def match(self, given):
        return self.same_number(given)

    def change(self, before, given):
        if "Contact" not in given:
            self.refuse(messages.NO_CONTACT)
        self.require(given, "Date")
        self.settle()
        return super().change(before, given)

    def allowed(self, before, given):
        if before["Status"] not in self.editable and set(given) - self.always:
            self.stop(messages.NOT_MODIFIABLE, self.label)


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
