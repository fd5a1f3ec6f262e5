"""A scratch server and a sandbox, as script/lib.sh started them, for tests in Python.

psql finds the server, and sandbox() the sandbox, by the environment.
"""
import json
import os
import subprocess
import urllib.error
import urllib.request

URL = os.environ.get("XERO_SANDBOX_URL", "")
PSQL = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"]


class SqlError(Exception):
    """What psql wrote about a statement that failed."""


class Raw(str):
    """A number, as it is spelled."""


def parse(text):
    """JSON whose numbers keep their spelling."""
    return json.loads(text, parse_float=Raw, parse_int=Raw)


def spell(value):
    """The JSON text of what parse() made, with the same digits."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {spell(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spell, value)) + "]"
    return json.dumps(value)


def literal(value):
    """An SQL string literal, or NULL."""
    if value is None:
        return "NULL"
    value = str(value)
    text = "'" + value.replace("'", "''").replace("\\", "\\\\") + "'"
    return " E" + text if "\\" in value else text


def run(script):
    """What a script prints; SqlError if it fails."""
    done = subprocess.run(PSQL, input=script, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise SqlError(done.stderr.strip())
    return done.stdout


def rows(query):
    """The rows of one query, as dicts; numbers are Raw, times are UTC."""
    output = run(f"SET TimeZone = 'UTC';\nSELECT row_to_json(r) FROM ({query}) AS r;\n")
    return [parse(line) for line in output.split("\n") if line]


def sandbox(path, body=None):
    """Ask the sandbox's control interface."""
    request = urllib.request.Request(f"{URL}/sandbox/{path}", None if body is None else spell(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return parse(response.read().decode())
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"sandbox: {path}: {error.read().decode()}") from None


def connect(schemas, **options):
    """Create the extension, a server that leads to the sandbox, and the
    tables of the given remote schemas in schemas of the same names."""
    options = {"api_url": URL, "identity_url": URL, "login_url": URL, "minute_limit": 1_000_000,
               "day_limit": 100_000_000, "app_minute_limit": 100_000_000, **options}
    listed = ", ".join(f"{name} {literal(value)}" for name, value in options.items())
    script = f"""CREATE EXTENSION IF NOT EXISTS xero_fdw;
DROP SERVER IF EXISTS xero CASCADE;
CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw OPTIONS ({listed});
CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (access_token 'sandbox-token');
"""
    for schema in schemas:
        script += f"""DROP SCHEMA IF EXISTS {schema} CASCADE;
CREATE SCHEMA {schema};
IMPORT FOREIGN SCHEMA {schema} FROM SERVER xero INTO {schema};
"""
    run("SET client_min_messages = warning;\n" + script)


def catalogue(schemas):
    """{(api, table): its row of xero_fdw.objects, with "columns", the list that it
    reads ("root": "Invoices"), whether its rows are the records of that list
    ("own"), and the array inside of the records that they are, or None}."""
    found = {}
    for row in rows("SELECT * FROM xero_fdw.objects"):
        if row["api"] in schemas:
            root = row["path"].split("/", 3)[3]
            parts = row["object"].split("/")[1:]
            array = parts[1] if len(parts) == 2 and "/".join(parts) != root else None
            found[row["api"], row["table_name"]] = {**row, "columns": [], "root": root,
                                                    "own": "/".join(parts) == root, "array": array}
    for row in rows("SELECT * FROM xero_fdw.columns"):
        if row["api"] in schemas:
            found[row["api"], row["table_name"]]["columns"].append(row)
    return found
