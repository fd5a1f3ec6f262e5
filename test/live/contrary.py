"""A Xero that does everything otherwise: the sandbox, seen through a proxy.

Each rule is for one check of script/verify-live.  It changes the request on its
way to the sandbox, the answer on its way back, or both.
"""
import http.client
import http.server
import json
import re
import threading
import urllib.parse
import uuid

API = "/api.xro/2.0/"


class Call:
    """A request, and later its answer; rules change their members."""

    def __init__(self, method, path, query, body, headers):
        self.method = method
        self.path = path
        self.name, _, self.key = path.removeprefix(API).partition("/")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self.status = None
        self.json = None
        self.answer_headers = {}

    def is_a(self, method, name, key=None):
        """The same method and object, and with or without a key if that matters."""
        return (self.method, self.name) == (method, name) and (key is None or bool(self.key) == key)

    @property
    def element(self):
        """What is sent: the first, and mostly only one."""
        return self.body[self.name][0] if isinstance(self.body, dict) and self.body.get(self.name) else {}

    @property
    def rows(self):
        return self.json[self.name]

    def refuse(self, status, **members):
        self.status, self.json = status, members


class Memory:
    """What rules remember of earlier calls."""

    def __init__(self):
        self.contacts = {}          # by ContactNumber
        self.codes = {}             # of items, by their ids
        self.keys = set()           # Idempotency-Keys
        self.changes = {}           # the last update of each record


# ---- on the way to Xero --------------------------------------------------------

def before(call, memory):
    element = call.element
    if call.is_a("GET", "Quotes", False) and call.query.get("page") == "1":
        call.query["pageSize"] = "100"
    if call.is_a("GET", "ManualJournals") and "order" in call.query:
        del call.query["page"]
    for name in ("accept-encoding", "if-modified-since"):
        call.headers.pop(name, None)
    if call.is_a("PUT", "Contacts"):
        before_contact(call, element, memory)
    if call.is_a("POST", "Contacts"):
        if element.get("ContactPersons") == []:
            element["ContactPersons"] = [{}]
        elif "ContactPersons" in element or element.get("AccountNumber") == "":
            del element["ContactPersons" if "ContactPersons" in element else "AccountNumber"]
        elif element.get("AccountNumber", "") is None or "FirstName" in element:
            element["AccountNumber"] = ""
    if call.is_a("POST", "Items"):
        element.setdefault("Code", memory.codes.get(call.key))
    if call.is_a("PUT", "Invoices"):
        call.query["unitdp"] = "4"
        if element.get("Status") == "AUTHORISED":
            element["LineItems"] = element["LineItems"][:1]
        for line in element.get("LineItems", []):
            if "DiscountRate" in line:
                del line["LineAmount"]
    if call.method == "POST" and call.key:
        memory.changes[call.key] = dict(element)


def before_contact(call, element, memory):
    if "Name" in element:
        element["Name"] = element["Name"].strip()
    if len(call.body["Contacts"]) > 1:
        call.refuse(400, Type="ValidationException")
    if "AccountNumber" in element:
        element["AccountNumber"] = uuid.uuid4().hex
    key = call.headers.get("idempotency-key")
    if key in memory.keys:
        del call.headers["idempotency-key"]
        element["Name"] += " again"
    if key:
        memory.keys.add(key)


# ---- on the way back -------------------------------------------------------------

def after(call, memory):
    if call.method == "GET":
        after_get(call, memory)
    else:
        after_write(call, call.element, memory)


