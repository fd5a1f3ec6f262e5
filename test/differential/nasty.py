"""Records that are hard to compare, added to what the sandbox has by itself.

Copies of its own records under new keys, with texts in other casings, with
blanks at their ends, without their accents, with quotes and wildcards; with
members missing; with numbers of other scales and dates far away.
"""
import re
import unicodedata
import uuid

from database import Raw, sandbox

# Members that other parts of the sandbox rely on, or that Xero keeps in a
# closed spelling.
KEEP = {"Status", "ContactStatus", "Type", "LineAmountTypes", "CurrencyCode", "PaymentType", "TaxType", "Class",
        "OrganisationRole", "JournalNumber", "SourceTransactionTypeCode", "SystemAccount", "BankAccountType",
        "ReportTaxType", "Gender", "IncomeType", "EmploymentType", "Title", "CreatedDateUTC",
        "ReportingCode", "TaxNumberType", "HasAttachments", "DefaultCurrency", "CountryOfResidence", "AccountsReceivableTaxType",
        "AccountsPayableTaxType"}
# Never null, as far as Xero is known.
NEVER_NULL = {"UpdatedDateUTC", "Date", "Total", "SubTotal", "TotalTax", "Amount", "AmountDue", "AmountPaid",
              "AmountCredited", "Name", "FirstName", "LastName", "Code", "Narration", "Description", "StartDate",
              "DateOfBirth", "TotalAmount", ("UserID", "EmailAddress")}
SIZES = {"Invoices": 45, "Contacts": 45, "CreditNotes": 15, "BankTransactions": 20, "Payments": 15, "Items": 15,
         "Accounts": 10, "PurchaseOrders": 15, "Quotes": 20, "ManualJournals": 15, "Prepayments": 10,
         "Overpayments": 10, "Receipts": 10, "Employees": 15, "BatchPayments": 8, "Users": 5, "BankTransfers": 8,
         "ExpenseClaims": 4, "LinkedTransactions": 10}
MS_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")
DAY = 86_400_000
# From 1970: years 1 to 9999, the day that Samoa left out, one without a midnight in Brazil.
FAR_DAYS = [-719162, -693960, -25567, -1, 0, 1, 11016, 15337, 15338, 15339, 17839, 19782, 47847, 2932896]


def strip_accents(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def twist_text(random, text):
    """Another text that Xero may take for the same, or that breaks filters."""
    return random.choice([
        text.swapcase(), text.upper(), text.lower(), text + " ", text + "   ", " " + text, strip_accents(text),
        text.replace("e", "é").replace("o", "ö"), text + '"', text.replace(" ", '" OR 1==1 OR Name=="'), text + "\\",
        text + "%", "_" + text[1:], text + "\U0001f9fe", text + ", " + text, "null", "", text + "\u00a0", text * 3,
        "[a-z]" + text, text.replace("e", "e\u0301"), "ß" + text, text + "\u0130",
        text.replace("i", "\u0130").replace("k", "\u212a"), text.replace("I", "\u0131").replace("s", "\u017f")])


def twist_moment(random, text, is_day):
    ms = int(MS_DATE.fullmatch(text)[1])
    if is_day:
        ms = random.choice([ms, min(ms + DAY, FAR_DAYS[-1] * DAY), random.choice(FAR_DAYS) * DAY])
        # Xero has dates whose stored time of day is not midnight.
        ms += random.choice([0, 0, 0, DAY - 1, 43_200_000])
    else:
        ms = random.choice([ms // 1000 * 1000, ms // 1000 * 1000 + 999, ms + 1, ms, 1_600_000_000_000])
    return f"/Date({ms}+0000)/"


def new_keys(value):
    """Elements of arrays are records too."""
    if isinstance(value, list):
        for element in value:
            new_keys(element)
    if isinstance(value, dict):
        for name in list(value)[:]:
            if name in ("LineItemID", "AllocationID", "JournalLineID", "TrackingOptionID"):
                value[name] = str(uuid.UUID(int=new_keys.random.getrandbits(128), version=4))
            else:
                new_keys(value[name])


def twist(random, key, record):
    """A copy with some members changed."""
    new_keys.random = random
    copy = {}
    for name, value in record.items():
        if name == key:
            value = str(uuid.UUID(int=random.getrandbits(128), version=4))
        elif name in KEEP or (name.endswith("ID") and isinstance(value, str)) or name.endswith("String"):
            pass
        elif random.random() < 0.15 and name not in NEVER_NULL and (key, name) not in NEVER_NULL and not isinstance(value, (list, dict)):
            value = None
        elif isinstance(value, str) and not isinstance(value, Raw) and random.random() < 0.5:
            if MS_DATE.fullmatch(value):
                value = twist_moment(random, value, not name.endswith("UTC"))
            else:
                value = twist_text(random, value)
        elif isinstance(value, Raw) and "." in value and random.random() < 0.4:
            value = Raw(random.choice([value + "0", value.rstrip("0") + "0", "0.00", "-" + value.lstrip("-"),
                                       "9999999999.99", "0.0001", "100"]))
        elif isinstance(value, list):
            value = [dict(element) if isinstance(element, dict) else element for element in value]
            new_keys(value)
        copy[name] = value
    return copy


def add(random, tables):
    """Load them; the objects by name with how many there are now."""
    for table in tables.values():
        name = table["root"]
        size = SIZES.get(name)
        if table["array"] or not size:
            continue
        records = sandbox(f"state/{name}")
        key = next(column["field"] for column in table["columns"] if column["column_name"] == table["key_column"])
        copies = [twist(random, key, random.choice(records)) for _ in range(size)]
        sandbox("data", {"object": name, "records": copies})
