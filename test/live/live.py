"""What script/verify-live says of the sandbox, and of one that does otherwise."""
import json
import os
import pathlib
import re
import subprocess
import sys

import contrary
from database import URL, sandbox

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "script/verify-live"
REPORT = pathlib.Path("report.md")
KEYS = {"XERO_CLIENT_ID": "sandbox-legacy", "XERO_CLIENT_SECRET": "sandbox-secret"}

# A few words of the line about the sandbox, and of that about its contrary.
READING = {
    "page-size": ("honoured", "smaller pages"),
    "page-size-alone": ("the whole list", "is a page"),
    "page-past-end": ("is empty", "is refused"),
    "quotes-page-size": ("heed", "ignore"),
    "journals-order": ("by page", "all at once"),
    "archived-invoices": ("brings no more", "need includeArchived"),
    "contact-in-lists": ("its id and name", "more of a contact"),
    "account-in-payments": ("have no name", "have the name"),
    "uuid-order": ("as SQL Server does", "by their bytes"),
    "text-order": ("whatever their case", "by their bytes"),
    "text-equality": ("ignores case", "heeds case"),
    "lower-case": ("of a text contains", "does not contain"),
    "doubled-quote": ("stands for a quote", "is refused"),
    "null-in-filter": ("fails", "is false"),
    "modified-since": ("after that second", "that very second"),
    "unknown-parameter": ("is ignored", "is refused"),
    "missing-record": ("plain text", "with JSON"),
    "long-query": ("is 404", "too long"),
    "missing-scope": ("has the scope", "is 403"),
    "other-organisation": ("with Detail", "with detail"),
    "no-organisation": ("need not name", "must name"),
    "limit-headers": ("say how many", "do not say"),
    "day-limit": ("more than 1,000", "day_limit"),
    "gzip": ("are compressed", "never compressed"),
}
WRITING = {
    "read-after-write": ("found at once", "not found at once"),
    "put-existing-number": ("is refused", "overwrites"),
    "no-persons": ("is ignored", "clears them"),
    "empty-person": ("clears them", "is ignored"),
    "null-text": ("leaves a text", "clears a text"),
    "empty-text": ("clears a text", "leaves a text"),
    "contact-update": ("keeps", "clears"),
    "blanks": ("are kept", "are cut off"),
    "same-account-number": ("may not have", "may have the same"),
    "repeated-key": ("first answer again", "twice"),
    "failed-batch": ("stores its good elements", "stores nothing"),
    "quote-update": ("clears", "keeps"),
    "quote-amounts": ("exclusive of tax", "keeps"),
    "quote-lines": ("without tax", "as they were sent"),
    "item-without-code": ("needs its Code", "does not need"),
    "invoice-update": ("keeps lines", "drops lines"),
    "line-left-out": ("is deleted", "is kept"),
    "four-decimals": ("rounded", "keeps four"),
    "full-discount": ("is refused", "is accepted"),
    "account-of-nothing": ("loses", "keeps"),
    "words-only": ("may have no line", "may have a line"),
    "order-update": ("keeps the contact", "loses the contact"),
    "journal-without-narration": ("needs its Narration", "does not need"),
    "bank-transaction-update": ("only what changes", "needs its type"),
}
UNEXPECTED = "(xero_fdw does not expect this)"
# Of the contrary: what xero_fdw would fail with.
BREAKING = {"page-size", "page-past-end", "missing-scope", "limit-headers", "lower-case", "empty-text", "contact-update",
            "repeated-key", "invoice-update", "line-left-out"}

passed = failed = 0


