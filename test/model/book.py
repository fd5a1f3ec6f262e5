"""The plain model: what each side must say after a run, by the edits that people
have made and the rules of the sync.

A *thing* is a row, a record, or a pair of them.  Of each field of a pair the book
keeps the *cases* that may be true: what each side says, and which of them was
changed since both agreed.  An edit changes each case; a run settles it by the
rules, or, if the run was disturbed, may have; then both sides are looked at, and
cases that say something else fall away.  If none is left, an edit is lost, or a
value is from nowhere.
"""
import json
import time
from dataclasses import dataclass, field, replace

from kinds.kind import key_of

NEAR = 0.02         # seconds in which nobody can say which edit was later


class Broken(Exception):
    """The sync has not done what it owes."""


@dataclass(frozen=True)
class Case:
    """What both sides say of a field, and what they said when they agreed; None: they
    have not yet."""
    here: str
    there: str
    was_here: str = None
    was_there: str = None

    @property
    def new_here(self):
        return self.here != self.was_here

    @property
    def new_there(self):
        return self.there != self.was_there

    @property
    def first(self):
        return self.was_here is None and self.was_there is None


@dataclass
class Rules:
    """The sync."""
    kind: object
    direction: str
    conflict: str
    initial: str
    on_delete: str
    quirks: list

    def flow(self, name):
        """(goes there, comes here)"""
        flow = self.kind.fields[name].flow
        return (flow == "to_xero" or flow == "both" and self.direction != "pull",
                flow == "to_local" or flow == "both" and self.direction != "push")


@dataclass
class Thing:
    here: dict = None           # what the row says; None: there is none
    there: dict = None
    row: int = None
    record: str = None
    edited_here: tuple = None   # between when and when, if a trigger could see it
    edited_there: tuple = None
    cases: dict = field(default_factory=dict)       # {field: set of Case}
    partners: set = field(default_factory=set)      # records that it may have been joined with
    unsure: dict = field(default_factory=dict)      # {field: (value, before)} sent by runs that did not end well
    sent: bool = False          # it may be: since then no run was done
    was: int = None             # the row that it had
    left: str = None            # what that was matched by
    troubled: bool = False      # there was an issue of it before the last run
    deleted: bool = False       # the row was, by a person
    doubted: bool = False       # and it is not known whether the record has ended of that
    perhaps: bool = False       # or a row that it may have had was
    closed: bool = False        # what is left stays alone
    touched: bool = False       # during the run that is under way
    fresh: bool = False         # edited since the first run that was done
    early: bool = False         # it was there when the first run was
    had: list = field(default_factory=list)         # what its sides said since the last run that was done
    named: bool = False         # the row knows its record
    back: bool = False          # its row was deleted or emptied, and inserted again, since the last run that was done
    away: bool = False          # its row is, with its partition

    def note(self):
        """What its sides say now."""
        self.had.append((dict(self.here or {}), dict(self.there or {})))

    @property
    def paired(self):
        return self.row is not None and self.record is not None


