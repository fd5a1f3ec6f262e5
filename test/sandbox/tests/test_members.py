"""Members and parameters that came with versions 16.2 to 20.1 of the
specification, or that live answers of 2026 have."""
import unittest
import urllib.parse

from .running import Sandbox


class Members(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--no-limits")

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.stop()

    def records(self, object_and_query):
        status, body = self.sandbox.get(object_and_query)
        self.assertEqual(status, 200)
        return body[object_and_query.split("?")[0].split("/")[0]]

    def test_some_members_are_in_the_answer_about_one_record_only(self):
        only = {"SentToEmailAddress", "RoundingAmount", "EnteredTotal"}
        for query in ("?page=1", "", "?summaryOnly=true"):
            for invoice in self.records("Invoices" + query)[:60]:
                self.assertFalse(only & set(invoice))
                self.assertIn("InvoicePaymentServices", invoice)
        found = set()
        for invoice in self.records("Invoices?page=1")[:40]:
            one, = self.records("Invoices/" + invoice["InvoiceID"])
            found |= {name for name in only if one.get(name)}
        self.assertEqual(found, only)

    def test_lines_of_orders_name_item_and_account_by_id_in_the_answer_about_one_order_only(self):
        orders = self.records("PurchaseOrders")
        for order in orders:
            for line in order["LineItems"]:
                self.assertFalse({"Item", "ItemID", "AccountID", "AccountId"} & set(line))
        order = next(order for order in orders if any(line.get("ItemCode") for line in order["LineItems"]))
        one, = self.records("PurchaseOrders/" + order["PurchaseOrderID"])
        for line in one["LineItems"]:
            self.assertEqual("ItemCode" in line, "ItemID" in line)

    def test_references(self):
        for name in ("BankTransactions", "Prepayments", "Overpayments"):
            some = sorted({record["Reference"] for record in self.records(name + "?page=1") if record.get("Reference")})[:2]
            query = "page=1&References=" + ",".join(map(urllib.parse.quote, some))
            self.assertEqual(sorted({record["Reference"] for record in self.records(f"{name}?{query}")}), some)

    def test_journals_on_a_cash_basis(self):
        def sources(query):
            return {journal.get("SourceType") for journal in self.records("Journals?" + query)}
        self.assertIn("ACCREC", sources("offset=0"))
        self.assertNotIn("ACCREC", sources("offset=0&paymentsOnly=true"))
        self.assertIn("CASHREC", sources("offset=0&paymentsOnly=true"))

    def test_settings_of_two_parts(self):
        self.assertEqual(self.sandbox.get("InvoiceReminders/Settings")[1]["InvoiceReminders"], [{"Enabled": True}])
        self.assertEqual({action["Status"] for action in self.sandbox.get("Organisation/Actions")[1]["Actions"]},
                         {"ALLOWED", "NOT-ALLOWED"})
        self.assertEqual(len(self.sandbox.get("Organisation")[1]["Organisations"]), 1)

    def test_backorders_must_be_allowed(self):
        document = {"Type": "ACCREC", "Status": "AUTHORISED", "DueDate": "2026-12-01", "Contact": {"ContactID":
                    self.records("Contacts?page=1")[0]["ContactID"]}, "LineItems": [
                        {"ItemCode": "GB1-White", "Quantity": 4, "UnitAmount": 1, "AccountCode": "200"}]}
        refused = self.sandbox.write("PUT", "Invoices", {"Invoices": [document]})
        self.assertEqual(refused[0], 400)
        self.assertIn("available quantity", str(refused[1]))
        self.assertEqual(self.sandbox.write("PUT", "Invoices?allowBackorders=true", {"Invoices": [document]})[0], 200)
        document["LineItems"][0]["Quantity"] = 3
        self.assertEqual(self.sandbox.write("PUT", "Invoices", {"Invoices": [document]})[0], 200)

    def test_quantities_of_tracked_items(self):
        for item in self.records("Items"):
            self.assertEqual("QuantityOnHand" in item, "QuantityAvailable" in item and "QuantityOnBackOrder" in item)


if __name__ == "__main__":
    unittest.main()
