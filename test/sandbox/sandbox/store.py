"""The rows of one object in one organisation.

Row numbers are for ever.  The first `base` rows come from a generator, a pure
function of the row number; rows that were changed or loaded lie over them.
Columns (one list a field) and sort orders are computed on first use and kept up
to date when a row changes, so that an edit does not slow the next request.
"""
import bisect
import unicodedata
from decimal import Decimal, InvalidOperation

from . import schema, seeds
from .values import Day, Instant, Number, UnitAmount, parse_ms


def fold_keeping_blanks(text):
    """Text as LIKE compares it under SQL Server's usual collation: no case,
    no accents."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text)
    return "".join(c for c in text if not unicodedata.combining(c)).casefold()


def fold(text):
    """Text as = compares it: trailing blanks do not count either."""
    return fold_keeping_blanks(text).rstrip(" ")


def comparable(value):
    """A leaf as filters compare it: numbers as Decimal, all else as it is."""
    if isinstance(value, (Number, UnitAmount)):
        return Decimal(value)
    if isinstance(value, dict):
        return True                  # only ever asked whether it is null
    return None if isinstance(value, list) else value


def member(record, path):
    """The value at a dotted path, None where any step is missing."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


class Table:
    """One object's rows.

    make(row) -> record; fast: {path: function(row)} for columns that a big
    table should not have to build whole records for.
    """

    def __init__(self, spec, base=0, make=None, ids=None, fast=None):
        self.spec = spec
        self.base = base
        self.make = make
        self.ids = ids
        self.fast = fast or {}
        self.laid_over = {}            # row -> record, or None once deleted
        self.row_of_key = {}           # key in lower case -> row, of rows laid over
        self.size = base
        self.forget()

    @classmethod
    def of(cls, spec, records):
        """A table of ready records."""
        table = cls(spec)
        for record in records:
            table.append(record)
        return table

    # reading -------------------------------------------------------------

    def record(self, row):
        if row in self.laid_over:
            return self.laid_over[row]
        return self.make(row)

    def rows(self):
        """Every live row, in order of insertion."""
        if any(record is None for record in self.laid_over.values()):
            return [row for row in range(self.size) if self.laid_over.get(row, self) is not None]
        return range(self.size)

    def row_by_key(self, key):
        row = self.row_of_key.get(key.lower())
        if row is None and self.ids:
            row = self.ids.row(key)
            if row is not None and (row >= self.base or row in self.laid_over):
                return None
        return row

    def row_by_natural(self, text):
        """The row whose natural key (number, code) this is."""
        if not self.spec.natural:
            return None
        rows = (row for row in self.find(self.spec.natural, text)
                if str(member(self.record(row), self.spec.natural)) == text)
        return next(rows, None)

    def find(self, path, text):
        """The rows whose text at this path equals it as `=` would have it."""
        index = self._indices.get(path)
        if index is None:
            index = self._indices[path] = {}
            for row, value in enumerate(self.view(path, "equal")):
                index.setdefault(value, []).append(row)
        wanted = fold(text)
        return sorted({row for row in index.get(wanted, ()) if self._is_still(row, path, wanted)})

    def _is_still(self, row, path, wanted):
        """An index gains values and loses none: what it finds is looked at again."""
        if row not in self.laid_over:
            return True
        value = comparable(member(self.laid_over[row], path))
        return value is not None and fold(str(value)) == wanted

    def column(self, path):
        """One field of every row; of deleted rows too, as None."""
        column = self._columns.get(path)
        if column is None:
            quick = self.fast.get(path) or (lambda row: comparable(member(self.make(row), path)))
            column = [quick(row) for row in range(self.base)]
            column.extend([None] * (self.size - self.base))
            for row, record in self.laid_over.items():
                column[row] = comparable(member(record, path))
            self._columns[path] = column
        return column

    def view(self, path, mode):
        """A column for comparing: `exact`, text folded for `equal` (=, <) or
        `like` (StartsWith and its kind), or sort keys for `order`."""
        if mode == "exact":
            return self.column(path)
        view = self._views.get((path, mode))
        if view is None:
            seen = {}
            view = []
            for value in self.column(path):
                if value not in seen:
                    seen[value] = self._viewed(value, path, mode)
                view.append(seen[value])
            self._views[path, mode] = view
        return view

    def _viewed(self, value, path, mode):
        if mode == "order":
            return self._sort_key(value, self.spec.kind(path))
        if value is None:
            return None
        return fold(str(value)) if mode == "equal" else fold_keeping_blanks(str(value))

    @staticmethod
    def _sort_key(value, kind):
        """Nulls first; uuids as SQL Server has them; text without case."""
        if value is None:
            return (0,)
        if kind == "guid":
            return (1, seeds.guid_order(value))
        return (1, fold(value) if isinstance(value, str) else value)

    # order ---------------------------------------------------------------

    def ordered(self, terms):
        """Rows sorted by [(path, kind, descending)], the key breaking ties."""
        name = tuple(terms)
        order = self._orders.get(name)
        if order is None:
            order = list(self._orders.get(()) or self._by_key())
            self._orders.setdefault((), order)
            if terms and terms[0][0] == self.spec.key:
                order = order[::-1] if terms[0][2] else list(order)
            else:
                order = list(order)
                for path, _, descending in reversed(terms):
                    order.sort(key=self.view(path, "order").__getitem__, reverse=descending)
            self._orders[name] = order
        return order

    def rank(self, terms):
        """Position of each row in that order: cheaper for few rows."""
        name = tuple(terms)
        rank = self._ranks.get(name)
        if rank is None:
            rank = self._ranks[name] = [0] * self.size
            for position, row in enumerate(self.ordered(terms)):
                rank[row] = position
        return rank

    def _by_key(self):
        if self.ids and (self.spec.key, "order") not in self._views:
            # Generated uuids are ordered by the part that numbers them.
            keys = [(1, self.ids.node(row).to_bytes(6, "big")) for row in range(self.base)]
            keys.extend([(0,)] * (self.size - self.base))
            for row, record in self.laid_over.items():
                keys[row] = self._sort_key(member(record or {}, self.spec.key), "guid")
            self._views[self.spec.key, "order"] = keys
        return sorted(self.rows(), key=self.view(self.spec.key, "order").__getitem__)

    # writing -------------------------------------------------------------

    def upsert(self, record):
        """Insert the record, or replace the row that has its key."""
        size = self.size
        row = self._place(record)
        self._patch(row, row == size)
        return row

    def load(self, records):
        """Upsert many; the rows."""
        rows = [self._place(record) for record in records]
        self.forget()
        return rows

    def remove(self, key):
        row = self.row_by_key(key)
        if row is not None:
            self.row_of_key.pop(key.lower(), None)
            self.laid_over[row] = None
            self._patch(row)
        return row

    def _place(self, record):
        row = self.row_by_key(str(record[self.spec.key]))
        if row is None:
            return self.append(record)
        self._lay(row, record)
        return row

    def append(self, record):
        row = self.size
        self.size += 1
        self._lay(row, record)
        return row

    def _lay(self, row, record):
        self.laid_over[row] = record
        self.row_of_key[str(record[self.spec.key]).lower()] = row

    def forget(self):
        """Drop everything that was computed from the rows."""
        self._columns, self._views, self._orders, self._ranks, self._indices = {}, {}, {}, {}, {}

    def forget_nested(self, prefix):
        """Drop what came from inside another object, which changed."""
        def keep(path):
            return not path.startswith(prefix)
        self._columns = {path: column for path, column in self._columns.items() if keep(path)}
        self._views = {name: view for name, view in self._views.items() if keep(name[0])}
        self._orders = {name: order for name, order in self._orders.items() if all(keep(term[0]) for term in name)}
        self._indices = {path: index for path, index in self._indices.items() if keep(path)}
        self._ranks = {}

    def _patch(self, row, fresh=False):
        """Bring what was computed up to date with one row; a fresh one is in
        no order yet."""
        record = self.laid_over[row]
        self._ranks = {}
        for path, index in self._indices.items():
            value = self._viewed(comparable(member(record, path)), path, "equal")
            index.setdefault(value, []).append(row)
        for path, column in self._columns.items():
            self._put(column, row, comparable(member(record, path)))
        for (path, mode), view in self._views.items():
            self._put(view, row, self._viewed(comparable(member(record, path)), path, mode))
        for name, order in list(self._orders.items()):
            if len(name) > 1 or any(descending for _, _, descending in name):
                del self._orders[name]
                continue
            if not fresh and row in order:
                order.remove(row)
            if record is not None:
                views = [self.view(path, "order") for path, _, _ in name] + [self.view(self.spec.key, "order")]
                bisect.insort(order, row, key=lambda r, views=views: [view[r] for view in views])

    @staticmethod
    def _put(column, row, value):
        if row == len(column):
            column.append(value)
        else:
            column[row] = value


