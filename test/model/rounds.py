"""One round: a sync is made by a seed, people edit both sides, runs are disturbed;
then everything comes to rest, and the book (book.py) tells whether all is right.
"""
import asyncio
import json
import random
import signal
import time

from book import Book, Broken, Rules
from database import literal
from kinds import KINDS
from parts import Parted
from sides import Refused, Told, moment

PHASES = 3          # of edits, each with a run
QUIET = 8           # runs in which everything must come to rest


class Round(Parted):
    kinds = KINDS

    def __init__(self, seed, here, there):
        self.seed = seed
        self.rng = random.Random(seed)
        self.here, self.there = here, there
        self.tokens = 0
        self.last = None        # run
        rng = self.rng
        self.kind = rng.choices(list(self.kinds), self.kinds.values())[0](rng)
        self.crashes = rng.random() < 0.1
        self.rules = Rules(self.kind, rng.choice(["both"] * 4 + ["pull", "push"]),
                           rng.choice(["newest", "xero", "local", "manual"]),
                           rng.choice(["merge"] * 4 + ["new_only", "xero_to_local", "local_to_xero"]),
                           rng.choice(self.kind.deletes), rng.choice([[], ["trimmed-names"]]))
        self.parted = rng.random() < 0.15
        self.make_parts()
        self.book = Book(self.rules)

    def __str__(self):
        r = self.rules
        return f"seed {self.seed} ({self.kind.name} {r.direction} {r.conflict} {r.initial} {r.on_delete}{' parted' * self.parted})"

    async def play(self):
        Told.line(f"-- {self}")
        await self.begin()
        for _ in range(PHASES):
            for _ in range(self.rng.randrange(1, 7)):
                await self.edit()
            await self.run(self.rng.choice(CRASHES) if self.crashes and self.rng.random() < 0.4 else self.rng.choice(
                LOST if self.rng.random() < 0.3 else DISTURBANCES))
        for _ in range(self.rng.randrange(4)):
            await self.edit()
        await self.rest()

    # The sync

    async def begin(self):
        self.there.do("reset", {"seed": 1, "contacts": 0, "invoices": 0, "limits": False, "strict": True,
                                "quirks": self.rules.quirks})
        self.there.ask("faults", [])
        self.kind.prepare(self.there)
        for record in self.there.records(self.kind):        # what comes with an organisation
            self.there.ask("change", {"object": self.kind.object, "id": record, "delete": True})
        await self.here.editor.rows("SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs")
        await self.here.editor.rows("DROP TABLE IF EXISTS crm.things, crm.things_b, crm.things_c")
        for statement in self.table(self.kind.columns):
            await self.here.edit(statement)
        # words that both sides may have as keys when the sync begins
        self.shared = [self.kind.key(self.token()) for _ in range(6)]
        for _ in range(self.rng.randrange(7)):
            await self.insert()
        for _ in range(self.rng.randrange(7)):
            self.create()
        r = self.rules
        arguments = {"xero_table": self.kind.table, "local_table": "crm.things", "direction": r.direction,
                     "fields": json.dumps(self.kind.mapped(r.direction)), "conflict": r.conflict, "initial": r.initial,
                     "on_delete": r.on_delete}
        listed = ", ".join(f"{name} => {literal(value)}" for name, value in arguments.items())
        await self.here.edit(f"SELECT xero_fdw.create_sync('s', {listed}, match_on => '{{{self.kind.match}}}')")
        self.book.watched = True

    # Values

    def token(self):
        self.tokens += 1
        return f"w{self.tokens}" + "".join(self.rng.choice("abcdefgh") for _ in range(3))

    def value(self, name, here, before=None):
        field = self.kind.fields[name]
        if field.empty and self.rng.random() < 0.15:
            return ""
        if here and field.bad and self.rng.random() < 0.04:
            return field.bad(self.token())
        return field.word(self.rng, self.token(), before)

    def values(self, names, here, before=None):
        """For these fields, as people would write them on a side that says something, or nothing yet."""
        return {name: self.value(name, here, before and before[name]) for name in names}

    def spelled(self, name, value):
        """As SQL."""
        return literal(self.kind.fields[name].spelled(value) if value or self.rng.random() < 0.5 else None)

    def named(self, values, taken):
        """With a key that the other side may have, in another spelling."""
        free = [word for word in self.shared if word not in taken and not self.book.is_away(word)]
        # what belongs together does not change while a run looks: nobody could say what it saw
        if free and not self.book.running and self.rng.random() < 0.6:
            word = self.rng.choice(free)
            values[self.kind.match] = self.rng.choice(self.kind.spellings(word))
        return values

    def writable(self):
        return [name for name, field in self.kind.fields.items() if field.flow != "to_local"]

    # What people do

    async def edit(self):
        """A person does something, on one of the sides."""
        operations = {**OPERATIONS, **PARTITIONS} if self.parted else OPERATIONS
        operation = self.rng.choices(list(operations), operations.values())[0]
        done = operation(self)
        if done is not None:
            await done

    async def insert(self):
        """Into one of the partitions, if there are any."""
        await self.insert_into("crm.things", self.rng.choice(self.present))

    async def insert_into(self, table, part, **given):
        values = self.named(self.values(self.writable(), True), ())
        given |= {name: self.spelled(name, value) for name, value in values.items()} | self.place(part)
        at = time.time()
        rows = await self.here.edit(f"INSERT INTO {table} ({', '.join(given)}) "
                                    f"VALUES ({', '.join(given.values())}) RETURNING id")
        row = int(rows[0][0])
        self.part[row] = part
        self.book.row_inserted(row, {name: values.get(name, "") for name in self.kind.fields}, at)

    def create(self):
        taken = {self.book.key(thing.there) for thing in self.book.things if thing.there}
        values = self.named(self.values(self.writable(), False), taken)
        values[self.kind.match] = values[self.kind.match].strip() if "trimmed-names" in self.rules.quirks \
            else values[self.kind.match]
        at = time.time()
        made = self.kind.create(self.there, values)
        record = self.there.ask(f"state/{self.kind.object}?id={made}")[0]
        self.book.record_created(made.lower(), self.kind.seen(record), at)

    def some(self, side):
        found = [thing for thing in self.book.things if getattr(thing, side) is not None
                 and not (self.book.is_dead(thing) if side == "record" else thing.away)]
        return self.rng.choice(found) if found else None

    def chosen(self):
        names = [name for name in self.writable() if name != self.kind.match]
        names = self.rng.sample(names, self.rng.choice([1, 1, 1, 2]))
        if self.rng.random() < 0.15 and not self.book.running:
            names.append(self.kind.match)
        return names

    async def update(self):
        thing = self.some("row")
        # few people try to change what cannot be
        if thing is None or self.kind.fixed and thing.paired and self.rng.random() < 0.8:
            return
        # what came back is known by its name
        values = self.values([name for name in self.chosen() if not thing.back or name != self.kind.match], True, thing.here)
        if not values:
            return
        data = ", ".join(f"{name} = {self.spelled(name, value)}" for name, value in values.items())
        at = time.time()
        await self.here.edit(f"UPDATE crm.things SET {data} WHERE id = {thing.row}")
        self.book.row_updated(thing, values, at)

    def change(self):
        thing = self.some("record")
        if thing is None:
            return
        # what was made without an answer is known by its name
        values = self.values([name for name in self.chosen() if name != self.kind.match or not thing.paired or thing.named],
                             False, thing.there)
        self.changes(thing, lambda: self.kind.change(self.there, thing.record, values))

    def changes(self, thing, change):
        """What a person changes of a record, unless Xero refuses it."""
        at = time.time()
        try:
            values = change()
        except Refused:
            return
        if values:
            self.book.record_updated(thing, values, at)

    def happen(self):
        thing = self.some("record")
        if thing is not None:
            self.changes(thing, lambda: self.kind.happen(self.there, thing.record, thing.there))

    async def delete(self):
        thing = self.some("row")
        # of a table that was loaded anew, and is empty, a run says so
        if thing is not None and not (self.book.begins and self.book.is_last(thing)):
            await self.here.edit(f"DELETE FROM crm.things WHERE id = {thing.row}")
            self.book.row_deleted(thing)

    def settled(self):
        """Some row that is not of a merge that nobody has dealt with."""
        thing = self.some("row")
        return None if thing is None or self.book.merging(thing) else thing

    # What people do to the table, which leaves rows what they are

    async def next_key(self):
        return int((await self.here.editor.rows("SELECT nextval('crm.things_id_seq')"))[0][0])

    async def identified(self):
        """The rows that name their records."""
        return {row for row, found in (await self.here.table()).items() if found["xero_id"]}

    def inserting(self, rows):
        """Rows, told by (key, record, values)."""
        names = ["id", "xero_id", *rows[0][2], *self.placed(rows[0][0])]
        data = ", ".join("(" + ", ".join([literal(row), literal(record), *(
            literal(self.kind.fields[name].spelled(value) if value else None) for name, value in values.items()),
            *self.placed(row).values()]) + ")" for row, record, values in rows)
        return f"INSERT INTO crm.things ({', '.join(names)}) VALUES {data}"

    async def insert_again(self):
        """A row is deleted and inserted again, perhaps with another key, or edited, or without its record's id."""
        thing = self.settled()
        if thing is None or self.book.running:
            return
        names = [name for name in self.writable() if name != self.kind.match]
        edits = self.values(self.rng.sample(names, min(len(names), self.rng.choice([0, 0, 1]))), True, thing.here)
        row = thing.row if self.rng.random() < 0.5 else await self.next_key()
        known, named = self.book.is_known(thing), thing.row in await self.identified()
        if not self.book.may_return(thing, named):
            return
        record = thing.record if named and not (known and self.rng.random() < 0.5) else None
        steps = [f"DELETE FROM crm.things WHERE id = {thing.row}", self.inserting([(row, record, {**thing.here, **edits})])]
        at = time.time()
        for step in self.rng.choice([steps, ["BEGIN; " + "; ".join(steps) + "; COMMIT"]]):
            await self.here.edit(step)
        self.book.row_moved(thing, row)
        if record is None and self.book.begins:     # loaded anew, and then with another key: it is matched
            self.book.may_forget(thing, thing.cases)
        self.book.row_updated(thing, edits, at)
        thing.back = True

    async def replace(self):
        """A row is deleted, and another person gets its key."""
        thing = self.settled()
        values = self.named(self.values(self.writable(), True), ())
        if thing is None or self.book.running or self.book.key(values) in self.book.keys_of(thing):
            return
        values = {name: values.get(name, "") for name in self.kind.fields}
        at = time.time()
        await self.here.edit(f"BEGIN; DELETE FROM crm.things WHERE id = {thing.row}; "
                             f"{self.inserting([(thing.row, None, values)])}; COMMIT")
        self.book.row_deleted(thing)
        self.book.row_inserted(thing.was, values, at)

    async def reload(self):
        """The table is emptied and filled again, perhaps with other keys, or without the records' ids."""
        things = [thing for thing in self.book.things if thing.row is not None]
        if not things or self.away or self.book.running or not self.book.may_reload():
            return
        rows = [thing.row for thing in things]
        keys = self.rng.choice([rows, self.rng.sample(rows, len(rows)), [await self.next_key() for _ in rows]])
        named = await self.identified()
        if self.rng.random() < 0.5:
            named -= {thing.row for thing in things if self.book.is_known(thing)}
        if not all(self.book.may_return(thing, thing.row in named) for thing in things):
            return
        data = [(key, thing.record if thing.row in named else None, thing.here) for thing, key in zip(things, keys)]
        at = time.time()
        await self.here.edit(f"BEGIN; TRUNCATE crm.things; {self.inserting(data)}; COMMIT")
        self.book.reloaded(zip(things, keys), at)

    async def move(self):
        """A row gets another primary key."""
        thing = self.settled()
        if thing is None or self.book.running:
            return
        taken = {other.row for other in self.book.things}
        free = [other.was for other in self.book.things if other.was is not None and other.was not in taken]
        row = self.rng.choice(free) if free and self.rng.random() < 0.3 else await self.next_key()
        await self.here.edit(f"UPDATE crm.things SET id = {row} WHERE id = {thing.row}")
        self.part[row] = self.part.get(thing.row, "a")
        self.book.row_moved(thing, row)

    async def forget(self):
        """The id of the record is taken out of a row."""
        thing = self.settled()
        if thing is not None and not self.book.running and not thing.back:
            await self.here.edit(f"UPDATE crm.things SET xero_id = NULL WHERE id = {thing.row}")
            self.book.row_touched(thing)

    def end(self):
        thing = self.some("record")
        values = thing and self.kind.ending(thing.there)
        if values:
            self.changes(thing, lambda: self.kind.change(self.there, thing.record, values))

    def merge(self):
        """One record is merged into another one."""
        thing, into = self.some("record"), self.some("record")
        if thing is not None and self.kind.merges and not self.book.running and self.book.may_merge(thing, into):
            at = time.time()
            self.there.do("change", {"object": self.kind.object, "id": thing.record, "merge": into.record})
            self.book.record_merged(thing, into, self.kind.ending(thing.there), at)

    # Runs

    async def run(self, disturbance):
        Told.line(f"-- run, {disturbance.__name__}")
        if disturbance is unbearable:
            await self.burden()
        self.book.run_begins()
        mark, began = self.there.mark(), time.monotonic()
        await disturbance(self)
        self.there.ask("faults", [])
        await self.here.revive()
        state = await self.here.last_run()
        if state.get("run_id") == self.last:        # it was ended before it had begun
            state = {}
        self.last = state.get("run_id", self.last)
        calls = self.there.calls(mark)
        Told.line(f"-- {state.get('state')} {state.get('error') or ''} {calls} in {time.monotonic() - began:.1f} s")
        if state.get("state") == "failed":
            raise Broken(f"the run has failed: {state['error']}")
        await self.look(state.get("state") == "done")
        return state, calls

    async def burden(self):
        """Somebody writes what Xero cannot bear."""
        thing = self.some("row")
        if thing is not None:
            name, token, at = self.rng.choice(self.kind.verbatim), self.token(), time.time()
            await self.here.edit(f"UPDATE crm.things SET {name} = {literal(token)} WHERE id = {thing.row}")
            self.book.row_updated(thing, {name: token}, at)
            self.book.unbearable.add(token)
            fault = self.rng.choice([{"status": 500, "body": '{"Message": "x"}'}, {"status": 302}, {"status": 302, "worked": True}])
            self.there.do("faults", [{"path": self.kind.path, "holding": token, "times": 100, **fault}])

    async def look(self, done):
        rows = {key: {"record": row["xero_id"],
                      "said": self.kind.shown(row)}
                for key, row in (await self.here.table()).items()}
        records = {key: {"said": self.kind.seen(record), "at": moment(record.get("UpdatedDateUTC"))}
                   for key, record in self.there.records(self.kind).items()}
        self.book.run_ended(done, rows, records, await self.here.issues())

    async def call(self):
        Told.line("R: CALL xero_fdw.run_sync('s');")
        return await self.here.runner.run("CALL xero_fdw.run_sync('s')")

    async def call_until(self, point, how):
        """Run, and be killed at that point: did it get there?"""
        await self.here.kill_at(point, how)
        result = await self.call()
        await self.here.runner.run("RESET kills.at")
        return result.state.startswith("57P")

    async def rest(self):
        """Everything settles; then a run costs one call."""
        # a row for which alone Xero failed is tried again after an hour, or when it is asked for
        await self.here.edit("SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues WHERE sqlstate = '08007'")
        self.book.xero_fails = False
        self.book.unbearable = set()
        for _ in range(QUIET):
            state, calls = await self.run(undisturbed)
            if state["state"] == "done" and len(calls) == 1 and state["pushed"] + state["created"] + state["updated"] == 0:
                break
            if state["state"] == "paused":
                await asyncio.sleep(0.3)
        else:
            raise Broken(f"it does not come to rest: {state['state']} {state.get('error')}, {calls}")
        self.book.at_rest()


