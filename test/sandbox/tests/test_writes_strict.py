"""What Xero does to writes and most imitations of it do not: each rule with the
report or page that tells of it, and the quirk that asks for the other way."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.test_writes import Writing  # noqa: E402
from tests.test_writes_documents import BANK, BUY, SALE, Documents  # noqa: E402

HEADER = {"Reference": "r", "Terms": "t", "Title": "Title", "Summary": "s", "ExpiryDate": "2026-12-24"}


class Strict(Documents):
    def quirks(self, *quirks, **members):
        self.sandbox.control("reset", {"limits": False, "quirks": quirks, **members})
        self.contact, = self.contacts("Buyer")


class Merged(Strict):
    """calcinai/xero-php#900; connectorly.io on documents."""

    def merge(self, dead, into, **members):
        self.sandbox.control("change", {"object": "Contacts", "id": dead, "merge": into, **members})

    def test_documents_move_without_a_new_clock(self):
        survivor, = self.contacts("Survivor")
        before, = self.ok("PUT", "Invoices", {"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": self.contact}, "LineItems": [SALE]}]})
        clocks = {one["ContactID"]: one["UpdatedDateUTC"] for one in self.sandbox.control("state/Contacts")}
        self.merge(self.contact, survivor, silent=True)
        after = {one["ContactID"]: one for one in self.sandbox.control("state/Contacts")}
        self.assertEqual((after[self.contact]["ContactStatus"], after[self.contact]["MergedToContactID"]), ("ARCHIVED", survivor))
        self.assertEqual({key: one["UpdatedDateUTC"] for key, one in after.items()}, clocks)
        invoice, = self.sandbox.get("Invoices/" + before["InvoiceID"])[1]["Invoices"]
        self.assertEqual((invoice["Contact"]["ContactID"], invoice["UpdatedDateUTC"]), (survivor, before["UpdatedDateUTC"]))
        status, found = self.sandbox.get("Invoices?page=1&ContactIDs=" + self.contact)
        self.assertEqual(found["Invoices"], [])

    def test_writes_to_a_merged_one(self):
        survivor, = self.contacts("Survivor")
        self.merge(self.contact, survivor)
        changed, = self.ok("POST", "Contacts", {"Contacts": [{"ContactID": self.contact, "FirstName": "Ann"}]})
        self.assertEqual((changed["FirstName"], changed["MergedToContactID"]), ("Ann", survivor))
        self.quirks("merged-contacts-refused")
        survivor, = self.contacts("Survivor")
        self.merge(self.contact, survivor)
        status, answer = self.sandbox.write("POST", "Contacts", {"Contacts": [{"ContactID": self.contact, "FirstName": "Ann"}]})
        self.assertEqual(status, 400)


