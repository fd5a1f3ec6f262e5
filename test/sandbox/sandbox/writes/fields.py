"""The members that a request can write, by type, and their reading.

A word is `Name`, a string; `Name/50`, a string of at most so many characters;
`Name=A|B`, an enumeration; `Name:kind`; `Name:{Type}`; `Name:[Type]`.  What is
not here is read-only or unknown: Xero ignores both, --strict refuses them.

Reading gives the leaves that records have.  What cannot be read at all (a date
that is none, a word where a number belongs) fails the whole request, as it does
when Xero deserialises it; what is merely too long fails its element.
"""
import re
import uuid
from decimal import Decimal, InvalidOperation

from ..errors import post_data_invalid
from ..values import Day, Iso, Number, UnitAmount, iso_seconds, parse_ms
from . import messages
from .rounding import cents, places

LINE_AMOUNTS = "LineAmountTypes=Exclusive|Inclusive|NoTax"
DOCUMENT = f"Contact:{{Contact}} LineItems:[LineItem] Date:day Reference CurrencyCode CurrencyRate:rate {LINE_AMOUNTS}"
TOTALS = "SubTotal:money TotalTax:money Total:money"        # read, and mostly ignored: see documents.py
ACCOUNT_TYPES = ("BANK|CURRENT|CURRLIAB|DEPRECIATN|DIRECTCOSTS|EQUITY|EXPENSE|FIXED|INVENTORY|LIABILITY|NONCURRENT|"
                 "OTHERINCOME|OVERHEADS|PREPAYMENT|REVENUE|SALES|TERMLIAB|PAYG")
BANK_TYPES = ("RECEIVE|RECEIVE-OVERPAYMENT|RECEIVE-PREPAYMENT|SPEND|SPEND-OVERPAYMENT|SPEND-PREPAYMENT|"
              "RECEIVE-TRANSFER|SPEND-TRANSFER")
TERMS = "DAYSAFTERBILLDATE|DAYSAFTERBILLMONTH|OFCURRENTMONTH|OFFOLLOWINGMONTH"

