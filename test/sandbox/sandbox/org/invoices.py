"""Invoices and the payments made on them, by row number.

Twenty invoices in a row make a block; each place in a block has a fixed type,
status and number of payments, shuffled from block to block.  So the n-th
payment's invoice is found by arithmetic, and a million invoices cost nothing
until somebody looks.
"""
import functools
from decimal import Decimal

from ..seeds import mix
from ..store import Table
from ..values import DAY_MS, Day, Instant, Number, day, iso_seconds, money
from .lines import Lines

START = day("2024-01-01")
PLACES = [  # type, status, payments; a single payment on AUTHORISED is a part payment
    ("ACCREC", "AUTHORISED", 0), ("ACCREC", "PAID", 1), ("ACCREC", "PAID", 1), ("ACCREC", "PAID", 2),
    ("ACCREC", "AUTHORISED", 1), ("ACCREC", "DRAFT", 0), ("ACCREC", "SUBMITTED", 0), ("ACCREC", "VOIDED", 0),
    ("ACCREC", "DELETED", 0), ("ACCREC", "AUTHORISED", 0), ("ACCREC", "AUTHORISED", 0), ("ACCREC", "PAID", 1),
    ("ACCPAY", "AUTHORISED", 0), ("ACCPAY", "PAID", 1), ("ACCPAY", "PAID", 1), ("ACCPAY", "AUTHORISED", 1),
    ("ACCPAY", "DRAFT", 0), ("ACCPAY", "SUBMITTED", 0), ("ACCPAY", "VOIDED", 0), ("ACCPAY", "DELETED", 0)]
BLOCK = len(PLACES)
PAID_PLACES = [(place, k) for place, (_, _, payments) in enumerate(PLACES) for k in range(payments)]
FIRST_PAYMENT = {place: PAID_PLACES.index((place, 0)) for place, (_, _, n) in enumerate(PLACES) if n}
# Places whose invoice, in an early block, has this credit allocated to it.
CREDITED = {0: "CreditNotes", 9: "Prepayments", 10: "Overpayments"}
CREDITED_BLOCKS = 60
STYLES = ("Exclusive", "Exclusive", "Inclusive", "NoTax")
RATES = {"USD": Number("0.6543210987"), "EUR": Number("0.5912340000"), "JPY": Number("98.7654321012")}


