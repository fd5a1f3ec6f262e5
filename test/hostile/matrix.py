"""Each fault in each phase of each statement: the right rows or the right error, and nothing left behind."""
import asyncio
import os
import re

from faults import AGAIN, ERROR, FAULTS, NEVER, ROWS, UNKNOWABLE
from lane import PATIENT, TIMEOUT, Lane
from statements import STATEMENTS

LANES = 12

# No error of a fault at Xero: an internal one, or the server's or the session's end.
NEVER_STATES = re.compile("XX|57P")
SECRET = "hostile-secret"

# A limit's end that Xero names is believed as far as its windows reach.
LONGEST_BLOCK = 125
LONGEST_DAY = 25 * 3600 + 5


class Combination:
    def __init__(self, fault, phase, always, statement):
        self.fault, self.phase, self.always, self.statement = fault, phase, always, statement
        self.void = False
        self.seconds = 0.0

    def __str__(self):
        return f"{self.fault.name} / {self.phase} / {'always' if self.always else 'once'} / {self.statement.name}"


def able(fault, phase):
    """The statements to meet a fault there; before the first page they are all alike."""
    return [statement for statement in STATEMENTS
            if phase in statement.phases and (phase == "record" or (fault.name, statement.name) not in UNKNOWABLE)
            and (phase not in ("connect", "token", "connections") or statement.name in ("rows", "insert"))]


def everything():
    """All combinations."""
    return [Combination(fault, phase, always, statement)
            for fault in FAULTS for phase in fault.phases for statement in able(fault, phase) for always in (False, True)]


def selection():
    """The short form: each fault once in each phase, and always in one, the statements in turn."""
    chosen = []
    for turn, fault in enumerate(FAULTS):
        if fault.heavy:
            continue
        for place, phase in enumerate(fault.phases):
            statements = able(fault, phase)
            statement = statements[turn % len(statements)]
            chosen.append(Combination(fault, phase, False, statement))
            if place == turn % len(fault.phases) and not (fault.stalls and turn % 3):
                chosen.append(Combination(fault, phase, True, statement))
    return chosen


def judge_result(case, result):
    """What is wrong with the rows or the error."""
    outcome, states = case.fault.expected(case.phase)
    if result.state == "00000":
        if not case.statement.is_right(result.rows, case.fault.blank):
            yield f"wrong rows: {result.rows}"[:300]
        elif outcome == ERROR or (outcome in (AGAIN, NEVER) and case.always):
            yield "no error"
        return
    if NEVER_STATES.match(result.state):
        yield f"{result.state}: {result.error}"
    elif outcome == ROWS:
        yield f"should be harmless, {result.state}: {result.error}"
    elif outcome == AGAIN and not case.always:
        yield f"was not repeated, {result.state}: {result.error}"
    elif result.state not in states:
        yield f"{result.state} is none of {' '.join(sorted(states))}: {result.error}"


def judge_rest(case, result, xero, account):
    """What is wrong besides."""
    if SECRET in result.error or any(SECRET in notice for notice in result.notices):
        yield f"a secret is shown: {result.error}"
    if account.slots:
        yield f"{account.slots} slots not given back"
    if account.calls != account.counted:
        yield f"the budget was charged with {account.calls} calls, and {account.counted} are in xero_fdw.requests"
    if len(xero.requests) > account.attempts:
        yield f"Xero saw {len(xero.requests)} requests, and {account.attempts} are in xero_fdw.requests"
    if account.blocked > (LONGEST_DAY if account.by_day else LONGEST_BLOCK):
        yield f"no call for {account.blocked} s"
    for request in xero.requests:
        if not request.counted and request.path not in ("/connect/token", "/connections"):
            yield f"a request of {request.path}"
        if "x-injected" in request.headers:
            yield "a header was injected"
    writes = [request for request in xero.requests if request.phase == "write"]
    if len({(request.headers.get("idempotency-key"), request.body) for request in writes}) > 1 or \
            any(not request.headers.get("idempotency-key") for request in writes):
        yield f"one write was sent as several: {[request.headers.get('idempotency-key') for request in writes]}"


def crashed(pid):
    """Does the server's log say that this very backend crashed?"""
    with open(os.environ["HOSTILE_LOG"], encoding="utf-8", errors="replace") as log:
        return f"(PID {pid}) was terminated by signal" in log.read()


async def try_once(lane, case):
    """What is wrong with a combination, as texts; None if another session's crash ended it."""
    if case.phase == "connect":
        await lane.connect()    # no connection is kept
    await lane.forget(TIMEOUT if case.fault.stalls else PATIENT)
    lane.xero.arm(case.fault, case.phase, None if case.always else 1)
    result = await lane.run(case.statement.sql)
    if result is None:
        return ["hangs"]
    case.seconds = result.seconds
    case.void = not lane.xero.changed and result.state == "00000"
    if result.state == "57P02":
        pid = lane.session.pid
        await lane.connect()
        return ["the backend crashed"] if crashed(pid) else None
    account = await lane.account()
    return [*judge_result(case, result), *judge_rest(case, result, lane.xero, account)]


async def work(lane, queue, heavy, report):
    while queue:
        case = queue.pop()
        try:
            if case.fault.heavy:
                async with heavy:
                    faults = await try_once(lane, case)
            else:
                faults = await try_once(lane, case)
        except (RuntimeError, ConnectionError, asyncio.IncompleteReadError) as error:
            await lane.connect()
            faults = None if "57P0" in str(error) or not isinstance(error, RuntimeError) else [str(error)]
        lane.xero.arm()
        if faults is None:
            queue.append(case)
        else:
            report(case, faults)


async def run(count, full, only):
    """Run them; count(name, faults) is told of each."""
    cases = [case for case in (everything() if full else selection()) if re.search(only, str(case))]
    done = []

    def report(case, faults):
        done.append(case)
        if not case.void:
            count(str(case), faults)

    # the slow ones first, so that none is left alone at the end
    queue = sorted(cases, key=lambda case: (case.fault.stalls, case.always))
    lanes = [await Lane(number).begin() for number in range(min(LANES, len(queue)))]
    heavy = asyncio.Lock()
    await asyncio.gather(*[work(lane, queue, heavy, report) for lane in lanes])
    for lane in lanes:
        lane.session.end()
    met = {case.fault.name for case in done if not case.void}
    if full and not only:
        for fault in FAULTS:
            if fault.name not in met:
                count(f"{fault.name}", ["is nowhere a fault"])
    slowest = sorted(done, key=lambda case: -case.seconds)[:5]
    print(f"{len(met)} faults, {sum(not case.void for case in done)} combinations ({sum(case.void for case in done)} void);"
          f" the slowest: " + "; ".join(f"{case} {case.seconds:.1f} s" for case in slowest))