class Quotes(Strict):
    """XeroAPI/xero-mcp-server PR#244, PR#309 (tried on a live organisation)."""

    def quote(self, **members):
        made, = self.ok("PUT", "Quotes", {"Quotes": [{"Contact": {"ContactID": self.contact}, "Date": "2026-10-01",
                                                      "LineItems": [SALE], **HEADER, **members}]})
        return made

    def post(self, quote, **members):
        changed, = self.ok("POST", "Quotes/" + quote["QuoteID"], {
            "Contact": {"ContactID": self.contact}, "Date": "2026-10-01", **members})
        return changed

    def test_what_a_post_leaves_out_is_cleared(self):
        quote = self.quote(LineAmountTypes="INCLUSIVE")
        self.assertEqual((quote["Total"], quote["Title"]), (30, "Title"))
        changed = self.post(quote, Reference="new")
        self.assertEqual([changed.get(name) for name in (*HEADER, "ExpiryDateString", "LineAmountTypes")],
                         ["new", "", "", "", None, None, "EXCLUSIVE"])
        self.assertEqual((changed["QuoteNumber"], changed["Status"], len(changed["LineItems"])), (quote["QuoteNumber"], "DRAFT", 1))
        self.assertEqual(changed["Total"], 33)

    def test_all_of_the_header_changes_nothing(self):
        for style in ("EXCLUSIVE", "INCLUSIVE", "NOTAX"):
            quote = self.quote(LineAmountTypes=style)
            again = self.post(quote, **HEADER, LineAmountTypes=style)
            for name in (*HEADER, "LineItems", "SubTotal", "Total", "LineAmountTypes"):
                self.assertEqual(again.get(name), quote.get(name), (style, name))

    def test_quirk_partial_posts(self):
        self.quirks("quotes-keep-omitted")
        quote = self.quote()
        self.assertEqual(self.post(quote, Reference="new")["Title"], "Title")

    def test_lines_of_an_inclusive_quote_are_shown_without_tax(self):
        quote = self.quote(LineAmountTypes="INCLUSIVE", LineItems=[{**SALE, "Quantity": 1, "UnitAmount": 1092}])
        line, = quote["LineItems"]
        self.assertEqual((line["UnitAmount"], line["LineAmount"], quote["Total"]), (992.73, 992.73, 1092))
        back = self.post(quote, LineAmountTypes="INCLUSIVE", LineItems=quote["LineItems"])
        self.assertEqual(back["Total"], 992.73)
        self.assertEqual(self.sandbox.control("state/Quotes")[-1]["LineAmountTypes"], "INCLUSIVE")

    def test_quirk_lines_as_entered(self):
        self.quirks("quotes-as-entered")
        quote = self.quote(LineAmountTypes="INCLUSIVE")
        self.assertEqual(quote["LineItems"][0]["UnitAmount"], 10)
        self.assertEqual(self.post(quote, LineAmountTypes="INCLUSIVE", LineItems=quote["LineItems"])["Total"], 30)

    def test_a_later_status_can_be_set_with_all_of_the_header(self):
        quote = self.quote()
        for status in ("SENT", "ACCEPTED", "INVOICED"):
            self.assertEqual(self.post(quote, **HEADER, Status=status)["Status"], status)
        self.refused("POST", "Quotes/" + quote["QuoteID"], {"Contact": {"ContactID": self.contact}, "Date": "2026-10-01", "Status": "SENT"})


class Orders(Strict):
    def test_an_order_keeps_its_contact_unless_the_quirk_is_on(self):
        """A live answer of April 2026 keeps it; XeroAPI/Xero-Net#181 of 2016 lost it."""
        for quirks, kept in (((), True), (("orders-lose-contact",), False)):
            self.quirks(*quirks)
            order, = self.ok("PUT", "PurchaseOrders", {"PurchaseOrders": [{"Contact": {"ContactID": self.contact}, "LineItems": [BUY]}]})
            changed, = self.ok("POST", "PurchaseOrders/" + order["PurchaseOrderID"], {"Status": "SUBMITTED"})
            self.assertEqual("Contact" in changed, kept)

    def test_no_discounts(self):
        """docs: DiscountRate is for sales invoices and quotes."""
        self.refused("PUT", "PurchaseOrders", {"PurchaseOrders": [
            {"Contact": {"ContactID": self.contact}, "LineItems": [{**BUY, "DiscountRate": 10}]}]})


class Persons(Strict):
    """XeroAPI/xero-node#560, calcinai/xero-php#63, waynerobinson/xeroizer PR#565."""

    def persons(self, value):
        self.ok("POST", "Contacts/" + self.contact, {"ContactPersons": [{"FirstName": "P"}, {"FirstName": "Q"}]})
        changed, = self.ok("POST", "Contacts/" + self.contact, {"ContactPersons": value})
        return [person["FirstName"] for person in changed["ContactPersons"]]

    def test_an_empty_list_is_ignored_and_an_empty_person_clears(self):
        self.assertEqual(self.persons([]), ["P", "Q"])
        self.assertEqual(self.persons([{}]), [])
        self.assertEqual(self.persons([{"FirstName": "R"}]), ["R"])

    def test_quirk_an_empty_list_clears(self):
        self.quirks("empty-persons-clear")
        self.assertEqual(self.persons([]), [])


