"""What is left when a fault is over: cancels in time, descriptors, memory, and no work while waiting."""
import asyncio
import os
import re
import statistics
import time

from faults import BY_NAME
from lane import Lane
from statements import STATEMENTS
from tls import Files, certificates, lead
from wire import Wire

STATEMENT = {statement.name: statement for statement in STATEMENTS}

# A cancel takes some ms; a busy machine is given this long.
CANCEL_SECONDS = 1.0

# A wait costs nothing; one that does nothing but wake up takes all of them.
WAIT_SECONDS = 2.0
WAIT_CPU = 0.3

# What stalls, and where else a statement waits: for a limit, between two attempts, for what does not end.
CANCELLED = ["stall at once", "stall after the head", "stall in the body", "drip", "429, a second", "status 503, later"]
CANCELLED_LONG = ["stall in the head", "stall after 100", "no length, stall", "chunks, no last one, stall", "status 500", "RST in the body"]
ENDLESS = ["gzip bomb", "endless body", "body of 260 MB"]

# Repeated in one backend: errors of the network, of HTTP, of JSON, of values, of tokens, and right rows.
REPEATED = [("RST at once", "page 1", "rows"), ("FIN in the body", "page 2", "rows"), ("status 500, 2 MB", "page 1", "count"),
            ("status 403", "connections", "rows"), ("connection close, and more", "page 1", "rows"), ("gzip cut", "page 1", "top"),
            ("chunks, size of letters", "write", "insert"), ("a reason of 1 MB", "write", "insert"), ("first key empty", "page 1", "attachments"),
            ("a text that is no UTF-8", "page 2", "rows"), ("a number with a million digits", "page 1", "rows"),
            ("body of brackets", "record", "groups"), ("body []", "record", "groups"), ("no access_token", "token", "rows"),
            ("tenantId that is no uuid", "connections", "rows"), ("2,000 practices as well", "connections", "rows"),
            ("pieces", "page 1", "rows")]


# A backend's life: {0} is the lane's server, {1} the number of the statement.
SOAK = [statement.sql for statement in STATEMENTS] + [
    "SELECT i.invoice_number, c.name FROM invoices i JOIN contacts c USING (contact_id)",
    "SELECT count(*) FROM invoices WHERE invoice_id IN (SELECT invoice_id FROM invoices WHERE total > 102)",
    "BEGIN; DECLARE c CURSOR FOR SELECT * FROM invoices; FETCH 2 FROM c; COMMIT",
    "BEGIN; DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT total FROM invoices; COMMIT; FETCH ALL FROM c; CLOSE c",
    "BEGIN; SAVEPOINT s; SELECT total / 0 FROM invoices; ROLLBACK",
    "SELECT 1 / (total - total) FROM invoices",
    "BEGIN; INSERT INTO contacts (name) VALUES ('Contact 9'); ROLLBACK",
    "INSERT INTO contacts (name) SELECT 'Contact ' || n FROM generate_series(6, 8) n",
    "SELECT no_such_column FROM invoices",
    "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT * FROM invoices",
    "PREPARE p (numeric) AS SELECT count(*) FROM invoices WHERE total > $1; EXECUTE p (102); DEALLOCATE p",
    "SET statement_timeout = 1; SELECT count(*) FROM invoices, pg_sleep(0.1); RESET statement_timeout",
    "DISCARD PLANS; SELECT count(invoice_id::text) FROM invoices",
    "ALTER SERVER {0} OPTIONS (SET client_id 'soak-{1}'); SELECT count(invoice_id::text) FROM invoices",
    "SELECT count(*) FROM xero_fdw.requests; SELECT count(*) FROM xero_fdw.budget; SELECT count(*) FROM xero_fdw.connections",
    "WITH i AS MATERIALIZED (SELECT * FROM invoices) SELECT count(*) FROM i a, i b",
    "RESET statement_timeout; SELECT xero_fdw.clear_block('{0}')",
]


