"""The faults, as data: what is sent instead of the right answer, and what may come of it.

A fault is (name, outcome, SQLSTATEs, what is sent); each table says in which
phases its faults are tried (xero.PHASES).  Outcomes say what is right, be it
what the product does today or not.  Never right are fewer rows or other rows,
and SQLSTATEs that are not listed:

    ROWS    no fault in truth, or one that concerns nobody: the right rows
    AGAIN   once, the call is repeated and the rows are right; always, an error
    NEVER   always, an error; once, that or the right rows
    ERROR   an error, and no repeat that would cure it
    ANY     the right rows or an error, which may depend on the statement, and
            on the version of libcurl

Where an outcome differs by phase, EXCEPT has it.  In the phase "write", 08007
(the outcome is unknown) is right wherever an error is.
"""
import gzip
import json
import time
import zlib

from xero import CLIENT_SECRET, FINISH, HOLD, INVOICES, RESET, TENANT, TOKEN, uuid

ROWS, AGAIN, NEVER, ERROR, ANY = "rows", "again", "never", "error", "any"

EVERY = ("token", "connections", "page 1", "page 2", "record", "write")
READS = ("page 1", "page 2", "record")
LISTS = ("page 1", "page 2")

LOST = "08006"
BAD = "HV00L"
ODD = "08006 HV00L"             # libcurl's versions differ in what they refuse
DATA = "HV00L 22P02 22003 22007 22008 22023 22P05"
LIMIT = "53400"
REFUSED = "HV00L 22023 23502 23505 23514"


class Fault:
    def __init__(self, name, phases, outcome, errors, send, heavy=False, stalls=False, blank=None):
        self.name = name
        self.phases = phases
        self.outcome = outcome
        self.errors = errors
        self.send = send            # Answer -> steps; for "connect", None -> steps
        self.heavy = heavy          # takes memory or seconds
        self.stalls = stalls        # leaves the client waiting
        self.blank = blank          # a column that may be null in what it touches

    def expected(self, phase):
        """(outcome, set of SQLSTATEs) in a phase."""
        outcome, errors = EXCEPT.get((self.name, phase), (self.outcome, self.errors))
        return outcome, set(errors.split()) | ({"08007"} if phase == "write" else set())


FAULTS = []


def add(phases, rows, **more):
    for name, outcome, errors, send in rows:
        FAULTS.append(Fault(name, phases, outcome, errors, send, **more))


# ---- what to do to an answer ----

def whole(change):
    return lambda answer: [change(answer).whole()]


def status(number, **changes):
    return whole(lambda a: a.but(status=number, **changes))


def refusal(number, document, *headers):
    return whole(lambda a: a.but(status=number, body=json.dumps(document).encode()).having(*headers))


def headers(*pairs):
    return whole(lambda a: a.having(*pairs))


def limit(*pairs):
    return whole(lambda a: a.but(status=429, body=b"").having(*pairs))


def body(data):
    return whole(lambda a: a.but(body=data))


def altered(change):
    """change() the bytes of the body."""
    return whole(lambda a: a.but(body=change(a.body)))


def edited(change):
    """change() the document."""
    return whole(lambda a: a.edited(change))


def ends(after, *steps):
    """So much of the answer, then the steps."""
    return lambda a: [after(a), *steps]


def none(_):
    return b""


def half_head(a):
    return a.head()[:40]


def head(a):
    return a.head()


