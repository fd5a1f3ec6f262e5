"""Path, parameters and headers of one call -> status, headers and body bytes.

Everything here runs on one worker thread, the only one that touches data.
Answers to identical requests for unchanged data come from a cache of bytes.
"""
import re
import zlib
from collections import OrderedDict

from . import render
from .answer import JSON, Answer
from .errors import not_found, not_implemented
from .listing import Listing
from .objects import ACCOUNTING, ACCOUNTING_OBJECTS, EMPLOYEES_AU, EMPLOYEES_UK_NZ, PAYROLL, PAYROLL_AU
from .seeds import key_of
from .values import Iso, iso_seconds
from .writes import Writer

MAX_QUERY = 2048            # bytes; beyond it IIS answers 404
CACHE_BYTES = 1_500_000_000
XML = "application/xml; charset=utf-8"


class ByteCache:
    """Bodies by request, least recently used out first.  The first part of a
    key is the organisation's object that the body shows."""

    def __init__(self, limit=CACHE_BYTES):
        self.limit = limit
        self.clear()

    def get(self, key):
        body = self.bodies.get(key)
        if body is not None:
            self.bodies.move_to_end(key)
        return body

    def put(self, key, body):
        if key in self.bodies:
            self.held -= len(self.bodies[key])
        self.bodies[key] = body
        self.keys.setdefault(key[0], set()).add(key)
        self.held += len(body)
        while self.held > self.limit and len(self.bodies) > 1:
            oldest, body = self.bodies.popitem(last=False)
            self.keys[oldest[0]].discard(oldest)
            self.held -= len(body)

    def drop(self, shown):
        """Forget the bodies of one object."""
        for key in self.keys.pop(shown, ()):
            self.held -= len(self.bodies.pop(key))

    def clear(self):
        self.bodies = OrderedDict()
        self.keys = {}                      # object -> keys of its bodies
        self.held = 0


class Call:
    """The parts of a request that decide its answer."""

    def __init__(self, method, path, query, params, headers, body=b"", client=None):
        self.client = client
        self.method = method
        self.path = path
        self.query = query              # raw
        self.params = params            # decoded, last one wins
        self.accept = headers.get("accept", "")
        self.modified_since = headers.get("if-modified-since", "")
        self.gzip = "gzip" in headers.get("accept-encoding", "")
        self.body = body
        self.content_type = headers.get("content-type", "")
        self.idempotency_key = headers.get("idempotency-key")

    @property
    def wants_json(self):
        return "json" in self.accept.lower()


