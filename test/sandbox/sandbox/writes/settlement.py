"""Payments and credits against a document: what is due, what is left, and the
copies that other records keep of each other."""
from ..values import Day, Number, iso_seconds
from .rounding import ZERO, amount

# object -> its key, and its name inside others
CREDITS = {"CreditNotes": "CreditNoteID", "Prepayments": "PrepaymentID", "Overpayments": "OverpaymentID"}
OVER = ("VOIDED", "DELETED")


def settled(record):
    """Whether something was paid, credited or allocated."""
    return any(amount(record, name) for name in ("AmountPaid", "AmountCredited", "AppliedAmount"))


def rebalance(record, on):
    """AmountDue or RemainingCredit, and the status that follows from it."""
    credit = "InvoiceID" not in record
    if credit:
        uses = (record.get("Allocations") or []) + (record.get("Payments") or [])
        applied = sum((amount(part, "Amount") for part in uses if not part.get("IsDeleted")), ZERO)
        left = amount(record, "Total") - applied
        record.update(AppliedAmount=Number(applied), RemainingCredit=Number(left))
    else:
        paid = sum((amount(payment, "Amount") for payment in record.get("Payments") or []), ZERO)
        credited = sum((amount(part, "AppliedAmount") for name in CREDITS for part in record.get(name) or []), ZERO)
        left = amount(record, "Total") - paid - credited
        record.update(AmountPaid=Number(paid), AmountCredited=Number(credited),
                      AmountDue=Number(ZERO if record["Status"] in OVER else left))
    if record["Status"] == "AUTHORISED" and left == 0:
        record["Status"] = "PAID"
        if credit and "CreditNoteID" not in record:
            return record
        record["FullyPaidOnDate"] = Day(on)
    elif record["Status"] == "PAID" and left != 0:
        record["Status"] = "AUTHORISED"
        record.pop("FullyPaidOnDate", None)
    return record


def invoice_stub(invoice):
    """An invoice inside a payment."""
    return {"Type": invoice["Type"], "InvoiceID": invoice["InvoiceID"], "InvoiceNumber": invoice.get("InvoiceNumber"),
            "Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": [], "IsDiscounted": False,
            "HasErrors": False, "Contact": invoice.get("Contact"), "LineItems": [],
            "CurrencyCode": invoice.get("CurrencyCode")}


def allocated_invoice(invoice):
    """An invoice inside an allocation."""
    return {"InvoiceID": invoice["InvoiceID"], "InvoiceNumber": invoice.get("InvoiceNumber"), "Payments": [],
            "CreditNotes": [], "Prepayments": [], "Overpayments": [], "HasErrors": False, "IsDiscounted": False,
            "LineItems": []}


def credit_on_invoice(kind, credit, applied):
    """A credit inside the invoice it is allocated to."""
    key = CREDITS[kind]
    shown = {key: credit[key], "ID": credit[key], "HasErrors": False, "AppliedAmount": Number(applied),
             "DateString": iso_seconds(credit["Date"]), "Date": credit["Date"], "LineItems": [],
             "Total": credit["Total"]}
    if kind == "CreditNotes":
        shown["CreditNoteNumber"] = credit.get("CreditNoteNumber")
    return shown


def show_invoice_anew(books, invoice):
    """Its payments and credits keep its number and contact: renew them."""
    for part in invoice.get("Payments") or []:
        payment = books.get("Payments", part["PaymentID"])
        if payment:
            books.save("Payments", {**payment, "Invoice": {**payment.get("Invoice", {}), **invoice_stub(invoice)}},
                       bump=False)
    def anew(allocation):
        mine = allocation["Invoice"]["InvoiceID"] == invoice["InvoiceID"]
        return {**allocation, "Invoice": allocated_invoice(invoice)} if mine else allocation

    for kind, key in CREDITS.items():
        for part in invoice.get(kind) or []:
            credit = books.get(kind, part[key])
            if credit:
                books.save(kind, {**credit, "Allocations": [anew(one) for one in credit["Allocations"]]}, bump=False)
