"""Records -> bytes, spelled as unhelpfully as Xero spells them.

Bodies are pretty-printed JSON with CRLF line ends, or XML when the caller did
not ask for JSON.  Every record gets one of VARIANTS by its id, so neighbours on
a page differ in what a client must not rely on: order of members, null or
absent, `\\/Date(…)\\/` or `/Date(…)/`, offset or none (informational: the number
is UTC), numbers quoted or bare, \\u escapes or UTF-8, AccountID or AccountId on
lines, and members that no specification mentions.
"""
import codecs
import json
from json.encoder import encode_basestring, encode_basestring_ascii
from xml.sax.saxutils import escape

from .values import Day, Instant, Iso, Number, UnitAmount, iso_seconds

INDENT = ["\r\n" + "  " * depth for depth in range(40)]
ODD_CASING = {"AccountID": "AccountId", "AllocationID": "AllocationId", "TrackingCategoryID": "trackingCategoryID"}

# Members from nowhere: nested, escaped, with brackets inside strings.
EXTRAS = [
    {"SalesTaxCalculationTypeCode": "TAXCALC/AUTO", "XeroInternal": {
        "Reason": "a \"quoted\" \\ back/slash, brace } bracket ] tab \t nul-ish \u0001 \U0001f9fe é",
        "Deep": [[[[[[{"deeper": [1, -2, {"deepest": None}]}]]]]]], "InvoiceID": "not-the-key", "Total": 1}},
    {"PostingAmount": Number("0.00"), "Flags": [True, False, None, Number("-1.5e-10"), "", [], {}]},
    {"ShownTotal": None, "Warnings2": [], "Meta": {}, "Status2": "AUTHORISED"},
]


def _date_text(ms, style):
    if style == 0:
        return f'"\\/Date({ms}+0000)\\/"'
    if style == 1:
        return f'"/Date({ms}+0000)/"'
    if style == 2:
        return f'"\\/Date({ms})\\/"'
    return f'"/Date({ms}+1300)/"'


class Variant:
    """One way of spelling a record."""

    def __init__(self, number=None, unitdp4=False):
        plain = number is None
        n = number or 0
        self.dates = 1 if plain else (0, 0, 1, 0, 2, 1, 3, 0)[n % 8]
        self.quote = not plain and n % 16 == 5
        self.string = encode_basestring if plain or n % 4 else encode_basestring_ascii
        self.reverse = not plain and n % 8 == 3
        self.rotate = not plain and n % 8 == 6
        self.keep_null = plain or n % 2 == 0
        self.rename = ODD_CASING if not plain and n % 4 == 1 else {}
        self.extra = None if plain or n % 3 else EXTRAS[n // 3 % len(EXTRAS)]
        self.unitdp4 = unitdp4

    def record(self, record, depth=2):
        """JSON text of one element of the answer."""
        if self.extra:
            record = {**record, **self.extra}
        if self.rotate:
            items = list(record.items())
            record = dict(items[7:] + items[:7])
        return self.object(record, depth)

    def object(self, members, depth):
        if not members:
            return "{}"
        string = self.string
        dates = self.dates
        rename = self.rename if depth > 2 else None
        parts = []
        add = parts.append
        for name, value in members.items():
            if rename and name in rename:
                name = rename[name]
            kind = type(value)
            if kind is str:
                add(f'"{name}": {string(value)}')
            elif kind is Number:
                add(f'"{name}": "{value}"' if self.quote else f'"{name}": {value}')
            elif value is None:
                if self.keep_null:
                    add(f'"{name}": null')
            elif kind is bool:
                add(f'"{name}": true' if value else f'"{name}": false')
            elif kind is list:
                add(f'"{name}": {self.array(value, depth + 1)}' if value else f'"{name}": []')
            elif kind is dict:
                add(f'"{name}": {self.object(value, depth + 1)}')
            elif kind is Day or kind is Instant:
                add(f'"{name}": {_date_text(value, dates)}')
            else:
                add(f'"{name}": {self.other(value, depth)}')
        if not parts:
            return "{}"
        if self.reverse and depth < 4:
            parts.reverse()
        inner = INDENT[depth + 1]
        return "{" + inner + ("," + inner).join(parts) + INDENT[depth] + "}"

    def array(self, values, depth):
        inner = INDENT[depth + 1]
        texts = [self.object(v, depth + 1) if type(v) is dict else self.other(v, depth + 1) for v in values]
        return "[" + inner + ("," + inner).join(texts) + INDENT[depth] + "]"

    def other(self, value, depth):
        kind = type(value)
        if kind is UnitAmount:
            value = value if self.unitdp4 else value.two_decimals()
            return f'"{value}"' if self.quote else value
        if kind is Number:
            return f'"{value}"' if self.quote else value
        if kind is Iso:
            return f'"{value}"'
        if kind is Day or kind is Instant:
            return _date_text(value, self.dates)
        if kind is list:
            return self.array(value, depth) if value else "[]"
        if kind is dict:
            return self.object(value, depth)
        if kind is str:
            return self.string(value)
        return json.dumps(value)


PLAIN = Variant(unitdp4=True)
COUNT = 48
VARIANTS = {dp4: [Variant(n, dp4) for n in range(COUNT)] for dp4 in (False, True)}


def variant_of(key, unitdp4):
    """The spelling of the record with this key: fixed for its life."""
    return VARIANTS[unitdp4][hash_text(key) % COUNT]


def hash_text(text):
    """A small hash that, unlike hash(), is the same in every run."""
    try:
        return int(text[-6:], 16)
    except ValueError:
        return sum(text.encode())


def _escape(error):
    return "".join(f"\\u{ord(c):04x}" for c in error.object[error.start:error.end]), error.end


codecs.register_error("escape", _escape)


def to_bytes(text):
    """Rendered JSON as UTF-8.  Half of a surrogate pair, which .NET's strings can
    hold and UTF-8 cannot, is escaped, as .NET's writers of JSON do."""
    return text.encode(errors="escape")


def body(members, wrapper, texts):
    """The envelope: scalar members first, then the elements' JSON texts."""
    head = PLAIN.object(members, 0)[:-3]
    if texts:
        inner = INDENT[2]
        elements = "[" + inner + ("," + inner).join(texts) + INDENT[1] + "]"
    else:
        elements = "[]"
    return to_bytes(f'{head},{INDENT[1]}"{wrapper}": {elements}\r\n}}')


def plain_array(records):
    """The truth: every member, in the specification's spelling."""
    return to_bytes("[" + ",".join(PLAIN.object(record, 0) for record in records) + "]")


def xml(root, members):
    """The default representation, for callers that forget Accept."""
    out = ['<?xml version="1.0" encoding="utf-8"?>\r\n']
    _xml(out, root, members)
    return "".join(out).encode()


def _xml(out, tag, value):
    out.append(f"<{tag}>")
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner is not None:
                _xml(out, name, inner)
    elif isinstance(value, list):
        single = tag[:-3] + "y" if tag.endswith("ies") else tag.rstrip("s")
        for inner in value:
            _xml(out, single, inner)
    elif isinstance(value, (Day, Instant)):
        out.append(iso_seconds(value))
    elif isinstance(value, bool):
        out.append("true" if value else "false")
    else:
        out.append(escape("".join(c for c in str(value) if c >= " " or c in "\t\n\r")))
    out.append(f"</{tag}>")