def stats_of(pid):
    """(descriptors but for files, anonymous memory in kB, CPU seconds) of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    folder = f"/proc/{pid}/fd"
    open_ = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
    return sum(not path.startswith("/") for path in open_), memory, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def cancel_one(lane, fault, phase, statement):
    """Seconds from the cancel to the end, None if the statement ended before; and what is wrong."""
    await lane.connect()
    await lane.forget()
    lane.xero.arm(fault, phase)
    running = asyncio.create_task(lane.session.run(statement.sql))
    try:
        await asyncio.wait_for(lane.xero.hit.wait(), 10)
    except asyncio.TimeoutError:
        return None, ["the fault was not met"]
    await asyncio.sleep(0.05)
    if running.done():
        return None, []
    began = time.monotonic()
    await lane.session.cancel()
    result = await asyncio.wait_for(running, 60)
    seconds = time.monotonic() - began
    try:
        account = await lane.account()
    except RuntimeError:        # PostgreSQL sends the signal twice, so it may be this that is cancelled
        account = await lane.account()
    faults = []
    if result.state != "57014":
        faults.append(f"{result.state or result.rows}: {result.error}")
    if seconds > CANCEL_SECONDS:
        faults.append(f"{seconds * 1000:.0f} ms")
    if account.slots:
        faults.append(f"{account.slots} slots not given back")
    return seconds, faults


async def cancels(count, full):
    lane = await Lane("cancel", timeout=20_000).begin()
    taken = {}
    for name in CANCELLED + (CANCELLED_LONG + ENDLESS if full else []):
        fault = BY_NAME[name]
        for phase in fault.phases:
            statement = STATEMENT["update" if phase == "write" else "attachments"]
            seconds, faults = await cancel_one(lane, fault, phase, statement)
            count(f"cancel / {name} / {phase}", faults)
            if seconds is not None:
                taken[f"{name} / {phase}"] = seconds * 1000
    lane.session.end()
    slowest = max(taken, key=taken.get)
    print(f"cancels: {len(taken)}, median {statistics.median(taken.values()):.1f} ms, at most {taken[slowest]:.1f} ms ({slowest})")


async def contexts(session):
    """{name: (how many, bytes)} of the backend's memory contexts."""
    rows = await session.rows("SELECT name, count(*), sum(total_bytes) FROM pg_backend_memory_contexts GROUP BY name")
    return {name: (int(many), int(size)) for name, many, size in rows}