def typed(type_name, value):
    """JSON that a test sent -> a record with typed leaves."""
    if not isinstance(value, dict):
        return value
    record = {}
    for name, inner in value.items():
        kind = schema.kind_of(type_name, name)
        if isinstance(inner, str) and kind in ("day", "instant"):
            ms = parse_ms(inner)
            if ms is not None:
                inner = Day(ms) if kind == "day" else Instant(ms)
        elif isinstance(inner, str) and kind == "guid":
            inner = inner.lower()
        elif isinstance(inner, str) and kind == "money" and not isinstance(inner, Number):
            try:
                Decimal(inner)
                inner = Number(inner)
            except InvalidOperation:
                pass
        elif isinstance(inner, int) and not isinstance(inner, bool) and kind == "money":
            inner = Number(inner)
        elif kind and kind[0] == "{":
            inner = typed(kind[1:-1], inner)
        elif isinstance(inner, dict):
            inner = typed("", inner)
        elif isinstance(inner, list):
            inner = [typed(LINE_TYPES.get(name, ""), element) for element in inner]
        record[name] = inner
    return record


# Element types of the collections whose members need types of their own.
LINE_TYPES = {"Payments": "Payment", "CreditNotes": "CreditNote", "Prepayments": "Prepayment",
              "Overpayments": "Overpayment", "Receipts": "Receipt", "Contacts": "Contact"}
