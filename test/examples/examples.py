"""Read Xero's own example answers through the foreign tables.

Every example of a list, and of a single record, that the specification gives
for the catalogue's objects is served by the sandbox byte for byte.  Each of its
members that has a column must arrive in it with its exact value, and no record
may be missing.

    examples.py FOLDER      the folder of the specification's files
"""
import sys

from database import SqlError, catalogue, connect, parse, rows, spell
from replay import Report, check_list, check_single, records_of, serve
from specification import Specification
from truth import member

SPECIFICATIONS = {"accounting": "xero_accounting.yaml", "payroll_au": "xero-payroll-au.yaml",
                  "payroll_uk": "xero-payroll-uk.yaml", "payroll_nz": "xero-payroll-nz.yaml"}

# (api, path) -> why the example is not served as it is.
MALFORMED = {
    ("accounting", "/Budgets/{BudgetID}"):
        "a list whose member names and indentation are mixed up, so that the record is no element of an array",
}
# (api, path) -> the same, where only the count of records is wrong.
SHORTENED = {
    ("payroll_nz", "/Employees"): "two of the eight records that it announces",
}


def check_shortened(report, table, path, body):
    """The announced count is not met: an error, never a short result."""
    serve(path, body)
    try:
        rows(f"SELECT {table['key_column']} FROM {table['api']}.{table['table_name']}")
        report.add(f"{path} with too few records", ["no error"])
    except SqlError as error:
        report.add(f"{path} with too few records", [] if "HV00L" in str(error) else [str(error)])
    answer = parse(body)
    member(answer, "pagination")["itemCount"] = len(records_of(table, answer))
    return spell(answer)


def main(folder):
    connect(SPECIFICATIONS)
    tables = catalogue(SPECIFICATIONS)
    report = Report()
    examples = 0
    for api, file in SPECIFICATIONS.items():
        specification = Specification(f"{folder}/{file}")
        roots = {table["root"]: table for (of, _), table in tables.items() if of == api and table["own"]}
        for template in specification.paths():
            parts = template.strip("/").split("/")
            if parts[0] not in roots or len(parts) > 2 or (len(parts) == 2 and parts[1][0] != "{"):
                continue
            table = roots[parts[0]]
            body = specification.example(template)
            if body is None:
                report.add(f"{api} {template}", ["has no example"])
                continue
            if (api, template) in MALFORMED:
                print(f"left out: {api} {template}: {MALFORMED[api, template]}")
                continue
            examples += 1
            if len(parts) == 2:
                check_single(report, tables, table, table["path"], body)
                continue
            if (api, template) in SHORTENED:
                print(f"count put right: {api} {template}: {SHORTENED[api, template]}")
                body = check_shortened(report, table, table["path"], body)
            check_list(report, tables, table, table["path"], body)
    for name, members in sorted(report.without_column.items()):
        if members:
            print(f"no column for members of {name}: {' '.join(sorted(members))}")
    print(f"{examples} examples, {report.values} values compared")
    print(f"{report.passed} passed, {report.failed} failed")
    return report.failed == 0 and examples > 0


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