class Book:
    def __init__(self, rules):
        self.rules = rules
        self.things = []
        self.runs_done = 0
        self.runs_begun = 0
        self.begins = True      # the next run that is done is a first one
        self.troubled = set()   # rows and records that there is an issue of
        self.running = False
        self.watched = False    # the sync exists
        self.xero_fails = False     # it has answered with 5xx, or not at all
        self.unbearable = set()     # texts for which it does

        self.left_alone = set()     # what rows said that the first run has left so, and that are deleted
        self.reasons = set()    # issues that had one

        self.merged = {}        # {record: the one that it was merged into}
        self.calm = False       # the last run was done, so that nothing is under way

        self.carries = rules.on_delete == "archive" and rules.direction != "pull"      # deletions to Xero

    # Looking things up

    def of_row(self, row):
        return next((t for t in self.things if t.row == row), None)

    def of_record(self, record):
        return next((t for t in self.things if t.record == record), None)

    def key(self, side):
        return key_of(side[self.rules.kind.match])

    def same(self, name, one, other):
        """Do both say the same, but for what Xero makes of it?"""
        return one == other or self.rules.kind.fields[name].stored(one, self.rules.quirks) == \
            self.rules.kind.fields[name].stored(other, self.rules.quirks)

    # The rules

    def settled(self, thing, name, case):
        """What a run may make of a case: a list of cases."""
        goes, comes = self.rules.flow(name)
        here, there = agreed(case.here), agreed(case.there)
        if self.same(name, case.here, case.there):
            return [Case(case.here, case.there, case.here, case.there)]
        if case.first:
            return self.first_settled(thing, name, case, goes, comes)
        new_here, new_there = case.new_here and goes, case.new_there and comes
        if new_here and new_there:
            return self.conflict(thing, case)
        if new_here:
            return [here]
        if new_there:
            return [there]
        return [case]

    def first_settled(self, thing, name, case, goes, comes):
        here, there = agreed(case.here), agreed(case.there)
        options = []
        for is_first in ([True] if self.runs_done == 0 and self.runs_begun <= 1 else
                         [True, False] if self.begins or thing.early else [False]):
            if is_first and self.rules.initial == "new_only":
                options.append(Case(case.here, case.there, case.here, case.there))
            elif not goes:
                options.append(there if comes else case)
            elif not comes:
                keeps = case.here == "" and not (is_first and self.rules.initial == "local_to_xero")
                options.append(Case(case.here, case.there, case.here, case.there) if keeps else here)
            elif is_first and self.rules.initial == "xero_to_local":
                options.append(there)
            elif is_first and self.rules.initial == "local_to_xero":
                options.append(here)
            elif case.here == "":
                options.append(there)
            elif case.there == "":
                options.append(here)
            else:
                options += self.conflict(thing, case)
        return options

    def conflict(self, thing, case):
        here, there = agreed(case.here), agreed(case.there)
        rule = self.rules.conflict
        if rule == "manual":
            return [case]
        if rule == "xero":
            return [there]
        if rule == "local":
            return [here]
        if thing.touched:       # another edit may have been the last when the run looked
            return [here, there]
        if thing.edited_here is None:
            return [there]
        if None in thing.edited_there:
            return [here, there]
        if thing.edited_here[0] > thing.edited_there[1] + NEAR:
            return [here]
        return [there] if thing.edited_here[1] < thing.edited_there[0] - NEAR else [here, there]

    def closure(self, thing, name):
        """All that may be true while a run is under way."""
        cases = thing.cases[name]
        return cases | {after for case in cases for after in self.settled(thing, name, case)}

    # What people do

    def row_inserted(self, row, values, at):
        thing = Thing(here=values, row=row, edited_here=(at, time.time()) if self.watched else None)
        # it may be one that was alone and has been deleted since
        thing.early = any(other.early and other.row is None and other.record is None
                          and self.key(values) in self.keys_of(other) for other in self.things)
        self.touch(thing)
        self.things.append(thing)

    def record_created(self, record, values, at):
        thing = Thing(there=values, record=record, edited_there=(at, time.time()))
        self.touch(thing)
        self.things.append(thing)

    def touch(self, thing, changed=True):
        thing.touched = thing.touched or self.running
        thing.fresh = thing.fresh or changed and not self.begins
        thing.early = thing.early or self.begins
        thing.note()

    def row_updated(self, thing, values, at):
        changed = any(thing.here[name] != value for name, value in values.items())
        thing.here.update(values)
        if self.watched and changed:
            thing.edited_here = at, time.time()
        self.touch(thing, changed)
        for name, value in values.items():
            if thing.paired:
                cases = self.closure(thing, name) if self.running else thing.cases[name]
                # what Xero gives to a new record comes, but is no edit beside this one
                thing.cases[name] = {replace(case, here=value) for case in cases} | {
                    replace(case, here=value, was_there=case.there) for case in cases
                    if case.was_here == case.was_there and self.is_given(name, case.was_there)}
        if self.running:
            self.lacks(thing)

    def record_updated(self, thing, values, at):
        changed = any(thing.there[name] != value for name, value in values.items())
        if not thing.named and self.key({**thing.there, **values}) != self.key(thing.there):
            thing = self.lost(thing)
        thing.there.update(values)
        thing.edited_there = at, time.time()
        self.touch(thing, changed)
        for name, value in values.items():
            if thing.paired:
                cases = self.closure(thing, name) if self.running else thing.cases[name]
                after = {replace(case, there=value) for case in cases}
                # between the run's reading and its writing: nobody can know that it was there
                if self.running and self.rules.flow(name)[0]:
                    after |= {agreed(case.here) for case in cases if case.new_here or name in thing.unsure}
                thing.cases[name] = after

    def lost(self, thing):
        """A record was made of a row, which does not know it, and does not say what it could be
        found by any more.  It may be taken for another one; the one that it is of now."""
        if thing.row is None:
            thing.deleted, thing.perhaps = False, thing.deleted or thing.perhaps
            return thing
        other = Thing(there=thing.there, record=thing.record, edited_there=thing.edited_there, had=list(thing.had),
                      early=thing.early, fresh=thing.fresh, troubled=thing.troubled, touched=thing.touched)
        self.things.append(other)
        thing.record = thing.there = None
        thing.sent = True
        return other

    def record_merged(self, thing, into, end, at):
        """A record was merged into another one, which its row is to have from now on, or in
        vain, as that one has a row."""
        self.merged[thing.record] = into.record
        self.record_updated(thing, end, at)
        self.touch(into, False)

    def may_merge(self, thing, into):
        """Is it clear what becomes of that?"""
        known = {*self.merged, *self.merged.values()}
        return (thing is not into and self.calm and thing.paired and not into.deleted and not into.perhaps
                and all(self.rules.kind.active(side.there) and side.record not in known and not side.back and not side.away
                        and self.is_only(side) and not self.in_trouble(side) for side in (thing, into))
                and not (into.paired and self.rules.direction == "pull"))

    def merging(self, thing):
        """Is it of a merge that a run, or a person, has not dealt with?"""
        return any(thing.record in pair and self.of_record(pair[0]).row is not None for pair in self.merged.items())

    def is_dead(self, thing):
        return thing.record in self.merged

    def is_last(self, thing):
        """Is there no other row?"""
        return not any(other.row is not None for other in self.things if other is not thing)

    def row_deleted(self, thing):
        if not thing.paired:
            # a run may have joined it with a record already, which is ended then
            for other in self.things:
                if other.row is None and other.record is not None and (
                        id(other) in thing.partners or self.running and self.key(other.there) == self.key(thing.here)):
                    other.perhaps = True
            if thing.early:
                self.left_alone |= self.keys_of(thing)
        elif self.running:      # the run may have been there before
            thing.cases = {name: self.closure(thing, name) for name in thing.cases}
        self.touch(thing)
        thing.was, thing.left = thing.row, self.key(thing.here)
        thing.row = thing.here = None
        # of two records that were merged, the one that lives on is left to the other's row
        thing.deleted = not self.merging(thing) or self.is_dead(thing)

    def row_moved(self, thing, row):
        """It has another key, and is what it was."""
        if row != thing.row:
            thing.was, thing.row = thing.row, row
        self.row_touched(thing)

    def row_touched(self, thing):
        """It was changed, but for what it says."""
        if self.watched:
            thing.edited_here = thing.edited_here[0] if thing.edited_here else 0, time.time()
        self.touch(thing, False)

    def may_leave(self, things):
        """Will they be the same when they come back?"""
        return self.calm and all(thing.paired and thing.named and not thing.back and not self.in_trouble(thing)
                                 and self.is_only(thing) and not self.merging(thing) for thing in things)

    def is_away(self, key):
        """Is it of a row that is?  Another row that says the same would be that one."""
        return any(key in self.keys_of(thing) for thing in self.things if thing.away)

    def rows_away(self, things, away):
        """They are, or are there again."""
        for thing in things:
            thing.away, thing.back = away, not away
            self.row_shifted(thing)

    def row_shifted(self, thing):
        """It is what it was, in another partition or file: nobody can know when it was edited."""
        if self.watched:
            thing.edited_here = 0.0, time.time()
        self.touch(thing, False)

    def reloaded(self, rows, at):
        """The table has these rows again, with these keys."""
        for thing, key in rows:
            thing.edited_here = (at, time.time()) if self.watched else None
            self.row_moved(thing, key)
            thing.back = True
        # who is alone now is treated as in the first run
        self.begins = True
        for thing in self.things:
            thing.early, thing.fresh = True, False

    def keys_of(self, thing):
        """What it was matched by, since the last run that was done."""
        return {thing.left} - {None} | {
            self.key(side) for side in [thing.here, thing.there, *(side for had in thing.had for side in had)] if side}

    def is_known(self, thing):
        """Is it known by what it is matched by, which is nobody else's, and was not changed in vain?"""
        match = self.rules.kind.match
        return not self.in_trouble(thing) and self.is_only(thing) and (
            self.rules.flow(match)[0] or not any(case.new_here for case in thing.cases.get(match, ())))

    def is_only(self, thing):
        """Does nobody else say what it is matched by?"""
        return not any(self.keys_of(thing) & self.keys_of(other) for other in self.things if other is not thing)

    def may_return(self, thing, named):
        """Is it clear who it is, if its row is gone and comes again, and names its record or not?"""
        return self.is_known(thing) or not thing.sent and (named or not thing.paired)

    def may_reload(self):
        """After a TRUNCATE, nobody has deleted a row."""
        return not any(thing.deleted and not thing.closed or self.merging(thing) for thing in self.things)

    # Runs

    def run_begins(self):
        self.running = True
        self.runs_begun += 1
        alone = [t for t in self.things if not t.paired]
        for thing in self.things:
            thing.touched = False
            self.doubt(thing)
            self.lacks(thing)
            thing.note()
        for thing in alone:
            if thing.row is not None:
                thing.partners |= {id(other) for other in alone
                                   if other.record is not None and self.key(other.there) == self.key(thing.here)}

    def doubt(self, thing):
        """What a disturbed run has sent counts as agreed if Xero shows any of it.
        If all of it was changed there since, nobody can know that it ever was there."""
        if thing.paired and not any(thing.there[name] == sent for name, (sent, _) in thing.unsure.items()):
            for name, (_, before) in thing.unsure.items():
                thing.cases[name] |= {replace(case, was_here=None) for case in thing.cases[name] if case.new_there} | {
                    replace(case, was_here=None, was_there=case.there) for case in thing.cases[name] if case.there == before}

    def lacks(self, thing):
        """What a row that has come back lacks, it gets."""
        if thing.back and thing.paired:
            self.may_forget(thing, [name for name in thing.cases
                                    if self.rules.flow(name) == (False, True) and thing.here[name] == ""])

    def may_forget(self, thing, names):
        """What both sides have agreed on there may count no more."""
        for name in names:
            thing.cases[name] = thing.cases[name] | {Case(case.here, case.there) for case in thing.cases[name]}

    def run_ended(self, done, rows, records, issues):
        """Look at both sides, {key: what it says}, and compare them with what they may be."""
        self.running = False
        self.calm = done
        rows = {**{thing.row: {"record": thing.record, "said": dict(thing.here)} for thing in self.things if thing.away}, **rows}
        self.troubled = {int(i["id"]) for i in issues if i["id"]} | {i["xero_id"].lower() for i in issues if i["xero_id"]}
        self.see_gone(done, rows, records)
        self.see_new(done, rows, records)
        for thing in self.things:
            if thing.record is not None and thing.row is None:
                self.see_end(thing, done, records[thing.record]["said"])
            if thing.paired:
                self.see_pair(thing, done, rows[thing.row], records[thing.record])
                if done and not thing.touched and self.is_dead(thing):
                    self.see_merged(thing)
            elif done and not thing.touched and not self.in_trouble(thing) and not thing.troubled:
                self.see_alone(thing)
            thing.troubled = self.in_trouble(thing)
            thing.doubted = thing.doubted or thing.deleted and (not done or self.xero_fails)
            thing.sent = not thing.paired
        if done:
            self.runs_done += 1
            self.begins = False
            for issue in issues:
                self.see_issue(issue)
            for thing in self.things:
                thing.had = []
                thing.note()
                thing.sent = False
                thing.unsure = {}
                thing.partners = set()
                thing.back = False

    def in_trouble(self, thing):
        return thing.row in self.troubled or thing.record in self.troubled

    def see_gone(self, done, rows, records):
        for thing in list(self.things):
            if thing.row is not None and thing.row not in rows:
                raise Broken(f"row {thing.row} is gone, and nobody has deleted it")
            if thing.record is not None and thing.record not in records:
                if not self.rules.kind.vanishes or not self.carries or thing.row is not None or not (thing.deleted or thing.perhaps):
                    raise Broken(f"record {thing.record} is gone, and nobody has deleted it")
                self.things.remove(thing)
                continue
            # what was sent may be made now
            if thing.record is None and thing.row is None and done and not thing.touched and not thing.sent:
                self.things.remove(thing)

    def see_end(self, thing, done, said):
        """A record ends only by the deletion of its row."""
        kind = self.rules.kind
        ended, was = kind.ended(said), kind.ended(thing.there)
        may = thing.deleted and self.carries
        if ended and not was:
            if not may and not (thing.perhaps and self.carries):
                raise Broken(f"record {thing.record} was ended, and nobody has ended it")
            thing.there["status"] = said["status"]
        elif may and not ended and done and not thing.touched and not self.in_trouble(thing) and not thing.troubled and not thing.closed:
            raise Broken(f"record {thing.record} was not ended, and its row was deleted")
        if thing.perhaps:       # what the row said may have been sent before
            thing.there.update(said)
            thing.note()
        # an issue: whether the row is another one by now
        thing.closed = thing.closed or done and thing.deleted and not thing.touched and not self.in_trouble(thing)

    def see_new(self, done, rows, records):
        named = {}
        for row, found in rows.items():
            record = found["record"]
            thing, other = self.of_row(row), self.of_record(record)
            if record is None:
                if thing is None:
                    raise Broken(f"row {row} is from nowhere")
                if thing.paired and done and not thing.touched and not self.in_trouble(thing):
                    raise Broken(f"row {row} does not name its record {thing.record}")
                continue
            if record in named:
                raise Broken(f"rows {named[record]} and {row} have the same record {record}")
            named[record] = row
            if thing is not None and thing.record == record:
                thing.named = True
                continue
            if record not in records:
                raise Broken(f"row {row} has record {record}, which is not there")
            if thing is not None and thing.record is not None and self.merged.get(thing.record) == record and other.row is None:
                self.see_moved(thing, other)
                continue
            if thing is not None and thing.record is not None:
                raise Broken(f"row {row} had record {thing.record}, and has {record} now")
            # a record whose row was deleted may have one again that says the same
            if other is not None and (other.row is not None or other.closed and self.carries):
                raise Broken(f"row {row} has record {record}, which is another row's, or was one's that is deleted")
            if thing is None and other is None:
                raise Broken(f"row {row} and record {record} are from nowhere")
            if other is None:
                self.see_sent(thing, record, records[record])
            elif thing is None:
                if other.deleted:
                    raise Broken(f"record {record}, whose row was deleted, has a new row {row}")
                self.see_come(other, row, found["said"])
            else:
                self.see_joined(thing, other)
            self.of_row(row).named = True
        for record, found in records.items():
            if self.of_record(record) is None:
                self.see_stray(record, found)
        for thing in self.things:
            if done and thing.paired and not thing.named and not thing.touched and not self.in_trouble(thing):
                raise Broken(f"record {thing.record} was made of row {thing.row}, which does not know it")

    def see_stray(self, record, found):
        """A record that no row names was made of a row, by a run that could not say so."""
        for thing in self.things:
            if thing.record is None and self.says(thing, found["said"]):
                self.see_sent(thing, record, found)
                return
        raise Broken(f"record {record} ({found['said'][self.rules.kind.match]}) is from nowhere, or was made twice")

    def says(self, thing, said):
        """Has the row said what the record says?"""
        ended = thing.deleted and self.carries and self.rules.kind.ended(said)
        sent = [name for name in self.rules.kind.fields if self.rules.flow(name)[0] and not (ended and name == "status")]
        return any(here and all(self.same(name, here[name], said[name]) or self.is_given(name, here[name]) for name in sent)
                   for here, _ in thing.had)

    def is_given(self, name, here):
        """Does Xero give it to a record that is made of this?"""
        return here == "" and self.rules.kind.fields[name].given

    def see_sent(self, thing, record, found):
        """A record was made of a row, of what it said at some time."""
        if self.rules.direction == "pull":
            raise Broken(f"record {record} was made by a sync that pulls")
        if not self.says(thing, found["said"]):
            self.see_taken_over(thing, record, found)
            return
        thing.record, thing.there, thing.edited_there = record, dict(found["said"]), (found["at"], found["at"])
        for name, said in found["said"].items():
            goes, _ = self.rules.flow(name)
            thing.cases[name] = set()
            for here in {here[name] for here, _ in thing.had if here}:
                now = thing.here[name] if thing.here else here
                there = said if not goes or self.is_given(name, here) else here
                thing.cases[name].add(Case(now, there, here if goes else now, here if goes else None))
                if goes and now != here:    # what Xero gives is no edit
                    thing.cases[name].add(Case(now, there, here, there))
        thing.note()

    def see_taken_over(self, thing, record, found):
        """A record was made of a row that is gone, and is another one's that says what it is matched by."""
        made = next((other for other in self.things if other is not thing and other.row is None and other.record is None
                     and self.keys_of(other) & self.keys_of(thing) and self.says(other, found["said"])), None)
        if made is None:
            raise Broken(f"record {record} was made of row {thing.row}, and says something else")
        made.record, made.there, made.edited_there = record, dict(found["said"]), (found["at"], found["at"])
        made.note()
        self.see_joined(thing, made)
        for name, there in thing.there.items():
            thing.cases[name].add(Case(thing.here[name], there, there, there))

    def see_moved(self, thing, other):
        """The row of a record that was merged into another one has gone along."""
        self.things.remove(other)
        dead = Thing(there=thing.there, record=thing.record, closed=True, deleted=True)
        self.things.append(dead)
        for name, cases in thing.cases.items():
            # what the run saw of it, if it was edited meanwhile
            saw = {other.there[name], *(there[name] for _, there in other.had if there and other.touched)}
            met = {replace(case, there=there) for case in cases for there in saw}
            if other.touched:
                met |= {after for case in met for after in self.settled(thing, name, case)}
            thing.cases[name] = {replace(case, there=other.there[name]) for case in met}
        thing.record, thing.there, thing.edited_there = other.record, other.there, other.edited_there
        thing.touched = thing.touched or other.touched

    def see_merged(self, thing):
        """Has a run dealt with it?"""
        into = self.of_record(self.merged[thing.record])
        if into.row is None:
            raise Broken(f"row {thing.row} still has record {thing.record}, which was merged into {into.record}")
        if not self.in_trouble(thing) and self.rules.direction != "pull":
            raise Broken(f"row {thing.row} has a record that was merged into that of row {into.row}, and nobody is told")

    def see_come(self, thing, row, said):
        """A row was made of a record, of what that said at some time."""
        if self.rules.direction == "push":
            raise Broken(f"row {row} was made by a sync that pushes")
        thing.row, thing.here = row, dict(said)
        for name, now in thing.there.items():
            _, comes = self.rules.flow(name)
            if comes:
                thing.cases[name] = {Case(there[name], now, there[name], there[name]) for _, there in thing.had if there}
            else:
                thing.cases[name] = {Case(said[name], now, None, now)}

    def see_joined(self, thing, other):
        """A row and a record have found each other."""
        if id(other) not in thing.partners and not self.keys_of(thing) & self.keys_of(other):
            raise Broken(f"row {thing.row} was joined with record {other.record}, which does not match")
        self.things.remove(other)
        thing.early = thing.early and other.early       # they were ambiguous when the first run was
        thing.record, thing.there, thing.edited_there = other.record, other.there, other.edited_there
        thing.touched = thing.touched or other.touched
        for name in thing.here:
            # if it is the row that was deleted, what was agreed on holds
            thing.cases[name] = {replace(case, here=thing.here[name]) for case in other.cases.get(name, ())}
            for here in {side[name] for side, _ in thing.had if side}:
                for there in {side[name] for _, side in other.had if side}:
                    known = [Case(here, there), *self.settled(thing, name, Case(here, there))]
                    for case in other.cases.get(name, ()):
                        held = replace(case, here=here, there=there)
                        known += [held, *self.settled(thing, name, held)]
                    if thing.sent:      # somebody may have edited what had been made of it, or decided and not sent yet
                        known.append(Case(here, there, here, here))
                        if self.is_given(name, here):
                            known.append(Case(here, there, here, there))
                        if self.rules.flow(name)[0]:
                            known.append(Case(here, there, None, there))
                    for case in known:
                        # edited before or after the run wrote
                        if thing.here[name] == here and thing.there[name] == there:
                            thing.cases[name].add(case)
                        for now in {case.here, thing.here[name]}:
                            for then in {case.there, thing.there[name]}:
                                if thing.touched:
                                    thing.cases[name].add(replace(case, here=now, there=then))
                        if not thing.touched:
                            thing.cases[name].add(replace(case, here=thing.here[name] if thing.here[name] != here else case.here,
                                                          there=thing.there[name] if thing.there[name] != there else case.there))

    def see_pair(self, thing, done, row, record):
        certain = done and not thing.touched and not self.in_trouble(thing) and not thing.away
        for name in self.rules.kind.fields:
            here, there = row["said"][name], record["said"][name]
            cases = thing.cases[name]
            may = {after for case in cases for after in self.settled(thing, name, case)}
            if not certain:
                may |= cases | self.decided(name, cases, may)
            if thing.touched:   # the run may have written what it saw before
                may |= {replace(after, there=case.there) for case in cases for _, saw in thing.had if saw
                        for after in self.settled(thing, name, replace(case, there=saw[name]))}
                may |= {replace(after, here=case.here) for case in cases for saw, _ in thing.had if saw
                        for after in self.settled(thing, name, replace(case, here=saw[name]))}
            left = {self.seen(case, here, there) for case in may
                    if self.same(name, case.here, here) and self.same(name, case.there, there)}
            if not left:
                raise Broken(f"{name} of row {thing.row} and record {thing.record}: {here!r} here, {there!r} there; "
                             f"may be {sorted(map(told, may))}, was {sorted(map(told, cases))}")
            if not done and there != thing.there[name]:
                thing.unsure[name] = there, thing.there[name]
            thing.cases[name] = left
            thing.here[name], thing.there[name] = here, there
        thing.edited_there = (record["at"], record["at"]) if record["at"] else thing.edited_there

    @staticmethod
    def seen(case, here, there):
        """The case as it is spelled."""
        return Case(here, there, case.was_here if case.new_here else here, case.was_there if case.new_there else there)

    def decided(self, name, cases, settled):
        """Cases that were decided for this side, and could not be sent yet."""
        if not self.rules.flow(name)[0]:
            return set()
        return {replace(case, was_there=case.there) for case in cases
                if any(self.same(name, after.there, case.here) for after in settled)}

    @staticmethod
    def stays(thing, side, says):
        """Was it there when the first run was, and says the same since?"""
        return thing.early and (not thing.fresh or thing.had[0][side] == says)

    def see_alone(self, thing):
        """Why is it?"""
        initial, direction = self.rules.initial, self.rules.direction
        if initial == "new_only" and (thing.early or self.keys_of(thing) & self.left_alone):
            return
        if thing.row is not None and direction != "pull" and not (
                self.stays(thing, 0, thing.here) and initial == "xero_to_local"):
            raise Broken(f"row {thing.row} has no record")
        if thing.record is not None and direction != "push" and not thing.deleted and not thing.perhaps and not (
                self.stays(thing, 1, thing.there) and initial == "local_to_xero"):
            raise Broken(f"record {thing.record} has no row")

    def see_issue(self, issue):
        """Is there a reason?"""
        about = [thing for now in (True, False) for thing in self.things
                 if issue["id"] and int(issue["id"]) == (thing.row if now else thing.was)
                 or issue["xero_id"] and issue["xero_id"].lower() == thing.record]
        if not about:
            raise Broken(f"an issue of nothing: {issue}")
        thing = about[0]
        kind = issue["kind"]
        if any(thing.touched for thing in about):
            good = True
        elif kind == "conflict":
            good = any(case.first or case.new_here and case.new_there for case in thing.cases.get(issue["field"], ()))
        elif kind == "validation":
            good = issue["sqlstate"] == "08007" and (self.xero_fails or self.is_unbearable(thing)) or self.is_refused(thing)
        elif kind == "ambiguous":
            side = thing.here or thing.there
            good = self.is_dead(thing) or side is None or sum(
                self.key(side) in {self.key(had) for had in sides if had}
                for other in self.things for sides in zip((other.here, other.there), *other.had)) > 2 or (
                # what it said when it was sent
                issue["sqlstate"] == "08007" and not self.is_only(thing))
        else:
            # it was to end, which may have failed or not, and has been changed since
            good = kind == "missing" and (self.carries and thing.doubted or thing.away)
        name = json.dumps(issue)
        if good:
            self.reasons.add(name)
        elif name in self.reasons:      # the run that learns that the reason is gone
            self.reasons.remove(name)
        else:
            raise Broken(f"an issue without a reason: {issue}")

    def is_refused(self, thing):
        """Is there a rule of Xero's against what it says, or against its end?"""
        kind = self.rules.kind
        return any(kind.refuses(thing.here, there or None) for there in [thing.there, *(there for _, there in thing.had)]) or (
            thing.here is not None and any(
                there and kind.active(there) and self.key(there) == self.key(thing.here)
                for other in self.things if other is not thing
                for there in [other.there, *(there for _, there in other.had)]))

    def is_unbearable(self, thing):
        """Does it say, or has it said, what Xero cannot bear?"""
        return any(value in self.unbearable for here in [thing.here, *(here for here, _ in thing.had)] if here for value in here.values())

    def at_rest(self):
        """After everything has settled, is there anything left that should not be?"""
        for thing in self.things:
            for name, cases in thing.cases.items():
                goes, comes = self.rules.flow(name)
                if thing.paired and not self.in_trouble(thing) and not thing.away and not any(
                        not (case.new_here and goes) and not (case.new_there and comes) for case in cases):
                    raise Broken(f"{name} of row {thing.row} and record {thing.record} is not settled: {set(map(told, cases))}")


def agreed(value):
    return Case(value, value, value, value)


def told(case):
    return f"{case.here!r}{'*' * case.new_here} | {case.there!r}{'*' * case.new_there}{' first' * case.first}"
