"""Customers and suppliers, some with names that break naive clients."""
from ..seeds import mix
from ..store import Table
from ..values import Instant, Number, day, money

NASTY = [
    "O'Brien & Sons", 'The "Quoted" Company', "Café Zoë GmbH", "Ünïcødé Ångström AS", "🚀 Rocket Fuel 🧾 Ltd",
    "Comma, Comma & Co", "Back\\slash \\n Ltd", "A & B <Traders>", " Leading Blank Pty", "Trailing Blank Pty ",
    "acme holdings", "ACME HOLDINGS", "Acme Holdings", "cafe zoe gmbh", "100% Pure_Percent", "Semi;colon", "日本株式会社",
    "Tab\there", "O''Double", "{Brace} [Bracket]", "null", "true", "ACME, \"The\" O'Reilly\\Co", "Straße & Söhne",
    "Strasse & Sohne", "Zero\u200bWidth Ltd", "L" + "ong " * 60 + "Name", "-5", "1e10", "Plus+Plus #1?"]
FIRST = ["Boutique", "Central", "Marine", "Swanston", "Bayside", "Hamilton", "Rex", "Young", "Ridgeway", "Truxton"]
SECOND = ["Properties", "Wholesale", "Media Group", "Systems", "Café", "Bros Transport", "University", "Club",
          "Property Management", "Security"]
SHOWN = ("ContactID", "ContactNumber", "ContactStatus", "Name", "FirstName", "EmailAddress")
START = day("2024-01-01")