async def undisturbed(round):
    await round.call()


async def unbearable(round):
    """Xero fails for one record alone."""
    await round.call()


def faulty(name, choose):
    """A run in which Xero behaves so."""
    async def disturbed(round):
        fault = choose(round)
        round.book.xero_fails = round.book.xero_fails or "status" in fault or "drop" in fault
        round.there.do("faults", [{"path": round.kind.path, **fault}])
        await round.call()
    disturbed.__name__ = name
    return disturbed


def writing(round):
    return round.rng.choice(["PUT", "POST"])


def any_call(round):
    return round.rng.choice(["GET", "PUT", "POST"])


lost = faulty("answers are lost", lambda round: {"method": writing(round), "drop": "after", "times": 20, "after": round.rng.randrange(2)})
broken = faulty("500, and stored", lambda round: {
    "method": writing(round), "status": 500, "body": '{"Message": "x"}', "worked": True, "times": 20,
    "after": round.rng.randrange(2)})
kept = faulty("500 for good, and stored", lambda round: {
    "method": writing(round), "status": 500, "body": '{"Message": "x"}', "worked": True, "kept": True, "times": 20})
unsent = faulty("requests are lost", lambda round: {"method": writing(round), "drop": "before", "times": 20, "after": round.rng.randrange(2)})
refused = faulty("500", lambda round: {"method": writing(round), "status": 500, "body": '{"Message": "x"}', "times": 20})
down = faulty("503", lambda round: {"method": any_call(round), "status": 503, "body": "x", "times": 20})
once = faulty("a connection is lost once", lambda round: {
    "method": any_call(round), "drop": round.rng.choice(["before", "after"]), "times": 1})