def half(a):
    return a.head() + a.body[:len(a.body) // 2]


def chunks(a, *sizes, end=b"0\r\n\r\n", spell="{:x}"):
    """The answer in chunks of these sizes, and one of what is left."""
    rest, parts = a.body, []
    for size in (*sizes, len(a.body)):
        part, rest = rest[:size], rest[size:]
        if part:
            parts.append(spell.format(len(part)).encode() + b"\r\n" + part + b"\r\n")
    return a.but(length="").having(("Transfer-Encoding", "chunked")).head() + b"".join(parts) + end


def chunked(*sizes, **more):
    return lambda a: [chunks(a, *sizes, **more)]


def coded(coding, encode):
    return whole(lambda a: a.but(body=encode(a.body)).having(("Content-Encoding", coding)))


def records(document):
    """The records of a page, of a record's answer, or the connections."""
    if isinstance(document, list):
        return document
    return next(value for value in document.values() if isinstance(value, list))


def first(change):
    """change() the first record."""
    return edited(lambda document: change(records(document)[0]))


def setting(name, value):
    return first(lambda record: record.__setitem__(name, value))


def lacking(name):
    return first(lambda record: record.pop(name, None))


def listed(value):
    """The list of records is this instead."""
    def change(document):
        if isinstance(document, list):
            return value
        name = next(name for name, inner in document.items() if isinstance(inner, list))
        document[name] = value
        return document
    return edited(change)


def spelled(name, text):
    """A member of the first record has this text, which may be no JSON."""
    marker = "b7c1a5marker"

    def change(a):
        other = a.edited(lambda document: records(document)[0].__setitem__(name, marker))
        return other.but(body=other.body.replace(json.dumps(marker).encode(), text, 1))
    return whole(change)


def date_in(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


def drip(a, size, pause):
    data = a.whole()
    return [step for at in range(0, len(data), size) for step in (data[at:at + size], pause)]


def bomb():
    """300 MB of blanks before an object, in 300 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(b" " * 1_000_000) for _ in range(300)]) + packer.compress(b"{}") + packer.flush()


# ---- statuses ----

add(EVERY, [
    (f"status {number}", NEVER, BAD, status(number))
    for number in (300, 301, 302, 303, 304, 305, 307, 308, 400, 402, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416,
                   417, 418, 421, 422, 423, 424, 425, 426, 428, 431, 451, 499, 501, 505, 506, 507, 508, 510, 511, 520, 599)])
add(EVERY, [
    (f"status {number}, elsewhere", ERROR, BAD, headers_and_status)
    for number in (301, 307) for headers_and_status in
    [lambda a, n=number: [a.but(status=n, body=b"").having(("Location", "http://127.0.0.1:9/stolen")).whole()]]])
add(EVERY, [
    ("status 401", ERROR, "28000", refusal(401, {"Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"})),
    ("status 401, empty", ERROR, "28000", status(401, body=b"")),
    ("status 401, expired", AGAIN, "28000", refusal(401, {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: x"})),
    ("status 401, scope", ERROR, "42501", refusal(401, {}, ("WWW-Authenticate", "insufficient_scope"))),
    ("status 401, garbage", ERROR, "28000", refusal(401, [], ("WWW-Authenticate", "\x01\xff" * 600))),
    ("status 403", ERROR, "42501", refusal(403, {"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"})),
    ("status 403, HTML", ERROR, "08001", lambda a: [a.but(status=403, body=b"<html>no").having(("Content-Type", "text/html")).whole()]),
    ("status 404", ERROR, BAD, status(404, body=b"")),
    ("status 404, JSON", ERROR, BAD, refusal(404, {"Message": "gone"})),
    ("status 500", AGAIN, BAD, status(500)),
    ("status 500, empty", AGAIN, BAD, status(500, body=b"")),
    ("status 500, 2 MB", AGAIN, BAD, status(500, body=json.dumps({"Message": "x" * 2_000_000}).encode())),
    ("status 500, deep", AGAIN, BAD, status(500, body=b"[" * 100_000)),
    ("status 502", AGAIN, BAD, status(502, body=b"<html>bad gateway")),
    ("status 503", AGAIN, BAD, status(503, body=b"")),
    ("status 503, later", AGAIN, BAD, lambda a: [a.but(status=503).having(("Retry-After", "1")).whole()]),
    ("status 503, never", ERROR, BAD, lambda a: [a.but(status=503).having(("Retry-After", "999999999")).whole()]),
    ("status 503, negative", AGAIN, BAD, lambda a: [a.but(status=503).having(("Retry-After", "-1")).whole()]),
    ("status 504", AGAIN, BAD, status(504, body=b"")),
    ("status 201", ANY, BAD, status(201)),
    ("status 202", ANY, BAD, status(202)),
    ("status 203", ANY, BAD, status(203)),
    ("status 204", NEVER, ODD, status(204, body=b"", length="")),
    ("status 204, with a body", NEVER, ODD, status(204)),
    ("status 205", NEVER, ODD, status(205, body=b"")),
    ("status 206", NEVER, BAD, status(206)),
    ("status 206, a range", NEVER, BAD, lambda a: [a.but(status=206).having(("Content-Range", "bytes 0-9/99999")).whole()]),
    ("status 207", ANY, BAD, status(207)),
    ("status 226", ANY, BAD, status(226)),
    ("status 299", ANY, BAD, status(299)),
    ("status 600", NEVER, ODD, status(600)),
    ("status 999", NEVER, ODD, status(999)),
    ("status 000", NEVER, ODD, status("000")),
    ("status 99", NEVER, ODD, status(99)),
    ("status 2000", ANY, ODD, status(2000)),
    ("status -200", NEVER, ODD, status(-200)),
    ("status of letters", NEVER, ODD, status("OK")),
    ("status of nothing", NEVER, ODD, status("")),
    ("status line without a reason", ROWS, "", lambda a: [a.whole().replace(b" Whatever", b"", 1)]),
    ("status line of 90 kB", ANY, ODD, lambda a: [a.whole().replace(b"Whatever", b"x" * 90_000, 1)]),
    ("100 first", ROWS, "", lambda a: [b"HTTP/1.1 100 Continue\r\n\r\n" + a.whole()]),
    ("103 first", ROWS, "", lambda a: [b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nLink: </x>\r\n\r\n" + a.whole()]),
    ("103 fifty times first", ROWS, "", lambda a: [b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" * 50 + a.whole()]),
    ("101", NEVER, ODD, lambda a: [b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", a.body, FINISH]),
])

# ---- limits ----

add(EVERY, [
    ("429, a second", AGAIN, LIMIT, limit(("Retry-After", "1"), ("X-Rate-Limit-Problem", "minute"))),
    ("429, at once", AGAIN, LIMIT, limit(("Retry-After", "0"), ("X-Rate-Limit-Problem", "minute"))),
    ("429, blanks", AGAIN, LIMIT, limit(("Retry-After", "  1  "), ("X-Rate-Limit-Problem", "minute"))),
    ("429, a date", AGAIN, LIMIT, lambda a: limit(("Retry-After", date_in(1)))(a)),
    ("429, a date of long ago", NEVER, LIMIT, limit(("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"))),
    ("429, a date far off", ERROR, LIMIT, limit(("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"))),
    ("429, 999999999", ERROR, LIMIT, limit(("Retry-After", "999999999"), ("X-Rate-Limit-Problem", "minute"))),
    ("429, 999999999 of a day", ERROR, LIMIT, limit(("Retry-After", "999999999"), ("X-Rate-Limit-Problem", "day"))),
    ("429, 999999999 of the app", ERROR, LIMIT, limit(("Retry-After", "999999999"), ("X-Rate-Limit-Problem", "appminute"))),
    ("429, 999999999 at once", ERROR, LIMIT, limit(("Retry-After", "999999999"), ("X-Rate-Limit-Problem", "concurrent"))),
    ("429, more digits than a number has", NEVER, LIMIT, limit(("Retry-After", "9" * 40))),
    ("429, negative", NEVER, LIMIT, limit(("Retry-After", "-1"))),
    ("429, a fraction", NEVER, LIMIT, limit(("Retry-After", "1.5"))),
    ("429, words", NEVER, LIMIT, limit(("Retry-After", "soon"))),
    ("429, empty", NEVER, LIMIT, limit(("Retry-After", ""))),
    ("429, twice", NEVER, LIMIT, limit(("Retry-After", "1"), ("Retry-After", "999999999"))),
    ("429, nothing said", NEVER, LIMIT, limit()),
    ("429, a day, nothing said", ERROR, LIMIT, limit(("X-Rate-Limit-Problem", "day"))),
    ("429, calls at once", AGAIN, LIMIT, limit(("X-Rate-Limit-Problem", "concurrent"), ("Retry-After", "0"))),
    ("429, a problem of garbage", NEVER, LIMIT, limit(("X-Rate-Limit-Problem", "\x01\xff" * 500), ("Retry-After", "1"))),
    ("429, HTML", AGAIN, LIMIT, lambda a: [a.but(status=429, body=b"<html>").having(("Content-Type", "text/html"), ("Retry-After", "1")).whole()]),
])
for counter in ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining"):
    add(EVERY, [
        (f"{counter}: {value[:12]}", outcome, LIMIT, headers((counter, value)))
        for value, outcome in (("0", ANY), ("-1", ROWS), ("999999999", ROWS), ("9" * 40, ROWS), ("many", ROWS), ("", ROWS), ("\xff\x01", ROWS))])

# ---- headers ----

add(EVERY, [
    ("length too long, FIN", AGAIN, LOST, lambda a: [a.but(length=len(a.body) + 9).whole(), FINISH]),
    ("length too short", ANY, ODD, lambda a: [a.but(length=len(a.body) // 2).whole(), FINISH]),
    ("length 0", NEVER, ODD, lambda a: [a.but(length=0).whole(), FINISH]),
    ("length negative", ANY, ODD, lambda a: [a.but(length=-1).whole(), FINISH]),
    ("length of letters", ANY, ODD, lambda a: [a.but(length="many").whole(), FINISH]),
    ("length empty", ANY, ODD, lambda a: [a.having(("Content-Length", "")).but(length="").whole(), FINISH]),
    ("length in hex", NEVER, ODD, lambda a: [a.but(length="0xffff").whole(), FINISH]),
    ("length with a sign", ANY, ODD, lambda a: [a.but(length=f"+{len(a.body)}").whole(), FINISH]),
    ("length 10^18", NEVER, ODD, lambda a: [a.but(length=10 ** 18).whole(), FINISH]),
    ("length 10^30", NEVER, ODD, lambda a: [a.but(length=10 ** 30).whole(), FINISH]),
    ("length twice", ANY, ODD, lambda a: [a.having(("Content-Length", str(len(a.body)))).whole()]),
    ("length twice, differing", ANY, ODD, lambda a: [a.having(("Content-Length", str(len(a.body) + 7))).whole(), FINISH]),
    ("length as a list", ANY, ODD, lambda a: [a.but(length=f"{len(a.body)}, {len(a.body)}").whole(), FINISH]),
    ("no length, FIN", ROWS, "", lambda a: [a.but(length="").whole(), FINISH]),
    ("no length, half, FIN", NEVER, ODD, lambda a: [a.but(length="", body=a.body[:len(a.body) // 2]).whole(), FINISH]),
    ("chunks", ROWS, "", chunked(1, 2, 3)),
    ("chunks with extensions", ROWS, "", chunked(5, spell="{:x};name=\"value\"")),
    ("chunks with trailers", ROWS, "", chunked(5, end=b"0\r\nRetry-After: 9\r\nX-DayLimit-Remaining: 17\r\n\r\n")),
    ("chunks, sizes with zeros", ROWS, "", chunked(5, spell="{:08x}")),
    ("chunks, no last one, FIN", AGAIN, LOST, lambda a: [chunks(a, 5, end=b""), FINISH]),
    ("chunks, size negative", NEVER, ODD, lambda a: [chunks(a, 5, spell="-{:x}"), FINISH]),
    ("chunks, size of letters", NEVER, ODD, lambda a: [chunks(a, 5, spell="xyz"), FINISH]),
    ("chunks, size too large", NEVER, ODD, lambda a: [chunks(a, 5, spell="ffffffffffffffff{:x}"), FINISH]),
    ("chunks, size in decimal", NEVER, ODD, lambda a: [chunks(a, 40, spell="{:d}"), FINISH]),
    ("chunks, the body is none", NEVER, ODD, lambda a: [a.but(length="").having(("Transfer-Encoding", "chunked")).whole(), FINISH]),
    ("chunks and a length", ANY, ODD, lambda a: [chunks(a.having(("Content-Length", "7")), 5)]),
    ("chunks, said twice", ANY, ODD, lambda a: [chunks(a, 5).replace(b"chunked\r\n", b"chunked\r\nTransfer-Encoding: chunked\r\n", 1), FINISH]),
    ("transfer coding identity", ANY, ODD, lambda a: [a.having(("Transfer-Encoding", "identity")).whole(), FINISH]),
    ("transfer coding unknown", ANY, ODD, lambda a: [a.having(("Transfer-Encoding", "banana")).whole(), FINISH]),
    ("transfer coding gzip", ANY, ODD, lambda a: [a.but(length="", body=gzip.compress(a.body)).having(("Transfer-Encoding", "gzip")).whole(), FINISH]),
    ("gzip", ROWS, "", coded("gzip", gzip.compress)),
    ("gzip in capitals", ANY, ODD, coded("GZIP", gzip.compress)),
    ("gzip of nothing", NEVER, ODD, coded("gzip", lambda data: gzip.compress(b""))),
    ("gzip that is none", NEVER, ODD, coded("gzip", lambda data: data)),
    ("gzip cut", NEVER, ODD, coded("gzip", lambda data: gzip.compress(data)[:-20])),
    ("gzip without its sum", ANY, ODD, coded("gzip", lambda data: gzip.compress(data)[:-8])),
    ("gzip with a wrong sum", NEVER, ODD, coded("gzip", lambda data: gzip.compress(data)[:-8] + b"\0" * 8)),
    ("gzip with a broken byte", NEVER, ODD, coded("gzip", lambda data: gzip.compress(data)[:30] + b"\xff\xff\xff" + gzip.compress(data)[33:])),
    ("gzip and junk behind it", ANY, ODD, coded("gzip", lambda data: gzip.compress(data) + b"junk" * 50)),
    ("gzip in two parts", ANY, ODD, coded("gzip", lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]))),
    ("gzip twice", ANY, ODD, coded("gzip, gzip", lambda data: gzip.compress(gzip.compress(data)))),
    ("gzip, said but once", NEVER, ODD, coded("gzip", lambda data: gzip.compress(gzip.compress(data)))),
    ("gzip 200 times", NEVER, ODD, coded(", ".join(["gzip"] * 200), gzip.compress)),
    ("deflate, which nobody wanted", ANY, ODD, coded("deflate", zlib.compress)),
    ("coding unknown", ANY, ODD, coded("banana", lambda data: data)),
    ("coding unknown, and not understood", NEVER, ODD, coded("banana", lambda data: bytes(255 - byte for byte in data))),
    ("coding identity", ROWS, "", coded("identity", lambda data: data)),
    ("no content type", NEVER, BAD, lambda a: [a.but(headers=[]).whole()]),
    ("content type text/plain", NEVER, BAD, headers(("Content-Type", "text/plain"))),
    ("content type text/html", NEVER, BAD, headers(("Content-Type", "text/html"))),
    ("content type empty", NEVER, BAD, headers(("Content-Type", ""))),
    ("content type of 10 kB", ANY, BAD, headers(("Content-Type", "application/json; " + "x" * 10_000))),
    ("content type in capitals", ROWS, "", headers(("Content-Type", "APPLICATION/JSON"))),
    ("content type twice", ANY, BAD, headers(("Content-Type", "text/html"), ("Content-Type", "application/json"))),
    ("content type of a problem", ANY, BAD, headers(("Content-Type", "application/problem+json"))),
    ("charset that is wrong", ANY, BAD, headers(("Content-Type", "application/json; charset=utf-16"))),
    ("header of 1.5 MB", NEVER, ODD, headers(("X-Long", "x" * 1_500_000))),
    ("header of 90 kB", ANY, ODD, headers(("X-Long", "x" * 90_000))),
    ("200 headers", ROWS, "", headers(*[(f"X-{n}", "x") for n in range(200)])),
    ("20,000 headers", ANY, ODD, headers(*[(f"X-{n}", "x" * 20) for n in range(20_000)])),
    ("header without a colon", ANY, ODD, lambda a: [a.whole().replace(b"\r\n", b"\r\nnonsense\r\n", 1)]),
    ("header without a name", ANY, ODD, lambda a: [a.whole().replace(b"\r\n", b"\r\n: nonsense\r\n", 1)]),
    ("header with a zero byte", ANY, ODD, lambda a: [a.whole().replace(b"\r\n", b"\r\nX-Zero: a\0b\r\n", 1)]),
    ("header folded", ANY, ODD, lambda a: [a.whole().replace(b"\r\n", b"\r\nX-Fold: a\r\n b\r\n", 1)]),
    ("header of high bytes", ROWS, "", headers(("X-High", "\xe4\xff\xfe"), ("Xero-Correlation-Id", "\xe4\x01" * 300))),
    ("head ended by LF", ROWS, "", lambda a: [a.head().replace(b"\r\n", b"\n") + a.body]),
    ("date of nonsense", ROWS, "", headers(("Date", "tomorrow"))),
    ("date far off", ROWS, "", headers(("Date", "Fri, 31 Dec 9999 23:59:59 GMT"))),
    ("cookies", ROWS, "", headers(*[("Set-Cookie", f"a{n}=b; Domain=.example.com") for n in range(60)])),
    ("alternative service", ROWS, "", headers(("Alt-Svc", 'h3=":1"; ma=99999'), ("Strict-Transport-Security", "max-age=99999"))),
    ("connection close", ROWS, "", lambda a: [a.having(("Connection", "close")).whole(), FINISH]),
    ("connection close, held open", ROWS, "", lambda a: [a.having(("Connection", "close")).whole(), HOLD]),
    ("connection close, and more", ROWS, "", lambda a: [a.having(("Connection", "close")).whole() + b"junk" * 9, HOLD]),
    ("keep-alive, but FIN", ROWS, "", lambda a: [a.having(("Connection", "keep-alive")).whole(), FINISH]),
    ("HTTP/1.0", ROWS, "", lambda a: [a.but(version="HTTP/1.0").whole(), FINISH]),
    ("HTTP/1.0, no length", ROWS, "", lambda a: [a.but(version="HTTP/1.0", length="").whole(), FINISH]),
    ("HTTP/1.2", ANY, ODD, lambda a: [a.but(version="HTTP/1.2").whole(), FINISH]),
    ("HTTP/2.0", ANY, ODD, lambda a: [a.but(version="HTTP/2.0").whole(), FINISH]),
    ("HTTP/3.0", ANY, ODD, lambda a: [a.but(version="HTTP/3.0").whole(), FINISH]),
    ("HTTP/0.9", NEVER, ODD, lambda a: [a.body, FINISH]),
    ("HTTP/", NEVER, ODD, lambda a: [a.but(version="HTTP/").whole(), FINISH]),
    ("another protocol", NEVER, ODD, lambda a: [b"SSH-2.0-OpenSSH_9.2\r\n", FINISH]),
    ("another protocol that looks like HTTP", ANY, ODD, lambda a: [a.but(version="RTSP/1.0").whole(), FINISH]),
])

# ---- connections ----

add(EVERY, [
    ("RST at once", AGAIN, LOST, ends(none, RESET)),
    ("FIN at once", AGAIN, LOST, ends(none, FINISH)),
    ("RST in the head", AGAIN, LOST, ends(half_head, RESET)),
    ("FIN in the head", AGAIN, ODD, ends(half_head, FINISH)),
    ("RST after the head", AGAIN, LOST, ends(head, RESET)),
    ("FIN after the head", AGAIN, LOST, ends(head, FINISH)),
    ("RST in the body", AGAIN, LOST, ends(half, RESET)),
    ("FIN in the body", AGAIN, LOST, ends(half, FINISH)),
    ("RST after the answer", ANY, LOST, lambda a: [a.whole(), RESET]),
    ("pieces", ROWS, "", lambda a: drip(a, len(a.whole()) // 10 + 1, 0.01)),
    ("answered twice", ROWS, "", lambda a: [a.whole() + a.whole()]),
    ("answered, then 408", ROWS, "", lambda a: [a.whole() + b"HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\n", FINISH]),
    ("answered, then junk", ROWS, "", lambda a: [a.whole() + b"\0\xff junk" * 100]),
])
add(EVERY, [
    ("stall at once", AGAIN, LOST, ends(none, HOLD)),
    ("stall in the head", AGAIN, LOST, ends(half_head, HOLD)),
    ("stall after the head", AGAIN, LOST, ends(head, HOLD)),
    ("stall in the body", AGAIN, LOST, ends(half, HOLD)),
    ("stall after 100", AGAIN, LOST, lambda a: [b"HTTP/1.1 100 Continue\r\n\r\n", HOLD]),
    ("drip", AGAIN, LOST, lambda a: drip(a, 1, 0.2)),
    ("length too long, stall", AGAIN, LOST, lambda a: [a.but(length=len(a.body) + 9).whole(), HOLD]),
    ("no length, stall", AGAIN, LOST, lambda a: [a.but(length="").whole(), HOLD]),
    ("chunks, no last one, stall", AGAIN, LOST, lambda a: [chunks(a, 5, end=b""), HOLD]),
], stalls=True)
add(("connect",), [
    ("RST when connected", AGAIN, "08001 08006", lambda _: [RESET]),
    ("FIN when connected", AGAIN, "08001 08006", lambda _: [FINISH]),
    ("a greeting", NEVER, "08001 08006 HV00L", lambda _: [b"220 smtp.example.com ESMTP\r\n", FINISH]),
    ("an answer before the request", ANY, "08001 08006 HV00L", lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", FINISH]),
    ("a TLS alert", NEVER, "08001 08006 HV00L", lambda _: [b"\x15\x03\x03\0\x02\x02\x28", FINISH]),
])
add(("connect",), [
    ("stall when connected", AGAIN, "08001 08006", lambda _: [HOLD]),
], stalls=True)

# ---- bodies ----

add(EVERY, [
    ("body empty", AGAIN, BAD, body(b"")),
    ("body blank", AGAIN, BAD, body(b" \r\n\t ")),
    ("body []", ANY, BAD, body(b"[]")),
    ("body {}", ANY, BAD, body(b"{}")),
    ("body null", AGAIN, BAD, body(b"null")),
    ("body true", AGAIN, BAD, body(b"true")),
    ("body 17", AGAIN, BAD, body(b"17")),
    ("body of a string", AGAIN, BAD, body(b'"text"')),
    ("body [[]]", ANY, BAD, body(b"[[]]")),
    ("body [null]", ANY, BAD, body(b"[null]")),
    ("body [17]", ANY, BAD, body(b"[17]")),
    ("body [{}]", ANY, BAD, body(b"[{}]")),
    ('body {"":""}', ANY, BAD, body(b'{"":""}')),
    ("body of words", AGAIN, BAD, body(b"please come again")),
    ("body of HTML", AGAIN, BAD, body(b"<!DOCTYPE html><html><body>Sorry</body></html>")),
    ("body of XML", AGAIN, BAD, body(b"<?xml version='1.0'?><Response><Invoices/></Response>")),
    ("body of zero bytes", AGAIN, BAD, body(b"\0" * 4096)),
    ("body of 0xff", AGAIN, BAD, body(b"\xff" * 4096)),
    ("body { 0xff }", ANY, BAD, body(b"{" + b"\xff" * 4096 + b"}")),
    ("body in UTF-16", NEVER, BAD, altered(lambda data: data.decode().encode("utf-16"))),
    ("body behind a byte order mark", ANY, BAD, altered(lambda data: b"\xef\xbb\xbf" + data)),
    ("body behind two byte order marks", ANY, BAD, altered(lambda data: b"\xef\xbb\xbf" * 2 + data)),
    ("body behind blanks", ROWS, "", altered(lambda data: b" \r\n\t" * 500 + data + b"\n" * 500)),
    ("body behind )]}'", ANY, BAD, altered(lambda data: b")]}'\n" + data)),
    ("body in a call", ANY, BAD, altered(lambda data: b"callback(" + data + b")")),
    ("body twice", ANY, BAD, altered(lambda data: data + data)),
    ("body and a bracket", ANY, BAD, altered(lambda data: data + b"}")),
    ("body and a zero byte", ANY, BAD, altered(lambda data: data + b"\0")),
    ("body and junk in brackets", ANY, BAD, altered(lambda data: data + b" junk }")),
    ("body with a comment", ANY, BAD, altered(lambda data: data[:1] + b"/* hello */" + data[1:])),
    ("body in single quotes", ANY, BAD, altered(lambda data: data.replace(b'"', b"'"))),
    ("body without quotes", ANY, BAD, altered(lambda data: data.replace(b'"', b""))),
    ("body with a comma more", ANY, BAD, altered(lambda data: data[:-1] + b"," + data[-1:])),
    ("body with a comma first", ANY, BAD, altered(lambda data: data[:1] + b"," + data[1:])),
    ("body with a comma less", ANY, BAD, altered(lambda data: data.replace(b", ", b" ", 1))),
    ("body with a colon less", ANY, BAD, altered(lambda data: data.replace(b": ", b" ", 1))),
    ("body with the wrong bracket", ANY, BAD, altered(lambda data: data.replace(b"]", b"}"))),
    ("body of brackets", ANY, BAD, body(b"[" * 50_000 + b"]" * 50_000)),
    ("body of 200,000 open brackets", ANY, BAD, body(b"{" + b"[" * 200_000 + b"}")),
    ("body nested deeply", ANY, BAD, altered(lambda data: b'{"deep": ' + b'[' * 5000 + b']' * 5000 + b", " + data[1:] if data[:1] == b"{" else data)),
])
add(EVERY, [
    (f"body cut at {percent} %", ANY, ODD, altered(lambda data, percent=percent: data[:max(1, len(data) * percent // 100)]))
    for percent in (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)])
add(EVERY, [
    (f"body cut by {count}", ANY, ODD, altered(lambda data, count=count: data[:-count])) for count in (1, 2, 3)])
add(("page 1", "write"), [
    ("body of 260 MB", NEVER, BAD, lambda a: [a.but(length=270_000_000, body=b"").head()] + [b" " * 1_000_000] * 270),
    ("gzip bomb", NEVER, BAD, coded("gzip", lambda data: bomb())),
    ("a member of 40 MB that nobody wants", ROWS, "", setting("Unwanted", "x" * 40_000_000)),
    ("endless body", NEVER, BAD, lambda a: [a.but(length="", body=b"").head()] + [b"[" * 1_000_000] * 300 + [FINISH]),
], heavy=True)

# ---- lists and records ----

add(READS + ("write",), [
    ("records null", ERROR, REFUSED, listed(None)),
    ("records {}", ANY, DATA + " 23514", listed({})),
    ("records of a string", ANY, BAD, listed("none")),
    ("records 17", ANY, BAD, listed(17)),
    ("records true", ANY, BAD, listed(True)),
    ("records []", ANY, REFUSED, listed([])),
    ("records [null]", ANY, BAD, listed([None])),
    ("records [17]", ANY, BAD, listed([17])),
    ("records [[]]", ANY, BAD, listed([[]])),
    ("records [[{}]]", ANY, BAD, listed([[{}]])),
    ("records under another name", ANY, BAD, altered(lambda data: data.replace(b'"Invoices"', b'"Bills"').replace(b'"Contacts"', b'"People"')
                                                      .replace(b'"ContactGroups"', b'"Bags"'))),
    ("records under a name in small letters", ANY, BAD, altered(lambda data: data.replace(b'"Invoices"', b'"invoices"'))),
    ("records come twice", ANY, REFUSED, altered(lambda data: data[:-1] + b', "Invoices": [], "Contacts": [], "ContactGroups": []}')),
    ("one record twice", ANY, BAD, edited(lambda document: records(document).insert(0, records(document)[0]))),
    ("one record a thousand times", ANY, BAD, edited(lambda document: records(document).extend([records(document)[0]] * 1000))),
    ("a record less", ANY, REFUSED, edited(lambda document: records(document).pop() and None)),
    ("a member twice", ROWS, "", altered(lambda data: data.replace(b'"Name": ', b'"Name": "wrong", "Name": '))),
    ("a member of 1 MB that nobody wants", ROWS, "", setting("Unwanted", "x" * 1_000_000)),
    ("a member of nested arrays that nobody wants", ANY, BAD, spelled("Unwanted", b"[" * 900 + b"]" * 900)),
    ("a member nested too deeply that nobody wants", ANY, BAD, spelled("Unwanted", b"[" * 100_000 + b"]" * 100_000)),
    ("a member without a name", ROWS, "", setting("", "nothing")),
    ("a thousand members that nobody wants", ROWS, "", first(lambda record: record.update({f"M{n}": [n, {}, "x"] for n in range(1000)}))),
])
add(LISTS, [
    ("no first key", ANY, BAD, first(lambda record: record.pop(next(iter(record))) and None)),
    ("first key null", ANY, BAD, first(lambda record: record.__setitem__(next(iter(record)), None))),
    ("first key empty", ANY, DATA, first(lambda record: record.__setitem__(next(iter(record)), ""))),
], blank="key")
add(LISTS, [
    ("the first key is no uuid", ANY, DATA, first(lambda record: record.__setitem__(next(iter(record)), "x"))),
    ("the first key is a path", ANY, DATA, first(lambda record: record.__setitem__(next(iter(record)), "../../connections?x="))),
    ("the same key in all records", ANY, BAD, edited(lambda document: [record.update({next(iter(record)): uuid(8, 8)})
                                                                       for record in records(document)] and None)),
])
PAGINATION = [("lacks", None), ("null", {"pagination": None}), ("of a string", {"pagination": "x"}), ("an array", {"pagination": []})]
PAGINATION += [(f"{name} {json.dumps(value)}"[:48], {"pagination": {name: value}})
               for name, values in (("pageCount", (-1, 1, 99, 10 ** 17, 10 ** 30, "2", "x", None, 2.5, [], True)),
                                    ("itemCount", (-1, 0, 6, 10 ** 17, 10 ** 30, "5", "x", None, 5.5, {}, False)),
                                    ("pageSize", (-1, 1, 100, 10 ** 30, "3", None, [])),
                                    ("page", (-1, 7, 10 ** 30, None, "x")))
               for value in values]


def paginated(change):
    def edit(document):
        if "pagination" not in document:
            return
        if change is None:
            del document["pagination"]
        elif isinstance(change["pagination"], dict):
            document["pagination"].update(change["pagination"])
        else:
            document.update(change)
    return edited(edit)


add(LISTS, [(f"pagination: {name}", ANY, BAD, paginated(change)) for name, change in PAGINATION])
add(("page 2",), [
    ("the page before, again", ANY, BAD, edited(lambda document: document.update({"Invoices": INVOICES[:3]}))),
    ("the list has shrunk", ANY, BAD, paginated({"pagination": {"itemCount": 4}})),
    ("the list has shrunk to nothing", ANY, BAD, paginated({"pagination": {"itemCount": 0, "pageCount": 0}})),
    ("the list has grown", ANY, BAD, paginated({"pagination": {"itemCount": 7, "pageCount": 3}})),
])

# Each wanted column, and what it cannot be.
WRONG = {"InvoiceID": (17, True, "x", "{}", {}, []), "Date": (True, "x", "/Date(x)/", "/Date(99999999999999999999)/",
                                                                             "2026-02-30", "0000-00-00", {}, []),
         "Total": (True, "x", "1e", "--1", {}, []), "UpdatedDateUTC": (True, "x", "9999999-01-01", {}, []),
         "HasAttachments": (17, "x", "maybe", {}, [])}
add(LISTS, [
    (f"{member}: {json.dumps(value)}", ANY, DATA, setting(member, value))
    for member, values in WRONG.items() for value in values])
add(LISTS, [
    ("Contact: 17", ANY, DATA, setting("Contact", 17)),
    ("Contact: []", ANY, DATA, setting("Contact", [])),
    ("Contact: null", ANY, DATA, setting("Contact", None)),
    ("Contact.ContactID: x", ANY, DATA, first(lambda record: record.__setitem__("Contact", {"ContactID": "x"}))),
], blank="contact")
add(LISTS, [
    ("a text with \\u0000", ANY, DATA, spelled("InvoiceNumber", b'"a\\u0000b"')),
    ("a text with half a surrogate", ANY, DATA, spelled("InvoiceNumber", b'"a\\ud800b"')),
    ("a text with halves swapped", ANY, DATA, spelled("InvoiceNumber", b'"\\udc00\\ud800"')),
    ("a text with a wrong escape", ANY, DATA, spelled("InvoiceNumber", b'"a\\xb"')),
    ("a text with half an escape", ANY, DATA, spelled("InvoiceNumber", b'"a\\u12"')),
    ("a text with a zero byte", ANY, DATA, spelled("InvoiceNumber", b'"a\0b"')),
    ("a text with a line break", ANY, DATA, spelled("InvoiceNumber", b'"a\nb"')),
    ("a text that is no UTF-8", ANY, DATA, spelled("InvoiceNumber", b'"a\xffb"')),
    ("a text of an overlong byte", ANY, DATA, spelled("InvoiceNumber", b'"a\xc0\x80b"')),
    ("a text of a surrogate's bytes", ANY, DATA, spelled("InvoiceNumber", b'"a\xed\xa0\x80b"')),
    ("a text that does not end", ANY, DATA, spelled("InvoiceNumber", b'"a')),
    ("no UTF-8 where nobody looks", ANY, DATA, spelled("Unwanted", b'"a\xffb"')),
    ("a number with a million digits", ANY, DATA, spelled("Total", b"1" * 1_000_000)),
    ("a number 1e999999999", ANY, DATA, spelled("Total", b"1e999999999")),
    ("a number -1e-999999999", ANY, DATA, spelled("Total", b"-1e-999999999")),
    ("a number NaN", ANY, DATA, spelled("Total", b"NaN")),
    ("a number Infinity", ANY, DATA, spelled("Total", b"Infinity")),
    ("a number in hex", ANY, DATA, spelled("Total", b"0x10")),
    ("a number of signs", ANY, DATA, spelled("Total", b"-")),
    ("a word cut", ANY, DATA, spelled("HasAttachments", b"tru")),
    ("an array that does not end", ANY, DATA, spelled("LineItems", b"[1, 2")),
    ("an array nested deeply", ANY, DATA + " 54001", spelled("LineItems", b"[" * 20_000 + b"]" * 20_000)),
    ("an array of what is no JSON", ANY, DATA, spelled("LineItems", b"[what, is, this]")),
    ("an object without a colon", ANY, DATA, spelled("LineItems", b'{"a" 1}')),
])

# ---- answers that quote what was sent ----

QUOTE = f"GET / HTTP/1.1, Authorization: Bearer {TOKEN}, and more"
add(("connections",) + READS + ("write",), [
    ("the token in an error, status 400", ERROR, "HV00L", refusal(400, {"Message": QUOTE})),
    ("the token in an error, status 500", AGAIN, BAD, refusal(500, {"Type": TOKEN, "Detail": QUOTE})),
    ("the token in a page, status 403", ERROR, "08001",
     whole(lambda a: a.but(status=403, body=f"<html><body>{QUOTE}</body></html>".encode()).having(("Content-Type", "text/html")))),
    ("the token in a header", ERROR, "42501", refusal(401, {}, ("WWW-Authenticate", f"insufficient_scope {TOKEN}"))),
])

# ---- tokens ----


def token(**changes):
    def edit(document):
        for name, value in changes.items():
            if value is LEFT_OUT:
                document.pop(name)
            else:
                document[name] = value
    return edited(edit)


LEFT_OUT = object()
add(("token",), [
    ("no access_token", NEVER, BAD, token(access_token=LEFT_OUT)),
    ("access_token null", NEVER, BAD, token(access_token=None)),
    ("access_token empty", NEVER, BAD, token(access_token="")),
    ("access_token 17", NEVER, BAD, token(access_token=17)),
    ("access_token [token]", NEVER, BAD, token(access_token=[TOKEN])),
    ("access_token {token}", NEVER, BAD, token(access_token={"access_token": TOKEN})),
    ("access_token with a line break", NEVER, BAD, token(access_token=TOKEN + "\r\nX-Injected: yes")),
    ("access_token with a zero byte", ANY, "HV00L 28000", token(access_token=TOKEN + "\0x")),
    ("access_token with a blank", NEVER, "HV00L 28000", token(access_token=TOKEN + " x")),
    ("access_token beyond ASCII", NEVER, "HV00L 28000", token(access_token=TOKEN + "é")),
    ("access_token of 5 kB", NEVER, "HV00L 28000", token(access_token=TOKEN + "x" * 5_000)),
    ("access_token of 1 MB", NEVER, BAD, token(access_token=TOKEN + "x" * 1_000_000)),
    ("access_token that Xero does not know", NEVER, "28000", token(access_token=TOKEN + "x")),
    ("no expires_in", ANY, BAD, token(expires_in=LEFT_OUT)),
    ("expires_in null", ANY, BAD, token(expires_in=None)),
    ("expires_in of a string", ANY, BAD, token(expires_in="1800")),
    ("expires_in 0", ANY, BAD, token(expires_in=0)),
    ("expires_in -1", ANY, BAD, token(expires_in=-1)),
    ("expires_in -10^30", ANY, BAD, token(expires_in=-10 ** 30)),
    ("expires_in 1", ANY, BAD, token(expires_in=1)),
    ("expires_in 2^31", ANY, BAD, token(expires_in=2 ** 31)),
    ("expires_in 10^18", ANY, BAD, token(expires_in=10 ** 18)),
    ("expires_in 10^30", ANY, BAD, token(expires_in=10 ** 30)),
    ("expires_in 1800.5", ANY, BAD, token(expires_in=1800.5)),
    ("expires_in []", ANY, BAD, token(expires_in=[])),
    ("refresh_token 17", ANY, BAD, token(refresh_token=17)),
    ("token_type unknown", ANY, BAD, token(token_type="mac")),
    ("token_type 17", ANY, BAD, token(token_type=17)),
    ("scope 17", ANY, BAD, token(scope=17)),
    ("members that nobody knows", ROWS, "", token(id_token="x" * 9_000, weather="fine", more=[1, [2]])),
    ("an error with status 200", NEVER, "HV00L 28000", body(b'{"error": "invalid_grant"}')),
    ("token as text", NEVER, BAD, lambda a: [a.having(("Content-Type", "text/plain")).whole()]),
    ("token as a form", NEVER, BAD, lambda a: [a.but(body=f"access_token={TOKEN}&expires_in=1800".encode())
                                               .having(("Content-Type", "application/x-www-form-urlencoded")).whole()]),
    ("token as text, status 500", AGAIN, BAD, lambda a: [a.but(status=500).having(("Content-Type", "text/plain")).whole()]),
    ("token as text, status 404", NEVER, BAD, lambda a: [a.but(status=404).having(("Content-Type", "text/plain")).whole()]),
    ("token as text, cut", NEVER, ODD, lambda a: [a.having(("Content-Type", "text/plain")).but(length=9_999).whole(), FINISH]),
    ("secret as Message, status 500", AGAIN, BAD, refusal(500, {"Message": f"bad secret {CLIENT_SECRET}"})),
    ("secret as Title, status 405", NEVER, BAD, refusal(405, {"Type": CLIENT_SECRET, "Title": f"bad secret {CLIENT_SECRET}"})),
])
add(("token",), [
    (f"refused: {str(word)[:24]}, status {number}", NEVER, "HV00L 28000", refusal(number, {"error": word, "error_description": CLIENT_SECRET}))
    for number, word in ((400, "invalid_client"), (400, "invalid_grant"), (400, "invalid_scope"), (400, "unsupported_grant_type"),
                         (400, CLIENT_SECRET), (400, "no-such-word " + TOKEN), (400, "x" * 10_000), (400, "a\0b\n\x1b[31m"),
                         (400, 17), (400, None), (400, ["invalid_client"]), (401, "invalid_client"), (403, TOKEN))])

# ---- organisations ----


def tenant(**changes):
    return {"id": uuid(9, 1), "tenantId": TENANT, "tenantType": "ORGANISATION", "tenantName": "Hostile", **changes}


def tenants(*list_):
    return body(json.dumps(list(list_)).encode())


add(("connections",), [
    ("no organisation", ERROR, "28000", tenants()),
    ("organisations in an object", NEVER, BAD, body(json.dumps({"connections": [tenant()]}).encode())),
    ("one organisation, not in an array", NEVER, BAD, body(json.dumps(tenant()).encode())),
    ("organisation null", NEVER, BAD, tenants(tenant(), None)),
    ("organisation 17", NEVER, BAD, tenants(tenant(), 17)),
    ("organisation {}", NEVER, BAD, tenants(tenant(), {})),
    ("organisation []", NEVER, BAD, tenants(tenant(), [])),
    ("tenantId null", NEVER, BAD, tenants(tenant(tenantId=None))),
    ("tenantId 17", NEVER, BAD, tenants(tenant(tenantId=17))),
    ("tenantId empty", NEVER, BAD, tenants(tenant(tenantId=""))),
    ("tenantId that is no uuid", NEVER, BAD, tenants(tenant(tenantId="organisation-1"))),
    ("tenantId of 10 kB", NEVER, BAD, tenants(tenant(tenantId="1" * 10_000))),
    ("tenantId with a line break", NEVER, BAD, tenants(tenant(tenantId=TENANT + "\r\nX-Injected: yes"))),
    ("tenantId with a zero byte", ANY, BAD, tenants(tenant(tenantId=TENANT + "\0"))),
    ("tenantId in braces", ANY, BAD, tenants(tenant(tenantId="{" + TENANT + "}"))),
    ("tenantId in capitals", ROWS, "", tenants(tenant(tenantId=TENANT.upper()))),
    ("tenantId of a stranger", ERROR, "42501", tenants(tenant(tenantId=uuid(7, 7)))),
    ("a stranger as well", ERROR, "42501 23502", tenants(tenant(), tenant(tenantId=uuid(7, 7)))),
    ("the same organisation twice", ROWS, "", tenants(tenant(), tenant())),
    ("the same by two names", ANY, BAD, tenants(tenant(), tenant(tenantName="Other"))),
    ("the same, once as a practice", ANY, "HV00L 28000", tenants(tenant(), tenant(tenantType="PRACTICE"))),
    ("the same in capitals, too", ROWS, "", tenants(tenant(), tenant(tenantId=TENANT.upper()))),
    ("a practice as well", ROWS, "", tenants(tenant(), tenant(tenantId=uuid(7, 7), tenantType="PRACTICE"))),
    ("nothing but a practice", ERROR, "28000", tenants(tenant(tenantType="PRACTICE"))),
    ("2,000 strangers", ERROR, "42501 53400 23502", tenants(*[tenant(tenantId=uuid(7, number)) for number in range(2_000)])),
    ("2,000 practices as well", ROWS, "", tenants(tenant(), *[tenant(tenantId=uuid(7, number), tenantType="PRACTICE") for number in range(2_000)])),
    ("tenantType left out", NEVER, "HV00L 28000", tenants({"tenantId": TENANT})),
    ("tenantType null", NEVER, "HV00L 28000", tenants(tenant(tenantType=None))),
    ("tenantType 17", NEVER, "HV00L 28000", tenants(tenant(tenantType=17))),
    ("tenantType of 10 kB", NEVER, "HV00L 28000", tenants(tenant(tenantType="ORGANISATION" * 900))),
    ("tenantName left out", ROWS, "", tenants({"tenantId": TENANT, "tenantType": "ORGANISATION"})),
    ("tenantName null", ROWS, "", tenants(tenant(tenantName=None))),
    ("tenantName 17", ANY, BAD, tenants(tenant(tenantName=17))),
    ("tenantName of 10 kB", ROWS, "", tenants(tenant(tenantName="\u00e4\u4e2d" * 3_000))),
    ("tenantName of control characters", ROWS, "", tenants(tenant(tenantName="a\0b\n\x1b[31m"))),
    ("tenantName that is no UTF-8", ANY, BAD, altered(lambda data: data.replace(b"Hostile", b"\xff\xc0\x80\xed\xa0\x80"))),
])

# ---- a record's own GET ----

add(("record",), [
    ("the record is empty", ANY, BAD, listed([{}])),
    ("another record", NEVER, BAD, edited(lambda document: records(document)[0].update(
        {next(iter(records(document)[0])): uuid(8, 8), "Contacts": [{"Name": "other"}], "Attachments": [{"FileName": "other"}]}))),
    ("another record before it", ANY, BAD, edited(lambda document: records(document).insert(0, {
        next(iter(records(document)[0])): uuid(8, 8), "Name": "other", "Contacts": [{"Name": "other"}], "Attachments": [{"FileName": "other"}]}))),
    ("another record behind it", ANY, BAD, edited(lambda document: records(document).append({
        next(iter(records(document)[0])): uuid(8, 8), "Name": "other", "Contacts": [{"Name": "other"}], "Attachments": [{"FileName": "other"}]}))),
    ("a list of pages", ANY, BAD, edited(lambda document: document.__setitem__("pagination", {"page": 1, "pageCount": 9, "itemCount": 900}))),
])
add(("record",), [
    ("the wanted member lacks", ANY, BAD, first(lambda record: [record.pop(name, None) for name in ("Contacts", "Attachments")] and None)),
    ("the wanted member null", ANY, BAD, first(lambda record: record.update({name: None for name in ("Contacts", "Attachments") if name in record}))),
], blank="detail")

# ---- answers to writes ----

ELEMENT = {"ContactID": uuid(2, 9), "Name": "x", "HasValidationErrors": True, "StatusAttributeString": "ERROR"}
add(("write",), [
    ("an element more", NEVER, BAD, edited(lambda document: document["Contacts"].append(document["Contacts"][0]))),
    ("no ContactID", NEVER, REFUSED, lacking("ContactID")),
    ("ContactID null", NEVER, REFUSED, setting("ContactID", None)),
    ("ContactID zero", NEVER, REFUSED, setting("ContactID", "00000000-0000-0000-0000-000000000000")),
    ("ContactID empty", NEVER, REFUSED, setting("ContactID", "")),
    ("ContactID that is no uuid", NEVER, DATA, setting("ContactID", "x")),
    ("ContactID 17", NEVER, DATA, setting("ContactID", 17)),
    ("ContactID []", NEVER, DATA, setting("ContactID", [])),
    ("status ERROR, no reason", NEVER, REFUSED, setting("StatusAttributeString", "ERROR")),
    ("StatusAttributeString 17", ANY, REFUSED, setting("StatusAttributeString", 17)),
    ("a reason", ERROR, "23514", setting("ValidationErrors", [{"Message": "no such thing"}])),
    ("a reason of 1 MB", ERROR, "23514", setting("ValidationErrors", [{"Message": "no" * 500_000}])),
    ("a thousand reasons", ERROR, "23514", setting("ValidationErrors", [{"Message": f"reason {number}"} for number in range(1000)])),
    ("a reason of control characters", ERROR, "23514", setting("ValidationErrors", [{"Message": "no\n\x1b[31m"}])),
    ("a reason with a zero byte", ERROR, "23514", setting("ValidationErrors", [{"Message": "no\0thing"}])),
    ("reasons that are 17", ANY, REFUSED, setting("ValidationErrors", 17)),
    ("reasons that are a string", ANY, REFUSED, setting("ValidationErrors", "no")),
    ("reasons that are {}", ANY, REFUSED, setting("ValidationErrors", {})),
    ("reasons nested deeply", ANY, REFUSED, spelled("ValidationErrors", b"[" * 500 + b"]" * 500)),
    ("a warning", ROWS, "", setting("Warnings", [{"Message": "hm"}])),
    ("warnings that are 17", ANY, REFUSED, setting("Warnings", 17)),
    ("400 with elements", ERROR, "23514", refusal(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred",
                                                       "Elements": [{**ELEMENT, "ValidationErrors": [{"Message": "no such thing"}]}]})),
    ("400 with elements that are 17", ERROR, REFUSED, refusal(400, {"ErrorNumber": 10, "Message": "no", "Elements": 17})),
    ("400 with no element", ERROR, REFUSED, refusal(400, {"ErrorNumber": 10, "Message": "no", "Elements": []})),
    ("400 with elements cut", ERROR, REFUSED, whole(lambda a: a.but(status=400, body=b'{"ErrorNumber": 10, "Elements": [{"Validat'))),
    ("400 of a name that is taken", ERROR, "23505", refusal(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": "x", "Elements": [
        {**ELEMENT, "ValidationErrors": [{"Message": "The contact name x is already assigned to another contact. The contact name must be unique across all active contacts."}]}]})),
    ("400 of JSON that is bad", ERROR, REFUSED, refusal(400, {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "JSON invalid"})),
    ("400 with ErrorNumber of a string", ERROR, REFUSED, refusal(400, {"ErrorNumber": "ten", "Message": 17, "Type": []})),
])

# ---- where a phase differs ----

EXCEPT = {
    ("status 400", "write"): (NEVER, REFUSED),
    ("body [{}]", "write"): (ANY, REFUSED),
    ("body []", "connections"): (ERROR, "28000"),
}
# Whatever refuses a token, it is the credentials.
for name in ("status 400", "status 401", "status 401, empty", "status 401, expired", "status 401, scope", "status 401, garbage",
             "status 402", "status 403", "status 403, HTML"):
    EXCEPT[name, "token"] = (ERROR, "28000")
# A record that a list has shown is asked for once more.
for name in ("status 404", "status 404, JSON"):
    EXCEPT[name, "record"] = (AGAIN, BAD)
# A write may have been answered with nothing on purpose.
for name in ("status 204", "status 204, with a body", "status 205"):
    EXCEPT[name, "write"] = (ANY, ODD)

# What cannot be known, (fault, statement): that a list without a count lacks records, or one that is not read to its end,
# or that a count is wrong.  In a list without pages nobody looks for what comes twice, and a record that lacks its key is a
# row where the key is not wanted.
UNKNOWABLE = {("records []", "groups"), ("a record less", "groups"), ("a record less", "top"), ("records null", "groups"),
              ("the same key in all records", "top"), ("the same key in all records", "groups"), ("one record twice", "groups"), ("one record a thousand times", "groups"), ("records {}", "top"), ("records {}", "groups"),
              *[(fault.name, "count") for fault in FAULTS if fault.name.startswith("pagination: itemCount") and fault.name[-1].isdigit()
                and not fault.name.endswith((" -1", " 0"))]}

BY_NAME = {fault.name: fault for fault in FAULTS}
assert len(BY_NAME) == len(FAULTS)
assert all(name in BY_NAME for name, _ in [*EXCEPT, *UNKNOWABLE])
