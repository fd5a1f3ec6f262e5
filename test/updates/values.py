"""Values to set: for each column one, or a few, that its record does not have."""
import copy
import datetime

from database import Raw
from truth import field_of, member, moment

WORDS = {
    "line_amount_types": ["Exclusive", "Inclusive", "NoTax"],
    "sales_default_line_amount_type": ["INCLUSIVE", "EXCLUSIVE"],
    "purchases_default_line_amount_type": ["INCLUSIVE", "EXCLUSIVE"],
    "bank_account_type": ["BANK", "CREDITCARD"],
    "tax_number_type": ["SSN", "EIN"], "report_tax_type": ["OUTPUT", "INPUT"],
    "gender": ["M", "F"], "title": ["Mr", "Ms"], "engagement_type": ["Permanent", "FixedTerm"],
    "termination_reason": ["V", "I"], "employment_type": ["EMPLOYEE", "CONTRACTOR"],
}
STATUSES = {"ContactGroups": ["ACTIVE", "DELETED"], "Accounts": ["ACTIVE", "ARCHIVED"],
            "TrackingCategories": ["ACTIVE", "ARCHIVED"], "Contacts": ["ACTIVE", "ARCHIVED"],
            "Employees": ["ACTIVE", "TERMINATED"]}
TEXTS = {"email_address": "other@example.com", "email": "other@example.com", "url": "https://example.com/other",
         "country": "AUSTRALIA", "country_of_residence": "NZ", "currency_code": "USD", "default_currency": "EUR",
         "national_insurance_number": "AB123456C", "income_type": "SALARYANDWAGES"}
# What would stand in the way of any change.
EDITABLE = {"IsReconciled": False, "Date": "/Date(1767139200000+0000)/", "DateString": "2025-12-31T00:00:00"}
LINK = ("ContactID", "TargetTransactionID", "TargetLineItemID")
LISTS = ("super_memberships", "bank_accounts", "invoice_addresses")
# The members of JSON whose text is changed, the first that is there.
CHANGED = ("Description", "City", "city", "PhoneNumber", "FirstName", "BankAccountName", "TrackingOptionName", "Option",
           "Name", "AddressLine1", "addressLine1", "StatementText")
FILLED = {
    "contact_persons": [{"FirstName": "P", "LastName": "Q", "EmailAddress": "p@example.com", "IncludeInEmails": True}],
    "sales_tracking_categories": [{"TrackingCategoryName": "Region", "TrackingOptionName": "North"}],
    "purchases_tracking_categories": [{"TrackingCategoryName": "Region", "TrackingOptionName": "North"}],
    "payment_terms": {"Bills": {"Day": 15, "Type": "OFCURRENTMONTH"}, "Sales": {"Day": 10, "Type": "OFCURRENTMONTH"}},
    "batch_payments": {"BankAccountNumber": "12-1", "BankAccountName": "Main", "Details": "Thanks", "Code": "A",
                       "Reference": "R"},
}