limited_calls = faulty("429", lambda round: {"method": any_call(round), "problem": "minute", "retry_after": 1, "times": 20})


async def limited(round):
    """Xero's limit is used up, and opens again."""
    await limited_calls(round)
    await round.here.judge.rows("SELECT xero_fdw.clear_block('xero')")


def stopped(name, stop):
    """A run that is stopped at some time: while it waits for Xero, or between."""
    async def disturbed(round):
        rng = round.rng
        fault = {"method": any_call(round), "delay_ms": 40, "times": 3, "path": round.kind.path}
        if rng.random() < 0.7:
            round.there.do("faults", [fault])
        run = asyncio.ensure_future(round.call())
        await asyncio.sleep(rng.random() * 0.15)
        if not run.done():
            await stop(round)
        await run
        # what is under way arrives
        await asyncio.sleep(0.06)
    disturbed.__name__ = name
    return disturbed


async def end_session(round):
    Told.line("S: SELECT pg_terminate_backend(the run);")
    await round.here.judge.rows(f"SELECT pg_terminate_backend({round.here.runner.pid})")


cancelled = stopped("cancelled", lambda round: round.here.runner.cancel())
ended = stopped("its session is ended", end_session)
worker_ended = stopped("the worker is ended", lambda round: round.here.kill_workers(signal.SIGTERM))
worker_killed = stopped("the worker is killed, and the server with it", lambda round: round.here.kill_workers(signal.SIGKILL))


