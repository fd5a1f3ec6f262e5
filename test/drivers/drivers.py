"""Statements as real drivers, and mappers of objects, send them: rows and calls.

Each program beside this file reaches the server by one driver.  Of each statement it
prints a line, name and number of rows (or the error), and then waits for one: until
then the calls in the sandbox's log are that statement's.  expected.tsv has what they
must be; where fewer would do, the fewest; and a note why it is not one.
log/drivers.tsv has what they were.  A program whose driver is not installed is skipped,
or fails if it was named.

    drivers.py [PROGRAM...]     those whose names begin so

The examples of doc/clients.md are parts of the programs.
"""
import csv
import os
import pathlib
import re
import subprocess
import sys
import time

from database import connect, run, sandbox

HERE = pathlib.Path(__file__).parent
DOCUMENT = HERE.parent.parent / "doc/clients.md"
COLUMNS = ["program", "statement", "rows", "calls", "fewest", "note"]
WORLD = {"seed": 3, "invoices": 3000, "contacts": 1200, "strict": True, "limits": False}
LOGS = os.environ.get("XERO_LOGS") or os.environ["XERO_SANDBOX_FOLDER"]
ROLE, PASSWORD = "client", "secret"
PYTHON = ["/usr/bin/python3"]
# The command, and where the driver is.
PROGRAMS = {
    "jdbc.java": (["java", "-XX:TieredStopAtLevel=1", "-cp", "/usr/share/java/postgresql.jar"],
                  "/usr/share/java/postgresql.jar"),
    "sqlalchemy_orm.py": (PYTHON, "/usr/lib/python3/dist-packages/sqlalchemy"),
    "django_orm.py": (PYTHON, "/usr/lib/python3/dist-packages/django"),
    "node_postgres.js": (["node"], HERE / "node_modules/pg"),
    "typeorm_orm.js": (["node"], HERE / "node_modules/typeorm"),
    "dbplyr.R": (["Rscript", "--vanilla"], "/usr/lib/R/site-library/dbplyr"),
}


class Log:
    """The sandbox's calls since this was made, or last read."""

    def __init__(self):
        self.seen = 0
        self.read()

    def read(self):
        """Of a call that is under way the status is not yet known."""
        while True:
            calls = sandbox(f"log?since={self.seen}")
            if all(call["status"] for call in calls):
                break
            time.sleep(0.01)
        self.seen += len(calls)
        return [call for call in calls if call["path"].startswith("/api.xro/")]


def play(program):
    """(statement, rows, calls) of each, in a world that no other program has changed."""
    sandbox("reset", WORLD)
    run("SELECT xero_fdw.reset_stats()")
    log = Log()
    with subprocess.Popen([*PROGRAMS[program][0], HERE / program], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env={**os.environ, "PGUSER": ROLE, "PGPASSWORD": PASSWORD}) as process:
        for line in process.stdout:
            yield *line.rstrip("\n").split("\t"), log.read()
            process.stdin.write("\n")
            process.stdin.flush()
    yield "status", str(process.returncode), []


def flat(code):
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


def examples():
    """Those of the document, and whether a program has them."""
    programs = [flat((HERE / name).read_text("utf-8")) for name in PROGRAMS]
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.M | re.S):
        if language != "sql":
            yield code, any(flat(code) in program for program in programs)


def main():
    programs = [name for name in PROGRAMS if name.startswith(tuple(sys.argv[1:]) or "")]
    there = [name for name in programs if sys.argv[1:] or os.path.exists(PROGRAMS[name][1])]
    with open(HERE / "expected.tsv", encoding="utf-8", newline="") as file:
        expected = {(line["program"], line["statement"]): line for line in csv.DictReader(file, delimiter="\t")
                    if line["program"] in there}
    connect(["accounting"])
    run(f"ALTER SCHEMA accounting RENAME TO xero;\nCREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}';\n"
        f"GRANT USAGE ON SCHEMA xero TO {ROLE};\nGRANT ALL ON ALL TABLES IN SCHEMA xero TO {ROLE};")

    passed = failed = 0
    for code, found in examples():
        passed += found
        failed += not found
        if not found:
            print(f"failed: no program has this of {DOCUMENT.name}:\n{code}")
    with open(f"{LOGS}/drivers.tsv", "w", encoding="utf-8") as file:
        results = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        results.writeheader()
        for program in there:
            for statement, rows, calls in play(program):
                wanted = expected.pop((program, statement), None)
                found = {"program": program, "statement": statement, "rows": rows, "calls": str(len(calls)),
                         "fewest": wanted["fewest"] if wanted else "", "note": wanted["note"] if wanted else ""}
                results.writerow(found)
                if found == wanted:
                    passed += 1
                    continue
                failed += 1
                print(f"failed: {found}\n  instead of {wanted}")
                for call in calls:
                    print(f"    {call['method']} {call['path']}?{call['query'][:200]} -> {call['status']}")
    for program, statement in expected:
        failed += 1
        print(f"failed: {program} has no statement {statement}")
    for program in programs:
        if program not in there:
            print(f"skipped: {program}, as there is no {PROGRAMS[program][1]}")
    print(f"{passed} passed, {failed} failed, {len(programs) - len(there)} skipped")
    sys.exit(failed > 0)


main()
