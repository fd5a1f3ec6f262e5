"""Generated conditions: does pushing them down change a result?

Each condition is run on the foreign table, on a local copy, and on the foreign
table with the condition kept away from it; all must give the same rows.  Some
are run with ORDER BY, LIMIT and OFFSET, some as count(*), some in joins, with
the table of their parents or children too, or with several tables, some in
subqueries that run many times, and some twice in one statement.  The last quarter of them runs on a
server that is connected to three organisations; of the others, some on one
whose options name its only organisation.  Then come UPDATEs (writes.py).

    DIFF_SEED    what everything follows from (1); "random" takes one, and prints it
    DIFF_COUNT   how many conditions (2400)
    DIFF_ONLY    run only the condition with this number, and show its plan
    DIFF_FORM    only conditions in this form (FORMS)
"""
import collections
import json
import os
import random
import subprocess
import sys
import threading

import nasty
import writes
from conditions import Conditions, variants
from database import PSQL, catalogue, connect, literal, rows, run, sandbox
from truth import differences, expected_rows, field_of

SCHEMAS = ["accounting", "payroll_au"]
WEIGHTS = {"invoices": 24, "contacts": 12, "payments": 9, "credit_notes": 9, "bank_transactions": 9,
           "purchase_orders": 6, "quotes": 8, "items": 6, "accounts": 6, "journals": 3, "linked_transactions": 5,
           "prepayments": 4, "overpayments": 4, "employees": 6, "manual_journals": 4, "batch_payments": 3,
           "receipts": 3, "tracking_categories": 2, "tax_rates": 3, "contact_groups": 2, "bank_transfers": 3}
OTHER_WEIGHT = 1.5
FORMS = {"rows": 65, "count": 10, "order": 9, "limit": 5, "chunks": 5, "join": 5, "lookup": 3, "extreme": 4,
         "loop": 6, "family": 6, "twice": 3, "tables": 6}
