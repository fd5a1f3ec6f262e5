"""HTTP/2 that is wrong: streams that are refused or reset, connections that go away, frames that make no sense.

A stream that is refused, and a connection that goes away, are repeated with a
grant of their own; a write is repeated under its key.
"""
import asyncio
import re
import struct

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from faults import AGAIN, ANY, NEVER, ROWS, Fault
from lane import Lane
from matrix import Combination, judge_rest, judge_result
from statements import STATEMENTS
from tls import Files, certificates, lead
from wire import Wire
from xero import Request

LANES = 12
LOST = "08006 HV00L"
BY_NAME = {statement.name: statement for statement in STATEMENTS}


def offer_http2(context):
    context.set_alpn_protocols(["h2"])


class Stream:
    """A request of a client, to be answered."""

    def __init__(self, talk, number):
        self.talk, self.number = talk, number
        self.headers, self.body, self.request = [], b"", None

    @property
    def h2(self):
        return self.talk.h2

    def header_list(self, answer):
        pairs = [(name.lower(), value) for name, value in answer.headers]
        return [(":status", str(answer.status)), *pairs, ("content-length", str(len(answer.body)))]

    def answer(self, answer, headers=None, cut=None, end=True):
        """The answer, or so much of its body."""
        self.h2.send_headers(self.number, headers or self.header_list(answer))
        self.talk.flush()
        body = answer.body if cut is None else answer.body[:cut]
        self.h2.send_data(self.number, body, end_stream=end)
        self.talk.flush()

    def reset(self, code):
        self.h2.reset_stream(self.number, code)
        self.talk.flush()

    def raw(self, kind, flags, payload, number=None, length=None):
        """A frame as it is; what is still to be sent goes first."""
        self.talk.flush()
        head = struct.pack("!I", len(payload) if length is None else length)[1:]
        self.talk.connection.sock.sendall(head + struct.pack("!BBI", kind, flags, self.number if number is None else number) + payload)


class Talk:
    """One connection."""

    def __init__(self, connection):
        self.connection = connection
        self.wire = connection.wire
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.streams = {}

    def flush(self):
        self.connection.sock.sendall(self.h2.data_to_send())

    def run(self):
        self.connection.handshake()
        self.h2.initiate_connection()
        if self.wire.settings:
            self.h2.update_settings(self.wire.settings)
        self.flush()
        while True:
            data = self.connection.sock.recv(65536)
            if not data:
                return
            try:
                events = self.h2.receive_data(data)
            except h2.exceptions.ProtocolError:
                return
            ended = []
            for event in events:
                self._take(event, ended)
            self.flush()
            for stream in ended:
                self._answer(stream)

    def _take(self, event, ended):
        number = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.RequestReceived):
            self.streams[number] = Stream(self, number)
            self.streams[number].headers = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            self.streams[number].body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, number)
        elif isinstance(event, h2.events.StreamEnded):
            ended.append(self.streams[number])

    def _answer(self, stream):
        headers = {name.lower(): value for name, value in stream.headers.items()}
        stream.request = Request(headers[":method"], headers[":path"], headers, stream.body)
        with self.wire.lock:
            self.wire.requests.append(stream.request)
            answer = self.wire.xero.answer(stream.request)
        try:
            if stream.request.phase == self.wire.phase and self.wire.due():
                self.wire.fault.send(stream, answer)
            else:
                stream.answer(answer)
        except h2.exceptions.ProtocolError:
            pass                # the client has given up that stream


def converse(connection):
    Talk(connection).run()


# ---- the faults: functions of a stream and the right answer ----

