"""Members and parameters that came with versions 16.2 to 20.1 of the
specification, or that live answers of 2026 have."""
import unittest

from .running import Sandbox


class Members(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

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

    def test_quantities_of_tracked_items(self):
        for item in self.records("Items"):
            self.assertEqual("QuantityOnHand" in item, "QuantityAvailable" in item and "QuantityOnBackOrder" in item)


if __name__ == "__main__":
    unittest.main()
