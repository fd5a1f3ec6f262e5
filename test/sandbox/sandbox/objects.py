"""What each endpoint supports: keys, paging, parameters, forms, scopes.

A record is stored in full.  A *form* is what one kind of answer shows of it:
    single   GET by id: everything (but see Journals)
    page     a page of a list
    list     the unpaged list, a summary: collections arrive as [] even when
             they have members
    summary  summaryOnly=true
"""
from . import schema

PAYROLL_AU = "/payroll.xro/1.0"
PAYROLL = "/payroll.xro/2.0"
ACCOUNTING = "/api.xro/2.0"

CONTACT_EMPTY = ("Addresses", "Phones", "ContactGroups", "ContactPersons")
CONTACT_DETAIL = (
    "ContactPersons XeroNetworkKey MergedToContactID SalesDefaultAccountCode PurchasesDefaultAccountCode "
    "SalesTrackingCategories PurchasesTrackingCategories SalesDefaultLineAmountType "
    "PurchasesDefaultLineAmountType TrackingCategoryName TrackingCategoryOption PaymentTerms ContactGroups "
    "Website BrandingTheme BatchPayments Discount Balances HasAttachments Attachments").split()
CONTACT_SUMMARY = (
    "Addresses Balances ContactGroups ContactPersons IsCustomer IsSupplier PurchasesDefaultAccountCode "
    "PurchasesTrackingCategories SalesDefaultAccountCode SalesTrackingCategories").split()
INVOICE_SUMMARY = "Payments HasAttachments LineItems CISDeduction CISRate Prepayments Overpayments CreditNotes".split()
# What only the answer about one invoice has: seen live in 2026, or so announced.
INVOICE_DETAIL = "SentToEmailAddress RoundingAmount EnteredTotal".split()


class Form:
    """Members a form leaves out, shows empty, or reduces to a reference."""

    def __init__(self, drop=(), empty=(), bare_contact=False, lines_drop=(), nameless_account=False):
        self.drop = frozenset(drop)
        self.empty = frozenset(empty)
        self.bare_contact = bare_contact
        self.lines_drop = frozenset(lines_drop)
        self.nameless_account = nameless_account

    def show(self, record, quirks=()):
        if "BankAccountDetails" in record:
            record = guarded(record, quirks)
        lines_drop = self.lines_drop | ({"ItemCode", "Item"} if "hidden-item-codes" in quirks else set())
        if not (self.drop or self.empty or self.bare_contact or lines_drop or self.nameless_account):
            return record
        shown = {}
        for name, value in record.items():
            if name in self.empty:
                shown[name] = []
            elif name not in self.drop:
                shown[name] = value
        if self.bare_contact and isinstance(shown.get("Contact"), dict):
            shown["Contact"] = bare_contact(shown["Contact"])
        if lines_drop and shown.get("LineItems"):
            shown["LineItems"] = [{name: value for name, value in line.items() if name not in lines_drop}
                                  for line in shown["LineItems"]]
        if self.nameless_account and isinstance(shown.get("Account"), dict):
            shown["Account"] = {name: value for name, value in shown["Account"].items() if name != "Name"}
        return shown


BANK_DETAILS = ("BankAccountDetails", "BatchPayments")


def guarded(contact, quirks):
    """A contact as a person sees it who may not see bank details."""
    if "bank-details-absent" in quirks:
        return {name: value for name, value in contact.items() if name not in BANK_DETAILS}
    if "bank-details-masked" in quirks:
        return {name: masked(value) if name in BANK_DETAILS else value for name, value in contact.items()}
    return contact


def masked(value):
    if isinstance(value, dict):
        return {name: masked(part) for name, part in value.items()}
    return "*" * (len(value) - 3) + value[-3:] if isinstance(value, str) and value else value


def bare_contact(contact):
    """A contact as summaries show it: [] here does not mean none."""
    return {**{name: contact[name] for name in ("ContactID", "ContactNumber", "Name") if name in contact},
            **{name: [] for name in CONTACT_EMPTY}, "HasValidationErrors": False}


FULL = Form()
NO_ATTACHMENTS = Form(drop=["Attachments"])
DOCUMENT_LIST = Form(drop=["Attachments"], empty=["LineItems"], bare_contact=True)