class Values:
    """What columns can be set to, given the records that there are."""

    def __init__(self, state):
        self.state = state

    def pick(self, name, field, test, but=None):
        return next((field_of(record, field) for record in self.state.get(name, ())
                     if test(record) and field_of(record, field) not in (None, but)), None)

    def reference(self, column, part, record, old):
        """The key of another record, where the column names one; else None."""
        name = column["column_name"]
        if name == "contact_id":
            return self.pick("Contacts", "ContactID", lambda c: c["ContactStatus"] == "ACTIVE", old)
        if name == "branding_theme_id":
            return self.theme(old)
        if name in ("account_code", "account_id", "sales_account_code", "purchase_account_code") or \
                name.endswith("default_account_code") or name.endswith("details_account_code"):
            known = old or part.get("AccountID") or part.get("AccountCode")
            now = next((a for a in self.state["Accounts"] if known in (a.get("Code"), a["AccountID"])), {})
            kind = now.get("Class", "REVENUE")
            return self.pick("Accounts", "AccountID" if name == "account_id" else "Code", lambda a: a["Status"] == "ACTIVE" and
                             a["Class"] == kind and a["Type"] not in ("BANK", "INVENTORY") and not a.get("SystemAccount")
                             and a.get("TaxType") == now.get("TaxType", a.get("TaxType")) and a is not now, old)
        if name.endswith("cogs_account_code"):
            return self.pick("Accounts", "Code", lambda a: a["Type"] == "DIRECTCOSTS" or a["Type"] == "EXPENSE", old)
        if name.endswith("tax_type") and name != "report_tax_type":
            account = next((a for a in self.state["Accounts"] if a["AccountID"] == part.get("AccountID") or
                            (part.get("AccountCode") and a.get("Code") == part["AccountCode"])), {})
            applies = "CanApplyTo" + {"REVENUE": "Revenue", "EXPENSE": "Expenses"}.get(account.get("Class"), "Equity")
            return self.pick("TaxRates", "TaxType", lambda t: t["Status"] == "ACTIVE" and
                             (t.get(applies) or float(t["EffectiveRate"]) == 0), old)
        if name in ("bank_account_id", "bank_account_code"):
            return self.pick("Accounts", "AccountID" if name.endswith("id") else "Code",
                             lambda a: a["Type"] == "BANK" and a["Status"] == "ACTIVE", old)
        if name == "item_code":
            return self.pick("Items", "Code", lambda i: True, old)
        if name == "target_transaction_id":
            return self.pick("Invoices", "InvoiceID", lambda i: i["Type"] == "ACCREC" and i["Status"] == "DRAFT", old)
        if name == "user_id":
            return self.pick("Users", "UserID", lambda u: True, old)
        return None

    def theme(self, old):
        return next((record["BrandingThemeID"] for name in ("Invoices", "CreditNotes")
                     for record in self.state[name] if record.get("BrandingThemeID") not in (None, old)), None)

    # filling ---------------------------------------------------------------

    def fill(self, table, record):
        """The record with a value in every column that can be written."""
        record = copy.deepcopy(record)
        for name, value in EDITABLE.items():
            if name in record:
                record[name] = value
        if table.name == "linked_transactions":
            record = {name: value for name, value in record.items() if name not in LINK}
            record["SourceTransactionTypeCode"] = "SPEND"
        part = member(record, table.array)[0] if table.array else record
        for column in table.columns:
            path = column["field"].split(".")
            if field_of(part, column["field"]) in (None, "", []):
                value = self.filling(table, column, part, record)
                holder = part
                for name in path[:-1]:
                    holder = holder.setdefault(name, {}) if isinstance(holder, dict) else None
                if value is not None and isinstance(holder, dict):
                    holder[path[-1]] = value
                    if column["data_type"] == "date" and table.row["api"] == "accounting":
                        holder[path[-1] + "String"] = "2026-01-01T00:00:00"
        return record

    def filling(self, table, column, part, record):
        name, kind = column["column_name"], column["data_type"]
        if name in FILLED:
            return copy.deepcopy(FILLED[name])
        # What a record must not have beside something else, or refers to another one by.
        if name in ("discount_amount", "discount_rate", "account_id", "tax_type", "item_code", "tracking", "status",
                    "contact_id", "inventory_asset_account_code", "bank_account_number", "bank_account_type",
                    "currency_code", "contact_number", "code", "bank_account_code") or name.startswith(("target_", "source_")) or \
                name.endswith(("account_code", "tax_type")):
            return None
        if name == "branding_theme_id":
            return self.theme(None)
        if name in WORDS:
            return WORDS[name][0]
        if name in TEXTS:
            return TEXTS[name]
        if kind == "text":
            return "filled"
        if kind == "boolean":
            return True
        if kind == "date" and table.row["api"] in ("accounting", "payroll_au"):
            return "/Date(1767225600000+0000)/"
        return "2026-01-01T00:00:00" if kind == "date" else None

    # changing ---------------------------------------------------------------

    def others(self, table, column, record):
        """Values that the record does not have."""
        name, kind = column["column_name"], column["data_type"]
        part = member(record, table.array)[0] if table.array else record
        old = field_of(part, column["field"])
        if name in ("status", "contact_status"):
            known = STATUSES.get(table.object) or sorted({member(one, "Status") for one in self.state[table.object]})
            return [status for status in known if status != old]
        found = self.reference(column, part, record, old)
        if found is not None:
            return [found]
        if name == "type":
            known = {one["Type"] for one in self.state[table.object]}
            return [{"EXPENSE": "OVERHEADS", "REVENUE": "SALES"}.get(old)] if table.name == "accounts" else sorted(known - {old})[:1]
        if name in WORDS:
            words = [word.upper() for word in WORDS[name]] if table.name == "quotes" and name == "line_amount_types" \
                else WORDS[name]
            return [word for word in words if word != old][:1]
        if kind == "jsonb":
            return self.documents(name, old)
        if kind == "uuid":
            return ["11111111-1111-4111-8111-111111111111"] if name.endswith(("rate_id", "calendar_id")) else []
        if kind == "boolean":
            return [old is not True]
        if kind in ("numeric", "integer"):
            return [Raw("7" if old is None else f"{float(old) + 1:.4f}".rstrip("0").rstrip("."))]
        if kind == "date":
            day = moment(old)[0] if old else datetime.date(2026, 1, 1)
            return [(day + datetime.timedelta(days=1)).isoformat()]
        if kind == "text":
            if name in TEXTS:
                return [TEXTS[name] if TEXTS[name] != old else "AUD" if "curr" in name else "x" + TEXTS[name]]
            return [f"{(old or '')[:8].strip()}x7", *([""] if not column["required"] and name not in ("code",) else [])]
        return []

    def documents(self, name, old):
        """JSON that is changed in one text; and an empty list."""
        new = copy.deepcopy(old)
        lists = [[]] if isinstance(old, list) and name in ("contact_persons", "tracking") and old else []
        if name == "tracking":
            category = next(one for one in self.state["TrackingCategories"] if one["Status"] == "ACTIVE")
            return lists or [[{"Name": category["Name"], "Option": category["Options"][0]["Name"]}]]
        if not old and not lists:
            new = {"AddressLine1": "x7"} if name == "invoice_addresses" else {"Name": "x7"}
            return [[new] if name in LISTS else new]
        return ([new] if new and (change(new) or increase(new) or change_any(new)) else []) + lists


def change(value):
    """Change one text inside; whether there was one."""
    if isinstance(value, list):
        return bool(value) and change(value[0])
    if isinstance(value, dict):
        for name in CHANGED:
            if isinstance(value.get(name), str):
                value[name] = "South" if name in ("TrackingOptionName", "Option") else "Changed"
                return True
        return any(change(inner) for inner in value.values())
    return False


def change_any(value):
    """The same whatever it is called."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(inner, str) and not isinstance(inner, Raw):
            value[name] = inner + "x7"
            return True
        if change_any(inner):
            return True
    return False


def increase(value):
    """The same for a number."""
    if isinstance(value, list):
        return bool(value) and increase(value[0])
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, Raw):
            value[name] = Raw(f"{float(inner) + 1:g}")
            return True
        if increase(inner):
            return True
    return False
