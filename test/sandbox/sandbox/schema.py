"""The fields of each object that a filter can name, with their types.

One line of words an object: `Field` is a string (enumerations are too),
`Field:kind` any other type, `Field:{Other}` a nested object and `Field:[]` a
collection.  Collections cannot be filtered on.
"""

# How Dynamic LINQ calls each kind in its messages.
TYPE_NAMES = {"str": "String", "guid": "Guid", "bool": "Boolean?", "int": "Int32?",
              "money": "Decimal?", "day": "DateTime?", "instant": "DateTime?"}

_WORDS = {
    "Account": """
        Code Name AccountID:guid Type BankAccountNumber Status Description BankAccountType CurrencyCode
        TaxType EnablePaymentsToAccount:bool ShowInExpenseClaims:bool Class SystemAccount ReportingCode
        ReportingCodeName HasAttachments:bool UpdatedDateUTC:instant AddToWatchlist:bool ValidationErrors:[]""",
    "Action": """
        Name Status""",
    "BankTransaction": """
        Type Contact:{Contact} LineItems:[] BankAccount:{Account} IsReconciled:bool Date:day Reference
        CurrencyCode CurrencyRate:money Url Status LineAmountTypes SubTotal:money TotalTax:money Total:money
        BankTransactionID:guid PrepaymentID:guid OverpaymentID:guid UpdatedDateUTC:instant
        HasAttachments:bool StatusAttributeString ValidationErrors:[]""",
    "BankTransfer": """
        FromBankAccount:{Account} ToBankAccount:{Account} Amount:money Date:day BankTransferID:guid
        CurrencyRate:money FromBankTransactionID:guid ToBankTransactionID:guid FromIsReconciled:bool
        ToIsReconciled:bool Reference HasAttachments:bool CreatedDateUTC:instant Status FromTracking:[]
        ToTracking:[] ValidationErrors:[]""",
    "BatchPayment": """
        Account:{Account} Reference Particulars Code Details Narrative BatchPaymentID:guid DateString
        Date:day Amount:money Payments:[] Type Status TotalAmount:money UpdatedDateUTC:instant
        IsReconciled:bool ValidationErrors:[]""",
    "BatchPaymentDetails": """
        BankAccountNumber BankAccountName Details Code Reference""",
    "BrandingTheme": """
        BrandingThemeID:guid Name LogoUrl Type SortOrder:int CreatedDateUTC:instant""",
    "PaymentService": """
        PaymentServiceID:guid PaymentServiceName PaymentServiceUrl PayNowText PaymentServiceType
        ValidationErrors:[]""",
    "Contact": """
        ContactID:guid MergedToContactID:guid ContactNumber AccountNumber ContactStatus Name FirstName
        LastName CompanyNumber EmailAddress ContactPersons:[] BankAccountDetails TaxNumber TaxNumberType
        AccountsReceivableTaxType AccountsPayableTaxType Addresses:[] Phones:[] IsSupplier:bool
        IsCustomer:bool SalesDefaultLineAmountType PurchasesDefaultLineAmountType DefaultCurrency
        XeroNetworkKey SalesDefaultAccountCode PurchasesDefaultAccountCode SalesTrackingCategories:[]
        PurchasesTrackingCategories:[] TrackingCategoryName TrackingCategoryOption
        PaymentTerms:{PaymentTerm} UpdatedDateUTC:instant ContactGroups:[] Website
        BrandingTheme:{BrandingTheme} BatchPayments:{BatchPaymentDetails} Discount:money Balances:{Balances}
        Attachments:[] HasAttachments:bool ValidationErrors:[] HasValidationErrors:bool
        StatusAttributeString""",
    "Budget": """
        BudgetID:guid Type Description UpdatedDateUTC:instant CreatedIn BudgetLines:[] Tracking:[]""",
    "Balances": """
        AccountsReceivable:{AccountsReceivable} AccountsPayable:{AccountsPayable}""",
    "ContactGroup": """
        Name Status ContactGroupID:guid Contacts:[]""",
    "CreditNote": """
        Type Contact:{Contact} Date:day DueDate:day Status LineAmountTypes LineItems:[] SubTotal:money
        TotalTax:money Total:money CISDeduction:money CISRate:money UpdatedDateUTC:instant
        UpdatedDateUTCString CurrencyCode FullyPaidOnDate:day CreditNoteID:guid CreditNoteNumber Reference
        SentToContact:bool CurrencyRate:money RemainingCredit:money Allocations:[] AppliedAmount:money
        Payments:[] BrandingThemeID:guid StatusAttributeString HasAttachments:bool HasErrors:bool
        ValidationErrors:[] Warnings:[] InvoiceAddresses:[]""",
    "Currency": """
        Code Description""",
    "ExpenseClaim": """
        ExpenseClaimID:guid Status Payments:[] User:{User} Receipts:[] UpdatedDateUTC:instant Total:money
        AmountDue:money AmountPaid:money PaymentDueDate:day ReportingDate:day ReceiptID:guid""",
    "Invoice": """
        Type Contact:{Contact} LineItems:[] Date:day DueDate:day LineAmountTypes InvoiceNumber Reference
        BrandingThemeID:guid Url CurrencyCode CurrencyRate:money Status SentToContact:bool
        ExpectedPaymentDate:day PlannedPaymentDate:day CISDeduction:money CISRate:money SubTotal:money
        TotalTax:money Total:money TotalDiscount:money InvoiceID:guid RepeatingInvoiceID:guid
        HasAttachments:bool IsDiscounted:bool Payments:[] Prepayments:[] Overpayments:[] AmountDue:money
        AmountPaid:money FullyPaidOnDate:day AmountCredited:money UpdatedDateUTC:instant
        UpdatedDateUTCString CreditNotes:[] Attachments:[] HasErrors:bool StatusAttributeString
        ValidationErrors:[] Warnings:[] InvoiceAddresses:[] InvoicePaymentServices:[] SentToEmailAddress
        RoundingAmount:money EnteredTotal:money""",
    "InvoiceReminder": """
        Enabled:bool""",
    "Item": """
        Code InventoryAssetAccountCode Name IsSold:bool IsPurchased:bool Description PurchaseDescription
        PurchaseDetails:{Purchase} SalesDetails:{Purchase} IsTrackedAsInventory:bool TotalCostPool:money
        QuantityOnHand:money QuantityAvailable:money QuantityOnBackOrder:money UpdatedDateUTC:instant
        ItemID:guid StatusAttributeString ValidationErrors:[]""",
    "Purchase": """
        UnitPrice:money AccountCode COGSAccountCode TaxType""",
    "Journal": """
        JournalID:guid JournalDate:day JournalNumber:int CreatedDateUTC:instant Reference SourceID:guid
        SourceType JournalLines:[]""",
    "LinkedTransaction": """
        SourceTransactionID:guid SourceLineItemID:guid ContactID:guid TargetTransactionID:guid
        TargetLineItemID:guid LinkedTransactionID:guid Status Type UpdatedDateUTC:instant
        SourceTransactionTypeCode ValidationErrors:[]""",
    "ManualJournal": """
        Narration JournalLines:[] Date:day LineAmountTypes Status Url ShowOnCashBasisReports:bool
        HasAttachments:bool UpdatedDateUTC:instant ManualJournalID:guid StatusAttributeString Warnings:[]
        ValidationErrors:[] Attachments:[]""",
    "Organisation": """
        OrganisationID:guid APIKey Name LegalName PaysTax:bool Version OrganisationType BaseCurrency
        CountryCode IsDemoCompany:bool OrganisationStatus RegistrationNumber EmployerIdentificationNumber
        TaxNumber TaxNumberName FinancialYearEndDay:int FinancialYearEndMonth:int SalesTaxBasis SalesTaxPeriod
        DefaultSalesTax DefaultPurchasesTax PeriodLockDate:day EndOfYearLockDate:day CreatedDateUTC:instant
        Timezone OrganisationEntityType ShortCode Class Edition LineOfBusiness Addresses:[] Phones:[]
        ExternalLinks:[] PaymentTerms:{PaymentTerm}""",
    "PaymentTerm": """
        Bills:{Bill} Sales:{Bill}""",
    "Overpayment": """
        Type Contact:{Contact} Date:day Status LineAmountTypes LineItems:[] SubTotal:money TotalTax:money
        Total:money UpdatedDateUTC:instant UpdatedDateUTCString CurrencyCode OverpaymentID:guid
        CurrencyRate:money RemainingCredit:money Allocations:[] AppliedAmount:money Payments:[]
        HasAttachments:bool Reference Attachments:[]""",
    "Payment": """
        Invoice:{Invoice} CreditNote:{CreditNote} Prepayment:{Prepayment} Overpayment:{Overpayment}
        InvoiceNumber CreditNoteNumber BatchPayment:{BatchPayment} Account:{Account} Code Date:day
        CurrencyRate:money Amount:money BankAmount:money Reference IsReconciled:bool Status PaymentType
        UpdatedDateUTC:instant UpdatedDateUTCString PaymentID:guid BatchPaymentID:guid BankAccountNumber
        Particulars Details HasAccount:bool HasValidationErrors:bool StatusAttributeString
        ValidationErrors:[] Warnings:[]""",
    "Prepayment": """
        Type Contact:{Contact} Date:day Status LineAmountTypes LineItems:[] SubTotal:money TotalTax:money
        Total:money Reference InvoiceNumber UpdatedDateUTC:instant UpdatedDateUTCString CurrencyCode
        PrepaymentID:guid BrandingThemeID:guid CurrencyRate:money RemainingCredit:money Allocations:[]
        Payments:[] AppliedAmount:money HasAttachments:bool Attachments:[]""",
    "PurchaseOrder": """
        Contact:{Contact} LineItems:[] Date:day DeliveryDate:day LineAmountTypes PurchaseOrderNumber
        Reference BrandingThemeID:guid CurrencyCode Status SentToContact:bool DeliveryAddress AttentionTo
        Telephone DeliveryInstructions ExpectedArrivalDate:day PurchaseOrderID:guid CurrencyRate:money
        SubTotal:money TotalTax:money Total:money TotalDiscount:money HasAttachments:bool
        UpdatedDateUTC:instant StatusAttributeString ValidationErrors:[] Warnings:[] Attachments:[]""",
    "Quote": """
        QuoteID:guid QuoteNumber Reference Terms Contact:{Contact} LineItems:[] Date:day DateString
        ExpiryDate:day ExpiryDateString Status CurrencyCode CurrencyRate:money SubTotal:money TotalTax:money
        Total:money TotalDiscount:money Title Summary BrandingThemeID:guid UpdatedDateUTC:instant
        LineAmountTypes StatusAttributeString ValidationErrors:[]""",
    "Receipt": """
        Date:day Contact:{Contact} LineItems:[] User:{User} Reference LineAmountTypes SubTotal:money
        TotalTax:money Total:money ReceiptID:guid Status ReceiptNumber UpdatedDateUTC:instant
        HasAttachments:bool Url ValidationErrors:[] Warnings:[] Attachments:[]""",
    "RepeatingInvoice": """
        Type Contact:{Contact} Schedule:{Schedule} LineItems:[] LineAmountTypes Reference
        BrandingThemeID:guid CurrencyCode Status SubTotal:money TotalTax:money Total:money
        RepeatingInvoiceID:guid ID:guid HasAttachments:bool Attachments:[] ApprovedForSending:bool
        SendCopy:bool MarkAsSent:bool IncludePDF:bool""",
    "Schedule": """
        Period:int Unit DueDate:int DueDateType StartDate:day NextScheduledDate:day EndDate:day""",
    "TaxRate": """
        Name TaxType TaxComponents:[] Status ReportTaxType CanApplyToAssets:bool CanApplyToEquity:bool
        CanApplyToExpenses:bool CanApplyToLiabilities:bool CanApplyToRevenue:bool DisplayTaxRate:money
        EffectiveRate:money""",
    "TrackingCategory": """
        TrackingCategoryID:guid TrackingOptionID:guid Name Option Status Options:[]""",
    "User": """
        UserID:guid EmailAddress FirstName LastName UpdatedDateUTC:instant IsSubscriber:bool
        OrganisationRole""",
    "PayrollEmployee": """
        FirstName LastName DateOfBirth:day HomeAddress:{HomeAddress} StartDate:day Title MiddleNames Email
        Gender Phone Mobile TwitterUserName IsAuthorisedToApproveLeave:bool
        IsAuthorisedToApproveTimesheets:bool JobTitle Classification OrdinaryEarningsRateID:guid
        PayrollCalendarID:guid EmployeeGroupName EmployeeID:guid TerminationDate:day TerminationReason
        BankAccounts:[] PayTemplate:{PayTemplate} OpeningBalances:{OpeningBalances}
        TaxDeclaration:{TaxDeclaration} IncomeType EmploymentType CountryOfResidence IsSTP2Qualified:bool
        LeaveBalances:[] SuperMemberships:[] Status UpdatedDateUTC:instant ValidationErrors:[]""",
}


def _parse(words):
    fields = {}
    for word in words.split():
        name, _, kind = word.partition(":")
        fields[name] = kind or "str"
    return fields


FIELDS = {name: _parse(words) for name, words in _WORDS.items()}
FIELDS["AccountsReceivable"] = FIELDS["AccountsPayable"] = {"Outstanding": "money", "Overdue": "money"}
FIELDS["Bill"] = {"Day": "int", "Type": "str"}
FIELDS["CamelEmployee"] = {"employeeID": "guid", "updatedDateUTC": "str"}
_LOWER = {name: {field.lower(): field for field in fields} for name, fields in FIELDS.items()}


def find(type_name, word):
    """(field, kind) for a name in any letter case, or None."""
    field = _LOWER.get(type_name, {}).get(word.lower())
    return field and (field, FIELDS[type_name][field])


def kind_of(type_name, field):
    return FIELDS.get(type_name, {}).get(field)
