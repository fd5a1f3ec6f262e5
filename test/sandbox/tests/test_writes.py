"""Writes over the wire: batches, keys, limits, what is refused and what shows."""
import http.client
import json
import os
import socket
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.running import Sandbox  # noqa: E402

API = "/api.xro/2.0/"
ZERO = "00000000-0000-0000-0000-000000000000"


class Writing(unittest.TestCase):
    """A sandbox for all tests of a class, fresh for each."""

    switches = ()

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(*cls.switches)
        cls.write = cls.sandbox.write

    @classmethod
    def tearDownClass(cls):
        assert cls.sandbox.stop() == 0

    def setUp(self):
        self.sandbox.control("reset", {"limits": False})

    def ok(self, method, path, members=None, **headers):
        """The elements of a successful write."""
        status, body = self.sandbox.write(method, path, members, **headers)
        self.assertEqual(status, 200, body)
        return next(value for value in body.values() if isinstance(value, list))

    def refused(self, method, path, members=None, **headers):
        """The messages of a summarised refusal."""
        status, body = self.sandbox.write(method, path, members, **headers)
        self.assertEqual((status, body["Type"]), (400, "ValidationException"), body)
        return [error["Message"] for element in body["Elements"] for error in element["ValidationErrors"]]

    def contacts(self, *names):
        return [contact["ContactID"] for contact in
                self.ok("PUT", "Contacts", {"Contacts": [{"Name": name} for name in names]})]

    def one(self, path):
        status, body = self.sandbox.get(path)
        self.assertEqual(status, 200, body)
        return body[path.partition("/")[0]][0]

    def state(self, name):
        return self.sandbox.control("state/" + name)


class Batches(Writing):
    def test_summarised_refusal_stores_the_valid_ones(self):
        before = len(self.state("Contacts"))
        messages = self.refused("PUT", "Contacts", {"Contacts": [{"Name": "One"}, {"Name": "one "}, {"Name": "Two"}]})
        self.assertEqual(messages, ["The contact name one  is already assigned to another contact. The contact name "
                                    "must be unique across all active contacts."])
        self.assertEqual(len(self.state("Contacts")), before + 2)

    def test_quirk_a_failed_batch_writes_nothing(self):
        self.sandbox.control("reset", {"limits": False, "quirks": ["failed-batch-writes-nothing"]})
        before = self.state("Contacts")
        self.refused("PUT", "Contacts", {"Contacts": [{"Name": "One"}, {"Name": "one"}]})
        self.assertEqual(self.state("Contacts"), before)

    def test_each_element_tells_its_fate(self):
        elements = self.ok("PUT", "Contacts?summarizeErrors=false", {"Contacts": [
            {"Name": "A1", "EmailAddress": "a@b.cc"}, {"Name": "A2", "EmailAddress": "nonsense"}, {"Name": "A3"}]})
        self.assertEqual([e["StatusAttributeString"] for e in elements], ["OK", "ERROR", "OK"])
        self.assertEqual([e["Name"] for e in elements], ["A1", "A2", "A3"])
        self.assertEqual((elements[1]["ContactID"], elements[1]["HasValidationErrors"]), (ZERO, True))
        self.assertEqual(elements[1]["ValidationErrors"], [{"Message": "Email address must be valid"}])
        self.assertNotIn("StatusAttributeString", self.one("Contacts/" + elements[0]["ContactID"]))

    def test_failed_batch_payments_say_that_nothing_is_wrong(self):
        element, = self.ok("PUT", "BatchPayments?summarizeErrors=false", {"BatchPayments": [{"Reference": "r"}]})
        self.assertEqual((element["BatchPaymentID"], element["HasValidationErrors"]), (ZERO, False))
        self.assertNotIn("StatusAttributeString", element)
        self.assertTrue(element["ValidationErrors"])

    def test_own_path_does_not_know_summarize_errors(self):
        key, = self.contacts("Own")
        self.refused("POST", f"Contacts/{key}?summarizeErrors=false", {"Contacts": [{"EmailAddress": "x"}]})

    def test_too_many_elements(self):
        status, _ = self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": f"N{n}"} for n in range(51)]})
        self.assertEqual(status, 400)
        status, _ = self.sandbox.write("PUT", "Accounts", {"Accounts": [
            {"Code": f"8{n}", "Name": f"N{n}", "Type": "EXPENSE"} for n in range(2)]})
        self.assertEqual(status, 400)
        rates = [{"Name": f"R{n}", "TaxComponents": [{"Name": "c", "Rate": "1.5"}]} for n in range(2)]
        self.assertEqual([rate["Name"] for rate in self.ok("PUT", "TaxRates", {"TaxRates": rates})], ["R0"])

    def test_post_finds_by_number_and_name(self):
        first, = self.ok("POST", "Contacts", {"Contacts": [{"Name": "Found", "ContactNumber": "F-1"}]})
        again, = self.ok("POST", "Contacts", {"Contacts": [{"Name": "found", "FirstName": "Eve"}]})
        by_number, = self.ok("POST", "Contacts", {"Contacts": [{"ContactNumber": "F-1", "LastName": "Ning"}]})
        self.assertEqual({first["ContactID"]}, {again["ContactID"], by_number["ContactID"]})
        self.assertEqual((by_number["FirstName"], by_number["LastName"]), ("Eve", "Ning"))
        self.assertIn("already assigned", self.refused("PUT", "Contacts", {"Contacts": [{"Name": "Found"}]})[0])
        self.refused("POST", "Contacts", {"Contacts": [{"ContactID": ZERO[:-1] + "1", "Name": "Nobody"}]})

    def test_thousand_contacts_in_twenty_calls(self):
        started = time.time()
        for call in range(20):
            self.ok("PUT", "Contacts?summarizeErrors=false",
                    {"Contacts": [{"Name": f"Bulk {call} {n}"} for n in range(50)]})
        made = [contact["ContactID"] for contact in self.state("Contacts") if contact["Name"].startswith("Bulk ")]
        self.assertEqual(len(made), 1000)
        for call in range(20):
            self.ok("POST", "Contacts?summarizeErrors=false", {"Contacts": [
                {"ContactID": key, "FirstName": "All"} for key in made[call * 50:call * 50 + 50]]})
        self.assertEqual(sum(contact["FirstName"] == "All" for contact in self.state("Contacts") if contact.get("FirstName")), 1000)
        self.assertEqual(len(self.sandbox.control("log")), 40)
        self.assertLess(time.time() - started, 15)