class Api:
    def __init__(self, options, clock):
        self.options = options
        self.clock = clock
        self.cache = ByteCache()
        self.matches = OrderedDict()        # selections of rows, recently used
        self.reset()

    def reset(self):
        """A new world: no answers are kept, no idempotency keys known."""
        self.forget()
        self.writer = Writer(self.options, self.clock, self.stale)

    def forget(self):
        self.cache.clear()
        self.matches.clear()

    def stale(self, org, specs):
        """Rows of these objects changed: forget what shows them, nothing else."""
        for shown in {self.shown(org, spec) for spec in specs}:
            self.cache.drop(shown)
            for key in [key for key in self.matches if key[0] == shown]:
                del self.matches[key]

    @staticmethod
    def shown(org, spec):
        return org.tenant_id, spec.base, spec.name

    def spec_of(self, org, path):
        """(object, rest of the path) or 404.  Which payroll API answers is
        decided by the organisation's country."""
        for base in (ACCOUNTING, PAYROLL_AU, PAYROLL):
            if path.lower().startswith(base + "/"):
                name, *rest = path[len(base) + 1:].rstrip("/").split("/")
                break
        else:
            raise not_found()
        if base == ACCOUNTING:
            specs = {spec.path.lower(): spec for spec in ACCOUNTING_OBJECTS.values()}
            spec = specs.get("/".join([name, *rest[:1]]).lower())
            if spec and rest:
                rest = rest[1:]
            else:
                spec = specs.get(name.lower())
        else:
            employees = EMPLOYEES_AU if org.country == "AU" else EMPLOYEES_UK_NZ
            spec = employees if name.lower() == "employees" and employees.base == base else None
        if not spec:
            raise not_found()
        return spec, rest

    def scopes(self, path):
        """Scopes that admit to a path, without knowing the organisation."""
        match = re.match(rf"(?i){ACCOUNTING}/([A-Za-z]+)(/[^/]+/Attachments(/|$))?", path)
        if match and match[2]:
            return ["accounting.attachments"]
        if match:
            for name, spec in ACCOUNTING_OBJECTS.items():
                if name.lower() == match[1].lower():
                    return spec.scopes
            return []
        return EMPLOYEES_AU.scopes if "/payroll.xro/" in path else []

    def answer(self, org, call):
        if len(call.query) > MAX_QUERY:
            raise not_found()
        canned = org.canned.find(call.method, call.path, call.query)
        if canned:
            return canned
        spec, rest = self.spec_of(org, call.path)
        if call.method in ("PUT", "POST", "DELETE"):
            return self._packed(self.writer.answer(org, spec, rest, call), call)
        if call.method != "GET":
            raise not_implemented(405)
        key = (self.shown(org, spec), call.path, call.query, call.modified_since, call.wants_json)
        body = self.cache.get(key + (call.gzip,))
        if body is None:
            body = self.cache.get(key + (False,))
            if body is None:
                body = self._build(org, spec, rest, call)
                self.cache.put(key + (False,), body)
            if call.gzip:
                body = self._compress(body)
                self.cache.put(key + (True,), body)
        headers = {"Content-Encoding": "gzip"} if call.gzip else {}
        return Answer(200, body, JSON if call.wants_json else XML, headers)

    def _packed(self, answer, call):
        if not call.gzip or not answer.body:
            return answer
        return Answer(answer.status, self._compress(answer.body), answer.content_type,
                      {**answer.headers, "Content-Encoding": "gzip"})

    @staticmethod
    def _compress(body):
        packer = zlib.compressobj(3, zlib.DEFLATED, 31)
        return packer.compress(body) + packer.flush()

    # building ------------------------------------------------------------

    def _build(self, org, spec, rest, call):
        table = org.table(spec)
        if not rest:
            listing = Listing(spec, call.params, call.modified_since, self.options)
            rows, pagination = listing.slice(self._matching(org, table, spec, listing))
            form = spec.forms[listing.form]
        elif len(rest) == 1:
            row = table.row_by_key(rest[0])
            if row is None:
                row = table.row_by_natural(rest[0])
            if row is None or table.record(row) is None:
                raise not_found()
            rows, pagination, form = [row], None, spec.forms["single"]
        else:
            return self._part(org, table, spec, rest, call)
        records = (form.show(table.record(row), self.options.quirks) for row in rows)
        return self._envelope(org, spec, records, pagination, call)

    def _matching(self, org, table, spec, listing):
        key = (self.shown(org, spec), listing.selection())
        rows = self.matches.get(key)
        if rows is None:
            rows = self.matches[key] = listing.rows(table)
            while len(self.matches) > 64:
                self.matches.popitem(last=False)
        else:
            self.matches.move_to_end(key)
        return rows

    def _part(self, org, table, spec, rest, call):
        """Sub-resources: attachments, options, and what a document names."""
        row = table.row_by_key(rest[0])
        record = table.record(row) if row is not None else None
        part = {"attachments": "Attachments", "options": "Options", "allocations": "Allocations"}.get(rest[1].lower())
        if record is None or not part or len(rest) > 2:
            raise not_found()
        return self._members(org, part, record.get(part, []), None, call, lambda element: element.get("FileName", ""))

    def _envelope(self, org, spec, records, pagination, call):
        if spec is EMPLOYEES_UK_NZ:
            return self._camel(org, records, pagination, call)
        unitdp4 = spec.four_decimals(call.params)
        return self._members(org, spec.wrapper, records, pagination, call,
                             lambda record: str(record.get(spec.key)), unitdp4)

    def _members(self, org, wrapper, records, pagination, call, key, unitdp4=False):
        members = {"Id": org.envelope_id(call.path + "?" + call.query), "Status": "OK",
                   "ProviderName": "xero_fdw sandbox", "DateTimeUTC": Iso(f"/Date({org.stamp})/")}
        if not call.wants_json:
            return render.xml("Response", {**members, wrapper: list(records)})
        texts = [render.variant_of(key(record), unitdp4).record(record) for record in records]
        if pagination:
            members["pagination"] = pagination
        return render.body(members, wrapper, texts)

    def _camel(self, org, records, pagination, call):
        """The UK and NZ payroll envelope: camelCase, ISO dates without zone."""
        records = list(records)
        members = {"id": org.envelope_id(call.path + "?" + call.query), "providerName": "xero_fdw sandbox",
                   "dateTimeUTC": Iso(iso_seconds(org.stamp) + ".8608520"), "httpStatusCode": "OK",
                   "pagination": pagination, "problem": None}
        single = "/" in call.path[len(PAYROLL) + 1:].strip("/")
        texts = [render.PLAIN.record(record, 1 if single else 2) for record in records]
        if not single:
            return render.body(members, "employees", texts)
        head = render.PLAIN.object(members, 0)[:-3]
        return render.to_bytes(f'{head},{render.INDENT[1]}"employee": {texts[0]}\r\n}}')


def correlation_id(n):
    """Xero-Correlation-Id: a uuid for support."""
    a, b = key_of("correlation", n), key_of("noitalerroc", n)
    return f"{a >> 32:08x}-{a >> 16 & 0xffff:04x}-4{a & 0xfff:03x}-8{b >> 52 & 0xfff:03x}-{b & 0xffffffffffff:012x}"