class ContactRules(Strict):
    def test_archived_contacts_join_no_group(self):
        """calcinai/xero-php#525"""
        group, = self.ok("PUT", "ContactGroups", {"ContactGroups": [{"Name": "G"}]})
        self.ok("POST", "Contacts/" + self.contact, {"ContactStatus": "ARCHIVED"})
        self.assertEqual(self.refused("PUT", f"ContactGroups/{group['ContactGroupID']}/Contacts", {"Contacts": [
            {"ContactID": self.contact}]}), ["Unable to assign an Archived contact."])

    def test_a_number_that_is_there_is_refused_unless_the_quirk_is_on(self):
        """docs: refused; XeroAPI/xero-php-oauth2#191: overwritten."""
        for quirks in ((), ("put-overwrites-contacts",)):
            self.quirks(*quirks)
            self.ok("POST", "Contacts/" + self.contact, {"ContactNumber": "N1"})
            new = {"Contacts": [{"Name": "Other", "ContactNumber": "N1"}]}
            if quirks:
                made, = self.ok("PUT", "Contacts", new)
                self.assertEqual((made["ContactID"], made["Name"]), (self.contact, "Other"))
            else:
                self.refused("PUT", "Contacts", new)

    def test_account_numbers_are_unique(self):
        """calcinai/xero-php#880"""
        self.ok("POST", "Contacts/" + self.contact, {"AccountNumber": "A1"})
        self.ok("POST", "Contacts/" + self.contact, {"AccountNumber": "A1"})
        self.assertEqual(self.refused("PUT", "Contacts", {"Contacts": [{"Name": "Other", "AccountNumber": "a1"}]}),
                         ["The Account Number already exists. Please enter a different Account Number."])

    def test_names_are_plain(self):
        """docs"""
        for name in ("A <B>", "Two  blanks"):
            self.refused("PUT", "Contacts", {"Contacts": [{"Name": name}]})

    def test_quirk_trimmed_names(self):
        """Pinelab-studio/pinelab-vendure-plugins#505"""
        for quirks, stored in (((), " Blanks around "), (("trimmed-names",), "Blanks around")):
            self.quirks(*quirks)
            contact, = self.ok("PUT", "Contacts", {"Contacts": [{"Name": " Blanks around "}]})
            self.assertEqual(contact["Name"], stored)