async def repeat(count, number, fault, phase, statement, times):
    lane = await Lane(f"repeat{number}").begin()
    pid = lane.session.pid
    name = f"repeat / {times} times / {fault.name} / {phase}"
    anew = phase in ("token", "connections")
    memory = []
    await lane.forget()
    for turn in range(times):
        if turn == times // 4:
            for _ in range(2):          # the first measures the cost of measuring, too
                await lane.account()
                before, memory_before = stats_of(pid), await contexts(lane.session)
        if turn % (times // 4) == 0:
            memory.append(stats_of(pid)[1])
        if anew:
            await lane.forget()
        lane.xero.arm(fault, phase, 1)
        result = await lane.run(statement.sql)
        if result is None or result.state == "57P02":
            count(name, ["hangs" if result is None else "the backend has gone"])
            return
    lane.xero.arm()
    after, memory_after = stats_of(pid), await contexts(lane.session)
    account = await lane.account()
    faults = [f"{account.slots} slots not given back"] if account.slots else []
    if after[0] > before[0] + 1:        # a connection may be open that was not
        faults.append(f"{after[0]} descriptors, {before[0]} before")
    grown = {one: (memory_before.get(one, (0, 0)), what) for one, what in memory_after.items()
             if what[1] > memory_before.get(one, (0, 0))[1] + 32_768 or
             (one.startswith("Xero") and what[0] > memory_before.get(one, (0, 0))[0] + 1)}
    if grown:
        faults.append(f"memory contexts have grown: {grown}")
    memory = [*memory[1:], after[1]]
    if times >= 1000 and all(later > sooner + 32 for sooner, later in zip(memory, memory[1:])):
        faults.append(f"memory grows, in kB: {memory}")     # what grows once is what a heap does
    count(name, faults)
    lane.session.end()
    return after[0] - before[0], after[1] - before[1]


async def repetitions(count, full):
    times = 2000 if full else 100
    todo = [(number, *one) for number, one in enumerate(REPEATED)]
    grown = []

    async def work():
        while todo:
            number, fault, phase, statement = todo.pop(0)
            grown.append(await repeat(count, number, BY_NAME[fault], phase, STATEMENT[statement], times))
    await asyncio.gather(*[work() for _ in range(9)])
    grown = [one for one in grown if one is not None]
    print(f"repetitions: {len(REPEATED)} faults, {times} times each; descriptors {max(one[0] for one in grown):+d},"
          f" anonymous memory {max(one[1] for one in grown):+d} kB at most")


async def soak(count, full):
    times = 20_000 if full else 500
    lane = await Lane("soak").begin()
    pid = lane.session.pid
    kept = []
    for turn in range(times):
        if turn >= times // 10 and turn % (times // 10) == 0:
            kept.append((stats_of(pid), sum(size for _, size in (await contexts(lane.session)).values())))
        # both numbers change with each statement, so that each kind meets each fault in time
        fault, phase, _ = REPEATED[turn * 7 % len(REPEATED)]
        lane.xero.arm(*((BY_NAME[fault], phase, 1) if turn % 3 == 0 else ()))
        result = await lane.run(SOAK[turn % len(SOAK)].format(lane.name, turn))
        if result is None or result.state == "57P02":
            count("soak", [f"statement {turn} hangs" if result is None else f"the backend has gone at statement {turn}"])
            return
        if result.state:
            await lane.session.run("ROLLBACK")
    lane.xero.arm()
    await lane.session.run("ROLLBACK; RESET ALL")
    (open_before, memory_before, _), contexts_before = kept[0]
    (open_after, memory_after, _), contexts_after = kept[-1]
    faults = []
    if open_after > open_before + 2:
        faults.append(f"{open_after} descriptors, {open_before} before")
    if full and all(later[0][1] > sooner[0][1] + 32 for sooner, later in zip(kept, kept[1:])):
        faults.append(f"memory grows, in kB: {[one[0][1] for one in kept]}")
    if contexts_after > contexts_before + 1_000_000:
        faults.append(f"memory contexts have {contexts_after} bytes, {contexts_before} before")
    count("soak", faults)
    print(f"soak: {times} statements of {len(SOAK)} kinds; from the {times // 10}th on descriptors {open_after - open_before:+d},"
          f" anonymous memory {memory_after - memory_before:+d} kB, memory contexts {(contexts_after - contexts_before) // 1024:+d} kB")
    lane.session.end()


def closes(how):
    """The minute is used up; the answer says that the connection ends, and then it does not, or otherwise."""
    def converse(connection):
        connection.handshake()
        while True:
            request = connection.read_request()
            if request is None:
                return
            connection.wire.requests.append(request)
            answer = connection.wire.xero.answer(request).having(("X-MinLimit-Remaining", "0"))
            if how == "kept":
                connection.sock.sendall(answer.whole())
                continue
            connection.sock.sendall(answer.having(("Connection", "close")).whole())
            if how == "FIN":
                connection.finish()
            if how == "junk":
                connection.sock.sendall(b"junk" * 1000)
            if how == "hold":
                connection.hold()
            connection.listen(20)
    return converse


async def waits(count, _):
    """A backend that waits for its minute does nothing, whatever became of its connections."""
    with certificates() as folder:
        used = {}

        async def wait_after(number, how, converse):
            lane = await Lane(f"wait{number}").begin()
            with Wire(Files(folder, "good"), converse) as wire:
                await lane.connect()
                await lead(lane, wire.url, wire.url, f"{folder}/authority.crt")
                await lane.forget()
                await lane.session.rows("SET xero_fdw.max_wait = '5min'")
                await lane.session.rows(STATEMENT["top"].sql)
                running = asyncio.create_task(lane.session.run(STATEMENT["count"].sql))
                await asyncio.sleep(0.3)
                before = stats_of(lane.session.pid)[2]
                await asyncio.sleep(WAIT_SECONDS)
                used[how] = stats_of(lane.session.pid)[2] - before
                waiting = not running.done()
                await lane.session.cancel()
                result = await running
            faults = [] if waiting and result.state == "57014" else [f"does not wait: {result.state} {result.error} {result.rows}"]
            if used[how] > WAIT_CPU:
                faults.append(f"{used[how] * 1000:.0f} ms of CPU in {WAIT_SECONDS:.0f} s of waiting")
            count(f"wait / {how}", faults)
            lane.session.end()

        await asyncio.gather(*[wait_after(number, how, converse) for number, (how, converse) in enumerate(
            [("the connection is kept", closes("kept")), ("Connection: close, FIN", closes("FIN")), ("Connection: close, held open", closes("hold")),
             ("Connection: close, and junk", closes("junk")), ("Connection: close, and read", closes("read"))])])
        print("CPU while waiting " + f"{WAIT_SECONDS:.0f} s: " + ", ".join(f"{how} {seconds * 1000:.0f} ms" for how, seconds in used.items()))


async def run(count, full, only):
    for name, part in (("wait", waits), ("cancel", cancels), ("repeat", repetitions), ("soak", soak)):
        if re.search(only, name):
            await part(count, full)
