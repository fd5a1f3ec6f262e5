"""Conditions from a seed.

A condition is built as text.  Its values go through a Binder, which makes them
constants, parameters of a prepared statement, or subqueries that run once, so
that one condition can be planned with and without knowing them.
"""
import re
import unicodedata

from database import literal
from nasty import strip_accents, twist_text

TEXTS = ["", " ", "null", "NULL", "AUTHORISED", "authorised", "Authorised ", "PAID", "ACTIVE", '"', '""', "\\", "%", "_",
         "O'Brien", "Zoë", "Zoe", "ZOË", "a\tb", "line\nbreak", "\u0001", "\u00a0", "日本語", "🧾", "ﬁ", "İ", "ß", "SS", "ı", "ſ",
         "Guid(\"x\")", '" OR 1==1 OR Name=="', "a,b", "a&b=c", "a+b", "a%20b", "é", "e\u0301", "[a-z]", "x" * 2500,
         "é" * 700, "INV-000001", "inv-000001", "INV-000001 "]
NUMBERS = ["0", "0.00", "-0", "1", "-1", "0.1", "100", "100.00", "40.0000", "0.00000000001", "0.0000000001", "1e10",
           "999999999999999", "1000000000000000", "1e30", "-1e30", "123456789012345.1234567890", "1.23456789012", "NaN",
           "Infinity", "-Infinity", "9999999999.99", "0.3", "33.33333333333333333333"]
INTEGERS = ["0", "1", "-1", "2147483647", "-2147483648", "9223372036854775807", "-9223372036854775808", "12", "100"]
DAYS = ["0001-01-01", "0001-01-02", "9999-12-31", "9999-12-30", "infinity", "-infinity", "4713-01-01 BC", "10000-01-01",
        "5874897-12-31", "1970-01-01", "1969-12-31", "2024-02-29", "2000-01-01", "2025-06-15", "0001-12-31 BC"]
MOMENTS = ["infinity", "-infinity", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "1970-01-01 00:00:00+00",
           "4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59+00", "2020-02-29 12:00:00.5+13", "2025-11-02 01:30:00-04",
           "0001-01-01 23:59:59+00", "2000-01-01 00:00:00.000001+00"]
UUIDS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
         "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]

# Functions of a column, by its type; most keep its order, and some must stay here.
UNITS = ["hour", "day", "week", "month", "quarter", "year", "MONTH"]
FUNCTIONS = {
    "date": ["{c}::timestamp", "{c}::timestamptz", "{c} + 30", "{c} - 1", "{c} + interval '1 month'",
             "{c} - interval '1 month 3 days 5 hours'", "{c}::timestamptz + interval '36 hours'", "date '2026-01-15' - {c}",
             "{c} - date '2026-01-15'", "timestamptz '2026-01-15 10:00+00' - {c}", "{c} - timestamp '2026-01-15 10:00'",
             "current_date - {c}", "now() - {c}", "extract(year FROM {c})", "extract(isoyear FROM {c})",
             "extract(epoch FROM {c})", "extract(month FROM {c})", "date_part('year', {c})", "to_char({c}, 'YYYY-MM')",
             "to_char({c}, 'YYYYMMDD')", "to_char({c}, 'MM')", "to_char({c}::timestamp, 'YYYY')", "{c}::text", "{c}::text",
             "{c}::varchar", "left({c}::text, 7)", "substring({c}::text from 1 for 4)", "substr({c}::text, 6, 2)",
             "to_char({c}, 'yyyy-mm')", "to_char({c}, 'YYYY-\"Q\"Q')", "to_char({c}, 'IYYY-IW')",
             "left(to_char({c}, 'YYYY/MM/DD'), 6)", "extract(year FROM {c})::int", "trunc(extract(isoyear FROM {c}))::int",
             "date_part('year', {c})::int", "{c} AT TIME ZONE 'Europe/London'"] +
            [form.replace("unit", unit) for unit in UNITS for form in (
                "date_trunc('unit', {c})", "date_trunc('unit', {c}::timestamp)", "date_trunc('unit', {c})::date")],
    "timestamptz": ["{c}::date", "{c}::timestamp", "{c}::timestamp::date + 1", "{c} + interval '1 day 2 hours'",
                    "{c} - interval '1 month'", "timestamptz '2026-01-15 10:00+00' - {c}", "now() - {c}",
                    "extract(year FROM {c})", "extract(epoch FROM {c})", "extract(hour FROM {c})",
                    "to_char({c}, 'YYYY-MM-DD')", "to_char({c}, 'YYYY-MM-DD HH24:MI:SS')", "({c} AT TIME ZONE 'UTC')::date",
                    "({c} AT TIME ZONE 'Europe/London')::date", "{c} AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York'",
                    "date_trunc('month', {c} AT TIME ZONE 'Pacific/Auckland')", "date_trunc('day', {c}, 'America/Sao_Paulo')",
                    "{c} AT TIME ZONE 'EST'", "{c}::text", "left({c}::text, 10)", "extract(year FROM {c})::int"] +
                   [form.replace("unit", unit) for unit in UNITS for form in (
                       "date_trunc('unit', {c})", "date_trunc('unit', {c})::date", "date_trunc('unit', {c}::timestamp)")],
    "numeric": ["{c}::float8", "{c}::float8", "{c}::float4", "round({c})", "round({c}, 1)", "round({c}, -2)", "trunc({c})",
                "floor({c})", "ceil({c})", "ceiling({c})", "abs({c})", "{c} * 2", "{c}::bigint", "round({c})::bigint",
                "round({c}::float8)", "floor({c}::float8)::bigint"],
}


