"""The settings of an organisation: accounts, taxes, tracking, items, people."""
from ..seeds import mix
from ..values import Day, Instant, Number, UnitAmount, day, money

UPDATED = day("2025-03-01")

# code, name, type, class, tax: s(ales) p(urchases) n(one), extra members
CHART = [
    (None, "Business Bank Account", "BANK", "ASSET", "n", {"BankAccountNumber": "0123456789", "BankAccountType": "BANK"}),
    ("091", "Savings – Été", "BANK", "ASSET", "n", {"BankAccountNumber": "0987654321", "BankAccountType": "BANK"}),
    ("092", "Company Credit Card", "BANK", "ASSET", "n",
     {"BankAccountNumber": "4111-XXXX-XXXX-1111", "BankAccountType": "CREDITCARD"}),
    ("200", "Sales", "REVENUE", "REVENUE", "s", {"Description": "Income from \"any\" normal business activity"}),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "s", {"Description": "Other income\r\nnot sales"}),
    ("270", "Interest Income", "REVENUE", "REVENUE", "n", {}),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", "p", {}),
    ("400", "Advertising", "OVERHEADS", "EXPENSE", "p", {"ShowInExpenseClaims": True}),
    ("404", "Bank Fees", "OVERHEADS", "EXPENSE", "n", {}),
    ("420", "Entertainment", "EXPENSE", "EXPENSE", "p", {"ShowInExpenseClaims": True}),
    ("429", "General Expenses", "EXPENSE", "EXPENSE", "p", {}),
    ("461", "Printing & Stationery", "EXPENSE", "EXPENSE", "p", {"Description": "O'Neill's paper, <pens>"}),
    ("477", "Wages and Salaries", "EXPENSE", "EXPENSE", "n", {"SystemAccount": ""}),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "n", {"SystemAccount": "DEBTORS"}),
    ("630", "Inventory", "INVENTORY", "ASSET", "n", {}),
    ("710", "Office Equipment", "FIXED", "ASSET", "p", {}),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "n", {"SystemAccount": "CREDITORS"}),
    ("820", "Tax", "CURRLIAB", "LIABILITY", "n", {"SystemAccount": "GST"}),
    ("840", "Historical Adjustment", "CURRLIAB", "LIABILITY", "n", {"SystemAccount": "HISTORICAL"}),
    ("860", "Rounding", "CURRLIAB", "LIABILITY", "n", {"SystemAccount": "ROUNDING"}),
    ("877", "Tracking Transfers", "CURRLIAB", "LIABILITY", "n", {"SystemAccount": "TRACKINGTRANSFERS"}),
    ("900", "Loan", "TERMLIAB", "LIABILITY", "n", {}),
    ("960", "Retained Earnings", "EQUITY", "EQUITY", "n", {"SystemAccount": "RETAINEDEARNINGS"}),
    ("970", "Owner A Funds Introduced", "EQUITY", "EQUITY", "n", {"EnablePaymentsToAccount": True}),
    ("999", "Old Overheads", "OVERHEADS", "EXPENSE", "p", {"Status": "ARCHIVED"}),
]
REVENUE = [3, 4]
EXPENSES = [6, 7, 9, 10, 11]
TRACKING = [("Region", "ACTIVE", ["North", "South", "Eastside", "West Coast", "Zürich"]),
            ("Salesperson", "ACTIVE", ["Amy", "Björn", "O'Hara", "Retired Rita"]),
            ("Old Department", "ARCHIVED", ["Fax", "Telex"])]
ITEMS = [("GB1-White", "Golf balls – white single", True, True), ("GB3-White", "Golf balls 3-pack", True, True),
         ("Train-MS", "Half day \"training\"", True, False), ("BOOK", "Fish out of Water: the book", True, True),
         ("PMD", "Project management & planning", True, False), ("TSS-Black", "T-Shirt Small Black", True, True),
         ("Ärmel'x", "Sleeve, 4-dp price", False, True), ("OLD", "", False, False)]
USERS = [("Hana", "Tūī", "FINANCIALADVISER", True), ("Bob", "O'Connor", "STANDARD", False),
         ("Çelik", "Ör", "INVOICEONLY", False), ("Gone", "Person", "REMOVED", False), ("R", "O", "READONLY", False)]


