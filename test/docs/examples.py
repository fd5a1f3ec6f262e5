"""Run the SQL of the documents against the sandbox, statement by statement.

An example is a block fenced as sql.  It consists of statements, which start
with an SQL verb at the margin and end with a semicolon at the end of a line,
and of comments; anything else in it is an error, so that no example is passed
over.  The dots that stand for a reader's client id, and the file with the client
secret, are replaced by the sandbox's.
"""
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import urllib.error
import urllib.request

from database import URL, SqlError, run

DOCUMENTS = ("README.md", "doc/tables.md", "doc/pushdown.md", "doc/budget.md", "doc/connecting.md", "doc/writing.md",
             "doc/sync.md", "doc/operations.md", "doc/security.md", "doc/clients.md")
# These tell how to connect, and presuppose at most the extension.
CONNECTING = ("README.md", "doc/connecting.md", "doc/sync.md")
# An application of today; how to connect is also for one from before Xero closed scopes.
TODAY, BEFORE = "sandbox-client", "sandbox-legacy"
APPLICATIONS = {"doc/connecting.md": (TODAY, BEFORE)}
CLOSED = ("accounting.journals", "accounting.classicexpenses")
VERBS = "ANALYZE SELECT EXPLAIN CREATE IMPORT ALTER SET RESET INSERT UPDATE DELETE CALL LISTEN DROP GRANT"
CRON = ("cron.", "schedule_sync(")

# What the reader has put into a file; both are gone when the server is.
SECRET_FILE = f"{tempfile.mkdtemp()}/xero_client_secret"

QUIET = "SET client_min_messages = warning;"
EXAMPLE = re.compile(r"^( *)```sql\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
STATEMENT = re.compile(r"^((?:%s)\b.*?;)[ \t]*(?:--[^\n]*)?$" % "|".join(VERBS.split()), re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^--.*$", re.MULTILINE)


def examples(text):
    """The fenced examples of a document, without the margin of a list."""
    return [textwrap.dedent(match.group(2)) for match in EXAMPLE.finditer(text)]


def remainder(example):
    """What would not be run of an example."""
    return COMMENT.sub("", STATEMENT.sub("", example)).strip()


def unfenced(text):
    """The SQL of a document that would be passed over: in a block of another kind."""
    code = re.sub(r"^ *```\w+\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"^(?: *```\n| {4,}(?:%s)\b[^\n]*)" % "|".join(VERBS.split()), code, re.MULTILINE))


def statements(example, application=TODAY):
    """The statements of an example, ready to run."""
    for match in STATEMENT.finditer(example):
        sql = match.group(1)
        sql = sql.replace("client_id '…'", f"client_id '{application}', api_url '{URL}', identity_url '{URL}', login_url '{URL}'")
        sql = sql.replace("'/etc/postgresql/xero_client_secret'", f"'{SECRET_FILE}'")
        yield sql


class Unfollowed(urllib.request.HTTPRedirectHandler):
    """A browser stops at http://localhost/xero, where nothing is."""

    def redirect_request(self, *args):
        return None


def consent():
    """The address that a person copies from the browser."""
    url = run("SELECT xero_fdw.authorize_url('xero');").strip()
    try:
        urllib.request.build_opener(Unfollowed).open(url + "&consent=yes").close()
    except urllib.error.HTTPError as answer:
        return answer.headers["Location"]
    raise SqlError("the login page did not send the browser back")


def ask_for(scopes, application):
    """What an option is set for: a consent succeeds, but where it names what is closed to the application."""
    refused = application == TODAY and any(scope in scopes for scope in CLOSED)
    address = consent()
    if ("error=invalid_scope" in address) != refused or ("code=" in address) == refused:
        raise SqlError(f"{application} was sent back to {address}")


def prepare(sql):
    """What the reader has done before, and what only the reader has."""
    # each way to connect, and to import, stands for itself
    if sql.startswith("CREATE TABLE"):
        run(f"{QUIET} DROP TABLE IF EXISTS {sql.split()[2]} CASCADE;")
    if sql.startswith("CREATE EXTENSION xero_fdw"):
        run(f"{QUIET} DROP EXTENSION IF EXISTS xero_fdw CASCADE;")
    if sql.startswith("CREATE SERVER"):
        run(f"{QUIET} DROP SERVER IF EXISTS xero CASCADE;")
    if sql.startswith("CREATE SCHEMA"):
        run(f"{QUIET} DROP SCHEMA IF EXISTS {sql.split()[2].rstrip(';')} CASCADE;")
    if sql.startswith("IMPORT"):
        run(f"{QUIET} DROP SCHEMA IF EXISTS xero CASCADE; CREATE SCHEMA xero;")
    if "complete_authorization" in sql:
        sql = sql.replace("http://localhost/xero?code=…", consent())
    return sql.replace("'/var/lib/postgresql/xero_fdw.key.old'", "current_setting('xero_fdw.key_file')")


def fresh(schema):
    """What the documents presuppose: nothing for the README, its set-up for the others."""
    run(f"{QUIET} DROP EXTENSION IF EXISTS xero_fdw CASCADE; DROP SCHEMA IF EXISTS xero CASCADE; CREATE EXTENSION xero_fdw;")
    if schema:
        run(f"""CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw
                OPTIONS (client_id 'sandbox-client', grant_type 'client_credentials', api_url '{URL}', identity_url '{URL}');
            CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (client_secret 'sandbox-secret');
            CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;""")


def has_cron():
    """Whether there is a pg_cron; then it is in this database."""
    if not run("SELECT name FROM pg_available_extensions WHERE name = 'pg_cron';").strip():
        return False
    run(f"{QUIET} CREATE EXTENSION IF NOT EXISTS pg_cron;")
    return True


def main(root):
    passed = failed = 0
    with open(os.open(SECRET_FILE, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("sandbox-secret\n")
    skipped = () if has_cron() else CRON

    def count(name, error):
        nonlocal passed, failed
        if error:
            failed += 1
            print(f"FAILED: {name}\n{error}")
        else:
            passed += 1

    for document in DOCUMENTS:
        with open(f"{root}/{document}", encoding="utf-8") as file:
            text = file.read()
        count(f"{document} has all SQL in examples", unfenced(text))
        for example in examples(text):
            count(f"{document}: {example}", remainder(example) and f"not a statement: {remainder(example)}")
        for application in APPLICATIONS.get(document, (TODAY,)):
            found = [sql for example in examples(text) for sql in statements(example, application)
                     if not any(word in sql for word in skipped)]
            count(f"{document} has examples", "" if found else "none was found")
            fresh(document not in CONNECTING)
            role = ""
            for sql in found:
                try:
                    run(role + prepare(sql))
                    # each statement has a session of its own
                    if sql.startswith(("SET ROLE", "RESET ROLE")):
                        role = sql if sql.startswith("SET") else ""
                    if " scopes '" in sql:
                        ask_for(sql, application)
                    count(document, "")
                except SqlError as error:
                    count(f"{document} as {application}: {sql}", error)
                if "LIMIT TO" in sql:
                    fresh(True)

    # an example may have uninstalled it
    fresh(False)
    check = subprocess.run([f"{root}/script/doc-tables", "--check"], capture_output=True, text=True, check=False)
    count("generated parts", "" if check.returncode == 0 else check.stdout + check.stderr)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
