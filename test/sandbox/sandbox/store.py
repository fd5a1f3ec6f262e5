"""The rows of one object in one organisation.

Row numbers are for ever.  The first `base` rows come from a generator, a pure
function of the row number; rows that were changed or loaded lie over them.
Columns (one list a field), sort orders and filters are computed on first use
and dropped when a row changes.
"""
import unicodedata
from decimal import Decimal, InvalidOperation

from . import schema, seeds
from .values import Number, UnitAmount


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
        self.version = 0
        self._columns = {}
        self._views = {}
        self._orders = {}
        self._naturals = None

    @classmethod
    def of(cls, spec, records):
        """A table of ready records."""
        table = cls(spec)
        for record in records:
            table._append(record)
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
        if self._naturals is None:
            column = self.column(self.spec.natural)
            self._naturals = {str(column[row]): row for row in reversed(self.rows()) if column[row] is not None}
        return self._naturals.get(text)

    def column(self, path):
        """One field of every row, deleted rows included (as None)."""
        column = self._columns.get(path)
        if column is None:
            quick = self.fast.get(path)
            if quick:
                column = [quick(row) for row in range(self.base)]
            else:
                column = [comparable(member(self.make(row), path)) for row in range(self.base)]
            column.extend([None] * (self.size - self.base))
            for row, record in self.laid_over.items():
                column[row] = comparable(member(record, path))
            self._columns[path] = column
        return column

    def view(self, path, mode):
        """A column for comparing: `exact`, or text folded for `equal` (=, <,
        order) or `like` (StartsWith and its kind)."""
        if mode == "exact":
            return self.column(path)
        view = self._views.get((path, mode))
        if view is None:
            folding = fold if mode == "equal" else fold_keeping_blanks
            seen = {None: None}
            view = []
            for value in self.column(path):
                if value not in seen:
                    seen[value] = folding(str(value))
                view.append(seen[value])
            self._views[path, mode] = view
        return view

    def ordered(self, terms):
        """Rows sorted by [(path, kind, descending)], the key breaking ties."""
        name = tuple(terms)
        order = self._orders.get(name)
        if order is None:
            if terms and terms[0][0] == self.spec.key:
                order = list(self._by_key())
                if terms[0][2]:
                    order.reverse()
            else:
                order = list(self._by_key())
                for path, kind, descending in reversed(terms):
                    order.sort(key=self._sort_key(path, kind), reverse=descending)
            self._orders[name] = order
        return order

    def rank(self, terms):
        """Position of each row in that order: cheaper for few rows."""
        name = ("rank", *terms)
        rank = self._orders.get(name)
        if rank is None:
            rank = [0] * self.size
            for position, row in enumerate(self.ordered(terms)):
                rank[row] = position
            self._orders[name] = rank
        return rank

    def _by_key(self):
        order = self._orders.get(())
        if order is None:
            if self.ids and not self.laid_over:
                order = sorted(range(self.size), key=[self.ids.node(row) for row in range(self.size)].__getitem__)
            else:
                order = sorted(self.rows(), key=self._sort_key(self.spec.key, self.spec.kind(self.spec.key)))
            self._orders[()] = order
        return order

    def _sort_key(self, path, kind):
        if kind == "guid":
            column = [(0, b"") if v is None else (1, seeds.guid_order(v)) for v in self.column(path)]
        elif kind == "str":
            column = [(0, "") if v is None else (1, v) for v in self.view(path, "equal")]
        else:
            values = self.column(path)
            if None not in values:
                return values.__getitem__
            column = [(0, 0) if v is None else (1, v) for v in values]
        return column.__getitem__

    # writing -------------------------------------------------------------

    def upsert(self, record):
        """Insert the record, or replace the row that has its key."""
        key = record.get(self.spec.key)
        row = self.row_by_key(str(key)) if key is not None else None
        if row is None:
            row = self._append(record)
        else:
            self._lay(row, record)
        self._changed()
        return row

    def remove(self, key):
        row = self.row_by_key(key)
        if row is not None:
            self.row_of_key.pop(key.lower(), None)
            self.laid_over[row] = None
            self._changed()
        return row

    def _append(self, record):
        row = self.size
        self.size += 1
        self._lay(row, record)
        return row

    def _lay(self, row, record):
        self.laid_over[row] = record
        self.row_of_key[str(record[self.spec.key]).lower()] = row

    def _changed(self):
        self.version += 1
        self.forget()

    def forget(self):
        """Drop what was computed from the rows."""
        self._columns.clear()
        self._views.clear()
        self._orders.clear()
        self._naturals = None


def typed(type_name, value):
    """JSON that a test sent -> a record with typed leaves."""
    from .values import Day, Instant, parse_ms
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