class Contacts:
    def __init__(self, org, count):
        self.org = org
        self.count = count
        self.ids = org.ids("Contacts")
        self.seed = org.key("contacts")
        self._references = {}

    def table(self, spec):
        return Table(spec, self.count, self.record, self.ids, {
            "ContactID": self.id, "Name": self.name, "ContactStatus": self.status, "UpdatedDateUTC": self.updated,
            "ContactNumber": self.number, "EmailAddress": self.email, "AccountNumber": self.account_number,
            "IsCustomer": self.is_customer, "IsSupplier": self.is_supplier})

    def id(self, row):
        return self.ids.of(row)

    def name(self, row):
        if row < len(NASTY):
            return NASTY[row]
        return f"{FIRST[row % 10]} {SECOND[row // 10 % 10]} {row:05d}"

    def status(self, row):
        return "ARCHIVED" if row % 10 == 9 and row > 10 else "GDPRREQUEST" if row == 57 else "ACTIVE"

    def updated(self, row):
        return Instant(START + mix(self.seed ^ row) % (960 * 86_400_000))

    def number(self, row):
        return f"C-{row:06d}" if row % 3 else None

    def account_number(self, row):
        return f"ACC{row:05d}" if row % 4 == 1 else None

    def email(self, row):
        return "" if row % 7 == 3 else f"contact{row}@example.com" if row % 7 else None

    def is_customer(self, row):
        return row % 10 not in (5, 6)

    def is_supplier(self, row):
        return row % 10 in (5, 6, 7, 8)

    def group(self, row):
        """Which contact group, if any."""
        return 0 if row % 11 == 0 else 1 if row % 13 == 0 else None

    def customer(self, n):
        """Any number as the row of a customer."""
        row = n % max(1, self.count)
        return row - 5 if row % 10 in (5, 6) else row

    def supplier(self, n):
        row = n % max(1, self.count)
        return row if row % 10 in (5, 6, 7, 8) or row + 5 - row % 10 >= self.count else row + 5 - row % 10

    def reference(self, row):
        """The contact as documents show it: scalars, and arrays that are
        empty whatever the contact has."""
        found = self._references.get(row)
        if found is None:
            found = self._references[row] = {}
            self._show(found, {
                "ContactID": self.id(row), "ContactNumber": self.number(row), "ContactStatus": self.status(row),
                "Name": self.name(row), "FirstName": FIRST[row % 10] if row % 2 else None,
                "EmailAddress": self.email(row)})
        return found

    @staticmethod
    def _show(reference, contact):
        reference.clear()
        reference.update({name: contact[name] for name in SHOWN if contact.get(name) is not None})
        reference.update({"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": [],
                          "HasValidationErrors": False})

    def show(self, row, contact):
        """The reference of a contact that was written, and whether it is other
        than it was; documents share it, so editing it in place is enough."""
        reference = self.reference(row) if row < self.count else self._references.setdefault(row, {})
        before = dict(reference)
        self._show(reference, contact)
        return reference, bool(before) and before != reference

    def refresh(self, table):
        """Bring the references of all changed contacts up to date."""
        for row, contact in table.laid_over.items():
            if contact:
                self.show(row, contact)

    def record(self, row):
        locale, ledger, h = self.org.locale, self.org.ledger, mix(self.seed + row)
        customer, supplier, status = self.is_customer(row), self.is_supplier(row), self.status(row)
        record = {
            "ContactID": self.id(row), "ContactNumber": self.number(row), "AccountNumber": self.account_number(row),
            "ContactStatus": status, "Name": self.name(row), "FirstName": FIRST[row % 10] if row % 2 else None,
            "LastName": f"O'{SECOND[row % 7]}" if row % 2 else None, "EmailAddress": self.email(row),
            "BankAccountDetails": f"06-{row:04d}" if row % 6 == 0 else "",
            "Addresses": [
                {"AddressType": "STREET", "City": "", "Region": "", "PostalCode": "", "Country": ""},
                {"AddressType": "POBOX", "AddressLine1": f"P O Box {row}", "AddressLine2": "Suite \"A\"",
                 "AddressLine3": "c/o Front desk", "AddressLine4": "Back", "City": locale["city"],
                 "Region": locale["region"], "PostalCode": locale["postcode"], "Country": locale["country"],
                 "AttentionTo": "Zoë"}],
            "Phones": [{"PhoneType": kind, "PhoneNumber": f"{h >> 8 & 0xfffff:07d}" if kind == "DEFAULT" else "",
                        "PhoneAreaCode": "02" if kind == "DEFAULT" else "", "PhoneCountryCode": locale["dial"]
                        if kind == "DEFAULT" else ""} for kind in ("DDI", "DEFAULT", "FAX", "MOBILE")],
            "UpdatedDateUTC": self.updated(row), "IsSupplier": supplier, "IsCustomer": customer,
            "DefaultCurrency": locale["currency"] if row % 5 else "USD",
            "ContactGroups": [], "ContactPersons": [], "HasAttachments": row % 40 == 5, "HasValidationErrors": False,
            "SalesTrackingCategories": [], "PurchasesTrackingCategories": []}
        if self.group(row) is not None:
            record["ContactGroups"] = [{"ContactGroupID": self.org.ids("ContactGroups").of(self.group(row)),
                                        "Name": ("VIP", "Suppliers' Guild")[self.group(row)], "Status": "ACTIVE"}]
        if row % 3 == 0:
            record["ContactPersons"] = [{"FirstName": f"Person{k}", "LastName": "Ünal", "EmailAddress":
                                         f"p{k}.{row}@example.com", "IncludeInEmails": k == 0}
                                        for k in range(1 + row % 5)]
        if row % 4 == 0:
            record.update({
                "TaxNumber": f"{h % 10**9:09d}", "TaxNumberType": "SSN" if row % 8 else "TAXNUMBERTYPE/SSN",
                "CompanyNumber": f"{row:08d}", "AccountsReceivableTaxType": locale["sales"],
                "AccountsPayableTaxType": locale["purchases"], "XeroNetworkKey": f"NETKEY-{h & 0xffffff:06X}",
                "SalesDefaultLineAmountType": "EXCLUSIVE", "PurchasesDefaultLineAmountType": "INCLUSIVE",
                "SalesDefaultAccountCode": "200", "PurchasesDefaultAccountCode": "429",
                "SalesTrackingCategories": [{"TrackingCategoryName": "Region", "TrackingOptionName": "North"}],
                "PurchasesTrackingCategories": [{"TrackingCategoryName": "Region", "TrackingOptionName": "Zürich"}],
                "TrackingCategoryName": "Region", "TrackingCategoryOption": "North", "Website": "https://example.com/ü",
                "Discount": Number("10.00"), "PaymentTerms": {"Bills": {"Day": 15, "Type": "OFCURRENTMONTH"},
                                                              "Sales": {"Day": 10, "Type": "DAYSAFTERBILLMONTH"}},
                "BrandingTheme": {"BrandingThemeID": ledger.theme_ids[row % 3], "Name": "Standard"},
                "BatchPayments": {"BankAccountNumber": f"12-{row:06d}", "BankAccountName": "Main", "Details": "Thanks",
                                  "Code": "ABC", "Reference": "Ref"}})
        if row % 2 == 0:
            record["Balances"] = {
                "AccountsReceivable": {"Outstanding": money(h % 1_000_000), "Overdue": money(h % 1000)},
                "AccountsPayable": {"Outstanding": money(h >> 20 & 0xffff), "Overdue": money(0)}}
        if row % 40 == 5:
            record["Attachments"] = self.org.documents.attachments("Contacts", record["ContactID"], row)
        if status == "ARCHIVED" and row % 20 == 19:
            record["MergedToContactID"] = self.id(0)
        if row % 50 == 4:
            record.update({"StatusAttributeString": "OK", "ValidationErrors": []})
        return record