class Binder:
    """Turns values into SQL expressions, in one of three ways."""

    def __init__(self, random, mode):
        self.random = random
        self.mode = mode            # constant | parameter | subquery
        self.types = []
        self.values = []

    def value(self, text, sql_type):
        typed = f"{literal(text)}::{sql_type}"
        if self.mode == "constant" or self.random.random() < 0.15:
            return typed
        if self.mode == "subquery":
            return f"(SELECT {typed})::{sql_type}"
        self.types.append(sql_type)
        self.values.append(typed)
        return f"${len(self.values)}"


def array_text(values):
    """An array literal's text."""
    quoted = ["NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
              for value in values]
    return "{" + ",".join(quoted) + "}"


class Conditions:
    """A generator of conditions over one table."""

    def __init__(self, random, table, pools, hidden):
        self.random = random
        self.table = table
        self.pools = pools              # column -> texts of values it holds
        self.hidden = hidden            # keys of records that no list shows
        by_name = {column["column_name"]: column for column in table["columns"]}
        self.pushable = [column for column in by_name.values()
                         if column["pushdown"] != "none" and column["data_type"] != "jsonb"]
        self.others = [column for column in by_name.values()
                       if column["pushdown"] == "none" and column["data_type"] != "jsonb"]
        self.binder = None
        self.kinds = []

    def condition(self, mode):
        """(text, Binder, kinds of its leaves)."""
        self.binder = Binder(self.random, mode)
        self.kinds = []
        if self.random.random() < 0.02:
            return "true", self.binder, self.kinds
        depth = self.random.choices([0, 1, 2, 3], [45, 30, 18, 7])[0]
        text = self.tree(depth)
        return text, self.binder, self.kinds

    def tree(self, depth):
        if depth == 0:
            return self.leaf()
        kind = self.random.choices(["AND", "OR", "NOT"], [50, 35, 15])[0]
        if kind == "NOT":
            self.kinds.append("NOT")
            return f"NOT ({self.tree(depth - 1)})"
        self.kinds.append(kind)
        arms = [self.tree(self.random.randrange(depth)) for _ in range(self.random.choice([2, 2, 2, 3, 4]))]
        return f" {kind} ".join(f"({arm})" for arm in arms)

    def column(self):
        choices = self.pushable if self.pushable and self.random.random() < 0.88 else self.others or self.pushable
        if self.random.random() < 0.12:
            keys = [column for column in choices if column["column_name"] == self.table["key_column"]]
            if keys:
                return keys[0]
        return self.random.choice(choices)

    def chosen(self, name, data_type):
        """A condition on one of several values: the column, another one, a constant."""
        before = len(self.kinds)
        text = self.leaf_on(name, data_type)
        others = [column["column_name"] for column in self.pushable if column["data_type"] == data_type]
        pool = {"text": TEXTS[:9], "date": ["2026-01-15", "2025-06-15"], "numeric": ["0", "100"],
                "boolean": ["true", "false"]}[data_type]
        constant = f"{literal(self.random.choice(pool))}::{data_type}"
        form = self.random.choice(["coalesce", "coalesce", "greatest", "least", "nullif", "case"])
        if form == "nullif":
            choice = f"nullif({name}, {constant})"
        elif form == "case":
            values = [name, self.random.choice([name, constant, *others])]
            self.random.shuffle(values)
            choice = f"(CASE WHEN {self.leaf()} THEN {values[0]} ELSE {values[1]} END)"
        else:
            arguments = [name] + self.random.choice([[], [], [self.random.choice(others or [name])]])
            if len(arguments) == 1 or self.random.random() < 0.4:
                arguments.append(constant)
            choice = f"{form}({', '.join(arguments)})"
        self.kinds[before:] = ["choice"]
        return re.sub(rf"(?<![\w'.\"]){name}\b(?! ')", lambda _: choice, text, count=1)

    def case(self):
        """A comparison of words that conditions choose."""
        before = len(self.kinds)
        branches = "".join(f" WHEN {self.tree(self.random.choice([0, 0, 1]))} THEN {literal(word)}"
                           for word in self.random.sample(["open", "closed", "other"], self.random.choice([1, 2, 2])))
        default = self.random.choice(["", " ELSE 'open'", " ELSE 'rest'", " ELSE NULL"])
        self.kinds[before:] = ["case"]
        word = self.random.choice(["open", "open", "closed", "rest"])
        return self.random.choice([f"CASE{branches}{default} END = {self.binder.value(word, 'text')}",
                                   f"CASE{branches}{default} END = {literal(word)}",
                                   f"CASE{branches}{default} END <> {literal(word)}",
                                   f"CASE{branches}{default} END IN ({literal(word)}, 'closed')",
                                   f"NOT (CASE{branches}{default} END = {literal(word)})",
                                   f"CASE{branches}{default} END IS DISTINCT FROM {literal(word)}",
                                   f"CASE{branches} ELSE NULL END IS NULL"])

    def leaf(self):
        if self.random.random() < (0.02 if len(self.pools["tenant_id"]) < 2 else 0.15):
            return self.tenant()
        column = self.column()
        name = column["column_name"]
        if column["data_type"] in ("text", "date", "numeric", "boolean") and self.random.random() < 0.08:
            return self.chosen(name, column["data_type"])
        if self.random.random() < 0.02:
            return self.case()
        return self.leaf_on(name, column["data_type"])

    def leaf_on(self, name, data_type):
        make = {"text": self.text, "uuid": self.uuid, "numeric": self.number, "integer": self.integer,
                "boolean": self.boolean, "date": self.date, "numeric(20,0)": self.number, "varchar": self.text,
                "timestamp with time zone": self.moment}[data_type]
        if self.random.random() < 0.06:
            self.kinds.append("null test")
            dates = [other["column_name"] for other in self.pushable if other["data_type"] == "date"]
            if dates and self.random.random() < 0.8:
                name = self.random.choice(dates)        # of these alone null tests are sent
            return f"{name} IS {self.random.choice(['NULL', 'NOT NULL'])}"
        return make(name)

    def tenant(self):
        def pick():
            return self.held("tenant_id", UUIDS)
        if self.random.random() < 0.6:
            text = self.compare("tenant_id", pick(), "uuid", ["=", "=", "=", "<>", "<"])
        else:
            text = self.listed("tenant_id", pick, "uuid")
        self.kinds[-1] = "tenant"
        return text

    # comparisons of any type ---------------------------------------------

    def compare(self, name, value, sql_type, operators=None):
        """One of =, <>, <, ..., perhaps turned round or wrapped."""
        operator = self.random.choice(operators or ["=", "=", "="] + COMPARISONS)
        right = self.binder.value(value, sql_type)
        shape = self.random.random()
        kind = {"=": "=", "<>": "<>"}.get(operator, "< >")
        if shape < 0.1:
            text = f"{right} {self.turned(operator)} {name}"
        elif shape < 0.14:
            kind = "distinct"
            text = f"{name} IS {self.random.choice(['', 'NOT '])}DISTINCT FROM {right}"
        elif shape < 0.18:
            kind = "local"
            text = f"({name} {operator} {right}) IS {self.random.choice(['TRUE', 'NOT TRUE', 'FALSE', 'UNKNOWN'])}"
        else:
            text = f"{name} {operator} {right}"
            if shape > 0.88:
                text = f"NOT ({text})"
        self.kinds.append(kind)
        return text

    @staticmethod
    def turned(operator):
        return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)

    def listed(self, name, pick, sql_type):
        """IN, = ANY, <> ALL, NOT IN, of constants, arrays and parameters."""
        count = self.random.choice([0, 1, 1, 2, 3, 5, 12, 45, 90]) if sql_type != "boolean" else 2
        values = [pick() for _ in range(count)]
        if values and self.random.random() < 0.3:
            values += self.random.choices(values, k=2)
        if self.random.random() < 0.25:
            values.insert(self.random.randrange(len(values) + 1), None)
        negated = self.random.random() < 0.2
        self.kinds.append("<> ALL" if negated else "= ANY")
        shape = self.random.random()
        if shape < 0.3 and values and len(values) <= 12:
            arms = ", ".join("NULL" if value is None else self.binder.value(value, sql_type) for value in values)
            return f"{name} {'NOT ' if negated else ''}IN ({arms})"
        if shape < 0.45 and values and len(values) <= 12:
            arms = ", ".join("NULL" if value is None else self.binder.value(value, sql_type) for value in values)
            array = f"ARRAY[{arms}]::{sql_type}[]"
        elif shape < 0.5:
            array = self.binder.value(None, sql_type + "[]")
        else:
            array = self.binder.value(array_text(values), sql_type + "[]")
        return f"{name} <> ALL ({array})" if negated else f"{name} = ANY ({array})"

    def between(self, name, low, high, sql_type):
        self.kinds.append("< >")
        return f"{name} BETWEEN {self.binder.value(low, sql_type)} AND {self.binder.value(high, sql_type)}"

    def held(self, name, otherwise):
        """A value that the column holds, if it holds any."""
        pool = self.pools.get(name)
        return self.random.choice(pool) if pool and self.random.random() < 0.75 else self.random.choice(otherwise)

    # by type ---------------------------------------------------------------

    def a_text(self, name):
        text = self.held(name, TEXTS)
        return twist_text(self.random, text) if self.random.random() < 0.3 else text

    def text(self, name):
        shape = self.random.random()
        if shape < 0.02:
            self.kinds.append("local")
            value = "".join(c for c in self.a_text(name) if c.isalnum())
            return f"{name} {self.random.choice(['=', '=', '<>'])} {self.binder.value(value, 'text')} COLLATE diff.lax"
        if shape < 0.12:
            return self.folded(name)
        if shape < 0.38:
            return self.compare(name, self.a_text(name), self.random.choice(["text", "text", "text", "varchar"]),
                                ["=", "=", "=", "=", "<>", "<", ">="])
        if shape < 0.62:
            return self.listed(name, lambda: self.a_text(name), "text")
        if shape < 0.88:
            return self.like(name)
        return self.prefix(name)

    def like(self, name):
        text = self.a_text(name)
        start = self.random.randrange(len(text) + 1)
        end = self.random.randrange(start, len(text) + 1)
        escaped = [c if c not in "%_\\" or self.random.random() < 0.3 else "\\" + c for c in text]
        pattern = self.random.choice([
            "".join(escaped[:end]) + "%", "%" + "".join(escaped[start:]), "%" + "".join(escaped[start:end]) + "%",
            "".join(escaped[:start]) + "%" + "".join(escaped[end:]), "".join(escaped), "".join(escaped[:start]) + "_" +
            "".join(escaped[start + 1:]), "%", "", "_%", "%" + "".join(escaped[:start]) + "%" +
            "".join(escaped[end:]) + "%"])
        trailing = len(pattern) - len(pattern.rstrip("\\"))
        if trailing % 2:
            pattern += "\\"             # a lone backslash at the end is an error
        operator = self.random.choices(["LIKE", "NOT LIKE", "ILIKE"], [65, 10, 25])[0]
        self.kinds.append({"LIKE": "LIKE", "ILIKE": "folded"}.get(operator, "local"))
        if operator == "ILIKE" and self.random.random() < 0.5:
            name += ' COLLATE "und-x-icu"'
        bound = self.binder.value(pattern, "text")
        if operator == "LIKE" and self.random.random() < 0.06:
            return f"{name} LIKE {self.binder.value(pattern.replace('!', '!!'), 'text')} ESCAPE '!'"
        return f"{name} {operator} {bound}"

    def folded(self, name):
        """In any case, or of a part of the text."""
        self.kinds.append("folded")
        text = self.a_text(name)
        start = self.random.randrange(len(text) + 1)
        part = text[start:self.random.randrange(start, len(text) + 1)]
        column = self.random.choice([name, name, f'{name} COLLATE "und-x-icu"'])
        form = self.random.choice(["lower", "lower", "lower", "left", "right", "position", "regex", "regex", "trim", "upper", "upper",
                                   "capitals"])
        if form == "left" or form == "right":
            return f"{form}({name}, {start}) = {form}({self.binder.value(text, 'text')}, {start})"
        if form == "position":
            return f"{self.random.choice(['position({1} in {0})', 'strpos({0}, {1})'])} {{2}}".format(
                name, self.binder.value(part, "text"), self.random.choice(["> 0", "> 0", ">= 1", "<> 0", "= 2", ">= 0", "< 2"]))
        if form == "capitals":
            return f"upper({column}) LIKE upper({self.binder.value('%' + part.replace(chr(92), '') + '%', 'text')})"
        if form == "regex":
            return f"{column} {self.random.choice(['~', '~*', '~*'])} {self.binder.value(self.regex(part), 'text')}"
        if self.random.random() < 0.15:
            return self.any_of(f"lower({column})", f"lower({self.binder.value(text, 'text')})",
                               lambda: self.binder.value(twist_text(self.random, text), "text"))
        if self.random.random() < 0.1:
            patterns = [self.binder.value(f"%{part.replace(chr(92), '')}%", "text") for _ in range(2)]
            return f"{column} {self.random.choice(['LIKE', 'ILIKE'])} ANY (ARRAY[{', '.join(patterns)}])"
        if form == "trim":
            return f"lower(trim({column})) = {self.binder.value(text.lower().strip(), 'text')}"
        return f"{form}({column}) = {form}({self.binder.value(text, 'text')})"

    def regex(self, text):
        escaped = ["\\" + c if c.isascii() and not c.isalnum() and c.isprintable() else c for c in text]
        for _ in range(self.random.choice([0, 1, 1, 2])):
            escaped.insert(self.random.randrange(len(escaped) + 1), self.random.choice(
                [".", ".*", "?", "*", "+", "{0,2}", "|x", "[a-z]", "\\d", "\\y", "(a|b)?", "(?:x)?"]))
        return self.random.choice(["", "^"]) + "".join(escaped) + self.random.choice(["", "$"])

    def prefix(self, name):
        self.kinds.append("starts_with")
        text = self.a_text(name)
        bound = self.binder.value(text[:self.random.randrange(len(text) + 1)], "text")
        return self.random.choice([f"starts_with({name}, {bound})", f"{name} ^@ {bound}"])

    def uuid(self, name):
        def pick():
            pool = self.hidden if name == self.table["key_column"] and self.hidden and self.random.random() < 0.2 else None
            value = self.random.choice(pool) if pool else self.held(name, UUIDS)
            return value.upper() if self.random.random() < 0.1 else value
        if self.random.random() < 0.15:
            return self.uuid_text(name, lambda: self.random.choice([pick(), pick().lower(), pick(), "INV-000001", ""]))
        if self.random.random() < 0.55:
            return self.compare(name, pick(), "uuid", ["=", "=", "=", "=", "=", "<>", "<", ">="])
        return self.listed(name, pick, "uuid")

    def uuid_text(self, name, pick):
        """A uuid compared as text, with texts that are perhaps none."""
        column = f"{name}::{self.random.choice(['text', 'text', 'varchar'])}"
        if self.random.random() < 0.6:
            return self.compare(column, pick(), "text", ["=", "=", "=", "<>"])
        return self.listed(column, pick, "text")

    def a_number(self, name):
        value = self.held(name, NUMBERS)
        if self.random.random() < 0.3 and value[-1].isdigit() and "e" not in value:
            value += self.random.choice(["0", "000", "1", "00001"]) if "." in value else \
                self.random.choice([".0", ".00", ".01", "0"])
        return value

    def number(self, name):
        shape = self.random.random()
        if shape < 0.2:
            return self.function(name, "numeric", self.held(name, ["0", "0.1", "100", "0.3", "99.5", "1e30", "-1e30", "NaN"]))
        if shape < 0.6:
            return self.compare(name, self.a_number(name), "numeric")
        if shape < 0.68:
            self.kinds.append("other type")
            value = self.random.choice(["100", "0", "7"])
            return f"{name} {self.random.choice(COMPARISONS)} {self.binder.value(value, self.random.choice(['integer', 'float8', 'bigint']))}"
        if shape < 0.83:
            return self.listed(name, lambda: self.a_number(name), "numeric")
        if shape < 0.87:
            return self.within(name, lambda: self.a_number(name), "numeric", "numrange")
        if shape < 0.9:
            return self.row(name, self.a_number(name), "numeric")
        return self.between(name, self.a_number(name), self.a_number(name), "numeric")

    def integer(self, name):
        sql_type = self.random.choice(["integer", "bigint", "smallint"])
        bits = {"integer": 31, "bigint": 63, "smallint": 15}[sql_type]

        def pick():
            value = int(self.held(name, INTEGERS))
            return str(max(-2 ** bits, min(2 ** bits - 1, value)))
        if self.random.random() < 0.6:
            return self.compare(name, pick(), sql_type)
        return self.listed(name, pick, sql_type)

    def boolean(self, name):
        shape = self.random.randrange(8)
        self.kinds.append("boolean")
        if shape == 0:
            return name
        if shape == 1:
            return f"NOT {name}"
        if shape <= 3:
            return f"{name} IS {self.random.choice(['TRUE', 'FALSE', 'NOT TRUE', 'NOT FALSE', 'UNKNOWN', 'NOT UNKNOWN'])}"
        if shape == 4:
            self.kinds.pop()
            return self.listed(name, lambda: self.random.choice(["true", "false"]), "boolean")
        self.kinds.pop()
        return self.compare(name, self.random.choice(["true", "false"]), "boolean", ["=", "=", "=", "<>", "<", ">="])

    def date(self, name):
        def pick():
            return self.held(name, DAYS)
        shape = self.random.random()
        if shape < 0.3:
            return self.function(name, "date", self.held(name, ["2024-02-29", "1970-01-01", "0001-01-01", "9999-12-31",
                                                                "2011-12-30", "2011-12-31", "2018-11-04"]))
        if shape < 0.65:
            return self.compare(name, pick(), "date", ["="] + COMPARISONS)
        if shape < 0.7:
            self.kinds.append("other type")
            value = self.binder.value(pick(), self.random.choice(["timestamp", "timestamptz"]))
            return f"{name} {self.random.choice(COMPARISONS)} {value}"
        if shape < 0.8:
            return self.listed(name, pick, "date")
        if shape < 0.86:
            return self.within(name, pick, "date", "daterange")
        if shape < 0.92:
            return self.row(name, pick(), "date")
        return self.between(name, pick(), pick(), "date")

    def function(self, name, sql_type, value):
        """A function of the column compared with the same function of a value, or one near it."""
        self.kinds.append("function")
        form = self.random.choice(FUNCTIONS[sql_type])
        if "bigint" in form and value in ("1e30", "-1e30", "NaN"):
            value = "100"           # else an error, which is met only where there is a row
        right = form.format(c=f"({self.binder.value(value, sql_type)})")
        if sql_type == "date" and self.random.random() < 0.3:
            form = "{c}"
            shift = self.random.choice(["", " + interval '12 hours'", " - interval '1 microsecond'", " - interval '7 hours'"])
            right = f"({self.binder.value(value, 'date')}::{self.random.choice(['timestamp', 'timestamptz'])}{shift})"
        left = form.format(c=name)
        operator = self.random.choice(["="] + COMPARISONS)
        shape = self.random.random()
        if shape < 0.12:
            return self.any_of(left, right, lambda: form.format(c=f"({self.binder.value(value, sql_type)})"))
        if shape < 0.2 and ("to_char" in form or "::text" in form or "left" in form):
            pattern = f"left({right}, {self.random.choice([2, 4, 6, 7, 10])}) || '{self.random.choice(['%', '%', '', '_%', '%5'])}'"
            return f"{left} LIKE {pattern}"
        if self.random.random() < 0.1:
            return f"{right} {self.turned(operator)} {left}"
        return f"NOT ({left} {operator} {right})" if self.random.random() < 0.15 else f"{left} {operator} {right}"

    def any_of(self, left, *values):
        """IN and its relatives; a value may be a function that makes one."""
        texts = ["NULL" if value is None else value if isinstance(value, str) else value()
                 for value in self.random.choices([*values, *values, None], k=self.random.choice([1, 2, 3]))]
        listed = ", ".join([values[0], *texts])
        return self.random.choice([f"{left} IN ({listed})", f"{left} IN ({listed})", f"{left} NOT IN ({listed})",
                                   f"{left} = ANY (ARRAY[{listed}])", f"{left} < ANY (ARRAY[{listed}])",
                                   f"{left} >= ALL (ARRAY[{listed}])"])

    def within(self, name, pick, sql_type, range_type):
        """In a range, which may lack an end, or be empty."""
        self.kinds.append("range")
        ends = [self.binder.value(self.random.choice([pick(), pick(), None]), sql_type) for _ in range(2)]
        value = f"{range_type}(least({ends[0]}, {ends[1]}), {ends[1]}, '{self.random.choice(['[)', '[]', '()', '(]'])}')"
        return self.random.choice([f"{name} <@ {value}", f"{value} @> {name}", f"NOT ({name} <@ {value})"])

    def row(self, name, value, sql_type):
        """Rows as pages by key set compare them."""
        self.kinds.append("row")
        other = self.random.choice(self.pushable or self.others)
        pool = self.pools.get(other["column_name"]) or [None]
        second = self.binder.value(self.random.choice(pool), other["data_type"])
        text = f"({name}, {other['column_name']}) {self.random.choice(['<', '<=', '>', '>='])} " \
               f"({self.binder.value(value, sql_type)}, {second})"
        return f"NOT ({text})" if self.random.random() < 0.2 else text

    def moment(self, name):
        """Bounds at, just below and just above a time that there is."""
        value = self.held(name, MOMENTS)
        near = ""
        if "inf" not in value and "BC" not in value and "294276" not in value and self.random.random() < 0.6:
            near = self.random.choice([" + '1 microsecond'", " - '1 microsecond'", " + '1 millisecond'",
                                       " - '1 millisecond'", " + '1 second'", " - '1 second'", " - '999 milliseconds'"])
        shape = self.random.random()
        if self.random.random() < 0.25:
            return self.function(name, "timestamptz", self.held(name, ["2026-01-15 10:00+00", "2025-11-02 01:30:00-04"]))
        if shape < 0.12:
            self.kinds.append("other type")
            return f"{name} {self.random.choice(COMPARISONS)} {self.binder.value('2026-01-15', self.random.choice(['date', 'timestamp']))}"
        if shape < 0.2:
            return self.listed(name, lambda: self.held(name, MOMENTS), "timestamptz")
        if shape < 0.27:
            return self.within(name, lambda: self.held(name, MOMENTS), "timestamptz", "tstzrange")
        if shape < 0.34:
            return self.row(name, value, "timestamptz")
        if near:
            self.kinds.append("< >")
            operator = self.random.choice(["=", "<", "<=", ">", ">=", ">", ">="])
            if operator == "=":
                self.kinds[-1] = "="
            return f"{name} {operator} ({self.binder.value(value, 'timestamptz')}{near}::interval)"
        return self.compare(name, value, "timestamptz")


def variants(random, texts):
    """Values that Xero takes for one and the same, many of each."""
    found = []
    for text in texts:
        found += [text, text.upper(), text.lower(), text + " ", strip_accents(text),
                  unicodedata.normalize("NFD", text), text.swapcase()]
    random.shuffle(found)
    return list(dict.fromkeys(found))
