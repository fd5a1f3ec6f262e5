"""The parts that need no server: uuids, the filter language, limits, bytes."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sandbox import render, seeds  # noqa: E402
from sandbox.clock import Clock  # noqa: E402
from sandbox.errors import ApiError  # noqa: E402
from sandbox.limits import Limits  # noqa: E402
from sandbox.objects import ACCOUNTING_OBJECTS  # noqa: E402
from sandbox.store import Table, fold, typed  # noqa: E402
from sandbox.values import Day, Instant, Number, UnitAmount, parse_ms  # noqa: E402
from sandbox.where import Filter, NullCall  # noqa: E402


class Uuids(unittest.TestCase):
    def test_row_and_back(self):
        ids = seeds.Ids(7, "x")
        for row in (0, 1, 99, 1_000_000):
            self.assertEqual(ids.row(ids.of(row).upper()), row)
        self.assertIsNone(ids.row(seeds.Ids(8, "x").of(5)))

    def test_sql_server_order_is_last_group_first(self):
        a, b = "ffffffff-ffff-4fff-bfff-000000000001", "00000000-0000-4000-8000-000000000002"
        self.assertLess(seeds.guid_order(a), seeds.guid_order(b))
        ids = seeds.Ids(1, "y")
        rows = range(200)
        self.assertEqual(sorted(rows, key=ids.node), sorted(rows, key=lambda row: seeds.guid_order(ids.of(row))))


class Dates(unittest.TestCase):
    def test_offset_in_ms_date_is_ignored(self):
        self.assertEqual(parse_ms("/Date(1439434356790+1300)/"), 1439434356790)
        self.assertEqual(parse_ms("/Date(-5)/"), -5)

    def test_iso_offset_is_applied(self):
        self.assertEqual(parse_ms("2020-02-06T12:17:43.202-08:00"), parse_ms("2020-02-06T20:17:43.202Z"))
        self.assertIsNone(parse_ms("Thu, 06 Feb 2020 12:17:43 GMT"))


class Filters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spec = ACCOUNTING_OBJECTS["Contacts"]
        names = [("Zoë", None, True, "1.50"), ("zoe ", "a@x", None, "2"), ('O"Brien', "B@X", False, None)]
        cls.table = Table.of(cls.spec, [typed("Contact", {
            "ContactID": f"00000000-0000-4000-8000-00000000000{n}", "Name": name, "EmailAddress": mail,
            "IsSupplier": supplier, "Discount": discount and Number(discount), "Phones": [],
            "UpdatedDateUTC": f"2026-0{n + 1}-01T00:00:00"}) for n, (name, mail, supplier, discount) in enumerate(names)])

    def rows(self, text):
        return list(Filter(self.spec, text).rows(self.table))

    def message(self, text):
        with self.assertRaises(ApiError) as caught:
            Filter(self.spec, text)
        self.assertEqual(caught.exception.status, 400)
        return json.loads(caught.exception.body)["Message"]

    def test_text_ignores_case_accents_and_trailing_blanks(self):
        self.assertEqual(self.rows('Name=="ZOE"'), [0, 1])
        self.assertEqual(self.rows('name <> "ZOE"'), [2])
        self.assertEqual(self.rows('Name.endswith("E ")'), [1])
        self.assertEqual(self.rows('Name.StartsWith("ZO")'), [0, 1])
        self.assertEqual(self.rows('Name.ToUpper().Contains("BR")'), [2])
        self.assertEqual(self.rows('Name.ToLower().Contains("br")'), [2])
        self.assertEqual(self.rows('Name.ToLower().Contains("BR")'), [])
        self.assertEqual(fold("ÅB "), "ab")

    def test_doubled_quote(self):
        self.assertEqual(self.rows('Name=="o""brien"'), [2])

    def test_precedence_and_null(self):
        self.assertEqual(self.rows('IsSupplier==true or IsSupplier==false and Name=="x"'), [0])
        self.assertEqual(self.rows('!(IsSupplier==true)'), [1, 2])
        self.assertEqual(self.rows("Discount<5"), [0, 1])
        self.assertEqual(self.rows("Discount==1.5"), [0])
        self.assertEqual(self.rows("Discount!=1.5"), [1, 2])
        self.assertEqual(self.rows("EmailAddress==null"), [0])

    def test_moments_and_guids(self):
        self.assertEqual(self.rows("UpdatedDateUTC >= DateTime(2026,2,1) && UpdatedDateUTC<DateTime(2026,2,1,0,0,1)"), [1])
        self.assertEqual(self.rows('UpdatedDateUTC > DateTime.Parse("2026-02-01")'), [2])
        self.assertEqual(self.rows('ContactId=GUID("00000000-0000-4000-8000-000000000002")'), [2])

    def test_method_on_null_fails_unless_guarded(self):
        with self.assertRaises(NullCall):
            self.rows('EmailAddress.Contains("x")')
        self.assertEqual(self.rows('EmailAddress!=null AND EmailAddress.Contains("X")'), [1, 2])

    def test_messages(self):
        self.assertEqual(self.message('ContactID=="x"'),
                         "Operator '==' incompatible with operand types 'Guid' and 'String'")
        self.assertEqual(self.message('UpdatedDateUTC>"x"'),
                         "Operator '>' incompatible with operand types 'DateTime?' and 'String'")
        self.assertEqual(self.message("Nope==1"), "No property or field 'Nope' exists in type 'Contact'")
        self.assertEqual(self.message("Name=='xy'"), "Character literal must contain exactly one character")
        self.assertIn("Unterminated string literal", self.message('Name=="x'))
        self.assertIn("IList", self.message("Phones.PhoneType==null"))

    def test_nothing_of_the_text_is_executed(self):
        for text in ("__import__==1", "Name.__class__==1", 'Name=="x" for x', "r==1", "c0==1"):
            self.message(text)


class RateLimits(unittest.TestCase):
    def limits(self, **switches):
        clock = Clock()
        clock.now = lambda: 1_000_000.0 + clock.offset
        return clock, Limits(clock, minute=2, day=3, **switches)

    def test_minute_then_day(self):
        clock, limits = self.limits()
        self.assertIsNone(limits.admit("c", "t"))
        clock.advance(20)
        self.assertIsNone(limits.admit("c", "t"))
        refused = limits.admit("c", "t")
        self.assertEqual((refused.problem, refused.retry_after), ("minute", 40))
        self.assertIsNone(limits.admit("c", "other tenant"))
        self.assertEqual(limits.headers("c", "t")["X-MinLimit-Remaining"], "0")
        clock.advance(40)
        self.assertIsNone(limits.admit("c", "t"))
        self.assertEqual(limits.admit("c", "t").problem, "day")

    def test_starter_counts_in_the_same_window(self):
        clock = Clock()
        limits = Limits(clock, minute=2000, day=5000, starter=True)
        for _ in range(1000):
            self.assertIsNone(limits.admit("c", "t", starter=True))
        self.assertEqual(limits.admit("c", "t", starter=True).problem, "day")
        self.assertIsNone(limits.admit("c", "t"))

    def test_fixed_window_ends_for_all_calls_at_once(self):
        clock, limits = self.limits(window="fixed")
        limits.admit("c", "t"), limits.admit("c", "t")
        refused = limits.admit("c", "t")
        clock.advance(refused.retry_after)
        self.assertEqual(limits.headers("c", "t")["X-MinLimit-Remaining"], "2")

    def test_concurrent_says_no_time(self):
        _, limits = self.limits(concurrent=1)
        limits.enter("c", "t"), limits.enter("c", "t")
        refused = limits.admit("c", "t")
        self.assertEqual((refused.problem, refused.retry_after), ("concurrent", None))


class Bytes(unittest.TestCase):
    RECORD = {"A": "q\"\\é🧾\u0001", "B": None, "C": Number("40.00"), "D": UnitAmount("0.1648"), "E": Instant(-5),
              "F": Day(0), "G": [], "H": {}, "I": [{"AccountID": "x", "N": [1, True, None]}], "J": False, "K": 3}

    def test_every_variant_is_json_of_the_same_record(self):
        for variant in render.VARIANTS[True]:
            got = json.loads(variant.record(self.RECORD))
            self.assertEqual(got["A"], self.RECORD["A"])
            self.assertEqual(float(got["C"]), 40.0)
            self.assertIn(got["E"][:8], ("/Date(-5",))
            self.assertEqual((got["G"], got["J"], got["K"]), ([], False, 3))
            self.assertIsNone(got.get("B"))

    def test_variants_differ_and_keep_digits(self):
        texts = {variant.record(self.RECORD) for variant in render.VARIANTS[False]}
        self.assertGreater(len(texts), 20)
        self.assertTrue(all("40.00" in text and "0.16" in text for text in texts))
        self.assertTrue(any("\\/Date(" in text for text in texts) and any('"/Date(' in text for text in texts))
        self.assertTrue(any('"AccountId"' in text for text in texts))

    def test_crlf(self):
        body = render.body({"Id": "x"}, "Things", [render.PLAIN.record({"a": 1})])
        self.assertEqual(body.count(b"\n"), body.count(b"\r\n"))
        self.assertEqual(json.loads(body), {"Id": "x", "Things": [{"a": 1}]})


if __name__ == "__main__":
    unittest.main()