class Object:
    """One endpoint."""

    def __init__(self, name, key, *, path=None, wrapper=None, type_name=None, natural=None, clock="UpdatedDateUTC", where=True,
                 modified_since=True, paging="none", params="", forms=None, scopes="", base=ACCOUNTING,
                 order=True, unitdp=False, optimised="", fixed_page=False):
        self.name = name
        self.path = path or name
        self.key = key
        self.wrapper = wrapper or name
        self.type_name = type_name or (name[:-3] + "y" if name.endswith("ies") else name.rstrip("s"))
        self.natural = natural
        self.clock = clock
        self.where = where
        self.order = order
        self.modified_since = modified_since
        self.paging = paging                # none | pages (pagination object) | bare (page only) | offset | always
        self.fixed_page = fixed_page        # always 100 a page, whatever pageSize says
        self.base = base
        self.params = set(params.split())   # dedicated parameters
        if where:
            self.params.add("where")
        if order:
            self.params.add("order")
        if paging in ("pages", "always", "bare"):
            self.params |= {"page"} if fixed_page else {"page", "pageSize"}
        if unitdp:
            self.params.add("unitdp")
        self.forms = {"single": FULL, "page": FULL, "list": FULL, "summary": FULL, **(forms or {})}
        self.scopes = scopes.split()
        self.optimised = set(optimised.split())
        self.has_clock_text = bool(schema.kind_of(self.type_name, "UpdatedDateUTCString"))

    def four_decimals(self, params):
        """Whether prices have four decimals: asked for, or always."""
        return params.get("unitdp") == "4" or self.name in ("Quotes", "PurchaseOrders")

    def kind(self, path):
        """Type of a dotted field, None if there is no such field."""
        type_name = self.type_name
        kind = None
        for name in path.split("."):
            kind = schema.kind_of(type_name, name)
            if kind and kind[0] == "{":
                type_name = kind[1:-1]
        return kind


TRANSACTIONS = "accounting.transactions"
DOCUMENT = {"single": FULL, "page": NO_ATTACHMENTS, "list": DOCUMENT_LIST}
# Live answers of April 2026: their pages have the contact of lists, too.
NAMELESS = Form(nameless_account=True)
REDUCED = {**DOCUMENT, "page": Form(drop=["Attachments"], bare_contact=True)}

