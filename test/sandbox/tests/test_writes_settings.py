"""Contacts and groups, items, accounts, taxes, tracking and payroll."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.test_writes import ZERO, Writing  # noqa: E402


class Contacts(Writing):
    def test_parts_are_replaced_by_type(self):
        key, = self.contacts("Parts")
        self.ok("POST", "Contacts/" + key, {"Phones": [{"PhoneType": "FAX", "PhoneNumber": "1"}]})
        self.ok("POST", "Contacts/" + key, {"Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "2"}],
                                            "Addresses": [{"AddressType": "STREET", "City": "Perth"}]})
        contact = self.one("Contacts/" + key)
        self.assertEqual({phone["PhoneType"]: phone["PhoneNumber"] for phone in contact["Phones"]},
                         {"DDI": "", "DEFAULT": "", "FAX": "1", "MOBILE": "2"})
        self.assertEqual({a["AddressType"]: a["City"] for a in contact["Addresses"]}, {"STREET": "Perth", "POBOX": ""})

    def test_archived_names_are_free(self):
        first, = self.contacts("Phoenix")
        self.ok("POST", "Contacts/" + first, {"ContactStatus": "ARCHIVED"})
        self.contacts("Phoenix")
        self.assertIn("already assigned", self.refused("POST", "Contacts/" + first, {"ContactStatus": "ACTIVE"})[0])
        status, body = self.sandbox.write("PUT", "Invoices", {"Invoices": [
            {"Type": "ACCREC", "Contact": {"ContactID": first}, "LineItems": [{"Description": "x"}]}]})
        self.assertEqual(status, 400)
        self.assertIn("archived", json.dumps(body))

    def test_what_is_refused(self):
        for members, word in (({"EmailAddress": "ü@example.com"}, "Email"), ({"DefaultCurrency": "XXX"}, "XXX"),
                              ({"ContactPersons": [{"FirstName": "x"}] * 6}, "at most 5"), ({"Name": ""}, "Name must be"),
                              ({"AccountsReceivableTaxType": "XX"}, "XX"), ({"Name": "x" * 256}, "255 characters"),
                              ({"ContactStatus": "ARCHIVED"}, "status")):
            self.assertIn(word, self.refused("PUT", "Contacts", {"Contacts": [{"Name": "Fine", **members}]})[0])
        frozen = next(contact for contact in self.state("Contacts") if contact["ContactStatus"] == "GDPRREQUEST")
        self.refused("POST", "Contacts/" + frozen["ContactID"], {"FirstName": "x"})

    def test_groups_are_kept_on_both_sides(self):
        one, two = self.contacts("G1", "G2")
        group, = self.ok("PUT", "ContactGroups", {"ContactGroups": [{"Name": "Club"}]})
        path = "ContactGroups/" + group["ContactGroupID"]
        self.ok("PUT", path + "/Contacts", {"Contacts": [{"ContactID": one}, {"ContactID": two}]})
        self.assertEqual([member["ContactID"] for member in self.one(path)["Contacts"]], [one, two])
        self.ok("POST", path, {"Name": "Guild"})
        self.assertEqual(self.one("Contacts/" + one)["ContactGroups"][0]["Name"], "Guild")
        self.ok("POST", "Contacts/" + two, {"Name": "G2 renamed"})
        self.assertEqual([member["Name"] for member in self.one(path)["Contacts"]], ["G1", "G2 renamed"])
        self.assertEqual(self.sandbox.write("DELETE", f"{path}/Contacts/{one.upper()}")[0], 204)
        self.assertEqual(self.sandbox.write("DELETE", f"{path}/Contacts/{one}")[0], 404)
        self.assertEqual((self.one("Contacts/" + one)["ContactGroups"], len(self.one(path)["Contacts"])), ([], 1))
        self.assertEqual(self.sandbox.write("DELETE", path + "/Contacts")[0], 204)
        self.ok("POST", path, {"Status": "DELETED"})
        self.assertNotIn("Guild", [g["Name"] for g in self.sandbox.get("ContactGroups")[1]["ContactGroups"]])
        self.refused("PUT", "ContactGroups", {"ContactGroups": [{"Name": "VIP"}]})

    def test_hundred_groups(self):
        for start in (0, 50):
            status, body = self.sandbox.write("PUT", "ContactGroups", {"ContactGroups": [
                {"Name": f"Group {start + n}"} for n in range(50)]})
        self.assertEqual(status, 400)
        self.assertEqual({e["ValidationErrors"][0]["Message"] for e in body["Elements"]}, {"You’ve reached the limit of 100 contact groups."})


class Items(Writing):
    def test_life_of_an_item(self):
        item, = self.ok("PUT", "Items?unitdp=4", {"Items": [{"Code": "NEW", "Name": "n", "SalesDetails": {"UnitPrice": "1.2345", "AccountCode": "200"}}]})
        self.assertEqual(float(item["SalesDetails"]["UnitPrice"]), 1.2345)
        path = "Items/" + item["ItemID"]
        self.assertEqual(self.refused("POST", path, {"Name": "no code"}), ["Price List Item Code must be supplied"])
        self.ok("POST", path + "?unitdp=4", {"Code": "NEW", "SalesDetails": {"TaxType": "OUTPUT"}})
        details = {**self.one("Items/NEW?unitdp=4")["SalesDetails"]}
        self.assertEqual({name: str(value) for name, value in details.items()}, {"UnitPrice": "1.2345", "AccountCode": "200", "TaxType": "OUTPUT"})
        self.assertEqual(self.refused("PUT", "Items", {"Items": [{"Code": "new"}]}), ["Price List Item with Code 'new' already exists"])
        self.assertEqual(self.sandbox.write("DELETE", path), (204, ""))
        self.assertEqual(self.sandbox.get(path)[0], 404)
        self.ok("PUT", "Items", {"Items": [{"Code": "NEW"}]})

    def test_tracked_items(self):
        self.refused("PUT", "Items", {"Items": [{"Code": "T", "InventoryAssetAccountCode": "630"}]})
        item, = self.ok("PUT", "Items", {"Items": [{"Code": "T", "InventoryAssetAccountCode": "630", "PurchaseDetails": {"COGSAccountCode": "310"}}]})
        self.assertEqual((item["IsTrackedAsInventory"], float(item["QuantityOnHand"])), (True, 0))
        stocked = self.one("Items/GB1-White")
        self.assertEqual(self.sandbox.write("DELETE", "Items/" + stocked["ItemID"])[0], 400)


class Settings(Writing):
    def test_accounts(self):
        account, = self.ok("PUT", "Accounts", {"Code": "777", "Name": "Sevens", "Type": "EXPENSE"})
        self.assertEqual((account["Class"], account["TaxType"], account["Status"]), ("EXPENSE", "INPUT", "ACTIVE"))
        self.assertEqual(self.refused("PUT", "Accounts", {"Code": "778", "Name": "sevens", "Type": "EXPENSE"}), ["Please enter a unique Name."])
        self.assertEqual(self.refused("PUT", "Accounts", {"Code": "200", "Name": "Other", "Type": "EXPENSE"}), ["Please enter a unique Code."])
        self.assertEqual(self.refused("PUT", "Accounts", {"Name": "Other", "Type": "BANK"}), ["BankAccountNumber must be specified"])
        path = "Accounts/" + account["AccountID"]
        self.assertIn("no other member", self.refused("POST", path, {"Status": "ARCHIVED", "Name": "x"})[0])
        self.assertEqual(self.ok("POST", path, {"Accounts": [{"Status": "ARCHIVED"}]})[0]["Status"], "ARCHIVED")
        self.assertEqual(self.ok("DELETE", path)[0]["Status"], "DELETED")
        self.assertEqual(self.sandbox.get(path)[0], 404)
        debtors = next(a for a in self.state("Accounts") if a.get("SystemAccount") == "DEBTORS")
        self.assertIn("System", self.refused("DELETE", "Accounts/" + debtors["AccountID"])[0])

    def test_an_account_in_use_stays(self):
        account, = self.ok("PUT", "Accounts", {"Code": "777", "Name": "Sevens", "Type": "REVENUE"})
        contact, = self.contacts("C")
        self.ok("PUT", "Invoices", {"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact}, "LineItems": [
            {"Description": "x", "UnitAmount": 1, "AccountCode": "777"}]}]})
        self.refused("DELETE", "Accounts/" + account["AccountID"])

    def test_tax_rates(self):
        rate, = self.ok("PUT", "TaxRates", {"TaxRates": [{"Name": "City", "TaxComponents": [
            {"Name": "a", "Rate": "2.25"}, {"Name": "b", "Rate": 10, "IsCompound": True}]}]})
        self.assertEqual((rate["TaxType"], rate["EffectiveRate"], rate["DisplayTaxRate"]), ("TAX003", 12.475, 12.25))
        self.assertEqual(self.ok("POST", "TaxRates", {"TaxRates": [{"Name": "City", "Status": "DELETED"}]})[0]["Status"], "DELETED")
        self.assertEqual(self.one("TaxRates/TAX003")["Status"], "DELETED")

    def test_currencies(self):
        self.ok("PUT", "Currencies", {"Code": "SEK", "Description": "Kronor"})
        self.refused("PUT", "Currencies", {"Code": "SEK"})
        self.refused("PUT", "Currencies", {"Code": "kr"})
        contact, = self.contacts("Swede")
        invoice, = self.ok("PUT", "Invoices", {"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact}, "CurrencyCode": "SEK",
                                                             "CurrencyRate": "6.25", "LineItems": [{"Description": "x"}]}]})
        self.assertEqual((invoice["CurrencyCode"], invoice["CurrencyRate"]), ("SEK", 6.25))

    def test_tracking(self):
        region = self.sandbox.get("TrackingCategories")[1]["TrackingCategories"][0]
        path = "TrackingCategories/" + region["TrackingCategoryID"]
        self.assertIn("two", self.refused("PUT", "TrackingCategories", {"name": "Third"})[0])
        option, = self.ok("PUT", path + "/Options", {"name": "Mars"})
        self.assertIn("Mars", [o["Name"] for o in self.one(path)["Options"]])
        self.refused("PUT", path + "/Options", {"name": "mars"})
        self.ok("POST", f"{path}/Options/{option['TrackingOptionID']}", {"name": "Venus"})
        self.assertIn("Venus", [o["Name"] for o in self.one(path)["Options"]])
        self.assertTrue(self.ok("DELETE", f"{path}/Options/{option['TrackingOptionID']}")[0]["IsDeleted"])
        self.assertEqual(self.sandbox.write("DELETE", f"{path}/Options/{option['TrackingOptionID']}")[0], 404)
        self.ok("POST", path, {"Status": "ARCHIVED"})
        third, = self.ok("PUT", "TrackingCategories", {"name": "Third"})
        self.assertIn("two", self.refused("POST", path, {"Status": "ACTIVE"})[0])
        self.ok("POST", "TrackingCategories/" + third["TrackingCategoryID"], {"Name": "Renamed"})
        self.assertEqual(self.ok("DELETE", "TrackingCategories/" + third["TrackingCategoryID"])[0]["Status"], "DELETED")
        self.assertEqual(self.sandbox.get("TrackingCategories/" + third["TrackingCategoryID"])[0], 404)


class Payroll(Writing):
    person = {"FirstName": "A", "LastName": "B", "DateOfBirth": "1990-02-03"}
    camel = {"title": "Ms", "firstName": "A", "lastName": "B", "dateOfBirth": "1990-02-03", "gender": "F",
             "address": {"addressLine1": "x", "city": "y", "postCode": "z"}}

    def payroll(self, method, path="", members=None, version="2.0", **headers):
        return self.sandbox.write(method, "Employees" + path, members, base=f"/payroll.xro/{version}/", **headers)

    def test_australia_takes_bare_arrays(self):
        self.assertEqual(self.payroll("POST", "", {"Employees": [self.person]}, "1.0")[0], 400)
        self.assertEqual(self.payroll("PUT", "", [self.person], "1.0")[0], 501)
        status, body = self.payroll("POST", "", [self.person, {**self.person, "FirstName": "Z"}], "1.0")
        first, second = body["Employees"]
        self.assertEqual((status, first["Status"], second["FirstName"]), (200, "ACTIVE", "Z"))
        status, body = self.payroll("POST", "/" + first["EmployeeID"], [{"LastName": "New"}], "1.0")
        self.assertEqual((status, body["Employees"][0]["FirstName"], body["Employees"][0]["LastName"]), (200, "A", "New"))
        status, body = self.payroll("POST", "", [{"FirstName": "Half"}, {"EmployeeID": second["EmployeeID"], "JobTitle": "Boss"}], "1.0")
        self.assertEqual((status, len(body["Elements"]), body["Elements"][0]["EmployeeID"]), (400, 1, ZERO))
        stored = {e["EmployeeID"]: e for e in self.state("Employees")}
        self.assertEqual((stored[second["EmployeeID"]]["JobTitle"], stored[first["EmployeeID"]]["LastName"]), ("Boss", "New"))

    def test_britain_and_new_zealand_take_one_object(self):
        for country, missing in (("UK", ["title", "firstName", "lastName", "dateOfBirth", "gender", "address"]),
                                 ("NZ", ["firstName", "lastName", "dateOfBirth", "address"])):
            self.sandbox.control("reset", {"country": country, "limits": False})
            status, body = self.payroll("POST", "", {"email": "a@b.cc"})
            self.assertEqual((status, body["httpStatusCode"]), (400, "BadRequest"))
            self.assertEqual([field["name"] for field in body["problem"]["invalidFields"]], missing)
            self.assertEqual(self.payroll("POST", "", [self.camel])[1]["problem"]["title"], "BadRequest")
            answers = [self.payroll("POST", "", self.camel, Idempotency_Key="e") for _ in range(2)]
            self.assertEqual(answers[0], answers[1])
            key = answers[0][1]["employee"]["employeeID"]
            self.assertEqual(self.payroll("PUT", "/" + key, {**self.camel, "lastName": "New"})[1]["employee"]["lastName"], "New")
            self.assertEqual(self.payroll("PUT", "/" + key, {"lastName": "New"})[0], 400)
            self.assertEqual(self.payroll("PUT", "/" + ZERO, self.camel)[0], 404)
            single = json.loads(self.sandbox.call("/payroll.xro/2.0/Employees/" + key)[2])["employee"]
            self.assertEqual((single["lastName"], single["dateOfBirth"]), ("New", "1990-02-03T00:00:00"))
            self.assertEqual(sum(e["employeeID"] == key for e in self.state("Employees")), 1)

    def test_new_zealand_answers_without_the_title(self):
        """spec: its samples"""
        for country, shown in (("UK", True), ("NZ", False)):
            self.sandbox.control("reset", {"country": country, "limits": False})
            made = self.payroll("POST", "", {**self.camel, "title": "Ms"})[1]["employee"]
            self.assertEqual("title" in made, shown)

    def test_quirk_a_problem_in_a_200(self):
        """spec: what is answered with 200 has a problem, too"""
        self.sandbox.control("reset", {"country": "UK", "limits": False, "quirks": ["payroll-problems-in-200"]})
        status, body = self.payroll("POST", "", {"email": "a@b.cc"})
        self.assertEqual((status, body["httpStatusCode"], body["problem"]["status"], body["employee"]), (200, "BadRequest", 400, None))
        key = self.payroll("POST", "", self.camel)[1]["employee"]["employeeID"]
        status, body = self.payroll("PUT", "/" + key, {"lastName": "New"})
        self.assertEqual((status, bool(body["problem"]), body["employee"]["employeeID"]), (200, True, key))


if __name__ == "__main__":
    unittest.main()