def resets(code, after):
    def send(stream, answer):
        if after == "head":
            stream.h2.send_headers(stream.number, stream.header_list(answer))
            stream.talk.flush()
        elif after == "half":
            stream.answer(answer, cut=len(answer.body) // 2, end=False)
        elif after == "all":
            stream.answer(answer, end=False)
        stream.reset(code)
    return send


def goes_away(last, answers, ends, code=0):
    def send(stream, answer):
        stream.raw(7, 0, struct.pack("!II", stream.number if last else 0, code), 0)
        if answers:
            stream.answer(answer)
        if ends:
            stream.talk.connection.finish()
    return send


def ends(how, after):
    def send(stream, answer):
        if after == "head":
            stream.h2.send_headers(stream.number, stream.header_list(answer))
            stream.talk.flush()
        elif after == "half":
            stream.answer(answer, cut=len(answer.body) // 2, end=False)
        getattr(stream.talk.connection, how)()
    return send


def stalls(after, all_streams=True):
    def send(stream, answer):
        if after == "head":
            stream.h2.send_headers(stream.number, stream.header_list(answer))
            stream.talk.flush()
        elif after == "half":
            stream.answer(answer, cut=len(answer.body) // 2, end=False)
        if all_streams:
            stream.talk.connection.listen(20)
    return send


def frames(*list_, answers=True):
    """Frames (kind, flags, payload, stream or None for this one) before the answer."""
    def send(stream, answer):
        for kind, flags, payload, number in list_:
            stream.raw(kind, flags, payload, number)
        if answers:
            stream.answer(answer)
    return send


def with_headers(change):
    def send(stream, answer):
        headers = stream.header_list(answer)
        stream.answer(answer, headers=change(headers))
    return send


def informational(number, times):
    def send(stream, answer):
        for _ in range(times):
            stream.h2.send_headers(stream.number, [(":status", str(number)), ("link", "</x>"), ("retry-after", "9")])
        stream.answer(answer)
    return send


def trailers(stream, answer):
    stream.answer(answer, end=False)
    stream.h2.send_headers(stream.number, [("x-daylimit-remaining", "17"), ("retry-after", "9")], end_stream=True)
    stream.talk.flush()


def bytewise(stream, answer):
    stream.h2.send_headers(stream.number, stream.header_list(answer))
    for byte in answer.body:
        stream.h2.send_data(stream.number, bytes([byte]), pad_length=9)
    stream.h2.send_data(stream.number, b"", end_stream=True)
    stream.talk.flush()


def twice(stream, answer):
    stream.answer(answer)
    stream.raw(0, 1, answer.body)


def without(name):
    return with_headers(lambda headers: [pair for pair in headers if pair[0] != name])


def setting(name, value):
    return with_headers(lambda headers: [(one, value if one == name else other) for one, other in headers])


def adding(*pairs):
    return with_headers(lambda headers: headers + list(pairs))


E = h2.errors.ErrorCodes
PHASES = ("page 1", "page 2", "write")
FAULTS = [Fault(name, PHASES, outcome, errors, send) for name, outcome, errors, send in [
    *[(f"RST_STREAM {code.name} at once", AGAIN, LOST, resets(code, "nothing"))
      for code in (E.REFUSED_STREAM, E.CANCEL, E.INTERNAL_ERROR, E.PROTOCOL_ERROR, E.ENHANCE_YOUR_CALM)],
    ("RST_STREAM NO_ERROR at once", NEVER, LOST, resets(E.NO_ERROR, "nothing")),
    ("RST_STREAM HTTP_1_1_REQUIRED at once", NEVER, LOST, resets(E.HTTP_1_1_REQUIRED, "nothing")),
    ("RST_STREAM of an unknown code", AGAIN, LOST, lambda stream, answer: stream.raw(3, 0, b"\xff\xff\xff\xff")),
    ("RST_STREAM after the head", AGAIN, LOST, resets(E.INTERNAL_ERROR, "head")),
    ("RST_STREAM REFUSED_STREAM after the head", AGAIN, LOST, resets(E.REFUSED_STREAM, "head")),
    ("RST_STREAM in the body", AGAIN, LOST, resets(E.INTERNAL_ERROR, "half")),
    ("RST_STREAM NO_ERROR in the body", NEVER, LOST, resets(E.NO_ERROR, "half")),
    ("RST_STREAM NO_ERROR after the body", ANY, LOST, resets(E.NO_ERROR, "all")),
    ("GOAWAY, nothing is answered", AGAIN, LOST, goes_away(False, False, True)),
    ("GOAWAY, and then answered", ROWS, "", goes_away(True, True, False)),
    ("GOAWAY, answered, and ended", ROWS, "", goes_away(True, True, True)),
    ("GOAWAY with an error", AGAIN, LOST, goes_away(False, False, True, 2)),
    ("GOAWAY as calm is wanted", AGAIN, LOST, goes_away(False, False, True, 11)),
    ("GOAWAY, and left open", AGAIN, LOST, goes_away(False, False, False)),
    ("RST at once", AGAIN, LOST, ends("reset", "nothing")),
    ("FIN at once", AGAIN, LOST, ends("finish", "nothing")),
    ("RST after the head", AGAIN, LOST, ends("reset", "head")),
    ("FIN after the head", AGAIN, LOST, ends("finish", "head")),
    ("RST in the body", AGAIN, LOST, ends("reset", "half")),
    ("FIN in the body", AGAIN, LOST, ends("finish", "half")),
    ("the stream stalls at once", AGAIN, LOST, stalls("nothing", False)),
    ("the stream stalls after the head", AGAIN, LOST, stalls("head", False)),
    ("the stream stalls in the body", AGAIN, LOST, stalls("half", False)),
    ("the connection stalls at once", AGAIN, LOST, stalls("nothing")),
    ("the connection stalls after the head", AGAIN, LOST, stalls("head")),
    ("the connection stalls in the body", AGAIN, LOST, stalls("half")),
    ("100 first", ROWS, "", informational(100, 1)),
    ("103 first", ROWS, "", informational(103, 1)),
    ("103 ten times first", ROWS, "", informational(103, 10)),
    ("101", NEVER, LOST, setting(":status", "101")),
    ("no :status", NEVER, LOST, without(":status")),
    (":status of letters", NEVER, LOST, setting(":status", "OK")),
    (":status 999", NEVER, LOST, setting(":status", "999")),
    (":status 204 with a body", NEVER, LOST, setting(":status", "204")),
    (":status 206", NEVER, LOST, setting(":status", "206")),
    ("trailers", ROWS, "", trailers),
    ("a byte a frame, with padding", ROWS, "", bytewise),
    ("no content-length", ROWS, "", without("content-length")),
    ("content-length too long", NEVER, LOST, setting("content-length", "99999")),
    ("content-length too short", ANY, LOST, setting("content-length", "3")),
    ("content-length of letters", ANY, LOST, setting("content-length", "many")),
    ("a name in capitals", ANY, LOST, adding(("X-Capitals", "x"))),
    ("a header of connections", ANY, LOST, adding(("connection", "close"), ("transfer-encoding", "chunked"))),
    ("a header with a line break", ANY, LOST, adding(("x-break", "a\r\nb: c"))),
    ("a header of 15 kB", ANY, LOST, adding(("x-long", "x" * 15_000))),
    ("a thousand headers", ANY, LOST, adding(*[(f"x-{number}", "x") for number in range(500)])),
    ("a body beyond its stream", ANY, LOST, twice),
    ("an unknown frame", ROWS, "", frames((0xfa, 0xff, b"hello", None))),
    ("a PING", ROWS, "", frames((6, 0, b"12345678", 0))),
    ("a thousand PINGs", ANY, LOST, frames(*[(6, 0, b"12345678", 0)] * 1000)),
    ("a PING that is too short", ANY, LOST, frames((6, 0, b"1", 0))),
    ("a SETTINGS of nonsense", ANY, LOST, frames((4, 0, struct.pack("!HI", 4, 0xffffffff), 0))),
    ("SETTINGS that forbid streams", ROWS, "", frames((4, 0, struct.pack("!HI", 3, 1), 0))),
    ("a WINDOW_UPDATE of nothing", ANY, LOST, frames((8, 0, struct.pack("!I", 0), None))),
    ("a WINDOW_UPDATE of too much", ANY, LOST, frames(*[(8, 0, struct.pack("!I", 0x7fffffff), 0)] * 2)),
    ("a frame of DATA for no stream", ANY, LOST, frames((0, 0, b"junk", 0))),
    ("a frame of DATA for another stream", ANY, LOST, frames((0, 0, b"junk", 99))),
    ("a frame of HEADERS that does not unpack", NEVER, LOST, frames((1, 4, b"\xff" * 30, None), answers=False)),
    ("a CONTINUATION of nothing", ANY, LOST, frames((9, 4, b"", None))),
    ("a PUSH_PROMISE", ANY, LOST, frames((5, 4, struct.pack("!I", 2) + b"\x82", None))),
    ("a frame that is too long", NEVER, LOST, lambda stream, answer: stream.raw(0, 0, b"x" * 100_000)),
    ("HTTP/1.1 in the middle", NEVER, LOST, lambda stream, answer: stream.talk.connection.sock.sendall(answer.whole())),
]]


async def try_case(lane, folder, fault, phase, always, statement):
    """What is wrong, as texts."""
    with Wire(Files(folder, "good"), converse, offer_http2) as wire:
        wire.phase = phase
        await lane.connect()
        await lead(lane, wire.url, wire.url, f"{folder}/authority.crt")
        await lane.forget()
        wire.arm(fault, None if always else 1)
        trial = Combination(fault, phase, always, statement)
        result = await lane.run(statement.sql)
        if result is None:
            return ["hangs"]
        account = await lane.account()
        return [*judge_result(trial, result), *judge_rest(trial, result, wire, account)]


async def at_once(lane, folder, count):
    """Pages ahead go over one connection, if it has room for them; a window of 100 bytes only slows them down."""
    for name, settings in (("streams side by side", None),
                           ("one stream at a time", {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}),
                           ("small frames and a small table", {h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0,
                                                              h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 100})):
        with Wire(Files(folder, "good"), converse, offer_http2) as wire:
            wire.settings = settings
            await lane.connect()
            await lead(lane, wire.url, wire.url, f"{folder}/authority.crt")
            await lane.session.rows(f"ALTER SERVER {lane.name} OPTIONS (SET page_size '1')")
            await lane.forget()
            statement = BY_NAME["rows"]
            result = await lane.run(statement.sql)
            await lane.session.rows(f"ALTER SERVER {lane.name} OPTIONS (SET page_size '3')")
            faults = [] if result and statement.is_right(result.rows) else [f"wrong: {result and (result.rows, result.error)}"]
            if wire.connections != 1 and name != "one stream at a time":
                faults.append(f"{wire.connections} connections")
            if len(wire.requests) != 7:
                faults.append(f"{len(wire.requests)} requests")
            count(f"HTTP/2 / at once / {name}", faults)


def name_of(*one):
    return f"HTTP/2 / {Combination(*one)}"


async def run(count, full, only):
    todo = []
    for turn, fault in enumerate(FAULTS):
        for place, phase in enumerate(PHASES):
            statement = BY_NAME["rows" if phase != "write" else ("insert", "update")[turn % 2]]
            for always in (False, True):
                if full or (not always and place != turn % 3) or (always and place == turn % 3 and turn % 2):
                    todo.append((fault, phase, always, statement))
    todo = [one for one in todo if re.search(only, name_of(*one))]
    if not todo:
        return
    with certificates() as folder:
        lanes = [await Lane(f"http2_{number}").begin() for number in range(min(LANES, len(todo)))]

        async def work(lane):
            while todo:
                fault, phase, always, statement = todo.pop()
                faults = await try_case(lane, folder, fault, phase, always, statement)
                count(name_of(fault, phase, always, statement), faults)
        if re.search(only, "HTTP/2 / at once"):
            await at_once(lanes[0], folder, count)
        await asyncio.gather(*[work(lane) for lane in lanes])
        for lane in lanes:
            lane.session.end()
