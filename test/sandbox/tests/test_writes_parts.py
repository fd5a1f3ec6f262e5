"""The parts of writes that need no server."""
import os
import sys
import types
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sandbox.answer import Answer  # noqa: E402
from sandbox.api import Call  # noqa: E402
from sandbox.clock import Clock  # noqa: E402
from sandbox.errors import ApiError  # noqa: E402
from sandbox.objects import ACCOUNTING_OBJECTS  # noqa: E402
from sandbox.org import Org  # noqa: E402
from sandbox.store import Table, typed  # noqa: E402
from sandbox.values import Day, Number, UnitAmount  # noqa: E402
from sandbox.writes.books import Books  # noqa: E402
from sandbox.writes.fields import MEMBERS, Reader  # noqa: E402
from sandbox.writes.idempotency import Idempotency  # noqa: E402
from sandbox.writes.objects import WRITABLE  # noqa: E402
from sandbox.writes.statuses import MACHINES  # noqa: E402
from sandbox.writes.totals import sums, tax  # noqa: E402


class Reading(unittest.TestCase):
    def read(self, type_name, raw, unitdp4=True, strict=False):
        return Reader(unitdp4, strict).element(type_name, raw)

    def test_leaves(self):
        record, complaints = self.read("Invoice", {
            "date": "/Date(1439434356790+1300)/", "CurrencyRate": "0.65432109871", "SentToContact": "true", "Url": None,
            "LineItems": [{"UnitAmount": Decimal("0.16485"), "Quantity": 2, "TaxAmount": "1.005"}], "AmountDue": 5})
        self.assertEqual(complaints, [])
        self.assertEqual(record, {
            "Date": Day(1439424000000), "CurrencyRate": "0.6543210987", "SentToContact": True,
            "LineItems": [{"UnitAmount": "0.1649", "Quantity": "2.0000", "TaxAmount": "1.01"}]})
        line = record["LineItems"][0]
        self.assertEqual((type(line["UnitAmount"]), type(line["TaxAmount"])), (UnitAmount, Number))
        record, _ = self.read("LineItem", {"UnitAmount": Decimal("-0.165")}, unitdp4=False)
        self.assertEqual(record["UnitAmount"], "-0.1700")

    def test_rates_have_six_to_ten_decimals(self):
        for given, kept in (("1", "1.000000"), ("0.5", "0.500000"), ("1.23456789012", "1.2345678901"), ("100", "100.000000")):
            self.assertEqual(self.read("Invoice", {"CurrencyRate": given})[0]["CurrencyRate"], kept)

    def test_what_cannot_be_read(self):
        for raw in ({"Date": "2026-13-01"}, {"Date": ""}, {"Status": "NEW"}, {"LineItems": {}}, {"Contact": []}, {"Reference": {}},
                    {"CurrencyRate": "1e400"}, {"LineItems": [1]}):
            with self.assertRaises(ApiError, msg=raw):
                self.read("Invoice", raw)
        with self.assertRaises(ApiError):
            self.read("Invoice", {"AmountDue": 5}, strict=True)

    def test_every_named_type_exists(self):
        for members in MEMBERS.values():
            for member in members.values():
                self.assertTrue(member.type is None or member.type in MEMBERS, member.name)
        for name in WRITABLE:
            if WRITABLE[name].collection:
                self.assertIn(ACCOUNTING_OBJECTS[name].type_name, MEMBERS)


class Sums(unittest.TestCase):
    def test_tax_is_rounded_by_line(self):
        self.assertEqual(tax(Decimal("10.05"), Decimal(10), "exclusive"), Decimal("1.01"))
        self.assertEqual(tax(Decimal("-10.05"), Decimal(10), "exclusive"), Decimal("-1.01"))
        self.assertEqual(tax(Decimal("11"), Decimal(10), "inclusive"), Decimal("1.00"))
        self.assertEqual(tax(Decimal("11"), Decimal(10), "notax"), 0)
        lines = [{"LineAmount": Number("10.05"), "TaxAmount": Number("1.01")}] * 3
        self.assertEqual(sums(lines, "exclusive"), {"SubTotal": "30.15", "TotalTax": "3.03", "Total": "33.18"})
        self.assertEqual(sums(lines, "inclusive"), {"SubTotal": "27.12", "TotalTax": "3.03", "Total": "30.15"})


class Statuses(unittest.TestCase):
    def test_moves(self):
        quote = MACHINES["Quote"]
        self.assertTrue(quote.may("SENT", "ACCEPTED") and quote.may("INVOICED", "SENT"))
        self.assertFalse(quote.may("DRAFT", "ACCEPTED"))
        self.assertTrue(quote.final("DELETED"))
        for machine in MACHINES.values():
            self.assertIn(machine.usual, machine.first)


class Keys(unittest.TestCase):
    def call(self, key, body=b"x"):
        return Call("PUT", "/p", "", {}, {"idempotency-key": key}, body, "app")

    def test_window_and_request(self):
        class Tenant:
            tenant_id = "t"
        clock = Clock()
        keys = Idempotency(clock)
        self.assertIsNone(keys.find(Tenant, self.call("a")))
        keys.keep(Tenant, self.call("a"), Answer(500, b"no"))
        self.assertEqual(keys.find(Tenant, self.call("a")).status, 500)
        with self.assertRaises(ApiError):
            keys.find(Tenant, self.call("a", b"y"))
        clock.advance(361)
        self.assertIsNone(keys.find(Tenant, self.call("a", b"y")))


class Tables(unittest.TestCase):
    def test_an_index_follows_changes(self):
        spec = ACCOUNTING_OBJECTS["Contacts"]
        keys = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(3)]
        table = Table.of(spec, [typed("Contact", {"ContactID": key, "Name": name}) for key, name in zip(keys, ("Zoë", "b", "zoe "))])
        self.assertEqual(table.find("Name", "ZOE"), [0, 2])
        table.upsert({"ContactID": keys[0], "Name": "b"})
        table.remove(keys[2])
        table.upsert({"ContactID": keys[2], "Name": "new"})
        self.assertEqual((table.find("Name", "zoe"), table.find("Name", "B"), table.find("Name", "new")), ([], [0, 1], [3]))

    def test_undo(self):
        options = types.SimpleNamespace(seed=1, contacts=20, invoices=20, country="AU")
        books = Books(Org(options, 0, "t"), Clock(), options)
        before = books.records("Contacts")
        first = dict(before[0])
        mark = books.mark()
        books.save("Contacts", {**first, "Name": "Changed"})
        books.save("Contacts", {"ContactID": books.new_id("Contacts"), "Name": "Made", "ContactStatus": "ACTIVE"})
        books.remove("Contacts", before[1]["ContactID"])
        self.assertEqual(len(books.find("Contacts", "Name", "made")), 1)
        books.undo(mark)
        self.assertEqual(sorted(books.records("Contacts"), key=lambda c: c["ContactID"]), sorted(before, key=lambda c: c["ContactID"]))
        self.assertEqual(books.find("Contacts", "Name", "made"), [])


if __name__ == "__main__":
    unittest.main()