_WORDS = {
    "Account": f"""
        AccountID:guid Code/10 Name/150 Type={ACCOUNT_TYPES} BankAccountNumber Status=ACTIVE|ARCHIVED|DELETED
        Description/4000 BankAccountType=BANK|CREDITCARD|PAYPAL|NONE| CurrencyCode TaxType
        EnablePaymentsToAccount:bool ShowInExpenseClaims:bool ReportingCode AddToWatchlist:bool""",
    "Address": """
        AddressType=POBOX|STREET AddressLine1/500 AddressLine2/500 AddressLine3/500 AddressLine4/500 City/255
        Region/255 PostalCode/50 Country/50 AttentionTo/255""",
    "Allocation": """
        AllocationID:guid Invoice:{InvoiceRef} Overpayment:{OverpaymentRef} Prepayment:{PrepaymentRef}
        CreditNote:{CreditNoteRef} Amount:money Date:day""",
    "BankTransaction": f"""
        BankTransactionID:guid Type={BANK_TYPES}
        BankAccount:{{AccountRef}} IsReconciled:bool Url Status=AUTHORISED|DELETED|VOIDED {DOCUMENT}""",
    "BankTransfer": """
        BankTransferID:guid FromBankAccount:{AccountRef} ToBankAccount:{AccountRef} Amount:money Date:day
        FromIsReconciled:bool ToIsReconciled:bool Reference FromTracking:[Tracking] ToTracking:[Tracking]
        Status=AUTHORISED|DELETED""",
    "BatchPayment": """
        BatchPaymentID:guid Account:{AccountRef} Reference/255 Particulars/12 Code/12 Details Narrative/18 Date:day
        Payments:[Payment] Status=AUTHORISED|DELETED""",
    "BatchPaymentDetails": "BankAccountNumber BankAccountName Details Code/12 Reference/12",
    "Bill": f"Day:int Type={TERMS}",
    "BrandingThemeRef": "BrandingThemeID:guid Name",
    "Contact": """
        ContactID:guid ContactNumber/50 AccountNumber/50 ContactStatus=ACTIVE|ARCHIVED|GDPRREQUEST Name/255
        FirstName/255 LastName/255 CompanyNumber/50 EmailAddress/255 ContactPersons:[ContactPerson]
        BankAccountDetails TaxNumber/50 TaxNumberType=SSN|EIN|ITIN|ATIN AccountsReceivableTaxType
        AccountsPayableTaxType Addresses:[Address] Phones:[Phone]
        SalesDefaultLineAmountType=INCLUSIVE|EXCLUSIVE|NONE PurchasesDefaultLineAmountType=INCLUSIVE|EXCLUSIVE|NONE
        DefaultCurrency XeroNetworkKey SalesDefaultAccountCode PurchasesDefaultAccountCode
        SalesTrackingCategories:[ContactTracking] PurchasesTrackingCategories:[ContactTracking]
        TrackingCategoryName TrackingCategoryOption PaymentTerms:{PaymentTerm}
        BrandingTheme:{BrandingThemeRef} BatchPayments:{BatchPaymentDetails}""",
    "ContactGroup": "ContactGroupID:guid Name Status=ACTIVE|DELETED",
    "ContactPerson": "FirstName/255 LastName/255 EmailAddress/255 IncludeInEmails:bool",
    "ContactTracking": "TrackingCategoryName/100 TrackingOptionName/100",
    "CreditNote": f"""
        CreditNoteID:guid CreditNoteNumber/255 Type=ACCPAYCREDIT|ACCRECCREDIT DueDate:day
        Status=DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED SentToContact:bool BrandingThemeID:guid
        InvoiceAddresses:[InvoiceAddress] {DOCUMENT}""",
    "Currency": "Code Description",
    "ExpenseClaim": """
        ExpenseClaimID:guid Status=SUBMITTED|AUTHORISED|PAID|VOIDED|DELETED User:{UserRef}
        Receipts:[ReceiptRef]""",
    "Invoice": f"""
        InvoiceID:guid InvoiceNumber/255 DueDate:day Url BrandingThemeID:guid SentToContact:bool
        Type=ACCPAY|ACCPAYCREDIT|APOVERPAYMENT|APPREPAYMENT|ACCREC|ACCRECCREDIT|AROVERPAYMENT|ARPREPAYMENT
        Status=DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED ExpectedPaymentDate:day PlannedPaymentDate:day
        RepeatingInvoiceID:guid InvoiceAddresses:[InvoiceAddress] {DOCUMENT} {TOTALS}""",
    "InvoiceAddress": """
        InvoiceAddressType=FROM|TO AddressLine1 AddressLine2 AddressLine3 AddressLine4 City Region PostalCode
        Country""",
    "Item": """
        ItemID:guid Code/30 InventoryAssetAccountCode Name/50 IsSold:bool IsPurchased:bool Description/4000
        PurchaseDescription/4000 PurchaseDetails:{Purchase} SalesDetails:{Purchase} IsTrackedAsInventory:bool""",
    "LineItem": """
        LineItemID:guid Description/4000 Quantity:quantity UnitAmount:unit ItemCode/30 AccountCode/10 AccountID:guid
        TaxType TaxAmount:money LineAmount:money Tracking:[Tracking] DiscountRate:percent DiscountAmount:money
        Item:{LineItemItem}""",
    "LineItemItem": "ItemID:guid Code/30 Name/50",
    "LinkedTransaction": """
        LinkedTransactionID:guid SourceTransactionID:guid SourceLineItemID:guid ContactID:guid
        TargetTransactionID:guid TargetLineItemID:guid Type=BILLABLEEXPENSE""",
    "ManualJournal": f"""
        ManualJournalID:guid Narration JournalLines:[ManualJournalLine] Date:day {LINE_AMOUNTS} Url
        Status=DRAFT|POSTED|DELETED|VOIDED|ARCHIVED ShowOnCashBasisReports:bool""",
    "ManualJournalLine": """
        LineAmount:money AccountCode/10 AccountID:guid Description TaxType Tracking:[Tracking]
        TaxAmount:money IsBlank:bool""",
    "Payment": """
        PaymentID:guid Invoice:{InvoiceRef} CreditNote:{CreditNoteRef} Prepayment:{PrepaymentRef}
        Overpayment:{OverpaymentRef} InvoiceNumber/255 CreditNoteNumber/255 Account:{AccountRef} Code/10 Date:day
        CurrencyRate:rate Amount:money Reference IsReconciled:bool Status=AUTHORISED|DELETED BankAccountNumber
        Particulars Details""",
    "PaymentTerm": "Bills:{Bill} Sales:{Bill}",
    "Phone": """
        PhoneType=DEFAULT|DDI|MOBILE|FAX|OFFICE PhoneNumber/50 PhoneAreaCode/10 PhoneCountryCode/20""",
    "Purchase": "UnitPrice:unit AccountCode/10 COGSAccountCode/10 TaxType",
    "PurchaseOrder": f"""
        PurchaseOrderID:guid PurchaseOrderNumber/255 DeliveryDate:day BrandingThemeID:guid
        Status=DRAFT|SUBMITTED|AUTHORISED|BILLED|DELETED SentToContact:bool DeliveryAddress AttentionTo
        Telephone DeliveryInstructions ExpectedArrivalDate:day {DOCUMENT}""",
    "Quote": """
        QuoteID:guid QuoteNumber/255 Reference/4000 Terms/4000 ExpiryDate:day Title/100 Summary/3000
        Status=DRAFT|SENT|DECLINED|ACCEPTED|INVOICED|DELETED BrandingThemeID:guid Contact:{Contact}
        LineItems:[LineItem] Date:day CurrencyCode CurrencyRate:rate LineAmountTypes=EXCLUSIVE|INCLUSIVE|NOTAX""",
    "Receipt": f"""
        ReceiptID:guid User:{{UserRef}} Status=DRAFT|SUBMITTED|AUTHORISED|DECLINED|VOIDED Date:day
        Contact:{{Contact}} LineItems:[LineItem] Reference {LINE_AMOUNTS}""",
    "RepeatingInvoice": f"""
        RepeatingInvoiceID:guid Type=ACCPAY|ACCREC Schedule:{{Schedule}} BrandingThemeID:guid
        Status=DRAFT|AUTHORISED|DELETED ApprovedForSending:bool SendCopy:bool MarkAsSent:bool IncludePDF:bool
        Contact:{{Contact}} LineItems:[LineItem] Reference CurrencyCode {LINE_AMOUNTS}""",
    "Schedule": f"""
        Period:int Unit=WEEKLY|MONTHLY DueDate:int StartDate:day NextScheduledDate:day EndDate:day
        DueDateType={TERMS}|DAYSAFTERINVOICEDATE|DAYSAFTERINVOICEMONTH""",
    "TaxComponent": "Name Rate:percent4 IsCompound:bool IsNonRecoverable:bool",
    "TaxRate": """
        Name TaxType TaxComponents:[TaxComponent] Status=ACTIVE|DELETED|ARCHIVED|PENDING ReportTaxType""",
    "Tracking": "TrackingCategoryID:guid TrackingOptionID:guid Name/100 Option/100",
    "TrackingCategory": "TrackingCategoryID:guid Name/100 Status=ACTIVE|ARCHIVED|DELETED Options:[TrackingOption]",
    "TrackingOption": "TrackingOptionID:guid Name/100 Status=ACTIVE|ARCHIVED|DELETED",
    # references: what names another record; other members of it are not written
    "AccountRef": "AccountID:guid Code/10",
    "CreditNoteRef": "CreditNoteID:guid CreditNoteNumber/255",
    "InvoiceRef": "InvoiceID:guid InvoiceNumber/255",
    "OverpaymentRef": "OverpaymentID:guid",
    "PrepaymentRef": "PrepaymentID:guid",
    "ReceiptRef": "ReceiptID:guid",
    "UserRef": "UserID:guid",
    # payroll, AU
    "PayrollEmployee": """
        EmployeeID:guid FirstName LastName DateOfBirth:day HomeAddress:{HomeAddress} StartDate:day Title
        MiddleNames Email Gender=N|M|F|I Phone Mobile TwitterUserName
        IsAuthorisedToApproveLeave:bool IsAuthorisedToApproveTimesheets:bool JobTitle Classification
        OrdinaryEarningsRateID:guid PayrollCalendarID:guid EmployeeGroupName TerminationDate:day
        TerminationReason=V|I|D|R|F|C|T EmploymentType IncomeType CountryOfResidence IsSTP2Qualified:bool
        BankAccounts:any PayTemplate:any OpeningBalances:any TaxDeclaration:any SuperMemberships:any
        Status=ACTIVE|TERMINATED""",
    "HomeAddress": "AddressLine1 AddressLine2 City Region PostalCode Country",
    # payroll, UK and NZ
    "UkEmployee": """
        employeeID:guid title firstName lastName dateOfBirth:iso address:{CamelAddress} email
        gender=M|F phoneNumber startDate:iso nationalInsuranceNumber isOffPayrollWorker:bool""",
    "NzEmployee": """
        employeeID:guid title firstName lastName dateOfBirth:iso address:{CamelAddress} email
        gender=M|F phoneNumber startDate:iso jobTitle engagementType=Permanent|FixedTerm
        fixedTermEndDate:iso""",
    "CamelAddress": "addressLine1 addressLine2 city suburb postCode countryName",
}
LABELS = {"PayrollEmployee": "Employee"}       # types whose messages use another word


