"""Does an UPDATE change the column in SET, and nothing else?

Everything follows from the catalogue: each table that can be updated, each of
its columns that can be written, in a record of each status.  The record is full:
it has a value in every column that can be written.  After the statement, the
sandbox's state must differ in that column alone, and in what Xero computes from
it (FOLLOWS), lines included.  A refusal is as good, if it has changed nothing; but
each column must be accepted in some record.  Where Xero stores something else
than was set, there is a WARNING.

    UPDATES_ONLY     "invoices" or "invoices.reference": this table or column only
    UPDATES_QUIRKS   of the sandbox, with commas
"""
import asyncio
import collections
import os
import sys
import time

from database import Raw, catalogue, connect, literal, sandbox, spell
from session import Session
from truth import field_of, member, moment, same
from values import Values

ONLY = os.environ.get("UPDATES_ONLY", "")
QUIRKS = [quirk for quirk in os.environ.get("UPDATES_QUIRKS", "").split(",") if quirk]
PARTS = [("AU", ["accounting", "payroll_au"]), ("UK", ["payroll_uk"]), ("NZ", ["payroll_nz"])]

# A refusal of these classes says that nothing was changed.
REFUSALS = ("23", "0A000", "22023")
# A record that has refused so many columns on end refuses all but its status.
PATIENCE = 6
CLOCKS = {"UpdatedDateUTC", "UpdatedDateUTCString", "updatedDateUTC"}
TOTALS = {"SubTotal", "TotalTax", "Total", "TotalDiscount", "AmountDue", "RemainingCredit", "IsDiscounted", "RoundingAmount"}

# What Xero computes from a column, beside its clocks.
FOLLOWS = {
    "date": {"DateString"}, "due_date": {"DueDateString"}, "delivery_date": {"DeliveryDateString"},
    "expiry_date": {"ExpiryDateString"}, "expected_arrival_date": {"ExpectedArrivalDateString"},
    "currency_code": {"CurrencyRate"}, "line_items": TOTALS, "line_amount_types": TOTALS | {"LineItems"},
    "status": {"AmountDue", "RemainingCredit", "FullyPaidOnDate", "IsActive", "IsArchived", "IsDeleted"},
    "type": {"Class"}, "code": {"Code"}, "tax_components": {"DisplayTaxRate", "EffectiveRate"},
    "contact_id": {"Status"}, "target_transaction_id": {"Status"}, "target_line_item_id": {"Status"},
    }
# The same for a line.
LINE_AMOUNTS = {"LineAmount", "TaxAmount", "DiscountAmount", "DiscountRate"}
LINE_FOLLOWS = {
    "quantity": LINE_AMOUNTS, "unit_amount": LINE_AMOUNTS, "discount_rate": LINE_AMOUNTS,
    "discount_amount": LINE_AMOUNTS, "tax_type": {"TaxAmount"}, "line_amount": {"UnitAmount", "TaxAmount"},
    "item_code": {"Item", "ItemID"}, "account_code": {"AccountID", "TaxType", "TaxAmount"},
    "account_id": {"AccountCode", "TaxType", "TaxAmount"}, "status": {"IsActive", "IsArchived", "IsDeleted"},
}
# Objects that show other objects: their copies follow.
SHOWN_IN = {"Invoices": {"Payments", "CreditNotes", "Prepayments", "Overpayments", "Contacts"},
            "Contacts": {"ContactGroups", "Invoices", "CreditNotes", "BankTransactions", "PurchaseOrders", "Quotes",
                         "Receipts", "RepeatingInvoices", "Prepayments", "Overpayments", "Payments"},
            "ContactGroups": {"Contacts"}, "BankTransactions": {"Prepayments", "Overpayments", "Contacts"},
            "CreditNotes": {"Contacts"}}


# Columns that no statement of this test can change by themselves, and why.
NEVER = {
    "a document keeps its type": {"bank_transactions.type", "credit_notes.type", "invoices.type"},
    "Xero computes it; a price has to change": {
        name + "_line_items.line_amount"
        for name in ("bank_transaction", "credit_note", "invoice", "purchase_order", "quote", "receipt")},
    "the lines must sum up to nothing": {"manual_journal_journal_lines.line_amount"},
    "discounts are for sales": {name + "_line_items.discount_" + how for how in ("rate", "amount")
                                for name in ("bank_transaction", "credit_note", "purchase_order", "receipt")},
    "they mean something together": {"linked_transactions." + name for name in (
        "source_transaction_id", "source_line_item_id", "target_line_item_id")},
    "a claim keeps its receipts": {"expense_claims.receipts"},
}


def told(value):
    """A value without members that say nothing: null, empty and absent are the same."""
    if isinstance(value, dict):
        return {name: told(inner) for name, inner in value.items() if inner not in (None, "")}
    return list(map(told, value)) if isinstance(value, list) else value