class Lines(Strict):
    def test_full_discounts(self):
        """XeroAPI/xero-php-oauth2#288, XeroAPI/Xero-NetStandard#147"""
        whole = {**SALE, "Quantity": 1, "UnitAmount": "27.8260", "DiscountRate": "100"}
        free, = self.invoice(LineItems=[whole, SALE])["LineItems"][:1]
        self.assertEqual((free["LineAmount"], free["DiscountAmount"]), (0, 27.83))
        for more, message in (({"DiscountAmount": "27.83"}, "The discount rate '27.83' is invalid. Discount must not be greater than the line total"),
                              ({"LineAmount": "0.00"}, "The line total -0.01 does not match the expected line total 0.00")):
            self.assertEqual(self.refused("PUT", "Invoices?unitdp=4", {"Invoices": [self.document(LineItems=[{**whole, **more}, SALE])]}), [message])

    def test_a_line_of_nothing_loses_its_account(self):
        """calcinai/xero-php#660"""
        invoice = self.invoice(LineItems=[{**SALE, "UnitAmount": 0}, SALE])
        self.assertNotIn("AccountCode", invoice["LineItems"][0])
        self.assertEqual(self.change(invoice, LineItems=invoice["LineItems"])["Total"], invoice["Total"])

    def test_unknown_tracking(self):
        document = self.document(LineItems=[{**SALE, "Tracking": [{"Name": "Region", "Option": "Moon"}]}])
        element, = self.ok("PUT", "Invoices?summarizeErrors=false", {"Invoices": [document]})
        self.assertEqual((element["StatusAttributeString"], element["LineItems"][0]["Tracking"]), ("OK", []))
        self.quirks("tracking-warned")
        document["Contact"] = {"ContactID": self.contact}
        element, = self.ok("PUT", "Invoices?summarizeErrors=false", {"Invoices": [document]})
        self.assertEqual((element["StatusAttributeString"], len(element["Warnings"])), ("WARNING", 1))
        self.quirks("tracking-refused")
        document["Contact"] = {"ContactID": self.contact}
        self.refused("PUT", "Invoices", {"Invoices": [document]})

    def test_description_only_lines(self):
        """docs: an approved line needs an account; spec: LineItem may be a description only"""
        document = self.document(LineItems=[SALE, {"Description": "A remark"}])
        self.assertEqual(len(self.refused("PUT", "Invoices", {"Invoices": [document]})), 2)
        self.quirks("description-lines")
        document["Contact"] = {"ContactID": self.contact}
        self.ok("PUT", "Invoices", {"Invoices": [document]})

    def test_hidden_item_codes(self):
        self.quirks("hidden-item-codes")
        invoice = self.invoice(LineItems=[{"ItemCode": "BOOK"}])
        self.assertNotIn("ItemCode", invoice["LineItems"][0])
        self.change(invoice, LineItems=invoice["LineItems"])
        self.assertEqual(self.state("Invoices")[-1]["LineItems"][0]["ItemCode"], "BOOK")

    def test_bank_details(self):
        """Xero's changelog, 29 Jun 2026: bank details need the role BankAccountAdmin"""
        contact, = self.ok("PUT", "Contacts", {"Contacts": [{"Name": "Seller", "BankAccountDetails": "06-1234-5678"}]})
        key = contact["ContactID"]
        for quirk, shown in (("absent", None), ("masked", "*********678")):
            self.sandbox.control("quirks", {"quirks": [f"bank-details-{quirk}"]})
            self.assertEqual(self.one(f"Contacts/{key}").get("BankAccountDetails"), shown)
            self.ok("POST", "Contacts", {"Contacts": [{"ContactID": key, "FirstName": quirk}]})
            self.refused("POST", "Contacts", {"Contacts": [{"ContactID": key, "BankAccountDetails": ""}]})
        self.sandbox.control("quirks", {"quirks": []})
        self.assertEqual(self.one(f"Contacts/{key}")["BankAccountDetails"], "06-1234-5678")

    def test_rounding_amounts(self):
        """spec 19.0.0"""
        totals = {"SubTotal": 30, "TotalTax": 3, "Total": "33.05"}
        self.assertEqual(self.invoice(**totals)["Total"], 33)
        self.quirks("rounding-amounts")
        invoice = self.invoice(**totals)
        self.assertEqual((invoice["Total"], invoice["RoundingAmount"], invoice["AmountDue"]), (33.05, 0.05, 33.05))
        self.assertEqual(self.invoice(**{**totals, "Total": "33.50"})["Total"], 33)
        self.assertEqual(self.change(invoice, Reference="r")["Total"], 33.05)
        self.assertEqual(self.change(invoice, LineItems=invoice["LineItems"])["Total"], 33)


