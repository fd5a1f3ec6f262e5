"""A Xero that is right, but for one fault at one place.

It knows as much of Xero as the statements of this test need, shares nothing
with src/ or test/sandbox/, and writes its answers to the socket itself, since
no HTTP library sends what is wrong with them.

    xero = Xero()
    await xero.start()
    xero.arm(fault, "page 2", times=1)      # or None
    xero.requests                           # what it has seen since then

A fault's "send" is a function of the right Answer and gives a list of steps:
bytes to send, seconds to wait (a float), or one of the words below.
"""
import asyncio
import copy
import json
import socket
import struct
import urllib.parse

RESET = "reset"                 # end the connection by RST
FINISH = "finish"               # end it by FIN
HOLD = "hold"                   # say nothing more, and leave it open
ENDINGS = (RESET, FINISH, HOLD)

PHASES = ("connect", "token", "connections", "page 1", "page 2", "record", "write")

TENANT = "aaaaaaaa-2222-4333-8444-bbbbbbbbbbbb"
TOKEN = "hostile-secret-token"
CLIENT_SECRET = "hostile-secret-client"
PAGE = 3


def uuid(kind, number):
    return f"{kind:08d}-0000-4000-8000-{number:012d}"


def invoice(number):
    return {"InvoiceID": uuid(1, number), "InvoiceNumber": f"INV-{number}", "Type": "ACCREC", "Status": "AUTHORISED",
            "Date": f"/Date({1767225600000 + number * 86400000}+0000)/", "Total": 100.25 + number,
            "UpdatedDateUTC": f"/Date({1767225600000 + number * 1000}+0000)/", "HasAttachments": number % 2 == 1,
            "Contact": {"ContactID": uuid(2, number), "Name": f"Contact {number}"},
            "LineItems": [{"Quantity": number}]}


INVOICES = [invoice(number) for number in range(1, 6)]
CONTACTS = [{"ContactID": uuid(2, number), "Name": f"Contact {number}", "ContactStatus": "ACTIVE",
             "UpdatedDateUTC": "/Date(1767225600000+0000)/"} for number in range(1, 6)]
GROUPS = [{"ContactGroupID": uuid(3, number), "Name": f"Group {number}", "Status": "ACTIVE"} for number in (1, 2)]


class Answer:
    """An HTTP answer, each part of which can be made wrong."""

    def __init__(self, document, status=200):
        self.document = document
        self.version = "HTTP/1.1"
        self.status = status
        self.reason = "Whatever"
        self.headers = [("Content-Type", "application/json; charset=utf-8"), ("X-MinLimit-Remaining", "59"),
                        ("X-DayLimit-Remaining", "4999"), ("Xero-Correlation-Id", "hostile")]
        self.body = json.dumps(document).encode()
        self.length = None          # of the body; "" for no such header

    def but(self, **changes):
        other = copy.copy(self)
        other.headers = list(self.headers)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def edited(self, edit):
        """Another document: edit() changes a copy, or returns another."""
        document = copy.deepcopy(self.document)
        changed = edit(document)
        document = document if changed is None else changed
        return self.but(document=document, body=json.dumps(document).encode())

    def having(self, *headers):
        """With these headers (name, value), instead of those of the same name."""
        names = {name.lower() for name, _ in headers}
        return self.but(headers=[pair for pair in self.headers if pair[0].lower() not in names] + list(headers))

    def head(self):
        lines = [f"{self.version} {self.status} {self.reason}"] + [f"{name}: {value}" for name, value in self.headers]
        length = len(self.body) if self.length is None else self.length
        if length != "":
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def whole(self):
        return self.head() + self.body


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        parts = urllib.parse.urlsplit(target)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.last = self.path.rsplit("/", 1)[-1]
        self.counted = self.path.startswith("/api.xro/")
        self.phase = self._phase()

    def _phase(self):
        if self.path == "/connect/token":
            return "token"
        if self.path == "/connections":
            return "connections"
        if self.method in ("PUT", "POST"):
            return "write"
        if len(self.last) == 36:
            return "record"
        return "page 1" if int(self.query.get("page", "1")) == 1 else "page 2"