def differing(before, after):
    """The names of the members that are not the same."""
    return {name for name in before.keys() | after.keys()
            if told(before.get(name) or None) != told(after.get(name) or None)}


class Table:
    """A foreign table, and the records of the sandbox behind it."""

    def __init__(self, row):
        self.row = row
        self.name = row["table_name"]
        self.foreign = f'{row["api"]}."{self.name}"'
        self.object = row["root"]
        self.array = (row["object"].split("/") + [None])[2]
        self.columns = [column for column in row["columns"] if column["writable"] and
                        not column["field"].startswith("../")]
        # a child table starts with its parent's key
        key = row["columns"][0] if self.array else \
            next((column for column in row["columns"] if column["column_name"] == row["key_column"]), None)
        self.key_column = key and key["column_name"]
        self.key = key and key["field"].removeprefix("../")

    def key_of(self, record):
        """The condition that finds the record."""
        return [(self.key_column, field_of(record, self.key))]

    def statuses(self, records):
        """{(status, type): records}"""
        found = collections.defaultdict(list)
        for record in records:
            if not self.array or member(record, self.array):
                kind = str(member(record, "Type") or "").partition("-")      # RECEIVE-PREPAYMENT, …
                found[member(record, "Status") or member(record, "ContactStatus"), kind[1] or kind[0]].append(record)
        return found

    def id_of(self, record):
        return member(record, self.key)

    def fullest(self, records):
        """The one that has most of what can be written."""
        if self.name == "linked_transactions":                  # a link to what can be linked
            spent = {record["BankTransactionID"] for record in sandbox("state/BankTransactions")
                     if record["Type"] == "SPEND" and record["Status"] == "AUTHORISED"}
            records = [record for record in records if record["SourceTransactionID"] in spent] or records

        def filled(record):
            part = member(record, self.array)[0] if self.array else record
            return sum(field_of(part, column["field"]) not in (None, "", []) for column in self.columns)
        return max(records, key=filled)