FORMS = {form: weight for form, weight in FORMS.items() if os.environ.get("DIFF_FORM") in (None, "", form)}
# Columns whose values tables have in common.
LINKS = ("_id", "_number", "name", "code", "email_address", "reference")
# Share of the conditions by how many organisations there are.
PARTS = {1: 0.75, 3: 0.25}
# And how many UPDATEs there are to them.
UPDATES = 0.04
COUNTRIES = {"payroll_au": "AU"}
ZONES = ["UTC", "Pacific/Auckland", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo"]
STYLES = ["ISO", "ISO", "ISO, DMY", "German", "SQL, MDY"]
WORKERS = 2

# Share of the conditions with this kind of leaf alone that must have been
# sent, so that the test is one of pushdown.  Other kinds mostly stay here.
SHARES = {"=": 0.6, "= ANY": 0.5, "<>": 0.2, "< >": 0.2, "LIKE": 0.25, "starts_with": 0.3, "boolean": 0.25,
          "null test": 0.05, "tenant": 0.5, "function": 0.3, "folded": 0.2,
          "distinct": 0.2, "range": 0.3, "row": 0.3, "case": 0.05, "choice": 0.2}
TREE_SHARES = {"AND": 0.5, "OR": 0.2, "NOT": 0.15}


def state_of(table, tenant):
    """The records of an organisation that the table's list shows."""
    records = sandbox(f"state/{table['root'].partition('?')[0]}?tenant_id={tenant}")
    if table["root"].endswith("?paymentsOnly=true"):
        return [record for record in records if record.get("SourceType") not in ("ACCREC", "ACCPAY")]
    return records


class Subject:
    """One foreign table, its copy, and what its columns hold."""

    def __init__(self, table, generator):
        name = table["table_name"]
        schema = table.get("schema", table["api"])
        self.table = table
        self.foreign = f'{schema}."{name}"'
        self.copy = f'local."{schema}_{name}"'
        self.columns = table["columns"]
        self.scalars = [column["column_name"] for column in self.columns if column["data_type"] != "jsonb"]
        self.key = table["key_column"]
        self.child = table["array"] is not None
        self.generator = generator
        self.conditions = None
        self.relatives = []         # (subject, the column that is equal to the other's, that)
        self.links = {column["column_name"]: column["data_type"] for column in self.columns
                      if column["data_type"] in ("uuid", "text") and column["column_name"].endswith(LINKS)}
        self.others = []            # tables that it may be joined with

    def set_options(self):
        """Pages of a few records, so that lists have several; and now and then
        a table without what is archived.  Returns whether it shows all."""
        options = []
        size = self.generator.choice([1000, 1000, 50, 23])
        if size < 1000:
            options.append(f"ADD page_size '{size}'")
        hides = {"includeArchived", "includeDeleted"} & set(self.table["filters"]) and self.generator.random() < 0.25
        if hides:
            options.append("ADD include_archived 'false'")
        if options:
            run(f"ALTER FOREIGN TABLE {self.foreign} OPTIONS ({', '.join(options)});")
        return not hides

    def shown(self):
        """Columns that are the same however a record is read: no list of orders has the accounts of their lines."""
        return [name for name in self.scalars if self.table["root"] != "PurchaseOrders" or name != "account_id"]

    def make_copy(self):
        run(f"CREATE TABLE {self.copy} AS SELECT * FROM {self.foreign};\nANALYZE {self.copy};\n")

    def compare_copy(self, states):
        """Problems of the full scan, compared with the sandbox's truth, by organisation."""
        got = rows(f"SELECT * FROM {self.copy}")
        problems = [] if {row["tenant_id"] for row in got} <= set(states) else ["rows of another organisation"]
        for tenant, state in states.items():
            problems += self.compare_rows(state, [row for row in got if row["tenant_id"] == tenant])
        return problems

    def compare_rows(self, state, got):
        """Of jsonb only whether it is there: the sandbox spells it in many ways."""
        wanted = expected_rows(self.table, state)
        if self.table["table_name"] == "contact_groups":
            wanted = [row for row in wanted if row["status"] == "ACTIVE"]       # no list shows the others
        if len(got) != len(wanted):
            return [f"{len(got)} rows instead of {len(wanted)}"]
        names = self.scalars[:3] if not self.key else [self.key] + self.scalars[:2]

        def sort_key(row):
            return [str(row[name]).lower() for name in names] + [json.dumps(row, sort_keys=True, default=str)]
        if self.key:
            got = sorted(got, key=sort_key)
            wanted = sorted(wanted, key=sort_key)
            pairs = zip(wanted, got)
        else:
            pairs = self._pair(wanted, got)
        # one member is put in where the sandbox spells the record, and one no list of orders has
        unlike = {"SalesTaxCalculationTypeCode"} | ({"AccountID"} if self.table["root"] == "PurchaseOrders" else set())
        plain = [column for column in self.columns
                 if column["data_type"] != "jsonb" and column["field"] not in unlike]
        other = [column["column_name"] for column in self.columns if column["data_type"] == "jsonb"]
        problems = []
        for record, row in pairs:
            problems += differences(plain, record, row)
            problems += [f"{name}: {row[name]!r} instead of {record[name]!r}" for name in other
                         if (row[name] is None) != (record[name] is None) or
                         isinstance(row[name], list) and len(row[name]) != len(record[name])]
        return problems

    def _pair(self, wanted, got):
        """Rows without a key: those of one parent are in its order."""
        parent = next(column["column_name"] for column in self.columns if column["field"].startswith("../"))
        places = collections.defaultdict(list)
        for row in got:
            places[str(row[parent]).lower()].append(row)
        return [(record, places[str(record[parent]).lower()].pop(0)) for record in wanted
                if places[str(record[parent]).lower()]]

    def fill_pools(self, states):
        names = ", ".join(f'(SELECT array_agg(v) FROM (SELECT DISTINCT "{name}"::text COLLATE "C" AS v FROM {self.copy} '
                          f'WHERE "{name}" IS NOT NULL ORDER BY 1) x) AS "{name}"' for name in self.scalars + ["tenant_id"])
        pools = {name: values or [] for name, values in rows(f"SELECT {names}")[0].items()}
        pools = {name: self.generator.sample(values, min(len(values), 150)) for name, values in pools.items()}
        hidden = []
        if self.key and not self.child:
            field = next(column["field"] for column in self.columns if column["column_name"] == self.key)
            shown = set(rows(f'SELECT array_agg("{self.key}"::text) AS keys FROM {self.copy}')[0]["keys"] or [])
            hidden = sorted({str(field_of(record, field)) for records in states.values() for record in records} - shown)
        self.conditions = Conditions(self.generator, self.table, pools, hidden)


class Test:
    """One generated condition and its queries."""

    def __init__(self, number, subject, generator):
        self.number = number
        self.subject = subject
        self.generator = generator
        self.form = generator.choices(list(FORMS), list(FORMS.values()))[0]
        self.mode = "constant" if self.form in ("join", "lookup", "loop", "family", "twice", "tables") else generator.choices(
            ["constant", "parameter", "subquery"], [60, 27, 13])[0]
        if self.form == "rows" and generator.random() < 0.04 and self.crowd():
            self.kinds = ["= ANY"]
        else:
            self.condition, self.binder, self.kinds = subject.conditions.condition(self.mode)
        self.prepares = []
        self.ways = []
        self.part = self.whole = None
        self.settings = f"SET TimeZone = '{generator.choice(ZONES)}'; SET DateStyle = '{generator.choice(STYLES)}'; SET plan_cache_mode = force_generic_plan;"
        getattr(self, "make_" + self.form)()

    def crowd(self):
        """A list of values too long for one request, among them many that are one to Xero."""
        texts = [column["column_name"] for column in self.subject.conditions.pushable if column["data_type"] == "text"]
        if not texts:
            return False
        column = self.generator.choice(texts)
        pool = self.subject.conditions.pools[column]
        chosen = [text for text in pool if not text.isascii() or "'" in text] + self.generator.sample(pool, min(len(pool), 15))
        values = variants(self.generator, chosen)
        self.subject.conditions.condition(self.mode)            # a fresh binder
        self.binder = self.subject.conditions.binder
        self.binder.types, self.binder.values = [], []
        array = "{" + ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values) + "}"
        self.condition = f"{column} = ANY ({self.binder.value(array, 'text[]')})"
        return True

    def selected(self):
        """The columns to compare: a few, now and then ones of type jsonb."""
        subject = self.subject
        names = ["tenant_id"] + ([subject.key] if subject.key else subject.scalars[:2])
        names += self.generator.sample(subject.shown(), min(len(subject.shown()), self.generator.choice([0, 2, 4])))
        if self.generator.random() < 0.04:
            others = [column["column_name"] for column in subject.columns if column["data_type"] == "jsonb"]
            names += self.generator.sample(others, min(len(others), 1))
        return ", ".join(f'"{name}"' for name in dict.fromkeys(names))

    def sources(self, subject=None):
        subject = subject or self.subject
        return [subject.foreign, subject.copy, f"(SELECT * FROM {subject.foreign} OFFSET 0)"]

    def prepared(self, queries):
        """Queries, by way of prepared statements if they have parameters."""
        if not self.binder.values:
            return queries
        start = len(self.prepares)
        types = ", ".join(self.binder.types)
        self.prepares += [f"PREPARE q{start + n} ({types}) AS {query}" for n, query in enumerate(queries)]
        values = ", ".join(self.binder.values)
        return [f"EXECUTE q{start + n} ({values})" for n in range(len(queries))]

    @staticmethod
    def sorted_rows(query):
        return f'SELECT array_agg(r::text ORDER BY r::text COLLATE "C") FROM ({query}) AS r'

    def make_rows(self):
        columns = self.selected()
        self.ways = self.prepared([self.sorted_rows(f"SELECT {columns} FROM {source} AS t WHERE {self.condition}")
                                   for source in self.sources()])

    def make_count(self):
        """One count in one of its spellings, or several with conditions of their own."""
        kinds = list(self.kinds)
        counts = ["count(*)"] if self.generator.random() < 0.5 else \
            [self.a_count() for _ in range(self.generator.choice([1, 2, 2, 3, 5]))]
        counted = ", ".join(f"{count}::text" for count in counts)
        having = f"HAVING {self.a_count()} > 1" if self.generator.random() < 0.1 else ""
        self.kinds = kinds              # those of the rows
        if self.generator.random() < 0.2:
            self.condition, self.kinds = "true", []
        if self.generator.random() < 0.3:
            self.make_groups(counted, having)
            return
        self.ways = self.prepared([f"SELECT ARRAY[{counted}] FROM {source} AS t WHERE {self.condition} {having}"
                                   for source in self.sources()])

    def make_groups(self, counted, having):
        """Counts by a column, most often by one of a few words."""
        texts = [column["column_name"] for column in self.subject.columns if column["data_type"] == "text"]
        words = [name for name in texts if name.rpartition("_")[2] in ("status", "type")] or texts or self.subject.scalars
        group = f'"{self.generator.choice(words + ["tenant_id"])}"'
        if self.generator.random() < 0.2:
            self.ways = self.prepared([self.sorted_rows(f"SELECT DISTINCT {group} FROM {source} AS t WHERE {self.condition}")
                                       for source in self.sources()])
            return
        if self.generator.random() < 0.5:
            counted = self.generator.choice(["count(*)", "count(*), count(1)", "1"])
        self.ways = self.prepared([self.sorted_rows(f"SELECT {group}, {counted} FROM {source} AS t WHERE {self.condition} "
                                                    f"GROUP BY {group} {having}") for source in self.sources()])

    def a_count(self):
        columns = [column["column_name"] for column in self.subject.columns if column["data_type"] == "date"] * 3
        counted = self.generator.choice(["*", "1", f'"{self.generator.choice(columns + self.subject.scalars)}"'])
        if self.generator.random() < 0.5:
            return f"count({counted})"
        return f"count({counted}) FILTER (WHERE {self.subject.conditions.tree(self.generator.choice([0, 0, 1]))})"

    def make_order(self):
        """The sort keys must be the same; the rows may differ among equals."""
        subject = self.subject
        sortable = {column["column_name"]: column["data_type"] for column in subject.columns}
        columns = [name for name, data_type in sortable.items()
                   if data_type in ("date", "numeric", "integer", "timestamp with time zone")] * 3 + subject.scalars
        names = [self.generator.choice(columns) for _ in range(self.generator.choice([1, 1, 1, 2, 2, 3]))]
        keys = [f'"{name}"' + self.generator.choice(["", " DESC", " DESC NULLS LAST", " NULLS FIRST", ""])
                for name in names]
        if subject.key and self.generator.random() < 0.4:
            names.append(subject.key)
            keys.append(f'"{subject.key}"')
        column = ", ".join(f'trim_scale("{name}")' if sortable[name] == "numeric" else f'"{name}"'
                           for name in names)                   # 1.0 and 1.00 are equals
        limit = self.generator.choice([1, 2, 5, 10, 37, 100, 1000])
        tail = f"ORDER BY {', '.join(keys)} " + self.generator.choice(
            [f"LIMIT {limit}"] * 4 + [f"FETCH FIRST {limit} ROWS WITH TIES"])
        if self.generator.random() < 0.3:
            tail = tail.replace("FETCH", "OFFSET 2 FETCH") if "FETCH" in tail else tail + f" OFFSET {self.generator.choice([0, 1, 3, 50])}"
        condition = "true" if self.generator.random() < 0.25 else self.condition
        if condition == "true":
            self.binder.values = []
            self.kinds = []
        self.ways = self.prepared([f"SELECT array_agg(r::text) FROM (SELECT {column} FROM {source} AS t "
                                   f"WHERE {condition} {tail}) AS r" for source in self.sources()])
        chosen = self.selected()
        self.part, self.whole = self.prepared([
            f"SELECT array_agg(r::text) FROM (SELECT {chosen} FROM {subject.foreign} AS t WHERE {condition} {tail}) AS r",
            f"SELECT array_agg(r::text) FROM (SELECT {chosen} FROM {subject.copy} AS t WHERE {condition}) AS r"])

    def make_extreme(self):
        """
        min() and max(), which PostgreSQL asks for with ORDER BY and LIMIT 1, or which come beside
        counts.
        """
        columns = [column for column in self.subject.columns
                   if column["data_type"] in ("date", "numeric", "integer", "timestamp with time zone")]
        if not columns:
            self.make_count()
            return
        kinds = list(self.kinds)
        values = []
        for _ in range(self.generator.choice([1, 1, 2, 3])):
            column = self.generator.choice(columns)
            value = f"{self.generator.choice(['min', 'max'])}(\"{column['column_name']}\")"
            if self.generator.random() < 0.2:
                value += f" FILTER (WHERE {self.subject.conditions.tree(0)})"
            if column["data_type"] == "numeric":
                value = f"trim_scale({value})"
            values.append(value)
        if self.generator.random() < 0.5:
            values.append(self.generator.choice(["count(*)", self.a_count()]))
        self.kinds = kinds              # those of the rows
        values = ", ".join(f"{value}::text" for value in values)
        if self.generator.random() < 0.3:
            self.condition, self.kinds = "true", []
        self.ways = self.prepared([f"SELECT ARRAY[{values}] FROM {source} AS t WHERE {self.condition}"
                                   for source in self.sources()])

    def make_limit(self):
        """Any rows that meet the condition, but as many as there are."""
        columns = self.selected()
        limit = self.generator.choice([0, 1, 3, 20, 150])
        offset = self.generator.choice([0, 0, 7, 23, 50, 60, 1000])
        queries = [f"SELECT {columns} FROM {source} AS t WHERE {self.condition} LIMIT {limit} OFFSET {offset}"
                   for source in self.sources()]
        self.ways = self.prepared([f"SELECT ARRAY[count(*)::text] FROM ({query}) AS r" for query in queries])
        self.part, self.whole = self.prepared([
            f"SELECT array_agg(r::text) FROM ({queries[0]}) AS r",
            f"SELECT array_agg(r::text) FROM (SELECT {columns} FROM {self.subject.copy} AS t WHERE {self.condition}) AS r"])

    def make_chunks(self):
        """Read piece by piece, the whole must come: each row once."""
        columns = self.selected()
        if self.generator.random() < 0.4:
            self.condition, self.binder.values, self.kinds = "true", [], []
        size = self.generator.choice([20, 23, 46, 50, 70, 100])
        pieces = [f"LIMIT {size} OFFSET {size * n}" for n in range(4)] + [f"LIMIT 100000 OFFSET {size * 4}"]
        ways = [f"SELECT {columns} FROM {source} AS t WHERE {self.condition}" for source in self.sources()]
        ways[0] = " UNION ALL ".join(f"({ways[0]} {piece})" for piece in pieces)
        self.ways = self.prepared([self.sorted_rows(query) for query in ways])

    def joined(self):
        """Values to look up, and the column they belong to."""
        subject = self.subject
        candidates = [column for column in subject.conditions.pushable
                      if column["data_type"] in ("uuid", "text", "date", "numeric")] or \
                     [column for column in subject.columns if column["data_type"] in ("uuid", "text")] or \
                     [{"column_name": "tenant_id", "data_type": "uuid"}]
        keys = [column for column in candidates if column["column_name"] == subject.key]
        column = keys[0] if keys and self.generator.random() < 0.5 else self.generator.choice(candidates)
        if len(subject.conditions.pools["tenant_id"]) > 1 and self.generator.random() < 0.25:
            column = {"column_name": "tenant_id", "data_type": "uuid"}
        pool = subject.conditions.pools[column["column_name"]] or ["00000000-0000-0000-0000-000000000000"]
        values = self.generator.choices(pool, k=self.generator.choice([1, 3, 6]))
        if column["data_type"] not in ("uuid", "text", "date", "numeric") or not subject.conditions.pools[column["column_name"]]:
            values = []
        cells = [f"({literal(value)}::{column['data_type']})" for value in values] + [f"(NULL::{column['data_type']})"]
        switches = [f"SET enable_{name} = {self.generator.choice(['on', 'off'])};"
                    for name in ("hashjoin", "mergejoin", "material", "memoize")]
        self.settings += " ".join(switches)
        return column["column_name"], f"(VALUES {', '.join(cells)}) AS v(xvalue)"

    def make_join(self):
        column, values = self.joined()
        columns = self.selected()
        join = self.generator.choice(["JOIN", "LEFT JOIN"])
        self.ways = [self.sorted_rows(f'SELECT xvalue, t.* FROM {values} {join} (SELECT {columns}, "{column}" AS xcolumn FROM '
                                      f"{source} AS t WHERE {self.condition}) AS t ON xcolumn = xvalue")
                     for source in self.sources()]

    def make_lookup(self):
        """Subqueries with values of another relation."""
        column, values = self.joined()
        columns = self.selected()
        shape = self.generator.randrange(4)
        if shape == 0:
            query = 'SELECT xvalue, (SELECT count(*) FROM {source} AS t WHERE "{column}" = xvalue AND ({condition})) FROM {values}'
        elif shape == 1:
            query = 'SELECT {columns} FROM {source} AS t WHERE "{column}" IN (SELECT xvalue FROM {values}) AND ({condition})'
        elif shape == 2:
            query = 'SELECT xvalue FROM {values} WHERE {word} (SELECT FROM {source} AS t WHERE "{column}" = xvalue AND ({condition}))'
        else:
            query = 'SELECT xvalue, r.* FROM {values}, LATERAL (SELECT {columns} FROM {source} AS t WHERE "{column}" = xvalue ' \
                    'AND ({condition}) OFFSET 0) AS r'
        word = self.generator.choice(["EXISTS", "NOT EXISTS"])
        self.ways = [self.sorted_rows(query.format(source=source, column=column, values=values, columns=columns,
                                                   condition=self.condition, word=word)) for source in self.sources()]

    def make_family(self):
        """Parents with their children, each with a condition or none."""
        if not self.subject.relatives:
            self.make_rows()
            return
        subject = self.subject
        other, own, theirs = self.generator.choice(subject.relatives)
        theirs_too = other.conditions.condition("constant")[0] if self.generator.random() < 0.5 else "true"
        if self.generator.random() < 0.2:
            self.condition, self.kinds = "true", []
        names = self.generator.sample(other.shown(), min(len(other.shown()), 2))
        columns = ", ".join(f'"{name}" AS x{n}' for n, name in enumerate(names))
        left = f'(SELECT {self.selected()}, "{own}" AS xown FROM {{one}} AS t WHERE {self.condition}) AS t'
        right = f'(SELECT {columns}, "{theirs}" AS xtheirs FROM {{other}} AS t WHERE {theirs_too}) AS o'
        shape = self.generator.choice(["JOIN"] * 4 + ["LEFT JOIN"] * 3 + ["RIGHT JOIN", "FULL JOIN"] +
                                      ["EXISTS", "NOT EXISTS"] * 2)
        if "JOIN" in shape:
            query = f"SELECT * FROM {left} {shape} {right} ON xown = xtheirs"
        else:
            query = f"SELECT * FROM {left} WHERE {shape} (SELECT FROM {right} WHERE xown = xtheirs)"
        self.settings += " ".join(f"SET enable_{name} = {self.generator.choice(['on', 'on', 'off'])};"
                                  for name in ("hashjoin", "mergejoin", "nestloop", "material", "memoize"))
        self.ways = [self.sorted_rows(query.replace("{one}", one).replace("{other}", their_source))
                     for one, their_source in zip(self.sources(), self.sources(other))]

    def make_twice(self):
        """The same list twice in a statement, perhaps with another condition."""
        condition = self.condition
        if self.generator.random() < 0.4:
            condition = self.subject.conditions.condition("constant")[0]
        columns = self.selected()
        shape = self.generator.randrange(4)
        if shape == 0:
            query = f"SELECT {columns} FROM {{source}} AS t WHERE {self.condition} " \
                    f"UNION ALL SELECT {columns} FROM {{source}} AS t WHERE {condition}"
        elif shape == 1:
            query = f"WITH a AS NOT MATERIALIZED (SELECT {self.selected()} FROM {{source}} AS t WHERE {self.condition}) " \
                    f"SELECT (SELECT count(*) FROM a), (SELECT array_agg(a::text ORDER BY a::text COLLATE \"C\") FROM a)"
        elif shape == 2:
            query = f"SELECT a.* FROM (SELECT {columns} FROM {{source}} AS t WHERE {self.condition}) AS a " \
                    f"WHERE a IN (SELECT b FROM (SELECT {columns} FROM {{source}} AS t WHERE {condition}) AS b)"
        else:
            query = f"SELECT {columns} FROM {{source}} AS t WHERE {self.condition} EXCEPT ALL " \
                    f"(SELECT {columns} FROM {{source}} AS t WHERE {condition} LIMIT 0)"
        self.ways = [self.sorted_rows(query.replace("{source}", source)) for source in self.sources()]

    def make_loop(self):
        """Subqueries with so many values that it is cheaper to read the list: pairs, in which now and then only
        one of the two changes, or only late."""
        subject = self.subject
        types = {"uuid", "text", "date", "numeric", "boolean", "integer", "timestamp with time zone"}
        candidates = [column for column in subject.conditions.pushable if column["data_type"] in types] + \
                     [{"column_name": "tenant_id", "data_type": "uuid"}]
        keys = [column for column in candidates if column["column_name"] == subject.key]
        first = keys[0] if keys and self.generator.random() < 0.6 else self.generator.choice(candidates)
        second = self.generator.choice(candidates)
        count = self.generator.choice([4, 12, 40])
        pools = [subject.conditions.pools[column["column_name"]] + [None] for column in (first, second)]
        pools = [pool if self.generator.random() < 0.8 else pool[:1] for pool in pools]
        pairs = [[self.generator.choice(pool) for pool in pools] for _ in range(count)]
        if self.generator.random() < 0.3:
            for pair in pairs[:count // 2]:
                pair[1] = pairs[0][1]
        cells = ", ".join("(" + ", ".join(f"{literal(value)}::{column['data_type']}"
                                          for value, column in zip(pair, (first, second))) + f", {n})"
                          for n, pair in enumerate(pairs))
        operators = ["=", "=", "=", "=", "<>", "<", ">="]
        compared = [f'"{first["column_name"]}" {self.generator.choice(operators)} xvalue']
        if self.generator.random() < 0.5:
            compared.append(f'"{second["column_name"]}" {self.generator.choice(operators)} yvalue')
        if self.generator.random() < 0.5:
            compared.append(f"({self.condition})")
        where = " AND ".join(compared)
        values = f"(SELECT * FROM (VALUES {cells}) AS v(xvalue, yvalue, n) ORDER BY n OFFSET 0) AS v"
        columns = self.selected()
        shape = self.generator.randrange(4)
        if shape == 0:
            query = 'SELECT n, (SELECT array_agg(r::text ORDER BY r::text COLLATE "C") ' \
                    f"FROM (SELECT {columns} FROM {{source}} AS t WHERE {where}) AS r) FROM {values}"
        elif shape == 1:
            query = f"SELECT n, EXISTS (SELECT FROM {{source}} AS t WHERE {where} OFFSET 0) FROM {values}"
        elif shape == 2:
            query = f"SELECT n, r.* FROM {values}, LATERAL (SELECT {columns} FROM {{source}} AS t WHERE {where} OFFSET 0) AS r"
        else:
            key = self.generator.choice([column for column in subject.columns if column["data_type"] in
                                         ("date", "numeric", "integer", "timestamp with time zone")] or subject.columns[:1])
            name = f'"{key["column_name"]}"'
            shown = f"trim_scale({name})" if key["data_type"] == "numeric" else name
            query = f"SELECT n, r.* FROM {values}, LATERAL (SELECT {shown} FROM {{source}} AS t WHERE {where} " \
                    f"ORDER BY {name} {self.generator.choice(['', 'DESC'])} LIMIT {self.generator.choice([1, 2, 30])}) AS r"
        self.settings += " ".join(f"SET enable_{name} = off;" for name in ("hashjoin", "mergejoin", "material", "memoize"))
        self.settings += f" SET work_mem = '{self.generator.choice(['4MB', '64kB'])}';"
        self.ways = [self.sorted_rows(query.replace("{source}", source)) for source in self.sources()]

    def linked(self, tables):
        """A table that has a column in common with one of these, its number and the column; most often a long one."""
        links = [(other, n, name) for n, table in tables.items() for other in self.subject.others
                 for name, data_type in table.links.items() if other.links.get(name) == data_type]
        return self.generator.choices(links, [WEIGHTS.get(other.table["table_name"], 1) for other, _, _ in links])[0]

    def make_tables(self):
        """Two to four tables that are joined by columns that they have in common, the first often a local one."""
        generator = self.generator
        if not self.subject.links:
            self.make_rows()
            return
        tables = [self.subject]
        joined = {0: self.subject}
        conditions = [self.condition]
        query = "{0} AS t0"
        where = []
        for n in range(1, generator.choice([2, 2, 3, 4])):
            other, left, name = self.linked(joined)
            tables.append(other)
            conditions.append(other.conditions.condition("constant")[0] if generator.random() < 0.3 else "true")
            on = f't{left}."{name}" = t{n}."{name}"'
            if generator.random() < 0.3:
                on += f" AND t{left}.tenant_id = t{n}.tenant_id"
            join = generator.choice(["JOIN", "JOIN", "LEFT JOIN", "EXISTS", "NOT EXISTS", "IN"])
            if join.endswith("JOIN"):
                joined[n] = other
                query += f" {join} {{{n}}} AS t{n} ON {on}"
            elif join == "IN":
                where.append(f't{left}."{name}" IN (SELECT "{name}" FROM {{{n}}} AS t{n})')
            else:
                where.append(f"{join} (SELECT FROM {{{n}}} AS t{n} WHERE {on})")
        shown = ", ".join(f"t{n}" for n in joined)
        query = f"SELECT {shown} FROM {query}" + (" WHERE " + " AND ".join(where) if where else "")
        limit = generator.choice([1, 5, 45, 130])
        local = generator.random() < 0.6
        columns = [self.columns_of(table) for table in tables]

        def with_sources(way):
            sources = [f"(SELECT {columns[n]} FROM {[table.foreign, table.copy, table.foreign][way]} AS t "
                       f"WHERE {conditions[n]} {['', '', 'OFFSET 0'][way]})" for n, table in enumerate(tables)]
            if local:
                sources[0] = f"(SELECT {columns[0]} FROM {tables[0].copy} AS t WHERE {conditions[0]} " \
                             f"ORDER BY {columns[0]} LIMIT {limit})"
            return query.format(*sources)
        for name in ("hashjoin", "mergejoin", "material", "memoize"):
            self.settings += f" SET enable_{name} = {generator.choice(['on', 'off'])};"
        self.settings += f" SET work_mem = '{generator.choice(['4MB', '4MB', '64kB'])}';"
        self.settings += f" SET geqo_threshold = {generator.choice([2, 12])};"
        self.ways = [self.sorted_rows(with_sources(way)) if len(tables) < 3 else
                     f"SELECT ARRAY[count(*)::text, sum(hashtext(r::text))::text] FROM ({with_sources(way)}) AS r"
                     for way in range(3)]
        if len(tables) < 3 and generator.random() < 0.3:
            self.part = self.sorted_rows(f"{with_sources(0)} LIMIT {generator.choice([1, 3, 20])}")
            self.whole = self.sorted_rows(with_sources(1))
        self.kinds = []

    def columns_of(self, table):
        """Those by which it can be joined, and another one."""
        names = ["tenant_id"] + list(table.links) + self.generator.sample(table.scalars, 1)
        return ", ".join(f'"{name}"' for name in dict.fromkeys(names))

    def statement(self):
        def array(texts):
            return "ARRAY[" + ", ".join(map(literal, texts)) + "]::text[]"
        return (f"{self.settings}\nSELECT diff.check({self.number}, {array(self.prepares)}, {array(self.ways)}, "
                f"{literal(self.part)}, {literal(self.whole)});\n")

    def describe(self):
        values = "".join(f"\n    ${n}: {value}" for n, value in enumerate(self.binder.values, 1))
        return f"{self.form} on {self.subject.foreign}: {self.condition}{values}\n    {self.prepares or self.ways[0]}"


def run_tests(tests, results):
    """Run some tests in one session; a result for each."""
    script = "SET client_min_messages = warning;\n" + "".join(test.statement() for test in tests)
    done = subprocess.run(PSQL, input=script, capture_output=True, text=True, encoding="utf-8", check=False)
    for line in done.stdout.split("\n"):
        if line.startswith("{"):
            result = json.loads(line)
            results[result["n"]] = result
    if done.returncode != 0:
        print(done.stderr.strip())


def shares(tests, results):
    """Print how much was sent, by kind; the kinds of which too little was."""
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for test in tests:
        result = results.get(test.number)
        if not result or not result["scan"] or not test.kinds:
            continue
        kinds = test.kinds if len(test.kinds) == 1 else sorted(set(test.kinds) & set(TREE_SHARES))
        for kind in kinds + ["form " + test.form, "values " + test.mode, "all"]:
            for n, counted in enumerate([True, result["sent"], result["sent"] and result["exact"]]):
                counts[kind][n] += counted
    print(f"{'':24s} conditions   sent  sent and not rechecked")
    for kind, (number, sent, exact) in sorted(counts.items()):
        print(f"{kind:24s} {number:10d} {100 * sent / number:5.0f}% {100 * exact / number:5.0f}%")
    wanted = {**SHARES, **TREE_SHARES, "all": 0.4}
    if counts["all"][0] < 500:
        return []
    return [f"only {counts[kind][1]} of {counts[kind][0]} conditions with {kind} were sent"
            for kind, share in wanted.items() if counts[kind][1] < share * max(counts[kind][0], 1)]


def varied(table, generator):
    """The same object as a user might declare it: other names, another order,
    fewer columns, other types.  Creates it and returns its description."""
    other_types = {"numeric": ["numeric(20,0)"], "text": ["varchar"], "uuid": ["text"], "date": ["text"],
                   "boolean": ["text"], "timestamp with time zone": ["text"]}
    columns = []
    for column in table["columns"]:
        key = column["column_name"] == table["key_column"]
        data_type = column["data_type"]
        if data_type == "jsonb" or not key and generator.random() < 0.2:
            continue
        if not key and data_type in other_types and generator.random() < 0.25:
            data_type = generator.choice(other_types[data_type])
        columns.append({**column, "column_name": "my_" + column["column_name"], "data_type": data_type})
    generator.shuffle(columns)
    columns.insert(generator.randrange(len(columns)), {"column_name": "tenant_id", "data_type": "uuid", "field": ""})
    listed = ", ".join(f"{column['column_name']} {column['data_type']}" +
                       (f" OPTIONS (field {literal(column['field'])})" if column["field"] else "") for column in columns)
    name = table["table_name"]
    run(f"CREATE FOREIGN TABLE varied.{name} ({listed}) SERVER xero OPTIONS (object {literal(table['object'])});")
    return {**table, "schema": "varied", "key_column": "my_" + table["key_column"],
            "columns": [column for column in columns if column["field"]]}


def relate(subjects):
    """Tell parents and children of each other."""
    for child in subjects:
        for parent in subjects:
            if not child.child or parent.child or not parent.key or parent.table["root"] != child.table["root"] or \
                    parent.foreign.split(".")[0] != child.foreign.split(".")[0]:
                continue
            key = next(column for column in parent.columns if column["column_name"] == parent.key)
            own = [column for column in child.columns if column["field"] == "../" + key["field"] and
                   column["data_type"] == key["data_type"]]
            if own:
                child.relatives.append((parent, own[0]["column_name"], parent.key))
                parent.relatives.append((child, parent.key, own[0]["column_name"]))


def prepare(seed, tenants):
    """The subjects, with copies that are what the sandbox says."""
    generator = random.Random(f"{seed} data {tenants}")
    sandbox("reset", {"tenants": tenants, "contacts": 120 // tenants, "invoices": 250 // tenants})
    connect(SCHEMAS)
    countries = {row["tenant_id"]: row["country_code"] for row in rows("SELECT tenant_id, country_code FROM accounting.organisation")}
    if tenants == 1 and generator.random() < 0.5:
        run(f"ALTER SERVER xero OPTIONS (ADD tenant_id {literal(next(iter(countries)))});")
    tables = catalogue(SCHEMAS)
    nasty.add(generator, tables)
    run("SET client_min_messages = warning; DROP SCHEMA IF EXISTS local, varied CASCADE; CREATE SCHEMA local; CREATE SCHEMA varied;")
    with open(os.path.join(os.path.dirname(__file__), "check.sql"), encoding="utf-8") as file:
        run("SET client_min_messages = warning;\n" + file.read())
    subjects = []
    problems = []
    states = {}
    variants_of = [varied(tables["accounting", name], generator)
                   for name in ("invoices", "contacts", "quotes", "payments", "items", "invoice_line_items")]
    for table in [tables[name] for name in sorted(tables)] + variants_of:
        subject = Subject(table, generator)
        root = table["root"]
        country = COUNTRIES.get(table["api"])
        if root not in states:
            states[root] = {tenant: state_of(table, tenant) for tenant, code in countries.items()
                            if country in (None, code)}
        complete = subject.set_options()
        subject.make_copy()
        if complete and "schema" not in table:
            problems += [f"full scan of {subject.foreign}: {text}" for text in subject.compare_copy(states[root])[:5]]
        subject.fill_pools(states[root])
        subjects.append(subject)
    relate(subjects)
    for subject in subjects:
        subject.others = subjects
    return subjects, problems


def run_part(seed, tenants, first, count, only, results):
    """Conditions number "first" and on: the tests that were run, and problems of the copies."""
    if only and not first <= only < first + count:
        return [], []
    subjects, problems = prepare(seed, tenants)
    for problem in problems:
        print(problem)
    generator = random.Random(f"{seed} conditions {tenants}")
    weights = [WEIGHTS.get(subject.table["table_name"], OTHER_WEIGHT) for subject in subjects]
    tests = [Test(number, generator_subject, generator) for number, generator_subject in
             enumerate((generator.choices(subjects, weights)[0] for _ in range(count)), first)]
    if only:
        tests = [test for test in tests if test.number == only]
        print(tests[0].describe(), tests[0].statement(), sep="\n")
    workers = [threading.Thread(target=run_tests, args=(tests[n::WORKERS], results)) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if not only:
        more = writes.check(subjects, round(count * UPDATES), generator)
        for problem in more:
            print(problem)
        problems += more
    return tests, problems


def main():
    seed = os.environ.get("DIFF_SEED") or "1"
    if seed == "random":
        seed = str(random.SystemRandom().randrange(1_000_000))
    total = int(os.environ.get("DIFF_COUNT") or 2400)
    only = int(os.environ.get("DIFF_ONLY") or 0)
    print(f"DIFF_SEED={seed} DIFF_COUNT={total}", flush=True)
    tests = []
    problems = []
    results = {}
    first = 1
    for tenants, share in PARTS.items():
        count = round(total * share)
        more_tests, more_problems = run_part(seed, tenants, first, count, only, results)
        tests += more_tests
        problems += more_problems
        first += count

    failed = 0
    for test in tests:
        result = results.get(test.number)
        if result is None or result["problem"]:
            failed += 1
            if failed <= 20 or only:
                print(f"not ok: DIFF_SEED={seed} DIFF_ONLY={test.number}: {test.describe()}")
                print(f"    {result['problem']}\n{result['plan']}" if result else "    no result")
    errors = sum(1 for result in results.values() if result["error"])
    found = sum(1 for result in results.values() if result["rows"])
    windows = sum(1 for result in results.values() if result["window"])
    bound = sum(1 for result in results.values() if result["bound"])
    print(f"{len(results)} conditions, {found} of them with rows, {errors} that are errors, {windows} with OFFSET sent, "
          f"{bound} bind joins")
    missing = shares(tests, results) if not only else []
    if not only and len(FORMS) > 1 and windows < len(tests) // 200:
        missing.append(f"OFFSET was sent with only {windows} conditions")
    if not only and len(FORMS) > 1 and bound < len(tests) // 150:
        missing.append(f"only {bound} were bind joins")
    if errors > len(tests) / 20:
        missing.append(f"{errors} conditions are errors: too many to test anything")
    for text in missing:
        print(text)
    failed += len(problems) + len(missing)
    print(f"{len(results) - failed if len(results) > failed else 0} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