class Rules(Strict):
    journal = [{"LineAmount": 10, "AccountCode": "429"}, {"LineAmount": -10, "AccountCode": "200"}]

    def test_urls_are_not_xeros(self):
        """docs"""
        url = {"Url": "https://go.xero.com/x"}
        self.refused("PUT", "Invoices", {"Invoices": [self.document(**url)]})
        self.refused("PUT", "ManualJournals", {"ManualJournals": [{"Narration": "n", "JournalLines": self.journal, **url}]})

    def test_the_tax_of_a_journal_line_fits_its_account(self):
        """docs"""
        bad = [{**self.journal[0], "TaxType": "OUTPUT"}, self.journal[1]]
        self.assertEqual(self.refused("PUT", "ManualJournals", {"ManualJournals": [
            {"Narration": "n", "LineAmountTypes": "Inclusive", "JournalLines": bad}]}),
            ["The TaxType code 'OUTPUT' cannot be used with account code '429'"])
        self.ok("PUT", "ManualJournals", {"ManualJournals": [{"Narration": "n", "JournalLines": bad}]})

    def test_nothing_is_ended_in_a_locked_period(self):
        """docs: lock dates"""
        transfer, = self.ok("PUT", "BankTransfers", {"BankTransfers": [
            {"FromBankAccount": BANK, "ToBankAccount": {"Code": "092"}, "Amount": 1, "Date": "2026-10-01"}]})
        invoice = self.invoice()
        batch, = self.ok("PUT", "BatchPayments", {"BatchPayments": [
            {"Account": BANK, "Date": "2026-10-01", "Payments": [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 1}]}]})
        credit, = self.ok("PUT", "CreditNotes", {"CreditNotes": [
            {"Type": "ACCRECCREDIT", "Contact": {"ContactID": self.contact}, "Status": "AUTHORISED", "Date": "2026-10-01", "LineItems": [SALE]}]})
        allocations = f"CreditNotes/{credit['CreditNoteID']}/Allocations"
        allocation, = self.ok("PUT", allocations, {"Allocations": [
            {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 1, "Date": "2026-10-01"}]})
        ends = (("POST", "BankTransfers/" + transfer["BankTransferID"], {"Status": "DELETED"}),
                ("POST", "BatchPayments/" + batch["BatchPaymentID"], {"Status": "DELETED"}),
                ("DELETE", f"{allocations}/{allocation['AllocationID']}", None))
        organisation, = self.state("Organisation")
        for locked in ("2026-12-31", "2023-06-30"):
            self.sandbox.control("change", {"object": "Organisation", "id": organisation["OrganisationID"], "set": {"PeriodLockDate": locked}})
            for end in ends:
                if locked > "2026":
                    self.assertIn("period lock date, currently set at 31 December 2026", self.refused(*end)[0], end)
                else:
                    self.assertEqual(self.sandbox.write(*end)[0], 200, end)

    def test_four_tracking_categories(self):
        """docs: two active ones of at most four"""
        for category in self.state("TrackingCategories"):
            self.sandbox.write("POST", "TrackingCategories/" + category["TrackingCategoryID"], {"Status": "ARCHIVED"})
        made = len(self.state("TrackingCategories"))
        for n in range(made, 4):
            category, = self.ok("PUT", "TrackingCategories", {"Name": f"C{n}"})
            self.ok("POST", "TrackingCategories/" + category["TrackingCategoryID"], {"Status": "ARCHIVED"})
        self.refused("PUT", "TrackingCategories", {"Name": "Fifth"})

    def test_a_journal_is_updated_with_its_narration(self):
        """spec: ManualJournal.required"""
        for quirks, status in (((), 400), (("journals-without-narration",), 200)):
            self.quirks(*quirks)
            journal = next(one for one in self.state("ManualJournals") if one["Status"] == "DRAFT" and one["Narration"][:9] != "Accrual 0")
            self.assertEqual(self.sandbox.write("POST", "ManualJournals/" + journal["ManualJournalID"], {"ShowOnCashBasisReports": False})[0], status)


class Reasons(Strict):
    """Live answers have a place for reasons at each line; docs show Message and Description."""

    bad = [SALE, {**SALE, "AccountCode": "9999"}]

    def element(self):
        status, body = self.sandbox.write("PUT", "Invoices", {"Invoices": [self.document(LineItems=self.bad, BrandingThemeID=self.contact)]})
        self.assertEqual(status, 400)
        return body["Elements"][0]

    def test_at_the_element(self):
        self.assertEqual(len(self.element()["ValidationErrors"]), 2)

    def test_at_the_line(self):
        self.quirks("reasons-at-lines")
        element = self.element()
        self.assertEqual([line["ValidationErrors"] for line in element["LineItems"]],
                         [[], [{"Message": "Account code '9999' is not a valid code for this document."}]])
        self.assertEqual(len(element["ValidationErrors"]), 1)

    def test_as_descriptions(self):
        self.quirks("reasons-as-descriptions")
        self.assertEqual([list(error) for error in self.element()["ValidationErrors"]], [["Description"], ["Description"]])


