"""What all handlers have in common."""
from . import messages
from .books import Refused


class Handler:
    """Writes of one object.  A subclass has create(given) and change(record,
    given): both get a read element, and return the stored record or raise
    Refused."""

    label = None                            # the object's name in messages

    def __init__(self, books, spec, call):
        self.books = books
        self.spec = spec
        self.call = call
        self.reasons = []
        self.label = self.label or spec.type_name

    # checks --------------------------------------------------------------

    def refuse(self, reason, *words):
        """Note a reason; the element goes on to collect more."""
        self.reasons.append(reason.format(*words))

    def settle(self):
        """Raise what was noted."""
        if self.reasons:
            reasons, self.reasons = self.reasons, []
            raise Refused(*reasons)

    def require(self, given, *names):
        for name in names:
            if given.get(name) in (None, "", [], {}):
                self.refuse(messages.REQUIRED, name)

    def stop(self, reason, *words):
        """Refuse at once."""
        self.refuse(reason, *words)
        self.settle()

    def in_open_period(self, *dates):
        """docs: nothing is made, changed or ended in a locked period."""
        locked = self.books.locked_until()
        if min(dates) <= locked:
            self.refuse(messages.LOCKED, self.books.day_words(locked))

    # verbs ---------------------------------------------------------------

    def by_path(self, text):
        """The record that a path names: by id, or by natural key."""
        table = self.books.table(self.spec)
        row = table.row_by_key(text)
        row = table.row_by_natural(text) if row is None else row
        return table.record(row) if row is not None else None

    def put(self, given):
        self.reasons = []
        if given.get(self.spec.key) and self.spec.key.endswith("ID"):
            self.stop(messages.ID_ON_CREATE, self.spec.key)
        return self.create(given)

    def post(self, given):
        """Create or update; an id must exist."""
        self.reasons = []
        key = given.get(self.spec.key)
        record = self.books.get(self.spec, key) if key else self.match(given)
        if key and record is None:
            self.stop(messages.NO_SUCH_DOCUMENT)
        return self.update(record, given) if record else self.create(given)

    def update(self, record, given):
        self.reasons = []
        return self.change(record, given)

    def match(self, given):
        """The record that an element without id means, if any."""
        return None

    # helpers -------------------------------------------------------------

    def taken(self, path, text, but=None, live=lambda record: True):
        """Whether another record has this text there."""
        return any(record[self.spec.key] != but and live(record)
                   for record in self.books.find(self.spec, path, text))
