"""The /sandbox/ endpoints: look inside, and change what a test needs changed.

JSON in and out, never counted against a limit, never in the log.
"""
import json
import uuid

from aiohttp import web

from . import render
from .api import Call
from .errors import ApiError
from .objects import ACCOUNTING_OBJECTS, EMPLOYEES_AU, EMPLOYEES_UK_NZ
from .store import typed
from .values import Instant, Iso, Number, iso_seconds
from .writes.books import Books, Refused
from .writes.fields import Reader
from .writes.objects import WRITABLE


class Control:
    def __init__(self, world):
        self.world = world

    def routes(self):
        return [web.get("/sandbox/log", self.log),
                web.get("/sandbox/state/{object:.+}", self.state),
                web.post("/sandbox/reset", self.guard(self.reset)),
                web.post("/sandbox/faults", self.guard(self.faults, False)),
                web.post("/sandbox/clock", self.guard(self.clock, False)),
                web.get("/sandbox/clock", self.time),
                web.post("/sandbox/identity", self.guard(self.identity, False)),
                web.post("/sandbox/quirks", self.guard(self.quirks)),
                web.post("/sandbox/data", self.guard(self.data)),
                web.post("/sandbox/change", self.guard(self.change)),
                web.route("*", "/sandbox/{rest:.*}", self.later)]

    def guard(self, handler, touches_data=True):
        """Read JSON, answer JSON; what is wrong with a request is a 400."""
        async def guarded(request):
            try:
                text = await request.text()
                members = json.loads(text, parse_float=Number) if text.strip() else {}
                answer = await self.world.on_worker(handler, members) if touches_data else handler(members)
            except (ValueError, KeyError, TypeError) as error:
                return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
            return web.json_response(answer if answer is not None else {"ok": True})
        return guarded

    async def later(self, _request):
        return web.json_response({"error": "not there yet"}, status=501)

    async def log(self, request):
        return web.json_response(self.world.log.since(int(request.query.get("since", 0))))

    async def time(self, _request):
        return web.json_response({"now": self.world.clock.now()})

    async def state(self, request):
        """Every record in full, or the one of ?id=; ?tenant_id= picks the
        organisation."""
        try:
            org = self._org(request.query)
            table = org.table(self._spec(org, request.match_info["object"]))
            rows = [self._row(table, request.query["id"])] if "id" in request.query else table.rows()
        except KeyError as error:
            return web.json_response({"error": str(error)}, status=404)
        body = await self.world.on_worker(lambda: render.plain_array(table.record(row) for row in rows))
        return web.Response(body=body, content_type="application/json")

    def _org(self, members):
        tenant = members.get("tenant_id")
        if not tenant:
            return next(iter(self.world.orgs.values()))
        return self.world.orgs[tenant.lower()]

    @staticmethod
    def _spec(org, name):
        for spec in ACCOUNTING_OBJECTS.values():
            if name in (spec.name, spec.path):
                return spec
        name = name.rsplit("/", 1)[-1]
        if name == "Employees":
            return EMPLOYEES_AU if org.country == "AU" else EMPLOYEES_UK_NZ
        return ACCOUNTING_OBJECTS[name]

    def reset(self, members):
        return self.world.reset(plain(members))

    def faults(self, members):
        self.world.faults.replace(plain(members if isinstance(members, list) else members.get("faults", [members])))

    def clock(self, members):
        if "advance" in members:
            self.world.clock.advance(float(members["advance"]))
        return {"now": self.world.clock.now()}

    def identity(self, members):
        return self.world.identity.control(plain(members))

    def quirks(self, members):
        self.world.options.quirks = list(members["quirks"])
        self.world.api.forget()

    def data(self, members):
        """Load records, or have a path answer with a given body."""
        if "path" in members:
            orgs = [self._org(members)] if members.get("tenant_id") else self.world.orgs.values()
            for org in orgs:
                org.canned.put(members["path"], members.get("body"), members.get("query"),
                               members.get("status", 200), members.get("headers"), members.get("method"))
            return None
        org = self._org(members)
        spec = self._spec(org, members["object"])
        table = org.table(spec)
        rows = table.load([self._complete(spec, typed(spec.type_name, record)) for record in members["records"]])
        keys = [table.record(row)[spec.key] for row in rows]
        org.changed(spec)
        self.world.api.forget()
        return {"ok": True, "keys": keys}

    def _complete(self, spec, record):
        """Give a loaded record the key and the clock that it lacks."""
        if spec.key not in record:
            record = {spec.key: str(uuid.uuid4()), **record}
        if spec.clock and spec.clock not in record:
            record[spec.clock] = self._now(spec)
        return record

    def _made(self, org, spec, members):
        """What Xero would make of the members, its defaults, sums and numbers
        included.  Of what it would refuse, such as a name that is taken, it is
        what it would make of the rest, so that no record lacks what all have."""
        writable = WRITABLE.get(spec.name)
        if not writable:
            return {}
        given = {name: value for name, value in members.items() if name not in (spec.key, "Status")}
        own = {name: str(uuid.uuid4())[:20] for name in ("Name", "Code", spec.natural) if given.get(name)}
        for attempt in (given, {**given, **own}, own):
            books = Books(org, self.world.clock, self.world.options)
            handler = writable.handler(books, spec, Call("PUT", "", "", {"unitdp": "4"}, {}))
            try:
                made = dict(handler.create(Reader(True, False).element(spec.type_name, attempt)[0]))
            except (ApiError, Refused):
                continue
            finally:
                books.undo(0)
            del made[spec.key]
            return made
        return {}

    def _now(self, spec):
        ms = int(self.world.clock.now() * 1000)
        return Iso(iso_seconds(ms)) if spec is EMPLOYEES_UK_NZ else Instant(ms)

    @staticmethod
    def _row(table, name):
        """A row by key or natural key."""
        row = table.row_by_key(name)
        row = table.row_by_natural(name) if row is None else row
        if row is None or table.record(row) is None:
            raise KeyError(name)
        return row

    def change(self, members):
        """What another Xero user does: edit, create or delete."""
        org = self._org(members)
        spec = self._spec(org, members["object"])
        table = org.table(spec)
        if "create" in members:
            made = {**self._made(org, spec, members["create"]), **typed(spec.type_name, members["create"])}
            row = table.upsert(self._complete(spec, made))
        elif members.get("delete"):
            row = self._row(table, members["id"])
            key = table.record(row)[spec.key]
            table.remove(key)
            org.changed(spec)
            self.world.api.forget()
            return {"ok": True, "id": key}
        elif "merge" in members:
            row = self._row(table, members["merge"])
            self._merge(org, table, members["id"], table.record(row), members.get("silent"))
        else:
            row = self._row(table, members["id"])
            record = {**table.record(row), **typed(spec.type_name, members["set"])}
            if spec.clock and spec.clock not in members["set"] and not members.get("silent"):
                record[spec.clock] = self._now(spec)
                if "UpdatedDateUTCString" in record:
                    record["UpdatedDateUTCString"] = iso_seconds(record[spec.clock]) + "Z"
            table.upsert(record)
        org.changed(spec)
        self.world.api.forget()
        return {"ok": True, "id": table.record(row)[spec.key]}

    def _merge(self, org, contacts, dead, survivor, silent):
        """A contact is merged into another one: it is archived and names that one
        (calcinai/xero-php#900), whose clock stands still.  Its documents move
        without a new clock of theirs (connectorly.io, "Why are Xero merged
        contacts not updated on the invoice in Power BI?").  Whether its own clock
        moves is not sure: there is a webhook (#900), and docs that say it does not
        (silent)."""
        contact = contacts.record(self._row(contacts, dead))
        if contact["ContactID"] == survivor["ContactID"] or survivor.get("ContactStatus") == "ARCHIVED":
            raise ValueError("a contact is merged into another one that is active")
        books = Books(org, self.world.clock, self.world.options)
        record = {**contact, "ContactStatus": "ARCHIVED", "MergedToContactID": survivor["ContactID"]}
        if not silent:
            record[contacts.spec.clock] = self._now(contacts.spec)
        contacts.upsert(record)
        for spec in ACCOUNTING_OBJECTS.values():
            if spec.kind("Contact"):
                table = org.table(spec)
                moved = [row for row, key in enumerate(table.column("Contact.ContactID"))
                         if key and str(key).lower() == contact["ContactID"].lower()]
                for row in moved:
                    table.upsert({**table.record(row), "Contact": books.contact_reference(survivor)})
                if moved:
                    org.changed(spec)


def plain(value):
    """Numbers back from text: only data records keep their digits."""
    if isinstance(value, Number):
        return float(value)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
