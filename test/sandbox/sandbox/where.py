"""Xero's filter language: Microsoft's Dynamic LINQ, as far as Xero has it.

    expr    := and (("||" | "or") and)*
    and     := cmp (("&&" | "and") cmp)*
    cmp     := unary (("=" | "==" | "!=" | "<>" | ">" | ">=" | "<" | "<=") unary)?
    unary   := ("!" | "not" | "-") unary | primary
    primary := literal | path | path.Method(text) | Guid("…") | DateTime(…) | DateTime.Parse("…") | (expr)

Keywords and names ignore case.  Comparing with null is safe, calling a method
on null is not: one such row fails the whole request with a 500, unless an
earlier `X != null AND` kept it from being reached.

A filter is compiled to one Python expression over the table's columns; the
text of the filter never enters it, only the names c0, c1 … and k0, k1 ….
"""
import datetime
import re
import string
import uuid
from decimal import Decimal

from . import schema
from .errors import bad_query
from .store import fold, fold_keeping_blanks
from .values import DAY_MS, EPOCH, parse_ms

TOKEN = re.compile(r"""\s*(?:
    (?P<string>"(?:[^"]|"")*")
  | (?P<char>'[^']*')
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[mMdDfF]?)
  | (?P<name>[A-Za-z_@][A-Za-z0-9_]*)
  | (?P<op>==|!=|<>|>=|<=|&&|\|\||[=<>!().,\-+*/%])
)""", re.X)
COMPARISONS = {"=": "==", "==": "==", "!=": "!=", "<>": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
METHODS = {"startswith": "StartsWith", "endswith": "EndsWith", "contains": "Contains",
           "tolower": "ToLower", "toupper": "ToUpper"}
TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
TO_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
NUMERIC = {"money", "int", "number"}
MOMENTS = {"day", "instant", "moment"}
LITERAL_NAMES = {"moment": "DateTime", "boolean": "Boolean", "number": "Decimal", "null": "Object"}


class NullCall(Exception):
    """A method met a null."""


def starts(text, prefix):
    if text is None:
        raise NullCall
    return text.startswith(prefix)


def ends(text, suffix):
    if text is None:
        raise NullCall
    return text.endswith(suffix)


def contains(text, part):
    if text is None:
        raise NullCall
    return part in text


def present(text):
    if text is None:
        raise NullCall
    return text


def lowered(text):
    """Letters that are beyond ASCII have their own rules, which are not known of Xero."""
    return present(text).translate(TO_LOWER)


def raised(text):
    return present(text).translate(TO_UPPER)


class Node:
    """A typed piece of Python source.  `constant` marks literals."""

    def __init__(self, kind, source, constant=False, nullable=True):
        self.kind = kind
        self.source = source
        self.constant = constant
        self.nullable = nullable

    @property
    def type_name(self):
        if not self.constant and self.kind in schema.TYPE_NAMES:
            return schema.TYPE_NAMES[self.kind]
        return LITERAL_NAMES.get(self.kind) or schema.TYPE_NAMES[self.kind].rstrip("?")


class Filter:
    """A parsed filter: paths it uses, and the row test."""

    def __init__(self, spec, text):
        self.spec = spec
        self.text = text
        self.paths = []           # (path, mode): see Table.view
        self.constants = []
        self.has_or = False
        self._tokens = list(self._tokenize(text))
        self._at = 0
        node = self._expr()
        if self._peek()[0] != "end":
            raise bad_query("Syntax error")
        if node.kind not in ("bool", "boolean"):
            raise bad_query("Expression of type 'Boolean' expected")
        self.source = node.source

    def rows(self, table, candidates=None):
        """The rows that pass.  The test is made on every row of the table."""
        names = {"starts": starts, "ends": ends, "contains": contains, "lowered": lowered, "raised": raised}
        for n, (path, mode) in enumerate(self.paths):
            names[f"c{n}"] = table.view(path, mode)
        for n, value in enumerate(self.constants):
            names[f"k{n}"] = value
        names["rows"] = table.rows() if candidates is None else candidates
        code = compile(f"[r for r in rows if ({self.source})]", "<where>", "eval")
        return eval(code, {"__builtins__": {}, **names})      # the names above are all it can reach

    # tokens --------------------------------------------------------------

    @staticmethod
    def _tokenize(text):
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                rest = text[at:].lstrip()
                if rest[0] in "\"'":
                    raise bad_query(f"Unterminated string literal (at index {len(text)})")
                raise bad_query(f"Syntax error '{rest[0]}'")
            at = match.end()
            yield match.lastgroup, match[match.lastgroup]
        yield "end", ""

    def _peek(self):
        return self._tokens[self._at]

    def _next(self):
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _accept(self, *words):
        kind, text = self._peek()
        if kind in ("op", "name") and text.lower() in words:
            self._at += 1
            return text.lower()
        return None

    def _expect(self, op):
        if not self._accept(op):
            raise bad_query(f"'{op}' expected")

    # grammar -------------------------------------------------------------

    def _expr(self):
        node = self._and()
        while self._accept("||", "or"):
            self.has_or = True
            node = self._logical("or", "||", node, self._and())
        return node

    def _and(self):
        node = self._comparison()
        while self._accept("&&", "and"):
            node = self._logical("and", "&&", node, self._comparison())
        return node

    def _logical(self, word, op, left, right):
        for node in (left, right):
            if node.kind not in ("bool", "boolean"):
                raise bad_query(f"Operator '{op}' incompatible with operand types "
                                f"'{left.type_name}' and '{right.type_name}'")
        return Node("boolean", f"({left.source} {word} {right.source})", True, False)

    def _comparison(self):
        left = self._unary()
        op = self._accept(*COMPARISONS)
        if not op:
            return left
        right = self._unary()
        self._check(op, left, right)
        return Node("boolean", self._compare(COMPARISONS[op], left, right), True, False)

    def _check(self, op, left, right):
        """Both sides must be of one family; null goes with everything."""
        def family(kind):
            if kind in NUMERIC:
                return "number"
            if kind in MOMENTS:
                return "moment"
            return "boolean" if kind == "bool" else kind
        families = {family(left.kind), family(right.kind)} - {"null"}
        bad = len(families) > 1 or (families & {"boolean", "guid"} and COMPARISONS[op] not in ("==", "!="))
        if bad:
            raise bad_query(f"Operator '{op}' incompatible with operand types "
                            f"'{left.type_name}' and '{right.type_name}'")

    def _compare(self, op, left, right):
        a, b = left.source, right.source
        if "null" in (left.kind, right.kind):
            other = b if left.kind == "null" else a
            if left.kind == right.kind:
                return str(op == "==")
            if op in ("==", "!="):
                return f"({other} {'is' if op == '==' else 'is not'} None)"
            return "False"
        if op in ("==", "!="):
            return f"({a} {op} {b})"
        guards = [f"{n.source} is not None" for n in (left, right) if n.nullable]
        return "(" + " and ".join(guards + [f"{a} {op} {b}"]) + ")"

    def _unary(self):
        if self._accept("!", "not"):
            node = self._unary()
            if node.kind not in ("bool", "boolean"):
                raise bad_query(f"Operator '!' incompatible with operand type '{node.type_name}'")
            return Node("boolean", f"(not {node.source})", True, False)
        if self._accept("-"):
            node = self._unary()
            if node.kind not in NUMERIC:
                raise bad_query(f"Operator '-' incompatible with operand type '{node.type_name}'")
            return Node("number", f"(-{node.source})", node.constant, node.nullable)
        return self._primary()

    def _primary(self):
        kind, text = self._next()
        if kind == "string":
            return self._method(self._constant("str", fold(text[1:-1].replace('""', '"'))))
        if kind == "char":
            if len(text) != 3:
                raise bad_query("Character literal must contain exactly one character")
            return self._method(self._constant("str", fold(text[1:-1])))
        if kind == "number":
            return self._constant("number", Decimal(text.rstrip("mMdDfF")))
        if kind == "op" and text == "(":
            node = self._expr()
            if not self._accept(")"):
                raise bad_query("')' or operator expected")
            return node
        if kind == "name":
            return self._named(text)
        raise bad_query("Expression expected" if kind == "end" else "Syntax error")

    def _named(self, word):
        lower = word.lower()
        if lower in ("true", "false"):
            return Node("boolean", lower.capitalize(), True, False)
        if lower == "null":
            return Node("null", "None", True)
        if lower == "guid" and self._peek() == ("op", "("):
            return self._guid()
        if lower == "datetime":
            return self._datetime()
        return self._path(word)

    def _constant(self, kind, value):
        self.constants.append(value)
        return Node(kind, f"k{len(self.constants) - 1}", True, False)

    def _arguments(self):
        """Raw tokens of literal arguments up to the closing parenthesis."""
        self._expect("(")
        arguments = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            token = self._next()
            if token[0] not in ("string", "number"):
                raise bad_query("')' or ',' expected")
            arguments.append(token)
        return arguments

    def _guid(self):
        arguments = self._arguments()
        if len(arguments) != 1 or arguments[0][0] != "string":
            raise bad_query("No matching constructor in type 'Guid'")
        try:
            return self._constant("guid", str(uuid.UUID(arguments[0][1].strip('"'))))
        except ValueError:
            raise bad_query("Guid should contain 32 digits with 4 dashes "
                            "(xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).") from None

    def _datetime(self):
        if self._accept("."):
            if not self._accept("parse"):
                raise bad_query("No property or field exists in type 'DateTime'")
            arguments = self._arguments()
            ms = parse_ms(arguments[0][1].strip('"')) if len(arguments) == 1 else None
            if ms is None:
                raise bad_query("String was not recognized as a valid DateTime.")
            return self._constant("moment", ms)
        arguments = self._arguments()
        if len(arguments) not in (3, 6, 7) or any(kind != "number" for kind, _ in arguments):
            raise bad_query("No matching constructor in type 'DateTime'")
        try:
            parts = [int(text) for _, text in arguments]
            moment = datetime.datetime(*parts[:6])
        except ValueError:
            raise bad_query("Year, Month, and Day parameters describe an un-representable DateTime.") from None
        delta = moment - EPOCH
        ms = delta.days * DAY_MS + delta.seconds * 1000 + (parts[6] if len(parts) == 7 else 0)
        return self._constant("moment", ms)

    def _path(self, word):
        """A field, perhaps of a nested object, perhaps with method calls."""
        type_name, names = self.spec.type_name, []
        while True:
            found = schema.find(type_name, self.spec.key if word.lower() == "id" and not names else word)
            if not found:
                raise bad_query(f"No property or field '{word}' exists in type '{type_name}'")
            name, kind = found
            names.append(name)
            if kind == "[]":
                if self._accept("."):
                    raise bad_query(f"No property or field '{self._next()[1]}' exists in type 'IList`1'")
                raise bad_query("Operator '==' incompatible with operand types 'IList`1' and 'Object'")
            if kind[0] != "{":
                break
            type_name = kind[1:-1]
            if not self._accept("."):
                return self._column(names, "str", "exact")    # only null tests make sense
            word = self._next()[1]
        if self._peek() == ("op", ".") and kind == "str":
            cased = self._tokens[self._at + 1][1].lower() in ("tolower", "toupper")
            return self._method(self._column(names, kind, "exact" if cased else "like"))
        return self._method(self._column(names, kind, "equal" if kind == "str" else "exact"))

    def _column(self, names, kind, mode):
        column = (".".join(names), mode)
        if column not in self.paths:
            self.paths.append(column)
        return Node(kind, f"c{self.paths.index(column)}[r]")

    def _method(self, node):
        cased = False           # by ToLower; then case counts, as far as one must fear
        while self._accept("."):
            word = self._next()[1]
            method = METHODS.get(word.lower())
            if node.kind != "str" or not method:
                raise bad_query(f"No property or field '{word}' exists in type '{node.type_name.rstrip('?')}'")
            if method in ("ToLower", "ToUpper"):
                if self._arguments():
                    raise bad_query(f"No applicable method '{method}' exists in type 'String'")
                name = "lowered" if method == "ToLower" else "raised"
                node, cased = Node("str", f"{name}({node.source})", node.constant, False), True
                continue
            arguments = self._arguments()
            if len(arguments) != 1 or arguments[0][0] != "string":
                raise bad_query(f"No applicable method '{method}' exists in type 'String'")
            text = arguments[0][1][1:-1].replace('""', '"')
            part = self._constant("str", text if cased else fold_keeping_blanks(text))
            function = {"StartsWith": "starts", "EndsWith": "ends", "Contains": "contains"}[method]
            return Node("boolean", f"{function}({node.source}, {part.source})", True, False)
        return node


def parse_order(spec, text, strict):
    """'Date DESC, Name' as [(path, kind, descending)]."""
    terms = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in
                                           ("asc", "desc", "ascending", "descending")):
            raise bad_query("Syntax error")
        type_name, names, kind = spec.type_name, [], None
        for word in words[0].split("."):
            found = schema.find(type_name, spec.key if word.lower() == "id" and not names else word)
            if not found or found[1] == "[]":
                if strict or spec.where:
                    raise bad_query(f"No property or field '{word}' exists in type '{type_name}'")
                return []
            name, kind = found
            names.append(name)
            if kind[0] == "{":
                type_name = kind[1:-1]
        if kind[0] == "{":
            raise bad_query("Syntax error")
        terms.append((".".join(names), kind, len(words) == 2 and words[1].lower().startswith("desc")))
    return terms