def place_of(row):
    """Where in its block a row is: a shuffle that can be undone."""
    return (7 * (row % BLOCK) + row // BLOCK) % BLOCK


def row_at(block, place):
    return block * BLOCK + (place - block) * 3 % BLOCK            # 7 * 3 = 21 = 1 modulo 20


class Invoices:
    def __init__(self, org, count):
        self.org = org
        self.count = count
        self.ids = org.ids("Invoices")
        self.payment_ids = org.ids("Payments")
        self.seed = org.key("invoices")
        self.lines = Lines(org, "Invoices")
        # A record asks for the same facts many times over.
        self.bits = functools.lru_cache(16)(self.bits)
        self.amounts = functools.lru_cache(16)(self.amounts)

    # facts, each cheap -----------------------------------------------------

    def bits(self, row):
        return mix(self.seed + row)

    def type(self, row):
        return PLACES[place_of(row)][0]

    def status(self, row):
        return PLACES[place_of(row)][1]

    def contact_row(self, row):
        h = self.bits(row) >> 8
        return self.org.contacts.customer(h) if self.type(row) == "ACCREC" else self.org.contacts.supplier(h)

    def date(self, row):
        if row == 3:
            return Day(day("1917-12-15"))                         # negative milliseconds
        return Day(START + self.bits(row) % 900 * DAY_MS)

    def due(self, row):
        if self.status(row) == "DRAFT" and self.bits(row) & 0x3000 == 0:
            return None
        return Day(self.date(row) + (7 + (self.bits(row) >> 20) % 53) * DAY_MS)

    def updated(self, row):
        """Hundreds of rows of every 2,500 share one second, as after an import."""
        if row % 10 == 0:
            return Instant(START + (row // 2500 % 700) * DAY_MS + 43_200_250)
        return Instant(START + mix(self.seed ^ row) % (970 * DAY_MS))

    def number(self, row):
        """Unique for ACCREC; the supplier's own, with repeats, for ACCPAY."""
        if self.type(row) == "ACCREC":
            return f"INV-{row:06d}"
        return "" if row % 9 == 0 else f"{self.bits(row) >> 12 & 0xfff:04d}/{row % 7}"

    def reference(self, row):
        h = self.bits(row)
        if h & 7 == 0:
            return None
        return ("", "PO \"77\" & co", "Ref 'x'", "Ärger")[h >> 5 & 3] if h & 7 == 1 else f"REF {h >> 32 & 0xffff}"

    def currency(self, row):
        h = self.bits(row)
        return ("USD", "EUR", "JPY")[(h >> 44) % 3] if h >> 40 & 15 == 0 else self.org.locale["currency"]

    def style(self, row):
        return STYLES[self.bits(row) >> 50 & 3]

    def amounts(self, row):
        """(lines, sub total, tax, total, paid, credited) in cents."""
        _, status, payments = PLACES[place_of(row)]
        lines = self.lines.amounts(row, status == "DRAFT")
        sub, tax, total = self.lines.totals(lines, self.style(row))
        paid = total if status == "PAID" else total // 3 if payments else 0
        credited = total // 10 if self.credit(row) else 0
        return lines, sub, tax, total, paid, credited

    def credit(self, row):
        """The kind of credit allocated to this invoice, if any."""
        return CREDITED.get(place_of(row)) if row // BLOCK < CREDITED_BLOCKS else None

    def due_amount(self, row):
        _, _, _, total, paid, credited = self.amounts(row)
        return 0 if self.status(row) in ("VOIDED", "DELETED") else total - paid - credited

    # records ---------------------------------------------------------------

    def table(self, spec):
        contacts = self.org.contacts

        def cents(n):
            return lambda row: Decimal(self.amounts(row)[n]).scaleb(-2)

        def contact(name):
            return lambda row: contacts.reference(self.contact_row(row)).get(name)

        return Table(spec, self.count, self.record, self.ids, {
            "InvoiceID": self.ids.of, "Type": self.type, "Status": self.status, "Date": self.date, "DueDate": self.due,
            "InvoiceNumber": self.number, "Reference": self.reference, "CurrencyCode": self.currency,
            "LineAmountTypes": self.style, "UpdatedDateUTC": self.updated,
            "Contact.ContactID": contact("ContactID"), "Contact.Name": contact("Name"),
            "Contact.ContactNumber": contact("ContactNumber"), "Contact.ContactStatus": contact("ContactStatus"),
            "SubTotal": cents(1), "TotalTax": cents(2), "Total": cents(3), "AmountPaid": cents(4),
            "AmountCredited": cents(5), "AmountDue": lambda row: Decimal(self.due_amount(row)).scaleb(-2)})

    def record(self, row):
        org, h = self.org, self.bits(row)
        kind, status, payments = PLACES[place_of(row)]
        style, currency, date, due = self.style(row), self.currency(row), self.date(row), self.due(row)
        lines, sub, tax, total, paid, credited = self.amounts(row)
        over = status in ("VOIDED", "DELETED")
        updated = self.updated(row)
        record = {
            "Type": kind, "InvoiceID": self.ids.of(row), "InvoiceNumber": self.number(row),
            "Reference": self.reference(row), "Payments": self.payments_of(row) if payments else [],
            "CreditNotes": [], "Prepayments": [], "Overpayments": [],
            "AmountDue": money(0 if over else total - paid - credited), "AmountPaid": money(paid),
            "AmountCredited": money(credited), "CurrencyRate": RATES.get(currency, Number("1.0000000000")),
            "IsDiscounted": any(line[3] for line in lines), "HasAttachments": False, "HasErrors": False,
            "Contact": org.contacts.reference(self.contact_row(row)),
            "DateString": iso_seconds(date), "Date": date,
            "DueDateString": None if due is None else iso_seconds(due), "DueDate": due,
            "BrandingThemeID": org.ledger.theme_ids[h >> 16 & 1], "Status": status, "LineAmountTypes": style,
            "LineItems": self.lines.records(row, lines, style, kind == "ACCREC"),
            "SubTotal": money(sub), "TotalTax": money(tax), "Total": money(total), "UpdatedDateUTC": updated,
            "InvoicePaymentServices": self.payment_services(kind, h), "SentToEmailAddress": "",
            "UpdatedDateUTCString": iso_seconds(updated) + "Z", "CurrencyCode": currency}
        if record["IsDiscounted"]:
            record["TotalDiscount"] = money(sum((line[1] * line[2] + 500_000) // 1_000_000 - line[4]
                                                for line in lines if line[3]))
        if kind == "ACCREC":
            record["SentToContact"] = bool(h >> 17 & 1)
            if h >> 17 & 3 == 3:
                record["SentToEmailAddress"] = f"accounts+{row}@example.com"
            record["ExpectedPaymentDate"] = Day(0) if h >> 18 & 7 == 0 else due
        else:
            record["PlannedPaymentDate"] = due
        if status == "PAID":
            record["FullyPaidOnDate"] = Day(date + 5 * DAY_MS)
        if h >> 21 & 15 == 0:
            record["Url"] = f"https://example.com/orders?id={row}&x=\"y\""
        if h >> 25 & 31 == 0:
            record["RepeatingInvoiceID"] = org.ids("RepeatingInvoices").of(0)
        if h >> 30 & 15 == 0:
            record["CISDeduction"], record["CISRate"] = money(total // 5), Number("20.0000")
        if self.credit(row):
            kind_of_credit = self.credit(row)
            record[kind_of_credit] = [org.documents.credit_on_invoice(kind_of_credit, row)]
        if h >> 34 & 63 == 0 or row == 1:
            record.update({"StatusAttributeString": "OK", "ValidationErrors": [],
                           "Warnings": [{"Message": "Account code '999' is archived"}],
                           "InvoiceAddresses": [
                               {"InvoiceAddressType": "TO", "AddressLine1": "1 Main St", "AddressLine2": "L2",
                                "AddressLine3": "L3", "AddressLine4": "L4", "City": "Austin", "Region": "TX",
                                "PostalCode": "73301", "Country": "US"}]})
        if row % 3 == 1:                                          # an organisation's own choice
            record.update({"RoundingAmount": money(row % 2), "EnteredTotal": money(total - row % 2)})
        if row == 2 and self.count >= 3:
            record["Attachments"] = []
        org.documents.attach("Invoices", record, "InvoiceID", row)
        return record

    def payment_services(self, kind, h):
        if kind == "ACCPAY" or h >> 56 & 7:
            return []
        return [{"PaymentServiceID": self.org.ids("PaymentServices").of(0), "PaymentServiceName": "PayUp"}]

    # payments --------------------------------------------------------------

    @property
    def payment_count(self):
        """Rows of payments, those of an incomplete last block included."""
        return -(-self.count // BLOCK) * len(PAID_PLACES)

    def payment_invoice(self, number):
        """(invoice row, which of its payments) of a payment row."""
        block, n = divmod(number, len(PAID_PLACES))
        place, k = PAID_PLACES[n]
        return row_at(block, place), k

    def payment_amount(self, row, k):
        _, _, _, _, paid, _ = self.amounts(row)
        if PLACES[place_of(row)][2] == 1:
            return paid
        return paid // 2 if k == 0 else paid - paid // 2

    def payments_of(self, row):
        """The payments nested in an invoice."""
        first = row // BLOCK * len(PAID_PLACES) + FIRST_PAYMENT[place_of(row)]
        rate = RATES.get(self.currency(row), Number("1.0000000000"))
        return [{"PaymentID": self.payment_ids.of(first + k), "Date": Day(self.date(row) + 5 * DAY_MS),
                 "Amount": money(self.payment_amount(row, k)), "Reference": "" if k else f"Pay {row}",
                 "CurrencyRate": rate, "HasAccount": False, "HasValidationErrors": False}
                for k in range(PLACES[place_of(row)][2])]

    def payments_table(self, spec):
        """Payments of invoices by number, refunds and other payments after them."""
        def fact(function):
            return lambda number: function(self.payment_invoice(number)[0])
        table = Table(spec, self.payment_count, self.payment, self.payment_ids, {
            "PaymentID": self.payment_ids.of, "UpdatedDateUTC": fact(self.updated),
            "Date": fact(lambda row: Day(self.date(row) + 5 * DAY_MS)),
            "PaymentType": fact(lambda row: self.type(row) + "PAYMENT"), "Status": self.payment_status,
            "Reference": lambda number: self.payment_reference(*self.payment_invoice(number)),
            "Invoice.InvoiceID": fact(self.ids.of), "Invoice.InvoiceNumber": fact(self.number)})
        for number in range(self.count // BLOCK * len(PAID_PLACES), self.payment_count):
            if self.payment_invoice(number)[0] >= self.count:
                table.laid_over[number] = None                # its invoice is past the end
        for record in self.org.documents.other_payments():
            table.append(record)
        return table

    @staticmethod
    def payment_status(_number):
        return "AUTHORISED"

    @staticmethod
    def payment_reference(row, k):
        return "" if k else f"Pay {row}"

    def payment(self, number):
        org = self.org
        row, k = self.payment_invoice(number)
        h = mix(self.seed ^ number << 1)
        kind, currency = self.type(row), self.currency(row)
        updated = self.updated(row)
        amount = self.payment_amount(row, k)
        record = {
            "PaymentID": self.payment_ids.of(number), "Date": Day(self.date(row) + 5 * DAY_MS),
            "BankAmount": money(amount), "Amount": money(amount), "Reference": self.payment_reference(row, k),
            "CurrencyRate": RATES.get(currency, Number("1.0000000000")), "PaymentType": kind + "PAYMENT",
            "Status": "AUTHORISED", "UpdatedDateUTC": updated, "UpdatedDateUTCString": iso_seconds(updated) + "Z",
            "HasAccount": True, "IsReconciled": bool(h & 1), "Account": org.ledger.bank_account(h >> 1 & 1),
            "Invoice": self.stub(row), "HasValidationErrors": False}
        batch = org.documents.batch_of_payment(number)
        if batch:
            record["BatchPaymentID"] = batch["BatchPaymentID"]
            record["BatchPayment"] = batch
        if h >> 8 & 7 == 0:
            record.update({"InvoiceNumber": self.number(row), "Code": "970", "BankAccountNumber": "12-3456",
                           "Particulars": "Part", "Details": "Détails", "StatusAttributeString": "OK",
                           "ValidationErrors": [], "Warnings": []})
        return record

    def stub(self, row):
        """An invoice inside another record: empty arrays, no amounts."""
        return {"Type": self.type(row), "InvoiceID": self.ids.of(row), "InvoiceNumber": self.number(row), "Payments": [],
                "CreditNotes": [], "Prepayments": [], "Overpayments": [], "IsDiscounted": False, "HasErrors": False,
                "Contact": self.org.contacts.reference(self.contact_row(row)), "LineItems": [],
                "CurrencyCode": self.currency(row)}
