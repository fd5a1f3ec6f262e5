"""A hostile Xero behind TLS, in threads: each connection has its own, which may block where it wants.

    with Wire(conversation, certificate) as wire:       # wire.url
        wire.arm(fault, "tls", times)
        ...
        wire.requests; wire.connections

A fault's "send" gets a Connection instead of an Answer.
"""
import queue
import socket
import ssl
import struct
import threading

from xero import Request, Xero


class Over(Exception):
    """The connection has been ended as the fault wants it."""


class Connection:
    """An accepted socket, before and after the handshake."""

    def __init__(self, wire, sock):
        self.wire = wire
        self.sock = sock
        self.raw = sock

    def handshake(self):
        self.sock = self.wire.context.wrap_socket(self.raw, server_side=True)

    def reset(self):
        self.raw = self.sock
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Over

    def finish(self):
        self.sock.close()
        raise Over

    def hold(self):
        """Neither read nor write, until the test is over."""
        self.wire.over.wait(30)
        raise Over

    def listen(self, seconds):
        """Read, and say nothing."""
        self.sock.settimeout(seconds)
        while self.sock.recv(65536):
            pass
        raise Over

    def read_request(self):
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.sock.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.sock.recv(65536)
        method, target, _ = first.split(" ")
        return Request(method, target, headers, body)


class Wire:
    """Speaks TLS with a certificate (certificates.py); "converse" does the rest of a connection."""

    def __init__(self, certificate, converse, prepare=None):
        self.converse = converse
        self.xero = Xero()          # knows what is right
        self.over = threading.Event()
        self.met = queue.Queue()
        self.lock = threading.Lock()
        self.arm()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if prepare is not None:
            prepare(self.context)
        self.context.load_cert_chain(certificate.file, certificate.key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def arm(self, fault=None, times=None):
        self.fault = fault
        self.left = float("inf") if times is None else times
        self.requests, self.connections, self.changed = [], 0, True
        self.xero.arm()

    def due(self):
        """Is the fault to be met now?"""
        with self.lock:
            if self.fault is None or self.left <= 0:
                return False
            self.left -= 1
        self.met.put(True)
        return True

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while not self.over.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        connection = Connection(self, sock)
        sock.settimeout(20)
        try:
            self.converse(connection)
        except (Over, OSError, EOFError):
            pass
        finally:
            try:
                connection.sock.close()
            except OSError:
                pass


def http1(connection):
    """HTTP/1.1; the fault is met when a connection is made, before the handshake."""
    wire = connection.wire
    if wire.due():
        wire.fault.send(connection)
    else:
        connection.handshake()
    while True:
        request = connection.read_request()
        if request is None:
            return
        wire.requests.append(request)
        with wire.lock:
            answer = wire.xero.answer(request)
        connection.sock.sendall(answer.whole())