def test(name, good, shown=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok: {name}\n{shown}")


def verify(*arguments, url=URL, env=KEYS):
    """Exit status, and what was printed."""
    REPORT.unlink(missing_ok=True)
    done = subprocess.run([PROGRAM, "--api-url", url, "--identity-url", url, "--report", REPORT, *arguments],
                          env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def calls_since(n):
    return [call for call in sandbox(f"log?since={n}") if int(call["n"]) > n]


def seen_calls():
    return max((int(call["n"]) for call in sandbox("log")), default=0)


def lines_say(name, output, table, which):
    """Each check has a line with the words, and there is no other."""
    lines = {line.split()[0]: line for line in output.splitlines() if line[:1].islower() and "  " in line}
    for one, words in table.items():
        line = lines.pop(one, "(no line)")
        test(f"{name}: {one}", words[which] in line, line)
        test(f"{name}: {one}, as expected or not", (UNEXPECTED in line) == (which == 1 and one in BREAKING), line)
    test(f"{name}: no other line", not lines, "\n".join(lines.values()))


def report_is_clean(name):
    """No secret, no id, no name, no word of a record."""
    text = REPORT.read_text()
    names = [contact["Name"] for contact in sandbox("state/Contacts") if len(contact["Name"]) > 5]
    found = [word for word in ("sandbox-secret", "sandbox-token", "sandbox-legacy", "Bearer", *names) if word in text]
    found += re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-\S*", text)
    test(f"{name}: the report has nothing that is not for others", not found, repr(found))
    return text


def nothing_is_left(name):
    left = [f"{kind}: {record}" for kind in ("Invoices", "Quotes", "PurchaseOrders", "ManualJournals",
                                             "BankTransactions", "Items", "Contacts")
            for record in sandbox(f"state/{kind}")
            if "xero_fdw" in json.dumps(record)
            and record.get("Status", record.get("ContactStatus")) not in ("DELETED", "VOIDED", "ARCHIVED")]
    test(f"{name}: what was made is ended", not left, "\n".join(left))


def whole_second():
    contact = sandbox("state/Contacts")[5]["ContactID"]
    sandbox("change", {"object": "Contacts", "id": contact, "set": {"UpdatedDateUTC": "/Date(1767225600000+0000)/"}})


def test_reading():
    mark = seen_calls()
    status, output = verify()
    lines_say("reading", output, READING, 0)
    test("reading: status", status == 0, output)
    calls = calls_since(mark)
    test("reading: no write", all(call["method"] == "GET" or call["path"] == "/connect/token" for call in calls))
    test("reading: the calls are told", f"{len(calls) - 2} calls" in output, f"{len(calls)}\n{output}")
    text = report_is_clean("reading")
    test("reading: the report", all(f"| {name} |" in text for name in READING) and "does not expect" not in text, text)


def test_writing():
    status, output = verify("--write")
    lines_say("writing", output, {**READING, **WRITING}, 0)
    test("writing: status", status == 0, output)
    report_is_clean("writing")
    nothing_is_left("writing")


def test_contrary():
    sandbox("reset", {"limits": False, "quirks": ["quotes-keep-omitted", "quotes-as-entered", "journals-without-narration"]})
    whole_second()
    status, output = verify("--write", url=contrary.start(URL))
    lines_say("contrary", output, {**READING, **WRITING}, 1)
    test("contrary: status", status == 1, output)
    text = report_is_clean("contrary")
    test("contrary: the report", text.count("**does not expect it**") == len(BREAKING), text)
    nothing_is_left("contrary")


def test_some():
    status, output = verify("uuid-order", "gzip")
    lines_say("some", output, {name: READING[name] for name in ("uuid-order", "gzip")}, 0)
    status, output = verify("gzip", "blanks")
    test("some: a write without --write", status == 2 and "blanks: needs --write" in output, output)
    status, output = verify("nonsense")
    test("some: unknown", status == 2 and "no check is called nonsense" in output, output)
    status, output = verify("--list", env={})
    test("list", status == 0 and all(name in output for name in (*READING, *WRITING)), output)


def test_scopes():
    status, output = verify("missing-scope", "page-size", env={**KEYS, "XERO_SCOPES": "accounting.settings.read"})
    test("scopes: misspelt", "insufficent_scope" in output and status == 0, output)
    test("scopes: not settled", re.search("page-size .*not settled: the token lacks the scope", output), output)
    status, output = verify("gzip", env={"XERO_ACCESS_TOKEN": "sandbox-token"})
    test("a ready-made token", status == 0, output)


def test_ends():
    status, output = verify(env={**KEYS, "XERO_CLIENT_SECRET": "wrong-secret"})
    test("ends: wrong secret", status == 2 and "Xero refused a token" in output and "wrong-secret" not in output, output)
    status, output = verify(env={})
    test("ends: no credentials", status == 2 and "set XERO_ACCESS_TOKEN" in output, output)
    status, output = verify(url="http://192.0.2.1")
    test("ends: no TLS", status == 2 and "is no https URL" in output, output)
    sandbox("faults", [{"path": "/api.xro/2.0/Quotes", "problem": "day"}])
    status, output = verify()
    test("ends: day limit", status == 2 and "limit of the day" in output and "It ended early." in REPORT.read_text(),
         output)
    sandbox("faults", [{"path": "/api.xro/2.0/Quotes", "problem": "minute", "retry_after": 1, "times": 1},
                       {"path": "/api.xro/2.0/Accounts", "status": 500, "body": '{"Type": "UnknownErrorException"}'}])
    status, output = verify("quotes-page-size", "gzip")
    test("ends: a minute's limit is waited for", "quotes heed pageSize" in output, output)
    test("ends: an odd answer", "not settled: unexpected answer: HTTP status 500, UnknownErrorException" in output, output)
    sandbox("faults", [{"path": "/api.xro/2.0/Contacts/*", "method": "POST", "status": 500}])
    status, output = verify("--write", "read-after-write")
    test("ends: left behind", output.count("left behind in the organisation: Contacts/") == 2, output)
    sandbox("faults", [])


def test_other_organisations():
    organisation = sandbox("state/Organisation")[0]["OrganisationID"]
    sandbox("change", {"object": "Organisation", "id": organisation, "set": {"IsDemoCompany": False}})
    mark = seen_calls()
    status, output = verify("--write")
    test("no demo company", status == 2 and "is no demo company" in output, output)
    test("no demo company: no write", all(call["method"] == "GET" or call["path"] == "/connect/token"
                                          for call in calls_since(mark)))
    sandbox("reset", {"tenants": 2, "limits": False})
    status, output = verify("gzip", env={"XERO_ACCESS_TOKEN": "sandbox-token"})
    found = re.search(r"choose one with --tenant: (\S+), ", output)
    test("two organisations", status == 2 and found, output)
    status, output = verify("gzip", "--tenant", found[1], env={"XERO_ACCESS_TOKEN": "sandbox-token"})
    test("one of two", status == 0, output)


whole_second()
test_reading()
test_writing()
test_contrary()
test_some()
test_scopes()
test_ends()
test_other_organisations()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