class Xero:
    def __init__(self):
        self.armed = self.phase = None
        self.left = 0
        self.requests = []
        self.hit = asyncio.Event()  # the fault was met
        self.changed = False        # and was one for that answer
        self.server = None
        self.port = None
        self.written = {}

    async def start(self, **options):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22, backlog=100, **options)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def arm(self, fault=None, phase=None, times=None):
        """times: how often the fault is met; None for always."""
        self.armed, self.phase = fault, phase
        self.left = float("inf") if times is None else times
        self.requests, self.changed, self.written = [], phase == "connect", {}
        self.hit.clear()

    def _due(self, phase):
        if self.armed is None or phase != self.phase or self.left <= 0:
            return False
        self.left -= 1
        self.hit.set()
        return True

    def _spoil(self, answer):
        try:
            return self.armed.send(answer)
        except (KeyError, StopIteration, TypeError):
            return [answer.whole()]     # this answer has not what would be made wrong

    async def _serve(self, reader, writer):
        try:
            if self._due("connect") and await self._perform(reader, writer, self.armed.send(None)):
                return
            while True:
                request = await self._read(reader)
                if request is None:
                    return
                self.requests.append(request)
                answer = self.answer(request)
                steps = [answer.whole()]
                if self._due(request.phase):
                    right, steps = steps, self._spoil(answer)
                    self.changed = self.changed or steps != right
                if await self._perform(reader, writer, steps):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _read(reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}
        method, target, _ = first.split(" ")
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Request(method, target, headers, body)

    async def _perform(self, reader, writer, steps):
        """True if the connection is over."""
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == HOLD:
                await self._hold(reader)
                return True
            elif step == RESET:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return True
            else:
                return True
        return False

    @staticmethod
    async def _hold(reader):
        """Until the other side has gone, but not for ever."""
        async with asyncio.timeout(30):
            while await reader.read(65536):
                pass

    # ---- what is right ----

    def answer(self, request):
        if request.phase == "token":
            return Answer({"access_token": TOKEN, "expires_in": 1800, "token_type": "Bearer", "scope": "accounting"})
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"}, 401)
        if request.phase == "connections":
            return Answer([{"id": uuid(9, 1), "tenantId": TENANT, "tenantType": "ORGANISATION", "tenantName": "Hostile"}])
        if request.headers.get("xero-tenant-id") != TENANT:
            return Answer({"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}, 403)
        if request.phase == "write":
            return self._write(request)
        if request.phase == "record":
            return self._record(request)
        return self._page(request)

    @staticmethod
    def _page(request):
        records = {"Invoices": INVOICES, "Contacts": CONTACTS, "ContactGroups": GROUPS}[request.last]
        if request.last == "ContactGroups":
            return Answer({"ContactGroups": records})
        if "IDs" in request.query:
            records = [record for record in records if next(iter(record.values())) in request.query["IDs"].split(",")]
        if request.query.get("order", "").lower() == "total desc":
            records = records[::-1]
        size = int(request.query.get("pageSize", "100"))
        page = int(request.query.get("page", "1"))
        return Answer({"pagination": {"page": page, "pageSize": size, "pageCount": -(-len(records) // size),
                                      "itemCount": len(records)},
                       request.last: records[(page - 1) * size:page * size]})

    @staticmethod
    def _record(request):
        name = request.path.split("/")[-2]
        for record in {"Invoices": INVOICES, "Contacts": CONTACTS, "ContactGroups": GROUPS}[name]:
            if request.last in record.values():
                number = int(request.last[-1])
                more = {"Invoices": {"Attachments": [{"FileName": f"file {number}"}]} if number % 2 else {},
                        "ContactGroups": {"Contacts": [{"Name": f"Contact {number}"}]}}.get(name, {})
                return Answer({name: [{**record, **more}]})
        return Answer({"Message": "not found"}, 404)

    def _write(self, request):
        """The same key is the same write, and has the same answer."""
        key = request.headers.get("idempotency-key")
        if key not in self.written:
            element = json.loads(request.body)
            element = element["Contacts"][0] if "Contacts" in element else element
            record = {"ContactID": uuid(2, 9), **CONTACTS[0], **element, "HasValidationErrors": False,
                      "StatusAttributeString": "OK"}
            if request.method == "PUT":
                record["ContactID"] = uuid(2, 9)
            self.written[key] = (request.body, Answer({"Contacts": [record]}))
        body, answer = self.written[key]
        if body != request.body:
            return Answer({"Title": "another request had this key"}, 400)
        return answer

