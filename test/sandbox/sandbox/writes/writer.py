"""One write: method and path -> what to do, and the answer.

PUT on a collection creates; POST creates or updates, found by id or by natural
key; POST on a record's own path updates it; DELETE where the object has it.
What a path below a record does is its handler's affair.
"""
from ..answer import Answer
from ..errors import ApiError, not_found, not_implemented, post_data_invalid, validation
from .. import objects as specs
from . import body, messages, payroll
from .batch import Answers, Outcome, carry_out
from .books import Books, Refused
from .fields import Reader
from .idempotency import Idempotency
from .objects import WRITABLE


class Writer:
    def __init__(self, options, clock, stale):
        self.options = options
        self.clock = clock
        self.stale = stale                  # called with what changed
        self.idempotency = Idempotency(clock)

    def answer(self, org, spec, rest, call):
        """The answer, from the store of answers if the call was made before."""
        if not self.idempotency.applies(call):
            return self._work(org, spec, rest, call)
        kept = self.idempotency.find(org, call)
        if kept:
            return kept
        try:
            answer = self._work(org, spec, rest, call)
        except ApiError as error:
            answer = Answer(error.status, error.body, error.content_type, error.headers)
        self.idempotency.keep(org, call, answer)
        return answer

    def keep(self, org, call, answer):
        """Have replays of a call get this answer."""
        if self.idempotency.applies(call):
            self.idempotency.keep(org, call, answer)

    def _work(self, org, spec, rest, call):
        books = Books(org, self.clock, self.options)
        visit = Visit(books, spec, call)
        try:
            if spec in (specs.EMPLOYEES_AU, specs.EMPLOYEES_UK_NZ):
                return payroll.answer(visit, rest)
            return visit.answer(rest)
        finally:
            self.stale(org, books.touched)


class Visit:
    """One call, and what its steps share."""

    def __init__(self, books, spec, call):
        self.books = books
        self.spec = spec
        self.call = call
        self.answers = Answers(books.org, spec, call, books.now, books.options.quirks)
        self.reader = Reader(spec.four_decimals(call.params), books.options.strict)

    def answer(self, rest):
        writable = WRITABLE.get(self.spec.name)
        if not writable:
            raise not_implemented()
        known = {"summarizeErrors"} | ({"unitdp"} & self.spec.params) | \
            ({"allowBackorders"} if self.spec.name == "Invoices" else set())
        unknown = set(self.call.params) - known
        if unknown and self.books.options.strict:
            raise validation(f"Unknown query parameter: {', '.join(sorted(unknown))}")
        self.writable = writable
        self.statuses = [] if rest else writable.statuses       # verbs that know summarizeErrors here
        self.handler = writable.handler(self.books, self.spec, self.call)
        verb = self.call.method
        if not rest and verb in writable.collection:
            return self.collection(verb)
        if len(rest) == 1 and verb in writable.own:
            record = self.handler.by_path(rest[0])
            if record is None:
                raise not_found()
            return self.remove(record) if verb == "DELETE" else self.update(record)
        if len(rest) > 1 and (verb, rest[1].lower()) in writable.parts:
            record = self.handler.by_path(rest[0])
            if record is None:
                raise not_found()
            self.statuses = ["PUT"] if rest[1].lower() == "allocations" else []
            part = getattr(self.handler, writable.parts[verb, rest[1].lower()])
            try:
                return part(self, record, [word.lower() for word in rest[2:]])
            except Refused as refused:
                return self.refused(record, refused)
        raise not_implemented()

    def elements(self, wrapper=None, type_name=None, bare=False):
        """[(element, complaints)]: all are read before anything is done."""
        singular = type_name or self.spec.type_name
        raw = body.elements(body.parse(self.call), wrapper or self.spec.wrapper, singular, bare)
        return [self.reader.element(singular, element) for element in raw]

    @property
    def summarise(self):
        """Xero summarises unless told not to, where it can be told."""
        switched = self.call.params.get("summarizeErrors", "").lower() == "false"
        return not (switched and self.call.method in self.statuses)

    def collection(self, verb):
        writable, handler = self.writable, self.handler
        elements = self.elements(bare=writable.bare)
        limit = writable.one_by_post if verb == "POST" and writable.one_by_post else writable.batch
        if writable.first_only:
            elements = elements[:1]
        if len(elements) > limit:
            raise validation(f"A request can hold at most {limit} elements for this endpoint")
        tasks = []
        for given, complaints in elements:
            function = handler.put if verb == "PUT" else handler.post
            new = verb == "PUT" and self.spec.key.endswith("ID")
            echo = {name: value for name, value in given.items() if name != self.spec.key or not new}
            tasks.append((lambda given=given, function=function: function(given), echo, complaints))
        return self.carry_out(tasks)

    def carry_out(self, tasks, spec=None):
        """Do them, and answer; `spec` is what the answer holds, if not the
        object of the path."""
        outcomes = carry_out(self.books, tasks, self.summarise and "failed-batch-writes-nothing" in
                             self.books.options.quirks)
        answers = Answers(self.books.org, spec, self.call, self.books.now, self.books.options.quirks) if spec else self.answers
        return answers.batch(outcomes, self.summarise)

    @staticmethod
    def parts(wrapper, key):
        """What lies below a record, as an object of its own."""
        return specs.Object(wrapper, key, where=False, order=False)

    @staticmethod
    def unknown():
        raise not_found()

    def update(self, record):
        """POST to a record's own path: one element, its id as in the path."""
        elements = self.elements(bare=True)
        if len(elements) != 1:
            raise post_data_invalid("Only one element can be posted to this path")
        (given, complaints), key = elements[0], self.spec.key
        if given.get(key, record[key]) != record[key]:
            complaints.append(messages.WRONG_ID)
        echo = {**given, key: record[key]}
        return self.carry_out([(lambda: self.handler.update(record, given), echo, complaints)])

    def refused(self, record, refused):
        self.books.undo(0)
        return self.answers.batch([Outcome(reasons=refused.reasons, echo=record)], True)

    def remove(self, record):
        try:
            gone = self.handler.remove(record)
        except Refused as refused:
            return self.refused(record, refused)
        return Answer(204, b"") if gone is None else self.answers.elements(self.spec.wrapper, [gone])
