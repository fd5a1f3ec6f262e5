"""TLS that is wrong: certificates, versions, and handshakes that break or stall.

Each case is tried where Xero's API is meant to be, and where its identity
server is.  A certificate that is not trusted is not tried again.
"""
import asyncio
import contextlib
import os
import re
import socket
import ssl
import tempfile
import time

from certificates import Authority
from faults import AGAIN, ANY, ERROR, NEVER, ROWS, Fault
from lane import Lane
from matrix import Combination, judge_rest, judge_result
from statements import STATEMENTS
from wire import Over, Wire, http1

LANES = 12
UNTRUSTED = "08001"
BROKEN = "08001 08006"


class Case:
    def __init__(self, name, outcome, errors, certificate="good", prepare=None, send=None, ca="authority", url=None, heard=True):
        self.fault = Fault(name, ("tls",), outcome, errors, send)
        self.certificate = certificate
        self.prepare = prepare
        self.ca = ca                # the file of ca_file, None for no such option
        self.url = url              # instead of the server's
        self.heard = heard          # does the server see that somebody connects?


def versions(low, high):
    def prepare(context):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = low, high
    return prepare


def ciphers(names):
    def prepare(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(names)
    return prepare


def wants_certificate(context):
    context.verify_mode = ssl.CERT_REQUIRED


def after_hello(*steps):
    """Reads what the client says first, then sends or waits."""
    def send(connection):
        connection.raw.recv(65536)
        for step in steps:
            if isinstance(step, bytes):
                connection.raw.sendall(step)
            else:
                step(connection)
        connection.finish()
    return send


def drip(connection):
    for _ in range(200):
        connection.raw.sendall(b"\x16")
        time.sleep(0.1)


def after_handshake(step):
    def send(connection):
        connection.handshake()
        step(connection)
    return send


def after_request(step):
    def send(connection):
        connection.handshake()
        request = connection.read_request()
        if request is None:
            raise Over
        connection.wire.requests.append(request)
        step(connection)
    return send


def reset(connection):
    connection.reset()


def finish(connection):
    connection.finish()


def hold(connection):
    connection.hold()


def unclean(connection):
    """An answer without a length that ends without close_notify."""
    connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Invo")
    os.close(connection.sock.detach())
    raise Over


V = ssl.TLSVersion
CASES = [
    Case("a good certificate", ROWS, ""),
    Case("a good certificate of RSA", ROWS, "", "rsa"),
    Case("TLS 1.2 only", ROWS, "", prepare=versions(V.TLSv1_2, V.TLSv1_2)),
    Case("TLS 1.3 only", ROWS, "", prepare=versions(V.TLSv1_3, V.TLSv1_3)),
    Case("a certificate that is its own authority", ROWS, "", "itself", ca="itself"),
    Case("an authority that nobody knows", ERROR, UNTRUSTED, ca=None),
    Case("another authority", ERROR, UNTRUSTED, ca="itself"),
    Case("a certificate of its own", ERROR, UNTRUSTED, "itself"),
    Case("an expired certificate", ERROR, UNTRUSTED, "expired"),
    Case("a certificate of the future", ERROR, UNTRUSTED, "future"),
    Case("the certificate of another host", ERROR, UNTRUSTED, "elsewhere"),
    Case("the certificate of another address", ERROR, UNTRUSTED, "otherwhere"),
    Case("the certificate of a part of the name", ERROR, UNTRUSTED, "part"),
    Case("a certificate by its common name alone", ANY, UNTRUSTED, "common"),
    Case("a key that is too short", NEVER, BROKEN, "short", prepare=versions(V.TLSv1_2, V.TLSv1_3)),
    Case("ca_file lacks", ERROR, UNTRUSTED, ca="/nowhere/ca.crt", heard=False),
    Case("ca_file is a key", ERROR, UNTRUSTED, ca="good.key", heard=False),
    Case("ca_file is a folder", ERROR, UNTRUSTED, ca="/tmp", heard=False),
    Case("TLS 1.1", NEVER, BROKEN, prepare=versions(V.TLSv1, V.TLSv1_1)),
    Case("no cipher in common", NEVER, BROKEN, prepare=ciphers("PSK")),
    Case("the server wants a certificate", NEVER, BROKEN, prepare=wants_certificate),
    Case("RST at once", AGAIN, BROKEN, send=reset),
    Case("FIN at once", AGAIN, BROKEN, send=finish),
    Case("stall at once", AGAIN, BROKEN, send=hold),
    Case("RST after the hello", AGAIN, BROKEN, send=after_hello(reset)),
    Case("FIN after the hello", AGAIN, BROKEN, send=after_hello()),
    Case("stall after the hello", AGAIN, BROKEN, send=after_hello(hold)),
    Case("drip after the hello", AGAIN, BROKEN, send=after_hello(drip)),
    Case("an alert", NEVER, BROKEN, send=after_hello(b"\x15\x03\x03\0\x02\x02\x28")),
    Case("an alert of an unknown kind", NEVER, BROKEN, send=after_hello(b"\x15\x03\x03\0\x02\xff\xff")),
    Case("a record that is too long", NEVER, BROKEN, send=after_hello(b"\x16\x03\x03\xff\xff" + b"x" * 65535)),
    Case("half a record", AGAIN, BROKEN, send=after_hello(b"\x16\x03\x03\x00\x7a\x02\x00")),
    Case("junk", NEVER, BROKEN, send=after_hello(b"\0\xff" * 500)),
    Case("HTTP instead of TLS", NEVER, BROKEN, send=after_hello(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}")),
    Case("a greeting instead of TLS", NEVER, BROKEN, send=after_hello(b"220 smtp.example.com ESMTP\r\n")),
    Case("RST after the handshake", AGAIN, BROKEN, send=after_handshake(reset)),
    Case("FIN after the handshake", AGAIN, BROKEN, send=after_handshake(finish)),
    Case("stall after the handshake", AGAIN, BROKEN, send=after_handshake(hold)),
    Case("RST after the request", AGAIN, BROKEN, send=after_request(reset)),
    Case("FIN after the request", AGAIN, BROKEN, send=after_request(finish)),
    Case("stall after the request", AGAIN, BROKEN, send=after_request(hold)),
    Case("an end without close_notify", NEVER, BROKEN + " HV00L", send=after_request(unclean)),
    Case("nobody listens", ERROR, "08001", url="https://127.0.0.1:1", heard=False),
    Case("a name that does not exist", ERROR, "08001", url="https://nowhere.invalid", heard=False),
    Case("nobody accepts", ERROR, BROKEN, url="full", heard=False),
]


def make_certificates(folder):
    authority = Authority(folder)
    authority.make("good")
    authority.make("rsa", key=authority.rsa_key(2048))
    authority.make("short", key=authority.rsa_key(1024))
    authority.make("itself", issued_by_itself=True)
    authority.make("expired", begins=-9, ends=-1)
    authority.make("future", begins=1, ends=9)
    authority.make("elsewhere", hosts=("xero.example.com",))
    authority.make("otherwhere", hosts=("127.0.0.2",))
    authority.make("part", hosts=("7.0.0.1", "localhos"))
    authority.make("common", hosts=(), common_name="127.0.0.1")


@contextlib.contextmanager
def certificates():
    """A folder with them all, which the server's user may read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        yield folder


class Files:
    """The certificate and the key of that name."""

    def __init__(self, folder, name):
        self.file, self.key = f"{folder}/{name}.crt", f"{folder}/{name}.key"


def ca_option(folder, ca):
    if ca is None or ca.startswith("/"):
        return ca
    return f"{folder}/{ca}" if "." in ca else f"{folder}/{ca}.crt"


async def lead(lane, api, identity, ca):
    """The lane's server leads to these URLs."""
    await lane.session.rows(f"ALTER SERVER {lane.name} OPTIONS (SET api_url '{api}', SET identity_url '{identity}')")
    await lane.session.run(f"ALTER SERVER {lane.name} OPTIONS (DROP ca_file)")
    if ca is not None:
        await lane.session.rows(f"ALTER SERVER {lane.name} OPTIONS (ADD ca_file '{ca}')")


async def try_case(lane, folder, case, place, always):
    """What is wrong, as texts."""
    with Wire(Files(folder, case.certificate), http1, case.prepare) as wire:
        full = None
        url = case.url or wire.url
        if url == "full":
            full = socket.create_server(("127.0.0.1", 0), backlog=0)
            url = f"https://127.0.0.1:{full.getsockname()[1]}"
        own = f"http://127.0.0.1:{lane.xero.port}"
        await lane.connect()
        await lead(lane, url if place == "api" else own, url if place == "identity" else own, ca_option(folder, case.ca))
        await lane.forget()
        lane.xero.arm()
        wire.arm(case.fault if case.fault.send else None, None if always else 1)
        trial = Combination(case.fault, "tls", always or not case.fault.send, STATEMENTS[0])
        result = await lane.run(trial.statement.sql)
        if result is None:
            return ["hangs"]
        account = await lane.account()
        wire.requests += lane.xero.requests
        faults = [*judge_result(trial, result), *judge_rest(trial, result, wire, account)]
        if case.heard and not wire.connections:
            faults.append("the server was not asked")
        if result.state == UNTRUSTED and "not trusted" in result.error and wire.connections > 1:
            faults.append(f"asked {wire.connections} times, though it is not trusted")
        if case.fault.outcome == ERROR and case.url is None and "not trusted" not in result.error:
            faults.append(f"is not said to be untrusted: {result.error}")
        if full is not None:
            full.close()
        return faults


def name_of(case, place, always):
    return f"TLS / {case.fault.name} / {place} / {'always' if always else 'once'}"


async def run(count, full, only):
    todo = [(case, place, always) for turn, case in enumerate(CASES) for place in ("api", "identity")
            for always in ((False, True) if case.fault.send else (True,))
            if full or not always or not case.fault.send or (turn % 2 == 0) == (place == "api")]
    todo = [one for one in todo if re.search(only, name_of(*one))]
    if not todo:
        return
    with certificates() as folder:
        lanes = [await Lane(f"tls{number}").begin() for number in range(min(LANES, len(todo)))]

        async def work(lane):
            while todo:
                case, place, always = todo.pop()
                faults = await try_case(lane, folder, case, place, always)
                count(name_of(case, place, always), faults)
        await asyncio.gather(*[work(lane) for lane in lanes])
        for lane in lanes:
            lane.session.end()