class Ledger:
    def __init__(self, org):
        self.org = org
        self.locale = org.locale
        self.account_ids = [org.ids("Accounts").of(n) for n in range(len(CHART))]
        self.theme_ids = [org.ids("BrandingThemes").of(n) for n in range(3)]
        self.item_ids = [org.ids("Items").of(n) for n in range(len(ITEMS))]
        self.user_ids = [org.ids("Users").of(n) for n in range(len(USERS))]
        self.tracking_options = self._tracking_options()

    def tax_type(self, letter):
        return {"s": self.locale["sales"], "p": self.locale["purchases"], "n": "NONE"}[letter]

    def accounts(self):
        records = []
        for n, (code, name, kind, group, tax, extra) in enumerate(CHART):
            record = {"AccountID": self.account_ids[n], "Code": code, "Name": name, "Status": "ACTIVE", "Type": kind,
                      "TaxType": self.tax_type(tax), "Class": group, "Description": None,
                      "EnablePaymentsToAccount": False, "ShowInExpenseClaims": False, "ReportingCode": f"REP.{n:03d}",
                      "ReportingCodeName": f"{group.title()} / {name}", "HasAttachments": n == 7,
                      "AddToWatchlist": n % 5 == 0,
                      "UpdatedDateUTC": Instant(UPDATED + n * 86_461_007), "ReportingCodeUpdatedUTC": Instant(UPDATED)}
            if kind == "BANK":
                record["CurrencyCode"] = self.locale["currency"] if n else ""
            if n == 7:
                record["ValidationErrors"] = []
                record["Attachments"] = self.org.documents.attachments("Accounts", record["AccountID"], n)
            record.update(extra)
            records.append(record)
        return records

    def bank_account(self, n):
        """A bank account as documents show it."""
        code, name = CHART[n][:2]
        return {"AccountID": self.account_ids[n], "Code": code, "Name": name}

    def tax_rates(self):
        country = self.locale
        rates = [(country["tax"] + " on Income", country["sales"], [("Tax", country["rate"])]),
                 (country["tax"] + " on Expenses", country["purchases"], [("Tax", country["rate"])]),
                 ("Free Income", country["free"], [("Tax", 0)]), ("Tax Exempt", "NONE", [("No Tax", 0)]),
                 ("State & County", "TAX001", [("State", 5), ("County \"x\"", 2.5)]), ("Old rate", "TAX002", [("Old", 9)])]
        if country["free_in"] != "NONE":
            rates.append(("Free Expenses", country["free_in"], [("Tax", 0)]))
        records = []
        for n, (name, code, parts) in enumerate(rates):
            total = sum(rate for _, rate in parts)
            records.append({
                "Name": name, "TaxType": code, "ReportTaxType": "OUTPUT" if n % 2 == 0 else "INPUT",
                "CanApplyToAssets": n % 2 == 1, "CanApplyToEquity": True, "CanApplyToExpenses": n % 2 == 1,
                "CanApplyToLiabilities": True, "CanApplyToRevenue": n % 2 == 0,
                "DisplayTaxRate": Number(f"{total:.4f}"), "EffectiveRate": Number(f"{total:.4f}"),
                "Status": "DELETED" if code == "TAX002" else "ACTIVE",
                "TaxComponents": [{"Name": part, "Rate": Number(f"{rate:.4f}"), "IsCompound": k > 0,
                                   "IsNonRecoverable": False} for k, (part, rate) in enumerate(parts)]})
        return records

    def tracking_categories(self):
        ids, options = self.org.ids("TrackingCategories"), self.org.ids("TrackingOptions")
        return [{"Name": name, "Status": status, "TrackingCategoryID": ids.of(n),
                 "Options": [{"TrackingOptionID": options.of(n * 100 + k), "Name": option,
                              "Status": "ARCHIVED" if option.startswith("Retired") else "ACTIVE",
                              "TrackingCategoryID": ids.of(n), "HasValidationErrors": False, "IsDeleted": False,
                              "IsArchived": option.startswith("Retired"), "IsActive": not option.startswith("Retired")}
                             for k, option in enumerate(words)],
                 **({"TrackingOptionID": options.of(n * 100), "Option": words[0]} if n == 1 else {})}
                for n, (name, status, words) in enumerate(TRACKING)]

    def _tracking_options(self):
        """The tracking elements that a line can carry, by category."""
        ids, options = self.org.ids("TrackingCategories"), self.org.ids("TrackingOptions")
        return [[{"Name": name, "Option": option, "TrackingCategoryID": ids.of(n),
                  "TrackingOptionID": options.of(n * 100 + k)} for k, option in enumerate(words)]
                for n, (name, _, words) in enumerate(TRACKING[:2])]

    def items(self):
        records = []
        for n, (code, name, sold, bought) in enumerate(ITEMS):
            tracked = n == 0
            record = {"ItemID": self.item_ids[n], "Code": code, "Name": name, "Description": name or None,
                      "IsSold": sold, "IsPurchased": bought, "IsTrackedAsInventory": tracked,
                      "UpdatedDateUTC": Instant(UPDATED + n * 7_200_123)}
            if sold:
                record["SalesDetails"] = {"UnitPrice": UnitAmount(f"{n * 5 + 3}.9950"), "AccountCode": "200",
                                          "TaxType": self.locale["sales"]}
            if bought:
                record["PurchaseDescription"] = "Buying " + name
                record["PurchaseDetails"] = {"UnitPrice": UnitAmount(f"{n * 3 + 1}.1648"),
                                             **({"COGSAccountCode": "310"} if tracked else {"AccountCode": "429"}),
                                             "TaxType": self.locale["purchases"]}
            if tracked:
                record.update({"InventoryAssetAccountCode": "630", "TotalCostPool": Number("25.00"),
                               "QuantityOnHand": Number("5.0000"), "QuantityAvailable": Number("3.0000"),
                               "QuantityOnBackOrder": Number("1.5000")})
            if n == 7:
                record.update({"StatusAttributeString": "OK", "ValidationErrors": []})
            records.append(record)
        return records

    def users(self):
        return [{"UserID": self.user_ids[n], "GlobalUserID": self.org.ids("GlobalUsers").of(n),
                 "EmailAddress": f"user{n}@example.com", "FirstName": first, "LastName": last,
                 "UpdatedDateUTC": Instant(UPDATED + n * 987_654_321), "IsSubscriber": subscriber,
                 "OrganisationRole": role} for n, (first, last, role, subscriber) in enumerate(USERS)]

    def user(self, n):
        first, last, role, subscriber = USERS[n]
        return {"UserID": self.user_ids[n], "EmailAddress": f"user{n}@example.com", "FirstName": first,
                "LastName": last, "IsSubscriber": subscriber, "OrganisationRole": role}

    def branding_themes(self):
        names = ["Standard", "Very \"orange\" invoice!", "Straße"]
        return [{"BrandingThemeID": self.theme_ids[n], "Name": name, "LogoUrl": f"https://example.com/logo{n}.png",
                 "Type": "INVOICE", "SortOrder": n, "CreatedDateUTC": Instant(day("2019-02-03") + n * 1000)}
                for n, name in enumerate(names)]

    def currencies(self):
        names = {"AUD": "Australian Dollar", "GBP": "British Pound", "NZD": "New Zealand Dollar", "USD": "United States "
                 "Dollar", "EUR": "Euro", "JPY": "Japanese Yen"}
        codes = [self.locale["currency"], "USD", "EUR", "JPY"]
        return [{"Code": code, "Description": names[code]} for code in codes]

    def payment_services(self):
        ids = self.org.ids("PaymentServices")
        return [{"PaymentServiceID": ids.of(n), "PaymentServiceName": name, "PaymentServiceUrl": url, "PayNowText": text,
                 "PaymentServiceType": "Custom", "ValidationErrors": []}
                for n, (name, url, text) in enumerate([("PayUp", "https://www.payupnow.com/?invoiceNo=[INVOICENUMBER]",
                                                        "Pay now"), ("ABC", "https://pay.example.com", "Jetzt zahlen")])]

    def contact_groups(self):
        ids = self.org.ids("ContactGroups")
        groups = []
        for n, (name, status) in enumerate([("VIP", "ACTIVE"), ("Suppliers' Guild", "ACTIVE"), ("Gone", "DELETED")]):
            members = [{"ContactID": self.org.contacts.id(row), "Name": self.org.contacts.name(row)}
                       for row in range(self.org.contacts.count) if self.org.contacts.group(row) == n]
            groups.append({"ContactGroupID": ids.of(n), "Name": name, "Status": status, "Contacts": members[:500],
                           "HasValidationErrors": False})
        return groups

    def budgets(self):
        ids = self.org.ids("Budgets")
        lines = [{"AccountID": self.account_ids[n], "AccountCode": CHART[n][0], "BudgetBalances": [
            {"Period": f"2026-{month:02d}", "Amount": money(month * 10_000 + n), "UnitAmount": money(month * 10_000 + n),
             "Notes": "it's \"tight\"" if month == 6 else None} for month in range(1, 13)]} for n in REVENUE + EXPENSES]
        tracking = [{key: option[key] for key in ("TrackingCategoryID", "TrackingOptionID", "Name", "Option")}
                    for option in self.tracking_options[0][:1]]
        return [{"BudgetID": ids.of(n), "Status": "APPROVED", "Type": kind, "Description": text,
                 "UpdatedDateUTC": Instant(UPDATED + n * 1_000_003), "CreatedIn": ("XERO", None)[n],
                 "BudgetLines": lines[n:n + 4], "Tracking": marks}
                for n, (kind, text, marks) in enumerate([("OVERALL", "Overall Budget", []),
                                                         ("TRACKING", "FY2026 – North", tracking)])]

    def organisation_actions(self):
        """What an organisation may do depends on its plan, and on the user."""
        return [{"Name": name, "Status": status} for name, status in (
            ("CreateApprovedInvoice", "ALLOWED"), ("CreateDraftInvoice", "ALLOWED"), ("CreateRepeatingInvoice", "ALLOWED"),
            ("UseMulticurrency", "NOT-ALLOWED"), ("Create \"odd\" action", "ALLOWED"))]

    def invoice_reminders(self):
        return [{"Enabled": True}]

    def organisation(self):
        locale, org = self.locale, self.org
        return [{
            "OrganisationID": org.tenant_id, "APIKey": f"KEY{mix(org.number):016X}", "Name": org.name,
            "LegalName": org.name + " Legal & Co", "PaysTax": True, "Version": org.country, "OrganisationType": "COMPANY",
            "BaseCurrency": locale["currency"], "CountryCode": locale["code"], "IsDemoCompany": True,
            "OrganisationStatus": "ACTIVE", "RegistrationNumber": "12 345 678", "EmployerIdentificationNumber": "98-7654321",
            "TaxNumber": "101-2-303", "TaxNumberName": "Tax reg", "FinancialYearEndDay": 31, "FinancialYearEndMonth": 3, "SalesTaxBasis": "ACCRUALS",
            "SalesTaxPeriod": "QUARTERLY", "DefaultSalesTax": "Tax Exclusive", "DefaultPurchasesTax": "Tax Inclusive",
            "PeriodLockDate": Day(day("2023-06-30")), "EndOfYearLockDate": Day(day("2023-03-31")),
            "CreatedDateUTC": Instant(day("2019-01-02") + 12_345_678), "OrganisationEntityType": "COMPANY",
            "Timezone": locale["timezone"], "ShortCode": f"!{org.tenant_id[:5]}", "Class": "PREMIUM",
            "Edition": "BUSINESS", "LineOfBusiness": "Fish & \"Chips\"",
            "Addresses": [{"AddressType": "POBOX", "AddressLine1": "23 Main Street", "AddressLine2": "Level 2",
                           "AddressLine3": "Rear", "AddressLine4": "Door 4", "City": locale["city"],
                           "Region": locale["region"], "PostalCode": locale["postcode"], "Country": locale["country"],
                           "AttentionTo": "Zoë"}],
            "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": "1234567", "PhoneAreaCode": "3",
                        "PhoneCountryCode": locale["dial"]}],
            "ExternalLinks": [{"LinkType": "Website", "Url": "https://example.com/?a=1&b=2", "Description": "Home"}],
            "PaymentTerms": {"Bills": {"Day": 4, "Type": "OFFOLLOWINGMONTH"},
                             "Sales": {"Day": 2, "Type": "OFCURRENTMONTH"}}}]