def killed(name, how):
    """A run that is killed where it commits, if it gets there."""
    async def disturbed(round):
        await round.call_until(round.rng.randrange(2, 42), how)
    disturbed.__name__ = name
    return disturbed


ended_between = killed("its session is ended where it commits", "TERM")
crashed = killed("the server is killed where it commits", "KILL")


async def timed_out(round):
    """statement_timeout is for each step, as the CALL is one statement."""
    await round.here.runner.rows(f"SET statement_timeout = {round.rng.randrange(3, 80)}")
    await round.call()
    while (await round.here.runner.run("RESET statement_timeout")).error:
        pass


async def meanwhile(round):
    """Others edit both sides while it runs."""
    round.there.do("faults", [{"path": round.kind.path, "delay_ms": 30}])
    run = asyncio.ensure_future(round.call())
    while True:
        await asyncio.sleep(round.rng.random() * 0.05)
        if run.done():
            break
        await round.edit()
    await run


OPERATIONS = {Round.insert: 2, Round.update: 6, Round.delete: 1, Round.create: 2, Round.change: 6, Round.end: 0.5, Round.happen: 0.5,
              Round.insert_again: 1, Round.replace: 0.7, Round.reload: 0.5, Round.move: 0.7, Round.forget: 0.7, Round.merge: 0.7}
PARTITIONS = {Round.shift: 2, Round.leave: 3, Round.come_back: 4, Round.rewrite: 1, Round.grow: 2}
LOST = [lost] + [broken] * 4 + [kept] * 2
STOPPED = [cancelled, cancelled, ended, timed_out, worker_ended] + [ended_between] * 3
DISTURBANCES = [undisturbed] * 8 + [unbearable] * 2 + [unsent, down, down, refused, once, once, limited] + STOPPED + [meanwhile] * 4
CRASHES = [crashed, crashed, worker_killed]