class Member:
    """One writable member: its name, its kind, and what the kind takes."""

    def __init__(self, word):
        found = re.match(r"(\w+)(?:/(\d+)|=(.*)|:\{(\w+)\}|:\[(\w+)\]|:(\w+))?$", word)
        self.name, longest, words, nested, listed, kind = found.groups()
        self.longest = int(longest) if longest else None
        self.words = words.split("|") if words is not None else None
        self.type = nested or listed
        self.kind = "enum" if words is not None else "object" if nested else "list" if listed else kind or "text"


MEMBERS = {name: {member.name.lower(): member for member in map(Member, words.split())}
           for name, words in _WORDS.items()}


class Reader:
    """Reads the elements of one request."""

    def __init__(self, unitdp4, strict):
        self.unitdp4 = unitdp4
        self.strict = strict
        self.complaints = []

    def element(self, type_name, raw):
        """(record, what is wrong with it)."""
        self.complaints = []
        return self.object(type_name, raw), self.complaints

    def object(self, type_name, raw):
        if not isinstance(raw, dict):
            raise post_data_invalid(f"Cannot deserialize the current JSON into type '{type_name}'")
        members = MEMBERS[type_name]
        record = {}
        for name, value in raw.items():
            member = members.get(name.lower())
            if member is None:
                if self.strict:
                    raise post_data_invalid(f"'{name}' cannot be written to '{type_name}'")
            elif value is not None:                         # null leaves alone
                record[member.name] = self.value(type_name, member, value)
        return record

    def value(self, type_name, member, value):
        if member.kind == "object":
            return self.object(member.type, value)
        if member.kind == "list":
            if not isinstance(value, list):
                raise post_data_invalid(f"'{member.name}' is not an array")
            return [self.object(member.type, inner) for inner in value]
        if member.kind == "any":
            return plain_leaves(value)
        if member.kind == "bool":
            return boolean(value)
        text = scalar(value)
        if member.kind == "text":
            if member.longest and len(text) > member.longest:
                label = LABELS.get(type_name, type_name)
                self.complaints.append(messages.TOO_LONG.format(label, member.name, member.longest))
            return text
        if member.kind == "enum":
            if text not in member.words:
                raise post_data_invalid(f"'{text}' is not a valid value for {type_name}.{member.name}")
            return text
        if member.kind == "guid":
            return guid(text)
        if member.kind in ("day", "iso"):
            return date(text, member.kind)
        return self.number(member.kind, text)

    def number(self, kind, text):
        try:
            number = Decimal(text.strip())
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or abs(number) >= Decimal("1e18"):
            raise post_data_invalid(f"Could not convert string to decimal: {text[:60]}")
        if kind == "int":
            if number != number.to_integral_value():
                raise post_data_invalid(f"Input string '{text[:60]}' is not a valid integer")
            return int(number)
        if kind == "money":
            return Number(cents(number))
        if kind == "unit":
            return UnitAmount(places(number if self.unitdp4 else cents(number), 4))
        if kind == "rate":
            whole, _, rest = f"{number:.10f}".rstrip("0").partition(".")
            return Number(f"{whole}.{rest:0<6}")
        return Number(places(number, 2 if kind == "percent" else 4))


def plain_leaves(value):
    """JSON that is kept as it came, numbers with their digits."""
    if isinstance(value, dict):
        return {name: plain_leaves(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain_leaves(inner) for inner in value]
    return Number(f"{value:f}") if isinstance(value, Decimal) else value


def scalar(value):
    if isinstance(value, (dict, list, bool)):
        raise post_data_invalid("Unexpected character encountered while parsing value")
    return value if isinstance(value, str) else str(value)


def boolean(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise post_data_invalid(f"Could not convert to boolean: {str(value)[:60]}")


def guid(text):
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise post_data_invalid(f"Error converting value \"{text[:60]}\" to type 'System.Guid'.") from None


def date(text, kind):
    """A calendar date; a blank between date and time is no AllXsd value."""
    ms = None if " " in text else parse_ms(text)
    if ms is None:
        raise post_data_invalid(f"The string '{text[:60]}' is not a valid AllXsd value.")
    ms -= ms % 86_400_000
    return Day(ms) if kind == "day" else Iso(iso_seconds(ms))
