"""The sandbox over the wire: what a client would see of each rule."""
import email.utils
import gzip
import http.client
import json
import os
import re
import socket
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.running import Sandbox  # noqa: E402

API = "/api.xro/2.0/"


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--tenants", "3")

    @classmethod
    def tearDownClass(cls):
        assert cls.sandbox.stop() == 0

    def setUp(self):
        self.sandbox.control("reset", {"limits": False})

    def invoices(self, query="page=1&pageSize=1000", **headers):
        status, body = self.sandbox.get("Invoices?" + query, **headers)
        self.assertEqual(status, 200, body)
        return body["Invoices"]

    # paging and forms

    def test_pages_cover_every_invoice_once(self):
        truth = {record["InvoiceID"] for record in self.sandbox.control("state/Invoices")}
        for order in ("", "&order=InvoiceID", "&order=Date%20DESC"):
            seen = []
            for page in (1, 2, 3, 4):
                _, body = self.sandbox.get(f"Invoices?page={page}{order}")
                self.assertEqual(body["pagination"], {"page": page, "pageSize": 100, "pageCount": 3, "itemCount": 250})
                seen += [record["InvoiceID"] for record in body["Invoices"]]
            self.assertEqual(len(seen), 250)
            self.assertEqual(set(seen), truth)

    def test_page_size_is_clamped(self):
        self.assertEqual(len(self.invoices("page=1&pageSize=5000")), 250)
        self.assertEqual(len(self.invoices("page=1&pageSize=0")), 1)

    def test_forms(self):
        paged = {r["InvoiceID"]: r for r in self.invoices()}
        _, unpaged = self.sandbox.get("Invoices")
        self.assertNotIn("pagination", unpaged)
        self.assertTrue(all(r["LineItems"] == [] for r in unpaged["Invoices"]))
        self.assertTrue(all(r["LineItems"] for r in paged.values()))
        self.assertTrue(all("Payments" not in r for r in self.invoices("summaryOnly=true")))
        self.assertTrue(all(r["LineItems"] for r in self.invoices("Statuses=PAID,DRAFT")))
        _, single = self.sandbox.get("Invoices/INV-000000")
        self.assertEqual(len(single["Invoices"]), 1)

    def test_sums_agree(self):
        for record in self.sandbox.control("state/Invoices"):
            lines = sum(round(float(line.get("LineAmount", 0)) * 100) for line in record["LineItems"])
            total = record["Total"] if record["LineAmountTypes"] == "Inclusive" else record["SubTotal"]
            self.assertEqual(lines, round(total * 100))
            paid = sum(round(p["Amount"] * 100) for p in record["Payments"])
            self.assertEqual(paid, round(record["AmountPaid"] * 100))

    def test_nested_payments_are_the_payments(self):
        nested = {p["PaymentID"]: p["Amount"] for r in self.sandbox.control("state/Invoices") for p in r["Payments"]}
        rows = {p["PaymentID"]: p for p in self.sandbox.control("state/Payments")}
        self.assertTrue(nested)
        for key, amount in nested.items():
            self.assertEqual(rows[key]["Amount"], amount)
        _, single = self.sandbox.get("Payments/" + next(iter(nested)))
        self.assertEqual(single["Payments"][0]["PaymentID"], next(iter(nested)))

    def test_journals_by_offset_with_short_pages(self):
        numbers, sizes = [], []
        while True:
            _, body = self.sandbox.get(f"Journals?offset={numbers[-1] if numbers else 0}&page=9")
            if not body["Journals"]:
                break
            sizes.append(len(body["Journals"]))
            numbers += [int(j["JournalNumber"]) for j in body["Journals"]]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(len(numbers), len(self.sandbox.control("state/Journals")))
        self.assertTrue(any(size < 100 for size in sizes[:-1]), sizes)

    def test_archived_contacts_hide(self):
        shown = self.sandbox.get("Contacts?page=1&pageSize=1000")[1]["Contacts"]
        everyone = self.sandbox.get("Contacts?page=1&pageSize=1000&includeArchived=true")[1]["Contacts"]
        self.assertLess(len(shown), len(everyone))
        self.assertEqual(len(everyone), 120)

    def test_country_decides_payroll(self):
        connections = json.loads(self.sandbox.call("/connections")[2])
        answers = [[self.sandbox.call(f"/payroll.xro/{version}/Employees?page=2", xero_tenant_id=c["tenantId"])
                    for version in ("1.0", "2.0")] for c in connections]
        self.assertEqual([[a[0] for a in pair] for pair in answers], [[200, 404], [404, 200], [404, 200]])
        self.assertEqual(len(json.loads(answers[0][0][2])["Employees"]), 30)
        kiwi = json.loads(answers[2][1][2])
        self.assertEqual((len(kiwi["employees"]), kiwi["pagination"]["pageCount"]), (30, 2))

    # selection

    def test_modified_since_is_exclusive_and_by_the_second(self):
        instants = sorted(int(r["UpdatedDateUTC"][6:-7]) // 1000 for r in self.sandbox.control("state/Invoices"))
        middle = instants[100]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle))
        self.assertEqual(len(self.invoices(If_Modified_Since=stamp)), sum(i > middle for i in instants))
        self.assertEqual(len(self.invoices(If_Modified_Since="Thu, 06 Feb 2025 12:17:43 GMT")), 250)

    def test_date_header_follows_the_clock(self):
        for advance in (0, 7200):
            self.sandbox.control("clock", {"advance": advance})
            before = int(self.sandbox.control("clock")["now"])
            status, body = self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": f"Dated {advance}"}]})
            self.assertEqual(status, 200, body)
            written = int(re.search(r"\d+", body["Contacts"][0]["UpdatedDateUTC"]).group()) // 1000
            _, headers, _ = self.sandbox.call(API + "Organisation")
            sent = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
            self.assertLessEqual(before, written)
            self.assertLessEqual(written, sent)
            self.assertLess(sent - before, 60)
        self.assertGreater(sent - time.time(), 7100)

    def test_parameters(self):
        some = self.invoices("page=1&pageSize=3&order=InvoiceID")
        ids = ",".join(r["InvoiceID"] for r in some)
        self.assertEqual({r["InvoiceID"] for r in self.invoices("IDs=" + ids)}, {r["InvoiceID"] for r in some})
        self.assertEqual({r["Status"] for r in self.invoices("Statuses=PAID,VOIDED")}, {"PAID", "VOIDED"})
        contact = some[0]["Contact"]["ContactID"]
        self.assertEqual({r["Contact"]["ContactID"] for r in self.invoices("ContactIDs=" + contact)}, {contact})
        self.assertEqual(len(self.invoices("InvoiceNumbers=INV-000000,nope")), 1)
        orders = self.sandbox.get("PurchaseOrders?pageSize=1000&DateFrom=2025-01-01&DateTo=2025-06-30")[1]
        self.assertTrue(orders["PurchaseOrders"])
        self.assertTrue(all("2025-01-01" <= r["DateString"] <= "2025-06-30T" for r in orders["PurchaseOrders"]))

    def test_unknown_parameters_are_ignored_unless_strict(self):
        self.assertEqual(len(self.invoices("page=1&page_size=7")), 100)
        self.sandbox.control("reset", {"strict": True})
        self.assertEqual(self.sandbox.get("Invoices?page=1&page_size=7")[0], 400)
        self.assertEqual(self.sandbox.get("Invoices?page=1", If_Modified_Since="yesterday")[0], 400)
        self.assertEqual(self.sandbox.get("Quotes?where=Total%3E1")[0], 400)

    def test_bad_filters(self):
        status, body = self.sandbox.where("Invoices", 'Date>"2020-01-01"')
        self.assertEqual((status, body["Type"]), (400, "QueryParseException"))
        status, body = self.sandbox.where("Invoices", 'Reference.Contains("x")')
        self.assertEqual((status, body["Type"]), (500, "UnknownErrorException"))
        status, _ = self.sandbox.where("Invoices", "HasAttachments==true", "summaryOnly=true")
        self.assertEqual(status, 400)

    def test_long_query_is_not_found(self):
        status, body = self.sandbox.get("Invoices?IDs=" + "x" * 2045)
        self.assertEqual((status, body), (404, "The resource you're looking for cannot be found"))
        self.assertEqual(self.sandbox.get("Invoices?IDs=" + "x" * 2044)[0], 200)

    def test_high_volume(self):
        self.sandbox.control("reset", {"high_volume": 100})
        self.assertEqual(self.sandbox.get("Invoices")[0], 400)
        self.assertEqual(self.sandbox.where("Invoices", 'Status=="VOIDED"')[0], 200)
        self.assertEqual(self.sandbox.where("Invoices", 'Status=="VOIDED" AND Total>1')[0], 400)

    def test_fixed_pages_without_pagination(self):
        _, body = self.sandbox.get("LinkedTransactions?page=1&pageSize=1000")
        self.assertEqual(len(body["LinkedTransactions"]), 100)
        self.assertNotIn("pagination", body)
        self.assertEqual(len(self.sandbox.get("LinkedTransactions?page=2")[1]["LinkedTransactions"]), 10)
        self.assertEqual(len(self.sandbox.get("Quotes?page=1&pageSize=1000")[1]["Quotes"]), 120)

    def test_quirks(self):
        self.assertEqual(len(self.sandbox.get("ManualJournals?page=1&order=Date")[1]["ManualJournals"]), 100)
        before = len(self.invoices())
        self.sandbox.control("reset", {"quirks": ["manualjournals-order-unpaged", "archived-invoices"]})
        self.assertEqual(len(self.sandbox.get("ManualJournals?page=1&order=Date")[1]["ManualJournals"]), 115)
        self.assertLess(len(self.invoices()), before)
        self.assertEqual(len(self.invoices("page=1&pageSize=1000&includeArchived=true")), before)

    def test_unit_amounts_have_two_decimals_unless_asked(self):
        def decimals(query):
            body = self.sandbox.call(API + "Invoices?page=1&pageSize=1000" + query)[2].decode()
            return {len(n) for n in re.findall(r'"UnitAmount": "?\d+\.(\d+)', body)}
        self.assertEqual(decimals(""), {2})
        self.assertEqual(decimals("&unitdp=4"), {4})

    # the wire

    def test_xml_unless_json_is_asked_for(self):
        _, headers, body = self.sandbox.call(API + "Accounts", Accept="*/*")
        self.assertIn("application/xml", headers["Content-Type"])
        self.assertTrue(body.startswith(b"<?xml"))

    def test_gzip_only_on_request_and_same_bytes_each_time(self):
        path = API + "Invoices?page=1"
        plain = self.sandbox.call(path)[2]
        _, headers, packed = self.sandbox.call(path, Accept_Encoding="gzip")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed), plain)
        self.sandbox.control("reset", {})
        self.assertEqual(self.sandbox.call(path)[2], plain)

    def test_change_shows_at_once(self):
        record = self.invoices("page=1&pageSize=2&order=InvoiceID")[1]
        self.sandbox.control("change", {"object": "Invoices", "id": record["InvoiceID"], "set": {"Reference": "new ü"}})
        self.assertEqual([r["InvoiceID"] for r in self.invoices("page=1", If_Modified_Since="2026-10-01T00:00:00")],
                         [record["InvoiceID"]])
        self.assertEqual(self.invoices("page=1&pageSize=2&order=InvoiceID")[1]["Reference"], "new ü")
        self.assertEqual(self.invoices("page=1&pageSize=1&order=UpdatedDateUTC%20DESC")[0]["InvoiceID"],
                         record["InvoiceID"])
        status, found = self.sandbox.where("Invoices", 'Reference=="NEW U"')
        self.assertEqual(len(found["Invoices"]), 1)

    def test_loaded_records_and_bodies(self):
        key = "11111111-1111-4111-8111-111111111111"
        self.sandbox.call("/sandbox/data", "POST", '{"object":"Invoices","records":[{"InvoiceID":"%s","Total":'
                          '0.10000000000000000001,"Date":"1969-12-31"}]}' % key)
        body = self.sandbox.call(API + "Invoices/" + key)[2]
        self.assertIn(b"0.10000000000000000001", body)
        self.assertIn(b"Date(-86400000", body)
        self.sandbox.control("data", {"path": API + "Invoices", "body": "not json é"})
        self.assertEqual(self.sandbox.call(API + "Invoices?page=1")[2], "not json é".encode())
        self.sandbox.control("data", {"path": API + "Invoices", "body": None})
        self.assertEqual(len(self.invoices()), 251)

    # identity

    def test_characters_that_utf8_lacks_are_escaped(self):
        key = "eeeeeeee-0000-4000-8000-000000000001"
        texts = {"Reference": "a\0b", "InvoiceNumber": "half \ud83d", "Url": "whole \U0001f600"}
        self.sandbox.control("data", {"object": "Invoices", "records": [
            {"InvoiceID": key, "Type": "ACCREC", "Status": "DRAFT", "Date": "2026-01-01", **texts}]})
        for shown in (self.sandbox.get(f"Invoices/{key}")[1]["Invoices"], self.invoices(),
                      self.sandbox.control("state/Invoices")):
            record = next(r for r in shown if r["InvoiceID"] == key)
            self.assertEqual({name: record[name] for name in texts}, texts)

    def test_tokens(self):
        status, _, body = self.sandbox.call("/connect/token", "POST", "grant_type=client_credentials&scope="
                                            "accounting.contacts.read&client_id=sandbox-client&client_secret=sandbox-secret")
        token = json.loads(body)
        self.assertEqual((status, token["expires_in"]), (200, 1800))
        bearer = "Bearer " + token["access_token"]
        self.assertEqual(self.sandbox.get("Contacts", Authorization=bearer)[0], 200)
        status, headers, body = self.sandbox.call(API + "Invoices", Authorization=bearer)
        self.assertEqual((status, json.loads(body)["Detail"]), (401, "AuthorizationUnsuccessful"))
        self.assertEqual(headers["WWW-Authenticate"], "insufficent_scope")
        self.sandbox.control("clock", {"advance": 1801})
        status, body = self.sandbox.get("Contacts", Authorization=bearer)
        self.assertEqual(status, 401)
        self.assertTrue(body["Detail"].startswith("TokenExpired: token expired at "))
        status, _, body = self.sandbox.call("/connect/token", "POST", "grant_type=client_credentials&client_id="
                                            "sandbox-client&client_secret=wrong")
        self.assertEqual((status, json.loads(body)), (400, {"error": "invalid_client"}))

    def test_wrong_tenant(self):
        status, body = self.sandbox.get("Contacts", xero_tenant_id="00000000-0000-0000-0000-000000000000")
        self.assertEqual((status, body["Title"]), (403, "Forbidden"))

    # limits, faults, log

    def test_minute_limit(self):
        self.sandbox.control("reset", {"limits": True, "minute_limit": 2})
        self.assertEqual([self.sandbox.get("Currencies")[0] for _ in range(3)], [200, 200, 429])
        _, headers, _ = self.sandbox.call(API + "Currencies")
        self.assertEqual((headers["X-Rate-Limit-Problem"], headers["X-MinLimit-Remaining"]), ("minute", "0"))
        self.assertTrue(1 <= int(headers["Retry-After"]) <= 60)
        self.sandbox.control("clock", {"advance": 60})
        self.assertEqual(self.sandbox.get("Currencies")[0], 200)

    def test_sixth_call_at_once_is_refused(self):
        self.sandbox.control("reset", {"limits": True, "latency": 150})
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: self.sandbox.call(API + "Currencies"), range(6)))
        self.assertEqual(sorted(a[0] for a in answers), [200] * 5 + [429])
        refused, = [headers for status, headers, _ in answers if status == 429]
        self.assertEqual(refused["X-Rate-Limit-Problem"], "concurrent")
        self.assertIsNone(refused["Retry-After"])
        self.assertEqual(max(entry["in_flight"] for entry in self.sandbox.control("log")), 6)

    def test_faults(self):
        path = API + "Currencies"
        self.sandbox.control("faults", [
            {"path": path, "after": 1, "times": 1, "status": 503, "body": "offline", "headers": {"X-A": "b"}},
            {"path": path, "times": 1, "problem": "day", "retry_after": 99}])
        answers = [self.sandbox.call(path) for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [429, 503, 200])
        self.assertEqual((answers[0][1]["X-Rate-Limit-Problem"], answers[0][1]["Retry-After"]), ("day", "99"))
        self.assertEqual((answers[1][2], answers[1][1]["X-A"]), (b"offline", "b"))
        for fault, error in (({"drop": "before"}, http.client.HTTPException), ({"drop": "after"}, http.client.HTTPException),
                             ({"truncate": 50}, http.client.IncompleteRead)):
            self.sandbox.control("faults", [{"path": path, **fault}])
            with self.assertRaises((error, ConnectionError)):
                self.sandbox.call(path)
        self.sandbox.control("faults", [{"path": path, "drip_ms": 5}])
        started = time.time()
        self.assertEqual(self.sandbox.get("Currencies")[0], 200)
        self.assertGreater(time.time() - started, 0.09)
        whole = self.sandbox.call(path)[2]
        self.sandbox.control("faults", [{"path": path, "piece": 1}])
        self.assertEqual(self.sandbox.call(path)[2], whole)
        self.sandbox.control("faults", [{"path": path, "huge": 3_000_000}])
        self.assertEqual(len(self.sandbox.call(path)[2]), 3_000_000)
        self.sandbox.control("faults", [{"path": path, "status": 500, "holding": "x"}])
        self.assertEqual([self.sandbox.call(path, "PUT", body)[0] == 500 for body in ('{"Code": "y"}', '{"Code": "x"}')], [False, True])
        self.sandbox.control("faults", [{"path": "/connect/token", "drop": "before", "times": 1},
                                        {"path": "/connect/token", "status": 500}])
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.sandbox.call("/connect/token", "POST", "x")
        self.assertEqual(self.sandbox.call("/connect/token", "POST", "x")[0], 500)
        self.sandbox.control("faults", [])
        self.assertEqual(len(self.sandbox.control("log")), 14)

    def test_log_and_hang_up(self):
        self.sandbox.control("faults", [{"path": API + "Users", "delay_ms": 100}])
        with socket.create_connection(self.sandbox.host.split(":")) as wire:
            wire.sendall(f"GET {API}Users?a=%22b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-token\r\n\r\n".encode())
            time.sleep(0.03)
        time.sleep(0.2)
        entry, = self.sandbox.control("log?since=0")
        self.assertEqual((entry["n"], entry["path"], entry["query"], entry["client_id"], entry["in_flight"]),
                         (1, API + "Users", "a=%22b", "sandbox-client", 1))
        self.assertEqual(entry["headers"]["host"], "x")
        self.assertEqual(self.sandbox.control("log?since=1"), [])
        self.assertEqual(entry["status"], 200)


if __name__ == "__main__":
    unittest.main()
