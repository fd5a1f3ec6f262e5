"""What the columns of a record must hold, worked out from its JSON.

Shares no code with the extension.  Numbers in records are database.Raw.
"""
import datetime
import re
from decimal import Decimal

from database import Raw
from dates import MS_DATE, from_epoch, shown

ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def member(record, name):
    """A member in any casing; the value of the last one, as in JSON."""
    value = None
    for other, inner in record.items() if isinstance(record, dict) else ():
        if other.lower() == name.lower():
            value = inner
    return value


def field_of(record, field, parent=None):
    """The value at a column's field, None where any step is missing."""
    if field.startswith("../"):
        record, field = parent, field[3:]
    for name in field.split("."):
        record = member(record, name)
    return record


def moment(text):
    """A date in any of Xero's forms as (day as written, instant in UTC)."""
    match = MS_DATE.fullmatch(text)
    if match:
        instant = from_epoch(match)
        return instant.date(), instant
    match = ISO_DATE.fullmatch(text)
    if not match:
        raise ValueError(f"not a date: {text}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    written = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    instant = written + datetime.timedelta(
        microseconds=int((Decimal(fraction or 0) * 1_000_000).quantize(Decimal(1), "ROUND_HALF_UP")))
    if zone and zone != "Z":
        offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        instant -= offset if zone[0] == "+" else -offset
    return written.date(), instant


def same_number(wanted, got):
    """Equal with all their digits, however the exponent is written."""
    wanted, got = Decimal(wanted), Decimal(got)
    return wanted == got and max(-wanted.as_tuple().exponent, 0) == max(-got.as_tuple().exponent, 0)


def same_json(wanted, got):
    """Equal structures; numbers with all their digits, dates in ISO 8601."""
    if isinstance(wanted, Raw) or isinstance(got, Raw):
        return isinstance(wanted, Raw) and isinstance(got, Raw) and same_number(wanted, got)
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(
            same_json(shown(name, wanted[name]), got[name]) for name in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(same_json, wanted, got))
    return type(wanted) is type(got) and wanted == got


def same(data_type, wanted, got):
    """Does a column hold a member's value?  "got" is from row_to_json()."""
    if wanted is None or (wanted == "" and data_type not in ("text", "jsonb")):
        return got is None
    if got is None:
        return False
    if data_type == "jsonb":
        return same_json(wanted, got)
    if data_type == "text":
        if isinstance(wanted, bool):
            wanted = str(wanted).lower()
        return isinstance(wanted, str) and str(wanted) == got
    if data_type == "uuid":
        return UUID.fullmatch(wanted.lower()) is not None and wanted.lower() == got
    if data_type == "boolean":
        return (wanted if isinstance(wanted, bool) else {"true": True, "false": False}[wanted.lower()]) is got
    if data_type == "date":
        return moment(wanted)[0].isoformat() == got
    if data_type == "timestamp with time zone":
        return moment(wanted)[1] == datetime.datetime.fromisoformat(got.replace("+00:00", ""))
    if data_type in ("numeric", "integer"):
        return same_number(wanted, got) if data_type == "numeric" else Decimal(wanted) == Decimal(got)
    raise ValueError(f"no rule for type {data_type}")


# Tables whose rows are in lists below their records, which say nothing of them
BELOW = {"quote_attachments"}


def elements(table, parent):
    """The rows that a child table takes from a record."""
    found = member(parent, table["array"])
    if table["array"] == "Attachments" and member(parent, "HasAttachments") is not True \
            and table["table_name"] not in BELOW:
        return []
    return [element for element in found if element is not None] if isinstance(found, list) else []


def value_of(record, field, parent=None):
    """What a column shows of a field.  A record that has no attachments shows
    NULL for them, however it was read: an empty list is then the same."""
    value = field_of(record, field, parent)
    if field == "Attachments" and value == [] and member(record, "HasAttachments") is False:
        return None
    return value


def expected_rows(table, records):
    """{column: value} as JSON has it, a row each."""
    pairs = [(element, record) for record in records for element in elements(table, record)] if table["array"] \
        else [(record, None) for record in records]
    return [{column["column_name"]: value_of(record, column["field"], parent) for column in table["columns"]}
            for record, parent in pairs]


def differences(columns, wanted, got):
    """The columns in which a row is not what its record says, as texts."""
    return [f"{column['column_name']}: {got.get(column['column_name'])!r} instead of {value!r}"
            for column in columns
            for value in [wanted[column["column_name"]]]
            if not same(column["data_type"], value, got.get(column["column_name"]))]