class Bodies(Writing):
    def test_what_is_no_data(self):
        for body, status, number in ((b"{", 400, 14), (b"\xff\xfe", 400, 14), (b"{}", 400, 17), (b"[]", 400, 17),
                                     (b'{"Contacts":[]}', 400, 17), (b'{"Contacts":[{"Name":"\\ud800"}]}', 400, 14),
                                     (b'{"Contacts":[{"Name":NaN}]}', 400, 14), (b'{"Name":"bare"}', 400, 17)):
            answer = self.sandbox.write("PUT", "Contacts", body)
            self.assertEqual((answer[0], answer[1]["ErrorNumber"]), (status, number), body)

    def test_content_type_and_size(self):
        for kind in (None, "application/xml", "application/x-www-form-urlencoded"):
            self.assertEqual(self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": "T"}]}, Content_Type=kind)[0], 415)
        large = b'{"Contacts":[{"Name":"T"}]}' + b" " * 3_500_000
        self.assertEqual(self.sandbox.write("PUT", "Contacts", large)[0], 413)
        self.assertEqual(self.sandbox.write("PUT", "Contacts", large[:3_500_000])[0], 200)

    def test_a_bad_date_or_number_fails_the_whole_request(self):
        before = self.state("Invoices")
        for member in ({"Date": "2017-12-14 00:00:00"}, {"CurrencyRate": "one"}, {"InvoiceID": "x"}, {"Type": "SALE"}):
            status, body = self.sandbox.write("PUT", "Invoices?summarizeErrors=false", {"Invoices": [{"Type": "ACCREC"}, member]})
            self.assertEqual((status, body["Type"]), (400, "PostDataInvalidException"))
        self.assertEqual(self.state("Invoices"), before)

    def test_null_leaves_alone_and_empty_text_clears(self):
        key, = self.contacts("Cleared")
        self.ok("POST", "Contacts/" + key, {"FirstName": "F", "LastName": "L"})
        self.ok("POST", "Contacts/" + key, {"FirstName": None, "LastName": ""})
        contact = self.one("Contacts/" + key)
        self.assertEqual((contact["FirstName"], contact["LastName"]), ("F", ""))

    def test_hostile_strings_come_back(self):
        texts = ["O'Brien \"x\" \\ /", "🚀 日本 é", '{"Name": [1]}', "tab\tline\r\nbreak", "\u0001\u001f", "x" * 250, " blank "]
        elements = self.ok("PUT", "Contacts", {"Contacts": [{"Name": f"{n}{t}"[:255], "BankAccountDetails": t * 16}
                                                            for n, t in enumerate(texts)]})
        stored = {contact["ContactID"]: contact for contact in self.state("Contacts")}
        for element, text in zip(elements, texts):
            self.assertEqual(element["BankAccountDetails"], text * 16)
            self.assertEqual(stored[element["ContactID"]]["BankAccountDetails"], text * 16)
            self.assertEqual(self.one("Contacts/" + element["ContactID"])["BankAccountDetails"], text * 16)

    def test_too_long(self):
        self.assertEqual(self.refused("PUT", "Accounts", {"Code": "12345678901", "Name": "n", "Type": "EXPENSE"}),
                         ["Account Code is too long. Maximum of 10 characters allowed"])

    def test_read_only_members_are_ignored_unless_strict(self):
        contact, = self.ok("PUT", "Contacts", {"Contacts": [{"Name": "R", "Website": "w", "IsSupplier": True, "Nope": 1}]})
        self.assertNotIn("Website", contact)
        self.assertNotIn("Nope", contact)
        self.assertFalse(contact["IsSupplier"])
        self.sandbox.control("reset", {"strict": True, "limits": False})
        self.assertEqual(self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": "R", "Nope": 1}]})[0], 400)
        self.assertEqual(self.sandbox.write("PUT", "Contacts?unitdp=4", {"Contacts": [{"Name": "R"}]})[0], 400)
        self.assertEqual(self.sandbox.write("PUT", "Contacts?summarizeErrors=false", {"Contacts": [{"Name": "R"}]})[0], 200)

    def test_unknown_paths_and_methods(self):
        for method, path, status in (("POST", "Contacts/" + ZERO, 404), ("PUT", "Contacts/" + ZERO, 501), ("PUT", "Nothing", 404),
                                     ("DELETE", "Contacts/" + ZERO, 501), ("PUT", "Journals", 501), ("POST", "Organisation", 501),
                                     ("PATCH", "Contacts", 405), ("DELETE", "Items/" + ZERO, 404)):
            self.assertEqual(self.sandbox.write(method, path, {"Contacts": [{"Name": "x"}]})[0], status, (method, path))

    def test_xml_and_gzip_answers(self):
        _, headers, body = self.sandbox.call(API + "Contacts", "PUT", '{"Contacts":[{"Name":"X"}]}', Accept="*/*",
                                             Content_Type="application/json")
        self.assertTrue(body.startswith(b"<?xml"), headers)
        _, headers, _ = self.sandbox.call(API + "Contacts", "PUT", '{"Contacts":[{"Name":"Y"}]}', Accept_Encoding="gzip",
                                          Content_Type="application/json")
        self.assertEqual(headers["Content-Encoding"], "gzip")


class Keys(Writing):
    def put(self, name, key, **headers):
        return self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": name}]}, Idempotency_Key=key, **headers)

    def count(self, name):
        return sum(contact["Name"] == name for contact in self.state("Contacts"))

    def test_replay_for_six_minutes(self):
        first = self.put("Once", "k1")
        self.assertEqual(self.put("Once", "k1"), first)
        self.assertEqual(self.count("Once"), 1)
        self.sandbox.control("clock", {"advance": 359})
        self.assertEqual(self.put("Once", "k1"), first)
        self.sandbox.control("clock", {"advance": 2})
        self.assertEqual(self.put("Once", "k1")[0], 400)           # done anew: the name is taken

    def test_another_request_with_the_key(self):
        self.put("A", "k2")
        status, body = self.put("B", "k2")
        self.assertEqual(status, 400)
        self.assertIn("Idempotency Key: k2 is used with a different request.", json.dumps(body))
        self.assertEqual(self.sandbox.write("POST", "Contacts", {"Contacts": [{"Name": "A"}]}, Idempotency_Key="k2")[0], 400)
        self.assertEqual(self.count("B"), 0)

    def test_errors_are_kept_too(self):
        taken, = self.contacts("Taken")
        first = self.put("Taken", "k3")
        self.assertEqual(first[0], 400)
        self.ok("POST", "Contacts/" + taken, {"Name": "Renamed"})
        self.assertEqual(self.put("Taken", "k3"), first)
        self.assertEqual(self.put("Taken", "k4")[0], 200)

    def test_bad_keys(self):
        for key in ("", "undefined", "x" * 129):
            self.assertEqual(self.put("Bad", key)[0], 400)
        self.assertEqual(self.put("Good", "x" * 128)[0], 200)
        self.assertEqual(self.count("Bad"), 0)

    def test_deletes_have_no_key(self):
        item, = self.ok("PUT", "Items", {"Items": [{"Code": "GONE"}]})
        path = "Items/" + item["ItemID"]
        self.assertEqual([self.sandbox.write("DELETE", path, Idempotency_Key="d")[0] for _ in range(2)], [204, 404])

    def test_two_at_once_make_one(self):
        self.sandbox.control("reset", {"limits": False, "latency": 30})
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.put("Race", "k5"), range(4)))
        self.assertEqual({answer[0] for answer in answers}, {200})
        self.assertEqual(len({json.dumps(answer) for answer in answers}), 1)
        self.assertEqual(self.count("Race"), 1)

    def test_a_replay_costs_a_call_and_the_limit_comes_first(self):
        self.sandbox.control("reset", {"minute_limit": 2, "limits": True})
        self.assertEqual([self.put("Dear", "k6")[0] for _ in range(3)], [200, 200, 429])
        self.sandbox.control("clock", {"advance": 60})
        self.assertEqual(self.put("Dear", "k6")[0], 200)
        self.assertEqual(self.count("Dear"), 1)