class Check:
    def __init__(self, session):
        self.session = session
        self.problems = []
        self.statements = 0
        self.accepted = collections.Counter()
        self.refusals = {}

    def problem(self, text):
        self.problems.append(text)
        print(text, flush=True)

    async def table(self, table, names):
        """Each column of one table; nothing outside of its object changes."""
        sandbox("reset", {"limits": False, "strict": True, "invoices": 60, "contacts": 40, "country": self.country,
                          "quirks": QUIRKS})
        state = {name: sandbox("state/" + name) for name in names}
        values = Values(state)
        self.emptied = collections.Counter()
        for (status, kind), records in sorted(table.statuses(state[table.object]).items(), key=str):
            record = values.fill(table, table.fullest(records))
            sandbox("data", {"object": table.object, "records": [record]})
            before = sandbox("state/" + table.object)
            record = next(one for one in before if table.id_of(one) == table.id_of(record))
            refused = 0
            for column in table.columns:
                if ONLY not in ("", table.name, f"{table.name}.{column['column_name']}") or \
                        (refused == PATIENCE and column["column_name"] != "status"):
                    continue
                for value in values.others(table, column, record):
                    if value == "" and self.emptied[column["column_name"]]:
                        continue                                # once is enough
                    self.emptied[column["column_name"]] += value == ""
                    accepted = await self.column(table, column, record, value)
                    refused = 0 if accepted else min(refused + 1, PATIENCE)
            if sandbox("state/" + table.object) != before:
                self.problem(f"{table.name}: other records have changed beside one that is {status}")
        for column in table.columns:
            name = f"{table.name}.{column['column_name']}"
            known = any(name in names for names in NEVER.values())
            if ONLY in ("", table.name, name) and not self.accepted[name] and not known:
                self.problem(f"{name}: never accepted: {self.refusals.get(name, 'no value to try')}")
        after = {name: sandbox("state/" + name) for name in names}
        for name in names:
            if name != table.object and name not in SHOWN_IN.get(table.object, ()) and state[name] != after[name]:
                self.problem(f"{table.name}: records of {name} have changed")

    async def column(self, table, column, record, value):
        name = f"{table.name}.{column['column_name']}"
        part = member(record, table.array)[0] if table.array else record
        condition = table.key_of(record)
        if table.array and table.row["key_column"]:
            key = next(c for c in table.row["columns"] if c["column_name"] == table.row["key_column"])
            condition.append((key["column_name"], field_of(part, key["field"])))
        elif table.array:
            condition += [(c["column_name"], field_of(part, c["field"])) for c in table.columns
                          if c["data_type"] == "text" and field_of(part, c["field"]) is not None]
        where = " AND ".join(f'"{name}" = {literal(text)}' for name, text in condition)
        shown = spell(value) if column["data_type"] == "jsonb" else value
        result = await self.session.run(f'UPDATE {table.foreign} SET "{column["column_name"]}" = {literal(shown)} '
                                        f"WHERE {where}")
        self.statements += 1
        after, = sandbox(f"state/{table.object}?id={table.id_of(record)}")
        where = f"{name} = {str(shown)[:60]!r} where {where} ({member(record, 'Status')})"
        if result.tag == "UPDATE 0":                            # it is not shown
            self.refusals[name] = "no row"
        elif result.error:
            if "valid status" not in result.error:
                self.refusals[name] = f"{result.state} {result.error}"
            if not result.state.startswith(REFUSALS):
                self.problem(f"{where}: {result.state} {result.error}")
            if after != record:
                self.problem(f"{where}: refused, and yet something has changed: {differing(record, after)}")
        else:
            self.accepted[name] += 1
            self.judge(table, column, where, record, after, value, result.notices)
        if after != record:
            sandbox("data", {"object": table.object, "records": [record]})
        return not result.error

    def judge(self, table, column, where, record, new, value, notices):
        """The state after a statement that was accepted."""
        name = f"{table.name}.{column['column_name']}"
        field = column["field"].split(".")[0]
        follows = FOLLOWS.get(column["column_name"], set()) | CLOCKS
        if not table.array:
            extra = {name for name in differing(record, new) if name.lower() != field.lower()} - follows
            holder = new
        else:
            old_parts, new_parts = member(record, table.array), member(new, table.array)
            if len(old_parts) != len(new_parts) or old_parts[1:] != new_parts[1:]:
                return self.problem(f"{where}: other lines have changed: {old_parts[1:]} -> {new_parts[1:]}")
            extra = differing(record, new) - CLOCKS - TOTALS - {table.array}
            extra |= differing(old_parts[0], new_parts[0]) - {field} - LINE_FOLLOWS.get(column["column_name"], set())
            holder = new_parts[0]
        if extra:
            old = record if not table.array else {**record, **member(record, table.array)[0]}
            shown = {**new, **holder}
            return self.problem(f"{where}: changed as well: " + ", ".join(
                f"{name} {old.get(name)!r} -> {shown.get(name)!r}" for name in sorted(extra)))
        if name == "quotes.line_items" and member(record, "LineAmountTypes") == "INCLUSIVE":
            return                                              # they are shown without the tax that they are read with
        if not stored(column, value, field_of(holder, column["field"])) and not notices:
            self.problem(f"{where}: stored without a warning: {field_of(holder, column['field'])!r}")


def stored(column, wanted, found):
    """Is what was set what is there?  An array may be stored with more members."""
    if column["data_type"] == "jsonb":
        return contains(wanted, found)
    if column["data_type"] in ("date",):
        return found is not None and moment(found)[0].isoformat() == wanted
    if wanted == "":
        return found in (None, "")
    return same(column["data_type"], found, Raw(wanted) if column["data_type"] == "numeric" else wanted) or \
        (column["data_type"] == "numeric" and found is not None and float(found) == float(wanted))


def contains(wanted, found):
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(contains(inner, member(found, name)) for name, inner in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(contains, wanted, found))
    if isinstance(wanted, Raw) or isinstance(found, Raw):
        return found is not None and wanted is not None and float(wanted) == float(found)
    return wanted == found or (wanted in (None, "") and found in (None, ""))


async def main():
    began = time.monotonic()
    total = Check(None)
    for country, schemas in PARTS:
        sandbox("reset", {"limits": False, "country": country})
        connect(schemas)
        check = Check(await Session().begin(application_name="updates"))
        check.country = country
        check.problems = total.problems
        tables = [Table(row) for row in catalogue(schemas).values() if "update" in row["operations"]]
        names = sorted({table.object for table in tables} | (
            {"Payments", "Prepayments", "Overpayments", "Users", "Currencies", "BrandingThemes"}
            if "accounting" in schemas else set()))
        for table in tables:
            if ONLY.split(".")[0] in ("", table.name):
                start = time.monotonic()
                await check.table(table, names)
                if os.environ.get("UPDATES_TIMES"):
                    print(f"{table.name}: {time.monotonic() - start:.1f} s")
        check.session.end()
        total.statements += check.statements
        total.accepted += check.accepted
    problems = len(total.problems)
    print(f"{total.statements} statements, of which {sum(total.accepted.values())} accepted, "
          f"{time.monotonic() - began:.0f} s")
    print(f"{len(total.accepted)} passed, {problems} failed")
    sys.exit(problems > 0)


if __name__ == "__main__":
    asyncio.run(main())
