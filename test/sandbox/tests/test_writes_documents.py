"""Documents, payments and allocations, written over the wire."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.test_writes import ZERO, Writing  # noqa: E402

SALE = {"Description": "Golf balls", "Quantity": "3", "UnitAmount": "10.00", "AccountCode": "200"}
BUY = {**SALE, "AccountCode": "429"}
BANK = {"Code": "091"}


class Documents(Writing):
    def setUp(self):
        super().setUp()
        self.contact, = self.contacts("Buyer")

    def document(self, **members):
        return {"Type": "ACCREC", "Contact": {"ContactID": self.contact}, "DueDate": "2026-12-01", "Status": "AUTHORISED",
                "LineItems": [SALE], **members}

    def invoice(self, **members):
        invoice, = self.ok("PUT", "Invoices?unitdp=4", {"Invoices": [self.document(**members)]})
        return invoice

    def again(self, invoice):
        return self.one(f"Invoices/{invoice['InvoiceID']}?unitdp=4")

    def change(self, invoice, **members):
        changed, = self.ok("POST", f"Invoices/{invoice['InvoiceID']}?unitdp=4", members)
        return changed

    def not_changed(self, invoice, **members):
        return self.refused("POST", "Invoices/" + invoice["InvoiceID"], members)

    def pay(self, invoice, amount, **members):
        payment, = self.ok("PUT", "Payments", {"Payments": [
            {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": BANK, "Date": "2026-10-01", "Amount": amount, **members}]})
        return payment


class Invoices(Documents):
    def test_totals_and_defaults(self):
        invoice = self.invoice(LineItems=[SALE, {"ItemCode": "BOOK"}, {**SALE, "TaxType": "EXEMPTOUTPUT", "DiscountRate": 10}])
        self.assertEqual((invoice["SubTotal"], invoice["TotalTax"], invoice["Total"], invoice["AmountDue"]), (76, 4.9, 80.9, 80.9))
        self.assertEqual((invoice["TotalDiscount"], invoice["IsDiscounted"]), (3, True))
        self.assertEqual([line["TaxAmount"] for line in invoice["LineItems"]], [3, 1.9, 0])
        self.assertEqual((invoice["CurrencyCode"], invoice["LineAmountTypes"]), ("AUD", "Exclusive"))
        self.assertEqual(self.again(invoice), invoice)
        draft = self.invoice(Status="DRAFT", LineItems=[{"Description": "only"}])
        self.assertEqual(sorted(draft["LineItems"][0]), ["Description", "LineItemID", "Tracking"])

    def test_inclusive_no_tax_and_given_tax(self):
        for style, given, expected in (("Inclusive", {}, (27.27, 2.73, 30)), ("NoTax", {}, (30, 0, 30)),
                                       ("Exclusive", {"TaxAmount": "9.99"}, (30, 9.99, 39.99))):
            invoice = self.invoice(LineAmountTypes=style, LineItems=[{**SALE, **given}])
            self.assertEqual((invoice["SubTotal"], invoice["TotalTax"], invoice["Total"]), expected)
        changed = self.change(invoice, LineAmountTypes="Inclusive")
        self.assertEqual((changed["SubTotal"], changed["TotalTax"], changed["Total"]), (27.27, 2.73, 30))

    def test_four_decimals_only_with_unitdp(self):
        line = {**SALE, "UnitAmount": 0.1648, "Quantity": 100}
        self.assertEqual(self.invoice(LineItems=[line])["SubTotal"], 16.48)
        two, = self.ok("PUT", "Invoices", {"Invoices": [self.document(LineItems=[line])]})
        self.assertEqual((two["SubTotal"], self.again(two)["LineItems"][0]["UnitAmount"]), (16, 0.16))
        self.assertEqual(self.invoice(LineItems=[{"Description": "x", "AccountCode": "200", "LineAmount": 5, "Quantity": 3}])
                         ["LineItems"][0]["UnitAmount"], 1.6667)

    def test_numbers(self):
        first, second = self.invoice(), self.invoice()
        self.assertEqual(int(second["InvoiceNumber"][4:]), int(first["InvoiceNumber"][4:]) + 1)
        self.assertEqual(self.refused("PUT", "Invoices", {"Invoices": [self.document(InvoiceNumber=first["InvoiceNumber"].lower())]}),
                         ["Invoice # must be unique."])
        bill = {"Type": "ACCPAY", "InvoiceNumber": "77", "LineItems": [BUY]}
        self.assertNotEqual(self.invoice(**bill)["InvoiceID"], self.invoice(**bill)["InvoiceID"])
        self.assertNotIn("InvoiceNumber", self.invoice(Type="ACCPAY", LineItems=[BUY]))
        over, = self.ok("POST", "Invoices", {"Invoices": [{"Type": "ACCREC", "InvoiceNumber": first["InvoiceNumber"], "Reference": "r"}]})
        self.assertEqual((over["InvoiceID"], over["Reference"]), (first["InvoiceID"], "r"))
        self.assertEqual(self.one("Invoices/" + first["InvoiceNumber"])["Reference"], "r")

    def test_what_is_refused(self):
        for members, message in (
                ({"Contact": {}}, "Contact requires a valid ContactId or ContactName"),
                ({"Contact": {"ContactID": ZERO}}, "Contact requires a valid ContactId or ContactName"),
                ({"Type": "ACCRECCREDIT"}, "Invoice not of valid type for creation"),
                ({"Status": "PAID"}, "Invoice not of valid status for creation"),
                ({"InvoiceID": ZERO}, "InvoiceID cannot be given when creating"),
                ({"LineItems": []}, "One or more line items must be specified"),
                ({"LineItems": [{**SALE, "AccountCode": "nope"}]}, "Account code 'nope' is not a valid code for this document."),
                ({"LineItems": [{**SALE, "AccountCode": "999"}]}, "Account code '999' is not a valid code for this document."),
                ({"LineItems": [{**SALE, "AccountCode": "610"}]}, "Account code '610' is not a valid code for this document."),
                ({"LineItems": [{**SALE, "TaxType": "INPUT"}]}, "The TaxType code 'INPUT' cannot be used with account code '200'"),
                ({"LineItems": [{**SALE, "TaxType": "XX"}]}, "TaxType code 'XX' does not exist or is not active"),
                ({"LineItems": [{**SALE, "ItemCode": "XX"}]}, "Item code 'XX' is not valid"),
                ({"LineItems": [{**SALE, "LineAmount": "31"}]}, "The line total 31.00 does not match the expected line total 30.00"),
                ({"LineItems": [{**SALE, "UnitAmount": "-1"}]}, "The document total cannot be less than zero"),
                ({"CurrencyCode": "XXX"}, "Organisation is not subscribed to currency XXX"),
                ({"BrandingThemeID": ZERO}, f"The BrandingThemeID {ZERO} is not valid"),
                ({"Date": "2023-06-30"}, "The document date cannot be before the period lock date, currently set at 30 June 2023"),
                ({"LineItems": [{"Description": "x", "UnitAmount": 1}]}, "Account code or ID must be specified")):
            self.assertEqual(self.refused("PUT", "Invoices", {"Invoices": [self.document(**members)]}), [message], members)
        body = self.document()
        del body["Contact"]
        self.assertEqual(self.refused("PUT", "Invoices", {"Invoices": [body]}), ["A Contact must be specified for this type of transaction"])
        body = self.document()
        del body["DueDate"]
        self.assertEqual(self.refused("PUT", "Invoices", {"Invoices": [body]}), ["DueDate must be specified"])

    def test_a_refused_invoice_makes_no_contact(self):
        self.refused("PUT", "Invoices", {"Invoices": [self.document(Contact={"Name": "Never"}, CurrencyCode="XXX")]})
        self.assertEqual(self.sandbox.where("Contacts", 'Name=="Never"')[1]["Contacts"], [])
        self.invoice(Contact={"Name": "Made on the way"})
        self.assertEqual(len(self.sandbox.where("Contacts", 'Name=="Made on the way"')[1]["Contacts"]), 1)

    def test_lines_are_replaced_by_their_ids(self):
        invoice = self.invoice(LineItems=[SALE, {**SALE, "Description": "second"}])
        first, second = invoice["LineItems"]
        changed = self.change(invoice, LineItems=[{**SALE, "Description": "new"}, {"LineItemID": second["LineItemID"], "Quantity": 1}])
        self.assertEqual([line["Description"] for line in changed["LineItems"]], ["new", "second"])
        self.assertEqual(changed["LineItems"][1]["LineItemID"], second["LineItemID"])
        self.assertNotIn(first["LineItemID"], [line["LineItemID"] for line in changed["LineItems"]])
        self.assertEqual((changed["LineItems"][1]["LineAmount"], changed["Total"]), (10, 44))
        kept = self.change(invoice, Reference="header only")
        self.assertEqual((kept["LineItems"], kept["Total"]), (changed["LineItems"], 44))
        self.assertIn("is not a line of this document", self.not_changed(invoice, LineItems=[{**SALE, "LineItemID": first["LineItemID"]}])[0])

    def test_lines_read_and_sent_back_change_nothing(self):
        """Whatever the generator made, as a client that edits a line does."""
        sent = 0
        for name, key in (("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID"), ("BankTransactions", "BankTransactionID"),
                          ("PurchaseOrders", "PurchaseOrderID")):
            for record in self.sandbox.get(name + "?page=1&pageSize=1000&unitdp=4")[1][name]:
                whole = {"LineItems": record["LineItems"]}
                status, body = self.sandbox.write("POST", f"{name}/{record[key]}?unitdp=4", whole)
                if status == 200:
                    sent += 1
                    for member in ("SubTotal", "TotalTax", "Total", "AmountDue", "RemainingCredit", "Status"):
                        self.assertEqual(str(body[name][0].get(member)), str(record.get(member)), (member, record))
                    self.assertEqual([{k: str(v) for k, v in line.items() if k.lower() not in ("accountid", "tracking", "item", "itemid", "taxtype")}
                                      for line in body[name][0]["LineItems"]],
                                     [{k: str(v) for k, v in line.items() if k.lower() not in ("accountid", "tracking", "item", "itemid", "taxtype")}
                                      for line in record["LineItems"]])
                else:
                    self.assertRegex(body["Elements"][0]["ValidationErrors"][0]["Message"],
                                     "not of valid status|lock date|reconciled|of this type")
        self.assertGreater(sent, 200)

    def test_account_code_and_id_must_agree(self):
        invoice = self.invoice()
        line = invoice["LineItems"][0]
        self.assertEqual(self.not_changed(invoice, LineItems=[{**line, "AccountCode": "260"}]), ["AccountCode and AccountID are of different accounts"])
        changed = self.change(invoice, LineItems=[{"LineItemID": line["LineItemID"], "AccountCode": "260"}])
        self.assertNotEqual(changed["LineItems"][0]["AccountID"], line["AccountID"])

    def test_statuses(self):
        invoice = self.invoice(Status="DRAFT")
        for status in ("SUBMITTED", "DRAFT", "AUTHORISED", "VOIDED"):
            self.assertEqual(self.change(invoice, Status=status)["Status"], status)
        self.assertEqual(self.not_changed(invoice, Reference="x"), ["Invoice not of valid status for modification"])
        self.assertEqual(self.again(invoice)["AmountDue"], 0)
        self.assertTrue(self.not_changed(self.invoice(), Status="DELETED"))
        self.assertTrue(self.not_changed(self.invoice(), Status="PAID"))
        self.assertEqual(self.change(self.invoice(Status="DRAFT"), Status="DELETED")["Status"], "DELETED")

    def test_sent_to_contact_of_a_draft_is_a_warning(self):
        element, = self.ok("PUT", "Invoices?summarizeErrors=false", {"Invoices": [self.document(Status="DRAFT", SentToContact=True)]})
        self.assertEqual((element["StatusAttributeString"], element["SentToContact"]), ("WARNING", False))
        self.assertEqual(element["Warnings"], [{"Message": "Only AUTHORISED invoices may have SentToContact updated."}])

    def test_a_nested_contact_with_more_than_its_id_is_edited(self):
        self.ok("POST", "Contacts/" + self.contact, {"ContactPersons": [{"FirstName": "P"}], "FirstName": "Old"})
        before = self.one("Contacts/" + self.contact)
        self.invoice(Status="DRAFT")
        self.assertEqual(self.one("Contacts/" + self.contact), before)
        self.invoice(Contact={"ContactID": self.contact, "FirstName": "Edited"})
        contact = self.one("Contacts/" + self.contact)
        self.assertEqual((contact["FirstName"], contact["ContactPersons"]), ("Edited", []))

    def test_first_sale_makes_a_customer_silently(self):
        before = self.one("Contacts/" + self.contact)
        self.invoice()
        contact = self.one("Contacts/" + self.contact)
        self.assertEqual((contact["IsCustomer"], contact["UpdatedDateUTC"]), (True, before["UpdatedDateUTC"]))


class Payments(Documents):
    def test_part_full_and_deleted(self):
        invoice = self.invoice()
        payment = self.pay(invoice, "13.00")
        shown = self.again(invoice)
        self.assertEqual((shown["Status"], shown["AmountDue"], shown["AmountPaid"]), ("AUTHORISED", 20, 13))
        self.assertEqual([part["PaymentID"] for part in shown["Payments"]], [payment["PaymentID"]])
        self.assertGreater(shown["UpdatedDateUTC"], invoice["UpdatedDateUTC"])
        self.pay(invoice, 20)
        self.assertEqual(self.again(invoice)["Status"], "PAID")
        self.assertIn("FullyPaidOnDate", self.again(invoice))
        self.assertEqual(self.refused("PUT", "Payments", {"Payments": [
            {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": BANK, "Date": "2026-10-01", "Amount": 1}]}),
            ["Payment amount exceeds the amount outstanding on this document"])
        deleted, = self.ok("POST", "Payments/" + payment["PaymentID"], {"Status": "DELETED"})
        self.assertEqual(deleted["Status"], "DELETED")
        shown = self.again(invoice)
        self.assertEqual((shown["Status"], shown["AmountDue"], len(shown["Payments"])), ("AUTHORISED", 13, 1))
        self.assertNotIn("FullyPaidOnDate", shown)
        self.refused("POST", "Payments/" + payment["PaymentID"], {"Status": "DELETED"})
        self.refused("POST", "Payments/" + payment["PaymentID"], {"Reference": "x"})

    def test_what_is_refused(self):
        draft, open_ = self.invoice(Status="DRAFT"), self.invoice()
        good = {"Invoice": {"InvoiceID": open_["InvoiceID"]}, "Account": BANK, "Date": "2026-10-01", "Amount": 1}
        for members, message in (({"Invoice": {"InvoiceID": draft["InvoiceID"]}}, "Payments can only be made against Authorised documents"),
                                 ({"Account": {"Code": "200"}}, "Account type is invalid for making payments"),
                                 ({"Amount": 0}, "Amount must be greater than zero"),
                                 ({"Invoice": {"InvoiceID": ZERO}}, "Invoice could not be found"),
                                 ({"Invoice": {}}, "One of Invoice, CreditNote, Prepayment and Overpayment must be specified"),
                                 ({"Date": None}, "Date must be specified")):
            element, = self.ok("PUT", "Payments?summarizeErrors=false", {"Payments": [{**good, **members}]})
            self.assertIn(message, [error["Message"] for error in element["ValidationErrors"]])
            self.assertEqual((element["PaymentID"], element["HasValidationErrors"]), (ZERO, True))

    def test_paid_invoices_keep_their_amounts(self):
        invoice = self.invoice()
        self.pay(invoice, 5)
        self.assertIn("cannot be voided", self.not_changed(invoice, Status="VOIDED")[0])
        line = invoice["LineItems"][0]
        self.assertIn("cannot be edited", self.not_changed(invoice, LineItems=[{"LineItemID": line["LineItemID"], "Quantity": 4}])[0])
        self.assertIn("cannot be edited", self.not_changed(invoice, CurrencyCode="USD")[0])
        self.change(invoice, Reference="ok", LineItems=[{"LineItemID": line["LineItemID"], "Description": "told better"}])
        clock = self.again(invoice)["UpdatedDateUTC"]
        self.assertEqual(self.change(invoice, DueDate="2027-01-01")["UpdatedDateUTC"], clock)

    def test_a_new_number_shows_in_the_payments(self):
        invoice = self.invoice()
        payment = self.pay(invoice, 5)
        self.change(invoice, InvoiceNumber="RENUMBERED")
        self.assertEqual(self.one("Payments/" + payment["PaymentID"])["Invoice"]["InvoiceNumber"], "RENUMBERED")

    def test_batch(self):
        invoices = [self.invoice(), self.invoice()]
        bad = {"Account": BANK, "Date": "2026-10-02", "Payments": [
            {"Invoice": {"InvoiceID": invoices[0]["InvoiceID"]}, "Amount": 33}, {"Invoice": {"InvoiceID": invoices[1]["InvoiceID"]}, "Amount": 34}]}
        self.refused("PUT", "BatchPayments", {"BatchPayments": [bad]})
        self.assertEqual(self.again(invoices[0])["Status"], "AUTHORISED")
        bad["Payments"][1]["Amount"] = 3
        batch, = self.ok("PUT", "BatchPayments", {"BatchPayments": [bad]})
        self.assertEqual((batch["TotalAmount"], batch["Type"], self.again(invoices[0])["Status"]), (36, "RECBATCH", "PAID"))
        self.assertIn("batch", self.refused("POST", "Payments/" + batch["Payments"][0]["PaymentID"], {"Status": "DELETED"})[0])
        self.ok("POST", "BatchPayments", {"BatchPaymentID": batch["BatchPaymentID"], "Status": "DELETED"})
        self.assertEqual([self.again(invoice)["AmountDue"] for invoice in invoices], [33, 33])
        self.assertEqual(self.one("Payments/" + batch["Payments"][0]["PaymentID"])["Status"], "DELETED")


class Credits(Documents):
    def credit(self, **members):
        body = {**self.document(Type="ACCRECCREDIT"), **members}
        credit, = self.ok("PUT", "CreditNotes", {"CreditNotes": [body]})
        return credit

    def allocate(self, path, invoice, amount):
        return {"Allocations": [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": amount, "Date": "2026-10-10"}]}

    def test_allocation_and_back(self):
        credit, invoice = self.credit(), self.invoice(LineItems=[{**SALE, "Quantity": 5}])
        path = f"CreditNotes/{credit['CreditNoteID']}/Allocations"
        self.refused("PUT", path, self.allocate(path, invoice, 34))
        allocation, = self.ok("PUT", path, self.allocate(path, invoice, 33))
        shown, left = self.again(invoice), self.one("CreditNotes/" + credit["CreditNoteID"])
        self.assertEqual((shown["AmountDue"], shown["AmountCredited"], shown["CreditNotes"][0]["AppliedAmount"]), (22, 33, 33))
        self.assertEqual((left["Status"], left["RemainingCredit"], len(left["Allocations"])), ("PAID", 0, 1))
        status, body = self.sandbox.write("DELETE", f"{path}/{allocation['AllocationID']}")
        self.assertEqual((status, body["IsDeleted"], body["Invoice"]), (200, True, [{"InvoiceID": invoice["InvoiceID"]}]))
        shown, left = self.again(invoice), self.one("CreditNotes/" + credit["CreditNoteID"])
        self.assertEqual((shown["AmountDue"], shown["CreditNotes"]), (55, []))
        self.assertEqual((left["Status"], left["RemainingCredit"], left["Allocations"]), ("AUTHORISED", 33, []))
        self.assertEqual(self.sandbox.write("DELETE", f"{path}/{allocation['AllocationID']}")[0], 404)

    def test_refund_of_a_credit_note_shows_as_an_invoice(self):
        credit = self.credit()
        payment, = self.ok("PUT", "Payments", {"Payments": [{"CreditNote": {"CreditNoteID": credit["CreditNoteID"]}, "Account": BANK,
                                                             "Date": "2026-10-01", "Amount": 33}]})
        self.assertEqual((payment["PaymentType"], payment["Invoice"]["InvoiceID"]), ("ARCREDITPAYMENT", credit["CreditNoteID"]))
        self.assertEqual(self.one("CreditNotes/" + credit["CreditNoteID"])["RemainingCredit"], 0)
        self.ok("POST", "Payments/" + payment["PaymentID"], {"Status": "DELETED"})
        self.assertEqual(self.one("CreditNotes/" + credit["CreditNoteID"])["RemainingCredit"], 33)

    def test_prepayments_come_of_bank_transactions(self):
        spent, = self.ok("PUT", "BankTransactions", {"bankTransactions": [
            {"Type": "RECEIVE-PREPAYMENT", "Contact": {"ContactID": self.contact}, "BankAccount": BANK, "LineItems": [SALE]}]})
        path = f"Prepayments/{spent['PrepaymentID']}"
        invoice = self.invoice()
        self.ok("PUT", path + "/Allocations", self.allocate(path, invoice, 10))
        self.assertEqual((self.one(path)["RemainingCredit"], self.again(invoice)["Prepayments"][0]["AppliedAmount"]), (20, 10))
        self.assertTrue(self.refused("POST", "BankTransactions/" + spent["BankTransactionID"], {"Status": "DELETED"}))


class Others(Documents):
    def test_bank_transactions(self):
        spent, = self.ok("PUT", "BankTransactions", {"BankTransactions": [
            {"Type": "SPEND", "Contact": {"ContactID": self.contact}, "BankAccount": BANK, "LineItems": [BUY]}]})
        self.assertEqual((spent["LineAmountTypes"], spent["Total"], spent["TotalTax"], spent["Status"]), ("Inclusive", 30, 2.73, "AUTHORISED"))
        path = "BankTransactions/" + spent["BankTransactionID"]
        self.ok("POST", path, {"IsReconciled": True})
        self.assertTrue(self.refused("POST", path, {"Reference": "x"}))
        self.assertTrue(self.refused("PUT", "BankTransactions", {"BankTransactions": [
            {"Type": "SPEND-TRANSFER", "Contact": {"ContactID": self.contact}, "BankAccount": BANK, "LineItems": [BUY]}]}))

    def test_bank_transfers(self):
        transfer, = self.ok("PUT", "BankTransfers", {"BankTransfers": [
            {"FromBankAccount": BANK, "ToBankAccount": {"Code": "092"}, "Amount": "12.345"}]})
        half = self.one("BankTransactions/" + transfer["FromBankTransactionID"])
        self.assertEqual((transfer["Amount"], half["Type"], half["Total"]), (12.35, "SPEND-TRANSFER", 12.35))
        self.assertNotIn("Contact", half)
        self.ok("POST", "BankTransfers/" + transfer["BankTransferID"], {"Status": "DELETED"})
        self.assertEqual(self.one("BankTransactions/" + transfer["ToBankTransactionID"])["Status"], "DELETED")
        self.assertEqual(self.sandbox.get("BankTransfers")[1]["BankTransfers"][-1]["Status"], "AUTHORISED")

    def test_manual_journals(self):
        lines = [{"LineAmount": 10, "AccountCode": "429"}, {"LineAmount": -10, "AccountCode": "200"}]
        journal, = self.ok("PUT", "ManualJournals", {"ManualJournals": [{"Narration": "n", "JournalLines": lines}]})
        path = "ManualJournals/" + journal["ManualJournalID"]
        for members, word in (({"JournalLines": lines[:1]}, "At least two"), ({"JournalLines": lines + lines[:1]}, "debits"),
                              ({"JournalLines": [lines[0], {**lines[1], "AccountCode": "610"}]}, "610"), ({"Status": "VOIDED"}, "VOIDED")):
            self.assertIn(word, self.refused("POST", path, {"Narration": "n", **members})[0])
        self.assertEqual(self.refused("POST", path, {"Status": "POSTED"}), ["Narration must be specified"])
        self.ok("POST", path, {"Narration": "n", "Status": "POSTED"})
        self.ok("POST", path, {"Narration": "n", "Status": "VOIDED"})
        self.refused("POST", path, {"Narration": "x"})

    def test_purchase_orders_make_no_contacts(self):
        order, = self.ok("PUT", "PurchaseOrders", {"PurchaseOrders": [{"Contact": {"ContactID": self.contact}, "LineItems": [
            {**BUY, "UnitAmount": "0.1234"}]}]})
        self.assertEqual((order["PurchaseOrderNumber"], order["LineItems"][0]["UnitAmount"]), ("PO-0130", 0.1234))
        self.refused("PUT", "PurchaseOrders", {"PurchaseOrders": [{"Contact": {"Name": "Nobody"}, "LineItems": [BUY]}]})

    def test_quotes_need_contact_and_date(self):
        quote, = self.ok("PUT", "Quotes", {"Quotes": [{"Contact": {"ContactID": self.contact}, "Date": "2026-10-01", "LineItems": [SALE]}]})
        path, usual = "Quotes/" + quote["QuoteID"], {"Contact": {"ContactID": self.contact}, "Date": "2026-10-01"}
        self.refused("POST", path, {"Title": "t"})
        self.refused("POST", path, {**usual, "Status": "ACCEPTED"})
        for status in ("SENT", "ACCEPTED"):
            self.ok("POST", path, {**usual, "Status": status})
        self.refused("POST", path, {**usual, "Title": "too late"})

    def test_repeating_invoices_are_made_and_deleted(self):
        body = {"Type": "ACCREC", "Contact": {"ContactID": self.contact}, "LineItems": [SALE], "Schedule": {
            "Period": 1, "Unit": "MONTHLY", "DueDate": 10, "DueDateType": "OFFOLLOWINGMONTH", "StartDate": "2026-12-01"}}
        template, = self.ok("PUT", "RepeatingInvoices", {"RepeatingInvoices": [body]})
        path = "RepeatingInvoices/" + template["RepeatingInvoiceID"]
        self.refused("POST", path, {"Reference": "x"})
        self.assertEqual(self.ok("POST", path, {"Status": "DELETED"})[0]["Status"], "DELETED")

    def test_linked_transactions(self):
        bill, sale = self.invoice(Type="ACCPAY", LineItems=[BUY]), self.invoice()
        link, = self.ok("PUT", "LinkedTransactions", {"SourceTransactionID": bill["InvoiceID"],
                                                      "SourceLineItemID": bill["LineItems"][0]["LineItemID"]})
        path = "LinkedTransactions/" + link["LinkedTransactionID"]
        other, = self.contacts("Somebody else")
        self.assertEqual(link["Status"], "APPROVED")
        self.assertEqual(self.refused("POST", path, {"ContactID": other, "TargetTransactionID": sale["InvoiceID"]}),
                         ["The ContactID and the TargetTransaction ContactID do not match"])
        self.assertEqual(self.sandbox.write("DELETE", path)[0], 204)
        self.assertEqual(self.sandbox.get(path)[0], 404)

    def test_receipts_and_claims(self):
        user = self.sandbox.get("Users")[1]["Users"][0]["UserID"]
        receipt, = self.ok("PUT", "Receipts", {"Receipts": [{"Contact": {"ContactID": self.contact}, "Date": "2026-10-01",
                                                             "User": {"UserID": user}, "LineItems": [BUY]}]})
        body = {"ExpenseClaims": [{"User": {"UserID": user}, "Receipts": [{"ReceiptID": receipt["ReceiptID"]}]}]}
        claim, = self.ok("PUT", "ExpenseClaims", body)
        self.assertEqual((claim["Total"], self.one("Receipts/" + receipt["ReceiptID"])["Status"]), (30, "SUBMITTED"))
        self.refused("PUT", "ExpenseClaims", body)
        self.ok("POST", "ExpenseClaims/" + claim["ExpenseClaimID"], {"Status": "AUTHORISED"})


if __name__ == "__main__":
    unittest.main()
