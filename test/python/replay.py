"""Serve answers that others have, byte for byte, and read them through the foreign tables.

Each member of a record that has a column must arrive in it with its exact
value, and no record may be missing.
"""
import json

from database import SqlError, literal, parse, rows, sandbox, spell
from truth import BELOW, differences, expected_rows, field_of

# Deleted records are in no list, but can be had by their key: such a key is
# looked for in the list.
BY_LIST = {"contact_groups"}
# Columns that a list carries and the single record does not (xero-api.md 2.5):
# wanting them, the extension rightly asks for the list.
LIST_ONLY = {"journals": {"source_id", "source_type"}}


class Report:
    """What was covered, and what was wrong."""

    def __init__(self):
        self.passed = self.failed = self.values = 0
        self.without_column = {}

    def add(self, name, problems):
        if problems:
            self.failed += 1
            print(f"not ok: {name}")
            for problem in problems:
                print(f"    {problem}")
        else:
            self.passed += 1


def records_of(table, answer):
    """The records in an answer, a list's or a single one's."""
    for name, value in answer.items():
        if isinstance(value, list):
            return value
        if isinstance(value, dict) and name.lower() == table["table_name"].removesuffix("s"):
            return [value]
    raise ValueError(f"no records in {sorted(answer)}")


def compare(report, name, table, records, condition=""):
    """Read the table and compare it with the records it must show."""
    wanted = expected_rows(table, records)
    left_out = LIST_ONLY.get(table["table_name"], ()) if condition else ()
    columns = [column for column in table["columns"] if column["column_name"] not in left_out]
    selected = ", ".join(f'"{column["column_name"]}"' for column in columns)
    try:
        got = rows(f'SELECT {selected} FROM {table["api"]}."{table["table_name"]}"{condition}')
    except SqlError as error:
        report.add(name, str(error).split("\n"))
        return
    problems = [] if len(got) == len(wanted) else [f"{len(got)} rows instead of {len(wanted)}"]
    for number, (row, record) in enumerate(pair(table, wanted, got)):
        problems += [f"row {number}: {text}" for text in differences(columns, record, row)]
        report.values += sum(value is not None for value in record.values())
    report.add(name, problems)


def pair(table, wanted, got):
    """Rows with their records: by key, or else in the order of the answer."""
    key = table["key_column"]
    if key and len({str(record[key]) for record in wanted}) == len(wanted):
        by_key = {str(row[key]).lower(): row for row in got}
        return [(by_key.get(str(record[key]).lower(), {}), record) for record in wanted]
    return list(zip(got, wanted))


def serve(path, body, **more):
    sandbox("data", {"path": path, "body": body, **more})


def serve_singles(table, path, records):
    """What a list leaves out is asked for record by record."""
    key = next(column["field"] for column in table["columns"] if column["column_name"] == table["key_column"])
    for record in records:
        serve(f"{path}/{field_of(record, key)}", spell({table["root"]: [record]}))


def serve_below(tables, table, path, records):
    """The lists below records, which an example of the records lacks: empty."""
    key = next(column["field"] for column in table["columns"] if column["column_name"] == table["key_column"])
    for reader in relatives_of(tables, table):
        for record in records if reader["table_name"] in BELOW else []:
            serve(f"{path}/{field_of(record, key)}/{reader['array']}", spell({reader["array"]: []}))


def relatives_of(tables, table):
    """The tables that are made of the same records: of their lines, and of details."""
    return [other for (api, _), other in tables.items()
            if api == table["api"] and other is not table and other["root"] == table["root"]]


def check_list(report, tables, table, path, body):
    answer = parse(body)
    records = records_of(table, answer)
    if table["paging"] == "offset":
        # Only an empty answer ends this list.
        serve(path, json.dumps({name: [] for name in answer if isinstance(answer[name], list)}))
        serve(path, body, query="offset=0")
    else:
        serve(path, body)
    if "get" in table["operations"]:
        serve_singles(table, path, records)
    serve_below(tables, table, path, records)
    for reader in [table] + relatives_of(tables, table):
        compare(report, f"{table['api']} {path} in {reader['table_name']}", reader, records)
    note_members(report, [table, *relatives_of(tables, table)], records)


def check_single(report, tables, table, path, body):
    records = records_of(table, parse(body))
    key = next(column for column in table["columns"] if column["column_name"] == table["key_column"])
    value = field_of(records[0], key["field"])
    serve(f"{path}/{value}", body)
    calls = [f"{path}/{value}"]
    if table["table_name"] in BY_LIST:
        serve(path, body)
        calls = [path]
    asked_before = len(sandbox("log"))
    compare(report, f"{table['api']} {path}/{{{key['field']}}}", table, records,
            f" WHERE {key['column_name']} = {literal(value)}")
    asked = [call["path"] for call in sandbox("log")[asked_before:] if call["path"].startswith(path)]
    report.add(f"{path}: calls for one record",
               [] if [text.lower() for text in asked] == [text.lower() for text in calls] else asked or ["none"])
    serve_below(tables, table, path, records)
    for reader in relatives_of(tables, table):
        by = reader["columns"][0] if reader["array"] else key
        compare(report, f"{table['api']} {path}/{{{key['field']}}} in {reader['table_name']}", reader, records,
                f" WHERE {by['column_name']} = {literal(value)}")
    note_members(report, [table, *relatives_of(tables, table)], records)


def note_members(report, readers, records):
    """Members of the records that no column shows, for information."""
    first = {reader["array"].lower() for reader in readers if reader["array"]} | {
        column["field"].split(".")[0].lower() for reader in readers if not reader["array"] for column in reader["columns"]}
    missing = {name for record in records for name in record if name.lower() not in first}
    report.without_column.setdefault(readers[0]["table_name"], set()).update(missing)