ALL = [
    Object("Accounts", "AccountID", forms={"list": NO_ATTACHMENTS}, scopes="accounting.settings"),
    Object("BankTransactions", "BankTransactionID", paging="pages", unitdp=True, params="References", forms=REDUCED,
           scopes=TRANSACTIONS + " accounting.banktransactions",
           optimised="Type Status Date Contact.ContactID BankTransactionID UpdatedDateUTC"),
    Object("BankTransfers", "BankTransferID", clock="CreatedDateUTC", params="includeDeleted",
           forms={"list": NO_ATTACHMENTS},
           scopes=TRANSACTIONS + " accounting.banktransactions"),
    Object("BatchPayments", "BatchPaymentID", scopes=TRANSACTIONS + " accounting.payments"),
    Object("BrandingThemes", "BrandingThemeID", clock="CreatedDateUTC", where=False, order=False,
           modified_since=False, scopes="accounting.settings"),
    Object("Budgets", "BudgetID", where=False, order=False, modified_since=False, params="IDs DateTo DateFrom",
           forms={"list": Form(empty=["BudgetLines"])}, scopes="accounting.budgets"),
    Object("Contacts", "ContactID", natural="ContactNumber", paging="pages",
           params="IDs includeArchived summaryOnly searchTerm",
           forms={"page": NO_ATTACHMENTS, "list": Form(drop=CONTACT_DETAIL),
                  "summary": Form(drop=CONTACT_SUMMARY + ["Attachments"])},
           scopes="accounting.contacts", optimised="Name EmailAddress AccountNumber ContactID UpdatedDateUTC"),
    Object("ContactGroups", "ContactGroupID", clock=None, modified_since=False,
           forms={"list": Form(empty=["Contacts"])}, scopes="accounting.contacts"),
    Object("CreditNotes", "CreditNoteID", natural="CreditNoteNumber", paging="pages", unitdp=True, forms=REDUCED,
           scopes=TRANSACTIONS + " accounting.invoices",
           optimised="Status Date Reference Contact.ContactID Contact.Name Contact.ContactNumber Type "
                     "CreditNoteID UpdatedDateUTC"),
    Object("Currencies", "Code", clock=None, modified_since=False, scopes="accounting.settings"),
    Object("ExpenseClaims", "ExpenseClaimID", scopes=TRANSACTIONS + " accounting.classicexpenses"),
    Object("Invoices", "InvoiceID", natural="InvoiceNumber", paging="pages", unitdp=True,
           params="IDs InvoiceNumbers ContactIDs Statuses includeArchived createdByMyApp summaryOnly searchTerm",
           forms={"page": Form(drop=INVOICE_DETAIL + ["Attachments"], bare_contact=True),
                  "list": Form(drop=INVOICE_DETAIL + ["Attachments"], empty=["LineItems"], bare_contact=True),
                  "summary": Form(drop=INVOICE_SUMMARY + INVOICE_DETAIL + ["Attachments"], bare_contact=True)},
           scopes=TRANSACTIONS + " accounting.invoices",
           optimised="Status Contact.ContactID Contact.Name Contact.ContactNumber Reference InvoiceNumber InvoiceID "
                     "Type AmountPaid Date DueDate AmountDue UpdatedDateUTC"),
    Object("InvoiceReminders", "Enabled", path="InvoiceReminders/Settings", clock=None, where=False, order=False,
           modified_since=False, scopes="accounting.settings"),
    Object("Items", "ItemID", natural="Code", unitdp=True, scopes="accounting.settings accounting.invoices"),
    Object("Journals", "JournalID", natural="JournalNumber", clock="CreatedDateUTC", where=False, order=False,
           paging="offset", params="offset paymentsOnly", forms={"single": Form(drop=["SourceID", "SourceType"])},
           scopes="accounting.journals"),
    Object("LinkedTransactions", "LinkedTransactionID", where=False, order=False, modified_since=False, paging="bare",
           fixed_page=True, params="LinkedTransactionID SourceTransactionID ContactID Status TargetTransactionID",
           scopes=TRANSACTIONS + " accounting.invoices"),
    Object("ManualJournals", "ManualJournalID", paging="pages",
           forms={"page": NO_ATTACHMENTS, "list": Form(drop=["Attachments", "JournalLines"])},
           scopes=TRANSACTIONS + " accounting.manualjournals",
           optimised="Narration ManualJournalID UpdatedDateUTC Date"),
    Object("Organisation", "OrganisationID", wrapper="Organisations", type_name="Organisation",
           clock="CreatedDateUTC", where=False, order=False, modified_since=False, scopes="accounting.settings"),
    Object("OrganisationActions", "Name", path="Organisation/Actions", wrapper="Actions", type_name="Action", clock=None,
           where=False, order=False, modified_since=False, scopes="accounting.settings"),
    Object("Overpayments", "OverpaymentID", paging="pages", unitdp=True, params="References", forms=DOCUMENT,
           scopes=TRANSACTIONS + " accounting.payments"),
    Object("Payments", "PaymentID", paging="pages", forms={"page": NAMELESS, "list": NAMELESS}, scopes=TRANSACTIONS + " accounting.payments",
           optimised="PaymentType Status Date Invoice.InvoiceID Reference PaymentID UpdatedDateUTC"),
    Object("PaymentServices", "PaymentServiceID", clock=None, where=False, order=False, modified_since=False,
           scopes="paymentservices"),
    Object("Prepayments", "PrepaymentID", paging="pages", unitdp=True, params="InvoiceNumbers References", forms=DOCUMENT,
           scopes=TRANSACTIONS + " accounting.payments"),
    Object("PurchaseOrders", "PurchaseOrderID", natural="PurchaseOrderNumber", where=False, paging="always",
           params="Status DateFrom DateTo",
           forms={"page": Form(drop=["Attachments"], lines_drop=["AccountID", "ItemID"])},
           scopes=TRANSACTIONS + " accounting.invoices", optimised="PurchaseOrderID UpdatedDateUTC Date"),
    Object("Quotes", "QuoteID", natural="QuoteNumber", where=False, paging="bare",
           params="DateFrom DateTo ExpiryDateFrom ExpiryDateTo ContactID Status QuoteNumber",
           # the specification's Quote has neither Attachments nor HasAttachments
           forms={"single": NO_ATTACHMENTS, "page": NO_ATTACHMENTS, "list": NO_ATTACHMENTS},
           scopes=TRANSACTIONS + " accounting.invoices"),
    Object("Receipts", "ReceiptID", unitdp=True, forms=DOCUMENT, scopes=TRANSACTIONS + " accounting.classicexpenses"),
    Object("RepeatingInvoices", "RepeatingInvoiceID", clock=None, modified_since=False, forms={"list": NO_ATTACHMENTS},
           scopes=TRANSACTIONS + " accounting.invoices"),
    Object("TaxRates", "TaxType", clock=None, modified_since=False, scopes="accounting.settings"),
    Object("TrackingCategories", "TrackingCategoryID", clock=None, modified_since=False, params="includeArchived",
           scopes="accounting.settings"),
    Object("Users", "UserID", scopes="accounting.settings"),
]

# Payroll: the tenant's country decides which of the two schemas answers.
EMPLOYEES_AU = Object("Employees", "EmployeeID", type_name="PayrollEmployee", paging="bare", base=PAYROLL_AU,
                      fixed_page=True,
                      forms={"page": Form(drop=["BankAccounts", "PayTemplate", "OpeningBalances", "TaxDeclaration",
                                                "LeaveBalances", "SuperMemberships", "HomeAddress"])},
                      scopes="payroll.employees")
EMPLOYEES_UK_NZ = Object("Employees", "employeeID", wrapper="employees", type_name="CamelEmployee",
                         clock="updatedDateUTC", where=False, order=False, modified_since=False, paging="always",
                         fixed_page=True, params="filter", base=PAYROLL, scopes="payroll.employees")

ACCOUNTING_OBJECTS = {spec.name: spec for spec in ALL}

# High-volume organisations refuse inefficient requests to these.
HIGH_VOLUME = {"Invoices", "Contacts", "BankTransactions", "CreditNotes", "ManualJournals", "Payments",
               "PurchaseOrders"}
