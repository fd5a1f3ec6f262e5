"""Everything that is neither a setting, a contact nor an invoice.

A few dozen records an object, however many invoices there are.
"""
from ..seeds import mix
from ..values import DAY_MS, Day, Instant, Number, UnitAmount, day, iso_seconds, money
from . import invoices
from .ledger import CHART, REVENUE
from .lines import Lines, without_tax

START = day("2024-06-01")
ONE = Number("1.000000")
STATUSES = ["AUTHORISED", "DRAFT", "SUBMITTED", "PAID", "VOIDED", "DELETED"]
CREDITS = {  # object -> key, what its id is called, type of a customer's one, place of the invoice it is allocated to
    "CreditNotes": ("CreditNoteID", "ACCRECCREDIT", 0), "Prepayments": ("PrepaymentID", "RECEIVE-PREPAYMENT", 9),
    "Overpayments": ("OverpaymentID", "RECEIVE-OVERPAYMENT", 10)}
LOOSE_CREDITS = 26
BATCHES = 10
BATCH_SIZE = 3


class Documents:
    def __init__(self, org):
        self.org = org
        self.seed = org.key("documents")
        self.ledger = org.ledger

    def bits(self, kind, n):
        return mix(self.seed ^ mix(sum(kind.encode()) * 1000 + n))

    def date(self, h):
        return Day(START + h % 700 * DAY_MS)

    def updated(self, h):
        return Instant(START + h % (800 * DAY_MS))

    def contact(self, h):
        return self.org.contacts.reference(self.org.contacts.customer(h >> 8))

    def attachments(self, kind, key, n):
        ids = self.org.ids(kind + " attachments")
        name = f"scan {n} – Beleg.pdf"
        return [{"AttachmentID": ids.of(n), "FileName": name, "MimeType": "application/pdf",
                 "Url": f"https://api.xero.com/api.xro/2.0/{kind}/{key}/Attachments/scan%20{n}%20%E2%80%93%20Beleg.pdf",
                 "ContentLength": 2878711 + n, "IncludeOnline": n % 2 == 0}]

    def attach(self, kind, record, key, n):
        """Files for the share of documents that the options ask for; a bill is
        as a rule made from one."""
        share = self.org.attachments * (2 if record.get("Type") == "ACCPAY" else 1)
        if self.bits(kind + " attachments", n) % 100 < share and not record.get("HasAttachments"):
            record["Attachments"] = self.attachments(kind, record[key], n)
            if "HasAttachments" in record:
                record["HasAttachments"] = True

    def document(self, kind, key, n, style, sales=True):
        """What all documents with lines share."""
        h = self.bits(kind, n)
        lines = Lines(self.org, kind)
        amounts = lines.amounts(n)
        sub, tax, total = lines.totals(amounts, style)
        date, updated = self.date(h), self.updated(h >> 3)
        return h, {
            key: self.org.ids(kind).of(n), "Contact": self.contact(h), "DateString": iso_seconds(date), "Date": date,
            "LineAmountTypes": style, "LineItems": lines.records(n, amounts, style, sales), "SubTotal": money(sub),
            "TotalTax": money(tax), "Total": money(total), "UpdatedDateUTC": updated,
            "CurrencyCode": self.org.locale["currency"]}, total

    # credit notes, prepayments, overpayments -------------------------------

    def allocated(self, kind):
        """[(block, invoice row)]: the credits that are allocated."""
        place = CREDITS[kind][2]
        rows = [(block, invoices.row_at(block, place)) for block in range(invoices.CREDITED_BLOCKS)]
        return [(block, row) for block, row in rows if row < self.org.invoices.count]

    def credit_id(self, kind, n):
        return self.org.ids(kind).of(n)

    def credit_on_invoice(self, kind, row):
        """A credit as the invoice shows it."""
        n = row // invoices.BLOCK
        _, _, _, total, _, credited = self.org.invoices.amounts(row)
        date = self.date(self.bits(kind, n))
        shown = {CREDITS[kind][0]: self.credit_id(kind, n), "ID": self.credit_id(kind, n), "HasErrors": False,
                 "AppliedAmount": money(credited), "DateString": iso_seconds(date), "Date": date, "LineItems": [],
                 "Total": money(credited + (n % 2) * 1000)}
        if kind == "CreditNotes":
            shown["CreditNoteNumber"] = f"CN-{n:05d}"
        return shown

    def _allocated_credit(self, kind, n, row):
        """One credit, spent in full or all but 10.00 on one invoice."""
        org = self.org
        _, _, _, _, _, credited = org.invoices.amounts(row)
        h = self.bits(kind, n)
        key, customer_type, _ = CREDITS[kind]
        date, updated, total, rest = self.date(h), org.invoices.updated(row), credited + n % 2 * 1000, n % 2 * 1000
        account = REVENUE[0]
        return {
            key: self.credit_id(kind, n), "Type": customer_type, "Reference": f"Allocated {n}",
            "Contact": org.contacts.reference(org.invoices.contact_row(row)), "DateString": iso_seconds(date),
            "Date": date, "Status": "AUTHORISED" if rest else "PAID", "LineAmountTypes": "NoTax",
            "LineItems": [{"LineItemID": org.ids(kind + " allocated lines").of(n), "Description": "Credit – «réduction»",
                           "Quantity": Number("1.0000"), "UnitAmount": UnitAmount(money(total) + "00"),
                           "LineAmount": money(total), "TaxType": "NONE", "TaxAmount": money(0),
                           "AccountCode": CHART[account][0], "Tracking": []}],
            "SubTotal": money(total), "TotalTax": money(0), "Total": money(total), "UpdatedDateUTC": updated,
            "CurrencyCode": org.invoices.currency(row), "RemainingCredit": money(rest), "AppliedAmount": money(credited),
            "CurrencyRate": ONE, "Payments": [], "HasAttachments": False, "Allocations": [{
                "AllocationID": org.ids(kind + " allocations").of(n), "Amount": money(credited), "Date": Day(date + DAY_MS),
                "IsDeleted": False, "StatusAttributeString": "OK", "ValidationErrors": [],
                "Invoice": {"InvoiceID": org.invoices.ids.of(row), "InvoiceNumber": org.invoices.number(row),
                            "Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": [],
                            "HasErrors": False, "IsDiscounted": False, "LineItems": []}}]}

    def _credits(self, kind):
        """All of one kind: allocated ones, then loose ones in every status."""
        key, customer_type, _ = CREDITS[kind]
        supplier_type = {"CreditNotes": "ACCPAYCREDIT", "Prepayments": "SPEND-PREPAYMENT",
                         "Overpayments": "SPEND-OVERPAYMENT"}[kind]
        statuses = STATUSES if kind == "CreditNotes" else ["AUTHORISED", "PAID", "VOIDED"]
        records = [self._allocated_credit(kind, n, row) for n, row in self.allocated(kind)]
        for k in range(LOOSE_CREDITS):
            n = invoices.CREDITED_BLOCKS + k
            h, record, total = self.document(kind, key, n, ("Exclusive", "Inclusive", "NoTax")[k % 3], k % 2 == 0)
            status = statuses[k % len(statuses)]
            refunded = total if status == "PAID" else 0
            record.update({"Type": supplier_type if k % 2 else customer_type, "Status": status, "CurrencyRate": ONE,
                           "Reference": None if k % 5 == 0 else f"Loose '{k}'", "RemainingCredit": money(total - refunded),
                           "AppliedAmount": money(refunded), "Allocations": [], "Payments": [], "HasAttachments": k == 3})
            if refunded:
                record["Payments"] = [{"PaymentID": self.refund_id(kind, k), "Date": Day(record["Date"] + DAY_MS),
                                       "Amount": money(refunded), "Reference": "Refund", "CurrencyRate": ONE,
                                       "HasAccount": True, "HasValidationErrors": False}]
            if k == 3:
                record["Attachments"] = self.attachments(kind, record[key], k)
            records.append(record)
        for k, record in enumerate(records):
            record["UpdatedDateUTCString"] = iso_seconds(record["UpdatedDateUTC"]) + "Z"
            if k % 9 == 1:
                record.update({"StatusAttributeString": "OK", "ValidationErrors": []})
        return records

    def credit_notes(self):
        records = self._credits("CreditNotes")
        for k, record in enumerate(records):
            n = k if record["Allocations"] else 1000 + k
            record.update({"CreditNoteNumber": f"CN-{n:05d}", "ID": record["CreditNoteID"],
                           "DueDateString": record["DateString"], "DueDate": record["Date"], "HasErrors": False,
                           "BrandingThemeID": self.ledger.theme_ids[k % 3], "SentToContact": k % 2 == 0})
            if record["Status"] == "PAID":
                record["FullyPaidOnDate"] = record["Date"]
            if k % 6 == 2:
                record.update({"CISDeduction": money(1234), "CISRate": Number("20.0000"), "Warnings": [],
                               "InvoiceAddresses": [{"InvoiceAddressType": "FROM", "AddressLine1": "9 Elm"}]})
        return records

    def prepayments(self):
        records = self._credits("Prepayments")
        for k, record in enumerate(records):
            record.update({"InvoiceNumber": f"PRE-{k}", "BrandingThemeID": self.ledger.theme_ids[0]})
        return records

    def overpayments(self):
        return self._credits("Overpayments")

    # payments ------------------------------------------------------------

    def refund_id(self, kind, k):
        return self.org.ids("refunds of " + kind).of(k)

    def other_payments(self):
        """Refunds, which show the credit as an `Invoice`, and deleted payments."""
        types = {"CreditNotes": ("ARCREDITPAYMENT", "APCREDITPAYMENT"),
                 "Prepayments": ("ARPREPAYMENTPAYMENT", "APPREPAYMENTPAYMENT"),
                 "Overpayments": ("AROVERPAYMENTPAYMENT", "APOVERPAYMENTPAYMENT")}
        records = []
        for kind, (key, _, _) in CREDITS.items():
            credits = getattr(self, {"CreditNotes": "credit_notes"}.get(kind, kind.lower()))()
            for credit in credits:
                for payment in credit["Payments"]:
                    customer = credit["Type"] in ("ACCRECCREDIT", "RECEIVE-PREPAYMENT", "RECEIVE-OVERPAYMENT")
                    record = self._payment(payment["PaymentID"], credit, payment["Amount"],
                                           types[kind][0 if customer else 1])
                    if kind == "CreditNotes":
                        record["Invoice"] = {"Type": credit["Type"], "InvoiceID": credit[key],
                                             "InvoiceNumber": credit["CreditNoteNumber"], "Payments": [],
                                             "Contact": credit["Contact"], "LineItems": []}
                        record["CreditNoteNumber"] = credit["CreditNoteNumber"]
                        record["CreditNote"] = {"CreditNoteID": credit[key],
                                                "CreditNoteNumber": credit["CreditNoteNumber"]}
                    else:
                        record[kind[:-1]] = {key: credit[key], "Type": credit["Type"], "LineItems": []}
                    records.append(record)
        for k in range(4):
            h, document, total = self.document("deleted payments", "PaymentID", k, "NoTax")
            record = self._payment(document["PaymentID"], document, money(total), "ACCRECPAYMENT")
            record["Status"] = "DELETED"
            if self.org.invoices.count:
                record["Invoice"] = self.org.invoices.stub(k % self.org.invoices.count)
            records.append(record)
        return records

    def _payment(self, key, document, amount, kind):
        updated = document["UpdatedDateUTC"]
        return {"PaymentID": key, "Date": document["Date"], "BankAmount": amount, "Amount": amount,
                "Reference": "Refund", "CurrencyRate": ONE, "PaymentType": kind, "Status": "AUTHORISED",
                "UpdatedDateUTC": updated, "UpdatedDateUTCString": iso_seconds(updated) + "Z", "HasAccount": True,
                "IsReconciled": False, "Account": self.ledger.bank_account(0), "HasValidationErrors": False}

    def batch_of_payment(self, number):
        """The batch a payment is in, without its payments."""
        n, k = divmod(number, len(invoices.PAID_PLACES))
        if n >= self._batches() or k >= BATCH_SIZE:
            return None
        return {name: value for name, value in self._batch(n).items() if name not in ("Payments", "Details", "Amount")}

    def _batches(self):
        return min(BATCHES, self.org.invoices.count // invoices.BLOCK)

    def _batch(self, n):
        org = self.org
        h = self.bits("BatchPayments", n)
        payments, total = [], 0
        for number in range(n * len(invoices.PAID_PLACES), n * len(invoices.PAID_PLACES) + BATCH_SIZE):
            row, k = org.invoices.payment_invoice(number)
            amount = org.invoices.payment_amount(row, k)
            total += amount
            payments.append({"Invoice": {"InvoiceID": org.invoices.ids.of(row), "CurrencyCode":
                                         org.invoices.currency(row), "Payments": [], "CreditNotes": [], "Prepayments": [],
                                         "Overpayments": [], "HasErrors": False, "IsDiscounted": False, "LineItems": []},
                             "PaymentID": org.invoices.payment_ids.of(number), "Amount": money(amount),
                             "BankAmount": money(amount)})
        date = self.date(h)
        return {"Account": {"AccountID": self.ledger.account_ids[0], "CurrencyCode": org.locale["currency"]},
                "Reference": f"Batch \"{n}\"", "BatchPaymentID": org.ids("BatchPayments").of(n),
                "DateString": iso_seconds(date), "Date": date, "Payments": payments, "Type": "RECBATCH",
                "Status": "AUTHORISED", "TotalAmount": money(total), "Amount": money(total), "Details": "Détails",
                "UpdatedDateUTC": self.updated(h), "IsReconciled": n % 2 == 0}

    def batch_payments(self):
        records = [self._batch(n) for n in range(self._batches())]
        for n in range(3):
            h = self.bits("old batches", n)
            date = self.date(h)
            records.append({"Account": {"AccountID": self.ledger.account_ids[0]}, "Reference": "Old", "Particulars": "Part",
                            "Code": "Code", "Narrative": "Narrative 'x'", "BatchPaymentID": self.org.ids("old batches").of(n),
                            "DateString": iso_seconds(date), "Date": date, "Payments": [], "Type": "PAYBATCH",
                            "Status": "DELETED", "TotalAmount": money(0), "UpdatedDateUTC": self.updated(h),
                            "IsReconciled": False, "ValidationErrors": []})
        return records

    # bank ----------------------------------------------------------------

    def bank_transactions(self):
        types = ["RECEIVE", "SPEND", "SPEND", "RECEIVE-PREPAYMENT", "SPEND-OVERPAYMENT", "RECEIVE", "SPEND-TRANSFER",
                 "RECEIVE-TRANSFER", "RECEIVE-OVERPAYMENT", "SPEND-PREPAYMENT"]
        records = []
        for n in range(150):
            h, record, _ = self.document("BankTransactions", "BankTransactionID", n, "Inclusive", n % 2 == 0)
            kind = types[n % len(types)]
            record.update({
                "Type": kind, "BankAccount": self.ledger.bank_account(n % 2), "IsReconciled": n % 3 == 0,
                "HasAttachments": n in (5, 25), "Status": "DELETED" if n % 17 == 5 else "AUTHORISED",
                "Reference": None if n % 4 == 0 else f"BT-{n % 40:03d} ñ"})
            if n == 5:
                record["Status"] = "AUTHORISED"
            if n % 17 == 6:
                record["Status"] = "VOIDED"
            if kind.endswith("TRANSFER"):
                del record["Contact"]                     # transfers have none
            if "PREPAYMENT" in kind:
                record["PrepaymentID"] = self.org.ids("Prepayments").of(invoices.CREDITED_BLOCKS + n % LOOSE_CREDITS)
            if "OVERPAYMENT" in kind:
                record["OverpaymentID"] = self.org.ids("Overpayments").of(invoices.CREDITED_BLOCKS + n % LOOSE_CREDITS)
            if n % 6 == 1:
                record.update({"Url": "https://example.com/?a=1&b=\"2\"", "CurrencyRate": Number("1.2345678901"),
                               "StatusAttributeString": "OK", "ValidationErrors": []})
            if record["HasAttachments"]:
                record["Attachments"] = self.attachments("BankTransactions", record["BankTransactionID"], n)
            records.append(record)
        return records

    def bank_transfers(self):
        records = []
        for n in range(12):
            h = self.bits("BankTransfers", n)
            created = self.updated(h)
            # Live transfers carry a time of day in Date.
            date = Day(self.date(h) + (75_000_000 if n % 3 == 0 else 0))
            option = self.ledger.tracking_options[0][n % 3]
            records.append({
                "BankTransferID": self.org.ids("BankTransfers").of(n), "CreatedDateUTCString": iso_seconds(created),
                "CreatedDateUTC": created, "DateString": iso_seconds(date), "Date": date,
                "Status": "DELETED" if n == 7 else "AUTHORISED", "FromBankAccount": self.ledger.bank_account(0),
                "ToBankAccount": self.ledger.bank_account(1), "Amount": money(h % 500_000 + 1), "CurrencyRate": ONE,
                "FromBankTransactionID": self.org.ids("BankTransactions").of(n * 10 + 6),
                "ToBankTransactionID": self.org.ids("BankTransactions").of(n * 10 + 7), "FromIsReconciled": n % 2 == 0,
                "ToIsReconciled": n % 3 == 0, "Reference": f"Sub {n:05d}", "HasAttachments": n == 1,
                "FromTracking": [option], "ToTracking": [], "ValidationErrors": []})
            records[-1]["ToTracking"] = [option] if n % 2 else []
            if n == 1:
                records[-1]["Attachments"] = self.attachments("BankTransfers", records[-1]["BankTransferID"], n)
        return records

    # sales and purchases -------------------------------------------------

    def purchase_orders(self):
        statuses = ["DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"]
        records = []
        for n in range(130):
            h, record, _ = self.document("PurchaseOrders", "PurchaseOrderID", n, "Exclusive", False)
            delivery = Day(record["Date"] + 14 * DAY_MS)
            for line in record["LineItems"]:                      # live orders name the item by ItemID alone
                if "Item" in line:
                    line["ItemID"] = line.pop("Item")["ItemID"]
            record.update({
                "PurchaseOrderNumber": f"PO-{n:04d}", "Reference": None if n % 3 == 0 else f"ref {n}", "Type":
                "PURCHASEORDER", "Status": statuses[h >> 20 & 3 if n % 10 else 4], "CurrencyRate": Number("1.0000000000"),
                "IsDiscounted": False, "HasErrors": False, "HasAttachments": False,
                "BrandingThemeID": self.ledger.theme_ids[n % 3], "SentToContact": n % 2 == 0})
            if n % 2:
                record.update({
                    "DeliveryDateString": iso_seconds(delivery), "DeliveryDate": delivery, "TotalDiscount": money(0),
                    "DeliveryAddress": "1 \"Dock\" Rd\r\nPort O'Call", "AttentionTo": "Zoë", "Telephone": "+61 3 123",
                    "DeliveryInstructions": "Leave & ring", "ExpectedArrivalDate": Day(delivery + DAY_MS),
                    "ExpectedArrivalDateString": iso_seconds(delivery + DAY_MS)})
            if n % 20 == 3:
                record.update({"StatusAttributeString": "OK", "ValidationErrors": [], "Warnings": [], "Attachments": []})
            records.append(record)
        return records

    def quotes(self):
        statuses = ["DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED", "DELETED"]
        records = []
        for n in range(120):
            style = ("Exclusive", "Inclusive", "NoTax")[n % 3]
            h, record, _ = self.document("Quotes", "QuoteID", n, style)
            expiry = Day(record["Date"] + 30 * DAY_MS)
            record.update({
                "QuoteNumber": f"QU-{n:04d}", "Reference": f"Q ref {n}", "Status": statuses[n % 6],
                "LineAmountTypes": style.upper(), "CurrencyRate": Number("1.000000"), "TotalDiscount": money(n),
                "Title": f"Quote «{n}»", "Summary": "All the \"extras\"", "BrandingThemeID": self.ledger.theme_ids[n % 3]})
            if n % 2:
                record.update({"ExpiryDateString": iso_seconds(expiry), "ExpiryDate": expiry,
                               "Terms": "30 days\r\nNo \\refunds"})
            if style == "Inclusive" and not self.org.quotes_as_entered:
                record["LineItems"] = [without_tax(line) for line in record["LineItems"]]
            if n % 20 == 1:
                record.update({"StatusAttributeString": "OK", "ValidationErrors": []})
            records.append(record)
        return records

    def repeating_invoices(self):
        records = []
        for n in range(8):
            h, record, _ = self.document("RepeatingInvoices", "RepeatingInvoiceID", n, "Inclusive", n % 2 == 0)
            for name in ("DateString", "Date", "UpdatedDateUTC"):
                del record[name]
            record.update({
                "ID": record["RepeatingInvoiceID"], "Type": "ACCPAY" if n % 2 else "ACCREC", "Reference": f"[Week] {n}",
                "Status": ("DRAFT", "AUTHORISED", "DELETED")[n % 3], "HasAttachments": n == 2,
                "BrandingThemeID": self.ledger.theme_ids[0], "ApprovedForSending": n % 2 == 0, "SendCopy": False,
                "MarkAsSent": False, "IncludePDF": n % 3 == 0, "Schedule": {
                    "Period": n % 4 + 1, "Unit": "MONTHLY" if n % 2 else "WEEKLY", "DueDate": 10 + n,
                    "DueDateType": "OFFOLLOWINGMONTH", "StartDate": self.date(h), "EndDate": self.date(h >> 1),
                    "NextScheduledDate": self.date(h >> 2), "NextScheduledDateString": iso_seconds(self.date(h >> 2))}})
            if n == 2:
                record["Attachments"] = self.attachments("RepeatingInvoices", record["ID"], n)
            records.append(record)
        return records

    def receipts(self):
        records = []
        for n in range(15):
            h, record, _ = self.document("Receipts", "ReceiptID", n, "Inclusive", False)
            record.update({
                "ID": record["ReceiptID"], "ReceiptNumber": str(n + 1), "User": self.ledger.user(n % 3),
                "Status": ("DRAFT", "SUBMITTED", "AUTHORISED", "DECLINED", "VOIDED")[n % 5], "HasAttachments": n == 4,
                "Reference": None if n % 2 else "Taxi & \"tip\"", "Url": f"https://example.com/r/{n}"})
            if n == 4:
                record["Attachments"] = self.attachments("Receipts", record["ReceiptID"], n)
            if n % 7 == 2:
                record.update({"ValidationErrors": [], "Warnings": []})
            records.append(record)
        return records

    def expense_claims(self):
        receipts = self.receipts()
        records = []
        for n in range(6):
            h = self.bits("ExpenseClaims", n)
            total = h % 90_000 + 100
            paid = total if n % 5 == 2 else 0
            records.append({
                "ExpenseClaimID": self.org.ids("ExpenseClaims").of(n), "User": self.ledger.user(n % 3),
                "Status": ("SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")[n % 5], "Payments": [],
                "Receipts": [{"ReceiptID": receipts[n]["ReceiptID"], "Total": receipts[n]["Total"],
                              "Date": receipts[n]["Date"], "LineItems": []}], "UpdatedDateUTC": self.updated(h),
                "Total": money(total), "AmountDue": money(total - paid), "AmountPaid": money(paid),
                "PaymentDueDate": self.date(h), "PaymentDueDateString": iso_seconds(self.date(h)),
                "ReportingDate": Day(0) if n == 3 else self.date(h >> 1), "ReceiptID": receipts[n]["ReceiptID"]})
            if paid:
                records[-1]["Payments"] = [{"PaymentID": self.refund_id("claims", n), "Amount": money(paid)}]
        return records

    def linked_transactions(self):
        records = []
        for n in range(110):
            h = self.bits("LinkedTransactions", n)
            record = {
                "LinkedTransactionID": self.org.ids("LinkedTransactions").of(n), "Type": "BILLABLEEXPENSE",
                "SourceTransactionID": self.org.ids("BankTransactions").of(n), "Status":
                ("APPROVED", "DRAFT", "ONDRAFT", "BILLED", "VOIDED")[n % 5],
                "SourceLineItemID": self.org.ids("BankTransactions lines").of(n * 8),
                "SourceTransactionTypeCode": ("ACCPAY", "SPEND", "RECEIPT")[n % 3], "UpdatedDateUTC": self.updated(h)}
            if n % 2:
                record.update({"ContactID": self.org.contacts.id(self.org.contacts.customer(h)),
                               "TargetTransactionID": self.org.invoices.ids.of(n),
                               "TargetLineItemID": self.org.invoices.lines.ids.of(n * 8), "ValidationErrors": []})
            records.append(record)
        return records

    # journals ------------------------------------------------------------

    def _journal_lines(self, n, total, tracked):
        ids = self.org.ids("journal lines")
        lines = []
        for k, (account, sign) in enumerate(((13, 1), (3, -1))):
            code, name, kind = CHART[account][:3]
            lines.append({
                "JournalLineID": ids.of(n * 2 + k), "AccountID": self.ledger.account_ids[account], "AccountCode": code,
                "AccountType": kind, "AccountName": name, "Description": "" if k else "Journal \"line\"",
                "NetAmount": money(sign * total), "GrossAmount": money(sign * total), "TaxAmount": money(0),
                "TrackingCategories": []})
            if k:
                lines[-1].update({"TaxType": "NONE", "TaxName": "No Tax"})
                if tracked:
                    lines[-1]["TrackingCategories"] = self.ledger.tracking_options[0][:1]
        return lines

    def journals(self):
        """Numbers rise with gaps; a number says nothing about how many there are."""
        sources = ["ACCREC", "ACCPAY", "ACCRECPAYMENT", "CASHREC", "MANJOURNAL", "TRANSFER", "INTEGRATEDPAYROLLPE"]
        number, records = 0, []
        for n in range(340):
            h = self.bits("Journals", n)
            number += 1 + (h % 5 if n % 9 == 0 else 0)
            record = {
                "JournalID": self.org.ids("Journals").of(n), "JournalDate": self.date(h), "JournalNumber": number,
                "CreatedDateUTC": Instant(START + n * 187_654_321), "Reference": None if n % 4 == 0 else f"J{n}",
                "SourceID": self.org.invoices.ids.of(n), "SourceType": sources[n % len(sources)],
                "JournalLines": self._journal_lines(n, h >> 12 & 0xfffff, n % 5 == 0)}
            if n % 50 == 49:
                del record["SourceID"], record["SourceType"]
            records.append(record)
        return records

    def manual_journals(self):
        records = []
        for n in range(115):
            h = self.bits("ManualJournals", n)
            date = Day(-1_642_464_000_000) if n == 0 else self.date(h)
            total = h >> 12 & 0xfffff
            lines = []
            for k, account in enumerate((10, 5)):
                lines.append({"LineAmount": money(total if k == 0 else -total), "AccountCode": CHART[account][0],
                              "AccountID": self.ledger.account_ids[account], "Description": f"Line {k} – Überweisung",
                              "TaxType": "NONE", "TaxAmount": money(0), "IsBlank": False,
                              "Tracking": self.ledger.tracking_options[0][:1] if n % 3 == 0 and k == 0 else []})
            record = {
                "ManualJournalID": self.org.ids("ManualJournals").of(n), "Narration": f"Accrual {n}: it's \"due\"",
                "Date": date, "DateString": iso_seconds(date), "LineAmountTypes": "NoTax", "JournalLines": lines,
                "Status": ("DRAFT", "POSTED", "POSTED", "VOIDED", "DELETED", "ARCHIVED")[n % 6],
                "ShowOnCashBasisReports": n % 2 == 0, "HasAttachments": n == 8, "UpdatedDateUTC": self.updated(h)}
            if n % 4 == 0:
                record["Url"] = f"https://example.com/mj?n={n}&x=1"
            if n % 10 == 8:
                record.update({"StatusAttributeString": "OK", "Warnings": [], "ValidationErrors": []})
            if n == 8:
                record["Attachments"] = self.attachments("ManualJournals", record["ManualJournalID"], n)
            records.append(record)
        return records