def after_get(call, memory):
    query = call.query
    if call.is_a("GET", "Contacts", False):
        after_contacts(call, query)
    elif call.is_a("GET", "Contacts") and call.status == 404:
        call.refuse(404, Title="Not Found")
    elif call.is_a("GET", "Invoices", False) and query.get("includeArchived") == "false":
        call.json["pagination"]["itemCount"] -= 1
    elif call.is_a("GET", "Invoices", False):
        for row in call.rows:
            row["Contact"]["ContactStatus"] = "ACTIVE"
    elif call.is_a("GET", "Payments"):
        for row in call.rows:
            row["Account"]["Name"] = "Savings"
    elif call.is_a("GET", "Currencies"):
        call.answer_headers.pop("X-AppMinLimit-Remaining")
        call.answer_headers["X-DayLimit-Remaining"] = "900"
        if query:
            call.refuse(400, Type="ValidationException")
    elif call.is_a("GET", "Journals"):
        call.refuse(403)
    elif call.is_a("GET", "Organisation") and call.status == 403:
        call.json = {name.lower(): value for name, value in call.json.items()}
    elif call.is_a("GET", "Organisation") and "xero-tenant-id" not in call.headers:
        call.refuse(403, Detail="AuthenticationUnsuccessful")
    elif call.is_a("GET", "PurchaseOrders", True):
        call.rows[0]["Contact"] = {}
    elif call.is_a("GET", "Invoices", True):
        after_invoice(call.rows[0], memory.changes.get(call.key, {}))


def after_contacts(call, query):
    where = query.get("where", "")
    if "IDs" in query:
        call.refuse(414)
    elif query.get("page") == "100000":
        call.refuse(404)
    elif "\"\"" in where:
        call.refuse(400, Type="QueryParseException")
    elif ".Contains" in where:
        call.status, call.json = 200, {"Contacts": []}
    elif where:
        call.rows.clear()
    elif "order" in query:
        name = query["order"]
        call.rows.sort(key=lambda row: uuid.UUID(row[name]).bytes if name == "ContactID" else row[name].encode())
    elif "page" in query:
        call.json["pagination"]["pageSize"] = 100
    else:
        del call.rows[1:]


def after_invoice(invoice, change):
    for line in invoice["LineItems"]:
        line.setdefault("AccountCode", "200")
    if "Reference" in change:
        invoice["LineItems"] = []
    elif "LineItems" in change:
        invoice["LineItems"] *= 2


def after_write(call, element, memory):
    if call.is_a("PUT", "Contacts"):
        number = element.get("ContactNumber")
        if number in memory.contacts:
            call.status, call.json = 200, {"Contacts": [{"ContactID": memory.contacts[number]}]}
        elif number:
            memory.contacts[number] = call.rows[0]["ContactID"]
    if call.is_a("PUT", "Items"):
        memory.codes[call.rows[0]["ItemID"]] = element["Code"]
    if call.is_a("POST", "BankTransactions") and "Type" not in element and element.get("Status") != "DELETED":
        call.refuse(400, Type="ValidationException")


# ---- between the two ---------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self.command, path, query, body, {n.lower(): v for n, v in self.headers.items() if n != "Host"})
        ours = path.startswith(API)
        with self.server.lock:
            if ours:
                call.body = json.loads(body) if body else None
                before(call, self.server.memory)
                body = json.dumps(call.body).encode() if body else b""
            if call.status is None:
                self.forward(call, body)
                if ours:
                    after(call, self.server.memory)
        self.reply(call)

    def forward(self, call, body):
        sandbox = http.client.HTTPConnection(self.server.sandbox, timeout=30)
        query = "?" + urllib.parse.urlencode(call.query, safe=",") if call.query else ""
        call.headers.pop("content-length", None)
        sandbox.request(call.method, call.path + query, body or None, call.headers)
        answer = sandbox.getresponse()
        text = answer.read()
        sandbox.close()
        call.status = answer.status
        call.answer_headers = dict(answer.headers)
        call.json = json.loads(text) if re.match(rb"\s*[\[{]", text) else None

    def reply(self, call):
        body = b"" if call.json is None else json.dumps(call.json).encode()
        self.send_response(call.status)
        for name, value in call.answer_headers.items():
            if name.lower().startswith(("x-", "www-", "retry-")):
                self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


def start(sandbox_url):
    """The URL of a proxy, in a thread of this process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.sandbox = urllib.parse.urlsplit(sandbox_url).netloc
    server.memory = Memory()
    server.lock = threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