class Faults(Writing):
    def put(self, name, key):
        return self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": name}]}, Idempotency_Key=key)

    def names(self):
        return [contact["Name"] for contact in self.state("Contacts")]

    def test_dropped_after_the_work(self):
        self.sandbox.control("faults", [{"path": API + "Contacts", "method": "PUT", "drop": "after", "times": 1}])
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.put("Lost answer", "f1")
        self.assertEqual(self.names().count("Lost answer"), 1)
        self.assertEqual(self.put("Lost answer", "f1")[0], 200)
        self.assertEqual(self.names().count("Lost answer"), 1)

    def test_dropped_before_the_work_and_cut_short(self):
        self.sandbox.control("faults", [{"path": API + "Contacts", "drop": "before", "times": 1},
                                        {"path": API + "Contacts", "truncate": 40, "times": 1}])
        for error in ((http.client.HTTPException, ConnectionError), http.client.IncompleteRead):
            with self.assertRaises(error):
                self.put("Cut", "f2")
        self.assertEqual(self.put("Cut", "f2")[0], 200)
        self.assertEqual(self.names().count("Cut"), 1)

    def test_hang_up_within_and_after_the_body(self):
        for name, length, stored in (("Half", 500, 0), ("Whole", None, 1)):
            body = json.dumps({"Contacts": [{"Name": name}]}).encode()
            head = (f"PUT {API}Contacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-token\r\nContent-Type: "
                    f"application/json\r\nContent-Length: {length or len(body)}\r\n\r\n")
            with socket.create_connection(self.sandbox.host.split(":")) as wire:
                wire.sendall(head.encode() + body)
                time.sleep(0.05)
            time.sleep(0.1)
            self.assertEqual((self.names().count(name), len(self.sandbox.control("log"))), (stored, stored))

    def test_500_with_the_work_done_or_not_kept_or_not(self):
        for n, (worked, kept) in enumerate(((False, False), (True, False), (False, True), (True, True))):
            name = f"Five {n}"
            self.sandbox.control("faults", [{"path": API + "Contacts", "status": 500, "times": 1, "worked": worked, "kept": kept}])
            self.assertEqual(self.put(name, f"g{n}")[0], 500)
            self.assertEqual(self.names().count(name), int(worked))
            self.assertEqual(self.put(name, f"g{n}")[0], 500 if kept else 200)
            self.assertEqual(self.names().count(name), int(worked or not kept))


