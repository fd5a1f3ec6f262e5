"""One API call, from arrival to the last byte sent.

Order, as at Xero: who is it, for which organisation, may it spend a call, and
only then the work itself.  A call is logged when it arrives; a client that
hangs up changes nothing: the work is done all the same.
"""
import asyncio
import email.utils
import time
import urllib.parse
import uuid

from aiohttp import web

from .answer import Answer
from .api import Call, correlation_id
from .errors import ApiError

GARBAGE = b"\x1f\x00<html>\xff\xfe{\"Invoices\": [{]}} \\u12 not json at all"
DRIP_PIECE = 4096

NOTHING_LEFT = {"minute": {"X-MinLimit-Remaining": "0"}, "day": {"X-DayLimit-Remaining": "0"},
                "appminute": {"X-AppMinLimit-Remaining": "0"}}


class Log:
    """Every API call in order of arrival; n counts from 1."""

    def __init__(self):
        self.entries = []

    def add(self, entry):
        entry["n"] = len(self.entries) + 1
        self.entries.append(entry)

    def since(self, n):
        return self.entries[max(0, n):]

    def reset(self):
        self.entries = []


class Gateway:
    def __init__(self, world):
        self.world = world

    async def handle(self, request):
        """Log, answer, send.  The work outlives the connection."""
        try:
            body = await request.read()
        except ConnectionError:                              # hung up before all of it was there: no call
            return web.Response(status=400)
        entry = {"n": 0, "at": self.world.clock.now(), "client_id": None, "tenant_id": None,
                 "method": request.method, "path": urllib.parse.unquote(request.rel_url.raw_path),
                 "query": request.rel_url.raw_query_string,
                 "headers": {name.lower(): value for name, value in request.headers.items()},
                 "body": body.decode("utf-8", "replace"), "status": None, "in_flight": 1, "bytes_out": 0, "ms": None}
        self.world.log.add(entry)
        started = time.monotonic()
        visit = Visit(self.world, entry, body)
        work = asyncio.ensure_future(visit.answer())
        try:
            answer = await asyncio.shield(work)
            return await self._send(request, entry, visit.fault, answer)
        finally:
            if not work.done():
                await asyncio.shield(work)
            visit.leave()
            entry["ms"] = round((time.monotonic() - started) * 1000, 3)

    async def _send(self, request, entry, fault, answer):
        if answer is None:                                   # dropped
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        entry["status"] = answer.status
        headers = {**answer.headers, "Content-Type": answer.content_type}
        if fault and fault.huge:
            return await self._huge(request, entry, fault.huge, answer, headers)
        if fault and (fault.truncate is not None or fault.drip_ms or fault.piece):
            return await self._slowly(request, entry, fault, answer, headers)
        entry["bytes_out"] = len(answer.body)
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    @staticmethod
    async def _begin(request, answer, headers, length):
        response = web.StreamResponse(status=answer.status, headers=headers)
        response.content_length = length
        await response.prepare(request)
        return response

    async def _slowly(self, request, entry, fault, answer, headers):
        """In pieces, with pauses, or not to the end."""
        body = answer.body
        response = await self._begin(request, answer, headers, len(body))
        end = len(body) if fault.truncate is None else min(fault.truncate, len(body))
        piece = fault.piece or (max(1, min(DRIP_PIECE, len(body) // 20)) if fault.drip_ms else max(1, end))
        for at in range(0, end, piece):
            await response.write(body[at:min(at + piece, end)])
            entry["bytes_out"] = min(at + piece, end)
            if fault.drip_ms or fault.piece:
                await asyncio.sleep((fault.drip_ms or 0) / 1000)
        if end < len(body):
            await asyncio.sleep(0.01)                        # let the bytes out first
            request.transport and request.transport.close()
        else:
            await response.write_eof()
        return response

    async def _huge(self, request, entry, size, answer, headers):
        """A body of `size` bytes: one JSON document with a very long list."""
        headers.pop("Content-Encoding", None)
        response = await self._begin(request, answer, headers, size)
        head, tail = b'{"Id": "huge", "Invoices": [', b'{}]}'
        filler = b'{"InvoiceNumber": "' + b"x" * 1000 + b'"},\r\n'
        chunk = filler * 512
        await response.write(head)
        left = size - len(head) - len(tail)
        while left > 0:
            piece = chunk if left >= len(chunk) else filler * (left // len(filler)) + b" " * (left % len(filler))
            await response.write(piece)
            left -= len(piece)
            entry["bytes_out"] = size - left
        await response.write(tail)
        await response.write_eof()
        return response


class Visit:
    """The work of one call."""

    def __init__(self, world, entry, body):
        self.world = world
        self.entry = entry
        self.body = body
        self.fault = None
        self.limits = world.limits          # a reset may replace them meanwhile
        self.seat = None                    # (client, tenant) held against the concurrency limit
        self.starter = False                # a consent of an app that may be of the tier Starter
        self.correlation = correlation_id(entry["n"])

    def leave(self):
        if self.seat:
            self.limits.leave(*self.seat)
            self.seat = None

    async def answer(self):
        """An Answer, or None when the connection is to be cut."""
        world, entry = self.world, self.entry
        try:
            answer = await self._answer()
        except ApiError as error:
            answer = Answer(error.status, error.body, error.content_type, error.headers)
        fault = self.fault
        if fault and fault.drop:
            entry["status"] = answer.status if fault.drop == "after" else None
            return None
        headers = {"Xero-Correlation-Id": self.correlation, "Server": "nginx",
                   "Date": email.utils.formatdate(world.clock.now(), usegmt=True)}
        if self.seat:
            headers.update(self.limits.headers(*self.seat, self.starter))
        elif entry["path"].startswith("/api.xro") or entry["path"].startswith("/payroll"):
            headers.update(self.limits.headers(None, None))
        answer.headers = {**headers, **answer.headers}
        if fault and not fault.replaces_answer:
            answer.headers.update(fault.headers)
            if fault.body is not None:
                answer.body = fault.body.encode()
                answer.headers.pop("Content-Encoding", None)
        return answer

    async def _answer(self):
        world, entry = self.world, self.entry
        path, method = entry["path"], entry["method"]
        instance = str(uuid.UUID(self.correlation))
        if world.identity.serves(path):
            entry["client_id"] = world.identity.caller(entry)
            await self._misbehave()
            return self._faulty() or world.identity.answer(entry, instance)
        authorization = entry["headers"].get("authorization", "")
        try:
            token = world.identity.bearer(authorization, instance)
            entry["client_id"] = token.client
            self.starter = token.starter
            org = world.identity.tenant(token, entry["headers"].get("xero-tenant-id", "").strip(), instance)
            entry["tenant_id"] = org.tenant_id
            self.seat = (token.client, org.tenant_id)
            entry["in_flight"] = self.limits.enter(*self.seat)
            world.identity.require(token, world.api.scopes(path), method, instance)
        except ApiError:
            await self._misbehave()
            faulty = self._faulty()
            if faulty:
                return faulty
            raise
        refusal = self.limits.admit(*self.seat, self.starter)
        if refusal:
            return too_many(refusal.problem, refusal.retry_after)
        await self._misbehave()
        faulty = self._faulty()
        return await self._overrule(org, faulty) if faulty else await self._work(org)

    async def _misbehave(self):
        """Pick the fault of this call and serve its delay."""
        self.fault = self.world.faults.pick(self.entry["method"], self.entry["path"], self.entry["body"])
        delay = self.world.options.latency / 1000 + (self.fault.delay_ms / 1000 if self.fault else 0)
        if delay:
            await asyncio.sleep(delay)

    def _faulty(self):
        """The answer that a fault gives instead of the work, if any."""
        fault = self.fault
        if not fault or not fault.replaces_answer:
            return None
        if fault.drop == "before":
            return Answer(500, b"")                          # never sent
        if fault.problem:
            refused = too_many(fault.problem, fault.retry_after)
            refused.headers.update({**NOTHING_LEFT.get(fault.problem, {}), **fault.headers})
            return refused
        body = GARBAGE if fault.garbage and fault.body is None else (fault.body or "").encode()
        headers = dict(fault.headers)
        names = {name.lower(): name for name in headers}
        content_type = headers.pop(names["content-type"]) if "content-type" in names else \
            "application/json; charset=utf-8"
        return Answer(fault.status or 200, body, content_type, headers)

    async def _overrule(self, org, faulty):
        """A fault's answer instead of the work's, which may be done all the
        same, and which replays of the call may never see."""
        if self.fault.worked:
            try:
                await self._work(org)
            except ApiError:
                pass                                         # nobody will know
        if self.fault.kept:
            await self.world.on_worker(self.world.api.writer.keep, org, self._call(), faulty)
        return faulty

    async def _work(self, org):
        return await self.world.on_worker(self.world.api.answer, org, self._call())

    def _call(self):
        entry = self.entry
        params = dict(urllib.parse.parse_qsl(entry["query"], keep_blank_values=True))
        return Call(entry["method"], entry["path"], entry["query"], params, entry["headers"], self.body,
                    entry["client_id"])


def too_many(problem, retry_after):
    """429.  For `concurrent` Xero does not say how long to wait."""
    headers = {"X-Rate-Limit-Problem": problem}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(429, b"", "text/plain", headers)