class Reading(Strict):
    def test_lists_reduce_the_contact(self):
        """Live answers of April 2026: pages, too; PurchaseOrders have more."""
        for name, reduced in (("Invoices", True), ("CreditNotes", True), ("BankTransactions", True), ("PurchaseOrders", False)):
            records = self.sandbox.get(name + "?page=1")[1][name]
            found = set().union(*(record["Contact"] for record in records if "Contact" in record))
            self.assertEqual("ContactStatus" not in found, reduced, name)
            self.assertIn("Name", found)

    def test_lists_of_payments_do_not_name_the_account(self):
        """Live answers of April 2026; one payment by itself does."""
        for query in ("", "?page=1"):
            payment = self.sandbox.get("Payments" + query)[1]["Payments"][0]
            self.assertNotIn("Name", payment["Account"])
            self.assertIn("Name", self.one("Payments/" + payment["PaymentID"])["Account"])

    def test_a_share_of_documents_has_files(self):
        self.quirks(attachments=40)
        for name, least, most in (("Invoices", 80, 160), ("PurchaseOrders", 25, 80), ("BankTransactions", 30, 90)):
            records = self.state(name)
            having = [record for record in records if record["HasAttachments"]]
            self.assertTrue(least <= len(having) <= most, (name, len(having)))
            self.assertTrue(all(record["Attachments"] for record in having))
        bills = [record for record in self.state("Invoices") if record["Type"] == "ACCPAY"]
        self.assertGreater(sum(record["HasAttachments"] for record in bills) / len(bills), 0.6)

    def test_quotes_say_nothing_of_their_files(self):
        """The specification's Quote has neither Attachments nor HasAttachments;
        there is /Quotes/{QuoteID}/Attachments."""
        self.quirks(attachments=40)
        having = [quote for quote in self.state("Quotes") if "Attachments" in quote]
        self.assertTrue(20 <= len(having) <= 80, len(having))
        path = "Quotes/" + having[0]["QuoteID"]
        self.assertFalse({"Attachments", "HasAttachments"} & set(self.one(path)))
        listed = self.sandbox.get("Quotes?page=1")[1]["Quotes"]
        self.assertFalse(any({"Attachments", "HasAttachments"} & set(quote) for quote in listed))
        files = self.sandbox.get(path + "/Attachments")[1]["Attachments"]
        self.assertEqual([file["FileName"] for file in files], [file["FileName"] for file in having[0]["Attachments"]])

    def test_create_makes_what_xero_would(self):
        made = self.sandbox.control("change", {"object": "Invoices", "create": {
            "Type": "ACCREC", "Contact": {"ContactID": self.contact}, "LineItems": [SALE], "Status": "PAID", "Reference": "r"}})["id"]
        invoice = self.one("Invoices/" + made)
        self.assertEqual((invoice["Status"], float(invoice["Total"]), invoice["LineItems"], invoice["CurrencyCode"]),
                         ("PAID", 33, [SALE], "AUD"))
        self.assertTrue(invoice["InvoiceNumber"].startswith("INV-"))
        self.assertEqual([one["InvoiceID"] for one in self.state("Invoices?id=" + made)], [made])
        made = self.sandbox.control("change", {"object": "Contacts", "create": {"Name": "Made"}})["id"]
        self.assertEqual(len(self.one("Contacts/" + made)["Phones"]), 4)

    def test_create_makes_whole_records_of_what_xero_would_refuse(self):
        for members in ({"Name": "Buyer"}, {"Name": "Odd", "EmailAddress": "no address"}, {"Name": "Gone", "ContactStatus": "ARCHIVED"}):
            made = self.sandbox.control("change", {"object": "Contacts", "create": members})["id"]
            contact = self.one("Contacts/" + made)
            self.assertEqual((len(contact["Phones"]), contact["Name"], contact["ContactStatus"]),
                             (4, members["Name"], members.get("ContactStatus", "ACTIVE")))
            self.assertTrue(made in [one["ContactID"] for one in self.state("Contacts")])


if __name__ == "__main__":
    unittest.main()
