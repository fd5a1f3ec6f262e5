"""Run the SQL of the documents against the sandbox, statement by statement.

An example is an indented block; in it, a statement starts with an SQL verb at
the block's margin and ends with a semicolon.  The dots that stand for a
reader's own credentials are replaced by the sandbox's.
"""
import re
import subprocess
import sys

from database import URL, SqlError, run

DOCUMENTS = ("README.md", "doc/tables.md", "doc/pushdown.md", "doc/budget.md")
VERBS = "SELECT EXPLAIN CREATE IMPORT ALTER SET"

QUIET = "SET client_min_messages = warning;"
STATEMENT = re.compile(r"^    ((?:%s)\b.*?;)\s*$" % "|".join(VERBS.split()), re.MULTILINE | re.DOTALL)


def statements(text):
    """The statements of a document, ready to run."""
    for match in STATEMENT.finditer(text):
        sql = match.group(1)
        sql = sql.replace("client_id '…'", f"client_id 'sandbox-client', api_url '{URL}', identity_url '{URL}'")
        sql = sql.replace("client_secret '…'", "client_secret 'sandbox-secret'")
        yield sql


def fresh(schema):
    """What the documents presuppose: nothing for the README, its set-up for the others."""
    run(f"{QUIET} DROP EXTENSION IF EXISTS xero_fdw CASCADE; DROP SCHEMA IF EXISTS xero CASCADE;")
    if schema:
        run(f"""CREATE EXTENSION xero_fdw;
            CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw
                OPTIONS (client_id 'sandbox-client', grant_type 'client_credentials', api_url '{URL}', identity_url '{URL}');
            CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (client_secret 'sandbox-secret');
            CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;""")


def main(root):
    passed = failed = 0

    def count(name, error):
        nonlocal passed, failed
        if error:
            failed += 1
            print(f"FAILED: {name}\n{error}")
        else:
            passed += 1

    for document in DOCUMENTS:
        with open(f"{root}/{document}", encoding="utf-8") as file:
            found = list(statements(file.read()))
        count(f"{document} has examples", "" if found else "none was found")
        # the README shows queries before it tells how to connect
        found.sort(key=lambda sql: sql.startswith(("SELECT", "EXPLAIN")))
        fresh(document != "README.md")
        for sql in found:
            # each way to import stands for itself: it needs a schema without tables
            if sql.startswith("CREATE SCHEMA"):
                run(f"{QUIET} DROP SCHEMA IF EXISTS xero CASCADE;")
            if sql.startswith("IMPORT"):
                run(f"{QUIET} DROP SCHEMA IF EXISTS xero CASCADE; CREATE SCHEMA xero;")
            try:
                run(sql)
                count(document, "")
            except SqlError as error:
                count(f"{document}: {sql}", error)
            if "LIMIT TO" in sql:
                fresh(True)

    check = subprocess.run([f"{root}/script/doc-tables", "--check"], capture_output=True, text=True, check=False)
    count("generated parts", "" if check.returncode == 0 else check.stdout + check.stderr)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