class Showing(Writing):
    def test_a_write_shows_on_every_path(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.sandbox.control("clock")["now"] - 2))
        self.sandbox.get("Contacts?page=1&pageSize=1000&order=Name")
        self.sandbox.where("Contacts", 'Name.StartsWith("Zz")')
        key, = self.contacts("Zzz Shown")
        _, body = self.sandbox.get("Contacts?page=1&pageSize=1000&order=Name")
        self.assertEqual([c["Name"] for c in body["Contacts"]].count("Zzz Shown"), 1)
        for path in ("Contacts/" + key, "Contacts?IDs=" + key, "Contacts?searchTerm=zzz+sh", "Contacts?page=1&order=UpdatedDateUTC%20DESC&pageSize=1"):
            self.assertEqual([c["ContactID"] for c in self.sandbox.get(path)[1]["Contacts"]], [key], path)
        self.assertEqual(len(self.sandbox.where("Contacts", 'Name.StartsWith("Zz")')[1]["Contacts"]), 1)
        changed = self.sandbox.get("Contacts?page=1", If_Modified_Since=now)[1]["Contacts"]
        self.assertEqual([c["ContactID"] for c in changed], [key])
        self.assertIn(key, [c["ContactID"] for c in self.state("Contacts")])
        self.ok("POST", "Contacts/" + key, {"Name": "Zzz Renamed"})
        self.assertEqual(self.sandbox.where("Contacts", 'Name=="Zzz Shown"')[1]["Contacts"], [])
        self.assertEqual(len(self.sandbox.where("Contacts", 'Name=="zzz renamed"')[1]["Contacts"]), 1)

    def test_a_renamed_contact_shows_in_its_documents(self):
        invoice = self.sandbox.get("Invoices?page=1&pageSize=1")[1]["Invoices"][0]
        key = invoice["Contact"]["ContactID"]
        self.sandbox.where("Invoices", 'Contact.Name=="Brand new name"')
        self.ok("POST", "Contacts/" + key, {"Name": "Brand new name"})
        self.assertEqual(self.one("Invoices/" + invoice["InvoiceID"])["Contact"]["Name"], "Brand new name")
        self.assertTrue(self.sandbox.where("Invoices", 'Contact.Name=="Brand new name"')[1]["Invoices"])

    def test_log_has_the_body_and_scopes_are_checked(self):
        self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": "Logged"}]}, Idempotency_Key="log")
        entry = self.sandbox.control("log")[-1]
        self.assertEqual((entry["method"], json.loads(entry["body"])), ("PUT", {"Contacts": [{"Name": "Logged"}]}))
        self.assertEqual(entry["headers"]["idempotency-key"], "log")
        _, _, body = self.sandbox.call("/connect/token", "POST", "grant_type=client_credentials&scope=accounting.contacts."
                                       "read&client_id=sandbox-client&client_secret=sandbox-secret",
                                       Content_Type="application/x-www-form-urlencoded")
        bearer = "Bearer " + json.loads(body)["access_token"]
        self.assertEqual(self.sandbox.get("Contacts", Authorization=bearer)[0], 200)
        status, body = self.sandbox.write("PUT", "Contacts", {"Contacts": [{"Name": "No"}]}, Authorization=bearer)
        self.assertEqual((status, body["Detail"]), (401, "AuthorizationUnsuccessful"))


if __name__ == "__main__":
    unittest.main()
