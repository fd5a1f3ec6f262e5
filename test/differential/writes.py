"""Generated UPDATEs: do the rows that they return, and what is there afterwards,
depend on what is pushed down?

Each is run on the foreign table and on its local copy.  What they return must be
the same, and in the end what is in the tables.
"""
import json

from conditions import Conditions
from database import literal, rows, run

# Texts that Xero takes in any wording, and of which rows.
TARGETS = {"contacts": (["first_name", "last_name"], "contact_status = 'ACTIVE'"),
           "invoices": (["reference"], "type = 'ACCREC' AND status = 'DRAFT' AND date > '2023-06-30'")}
# Types of columns that a write leaves as they are.  Xero works out numbers and flags anew.
STABLE = ("text", "uuid", "date")
# But these it gives to records that have none.
GIVEN = ("invoice_number",)
LONGEST = 40


def stable_columns(subject):
    return [column for column in subject.columns if column["data_type"] in STABLE
            and not column["column_name"].endswith("_string") and column["column_name"] not in GIVEN]


class Write:
    """One generated UPDATE."""

    def __init__(self, number, subject, targets, generator):
        self.number = number
        self.subject = subject
        self.generator = generator
        self.key = f'"{subject.key}"'
        table = subject.table
        stable = stable_columns(subject)
        conditions = Conditions(generator, {**table, "columns": stable}, subject.conditions.pools, subject.conditions.hidden)
        writable, self.within = TARGETS[table["table_name"]]
        self.column = f'"{generator.choice(writable)}"'
        self.shown = [self.key, self.column] + [f'"{name}"' for name in generator.sample(
            [column["column_name"] for column in stable], generator.choice([0, 0, 1, 3]))]
        self.condition = "true"
        while self.condition == "true":     # all of it in one statement tells little of the others
            self.condition = conditions.condition("constant")[0]
        self.targets = targets
        self.other = subject        # that it reads from
        self.statement = getattr(self, generator.choice(["plain", "plain", "counted", "listed", "joined"]))()

    def written(self, *texts):
        """What the column is set to, of the row's own texts or these."""
        own = f"t.{self.column}"
        return self.generator.choice([f"'w{self.number}'", f"left(coalesce({own}, '') || 'x', {LONGEST})", f"upper({own})",
                                      f"coalesce({own}, 'none')", own, *texts * 3])

    def update(self, value, source="", joined=""):
        returned = ", ".join(f"t.{name}" for name in dict.fromkeys(self.shown))
        return f"UPDATE {{0}} AS t SET {self.column} = {value} {source} WHERE {joined} ({self.condition}) AND {self.within} " \
               f"RETURNING {returned}"

    @staticmethod
    def sorted_rows(update):
        return f"WITH w AS ({update}) SELECT array_agg(w::text ORDER BY w::text COLLATE \"C\") FROM w"

    def plain(self):
        return self.sorted_rows(self.update(self.written()))

    def counted(self):
        """Without RETURNING, but for how many there were."""
        return f"WITH w AS ({self.update(self.written())}) SELECT ARRAY[count(*)::text] FROM w"

    def listed(self):
        """By a list of keys with their values."""
        pool = self.subject.conditions.pools[self.subject.key]
        keys = self.generator.sample(pool, min(len(pool), 30))
        cells = ", ".join(f"({literal(key)}::uuid, 'v{self.number}.{n}')" for n, key in enumerate(keys))
        return self.sorted_rows(self.update(self.written("v.value"), f"FROM (VALUES {cells}) AS v(which, value)",
                                            f"t.{self.key} = v.which AND"))

    def joined(self):
        """From what another table says of the contact."""
        self.other = self.generator.choice(self.targets)
        texts = [column["column_name"] for column in stable_columns(self.other) if column["data_type"] == "text"]
        value = f"left(coalesce(max(\"{self.generator.choice(texts)}\"::text COLLATE \"C\"), 'none'), {LONGEST})"
        return self.sorted_rows(self.update(self.written("o.value"), f"FROM (SELECT contact_id, {value} AS value FROM {{1}} "
                                            "GROUP BY contact_id) AS o", "o.contact_id = t.contact_id AND"))

    def way(self, which):
        """The statement, of the foreign tables (0) or their copies."""
        text = self.statement
        for n, subject in enumerate((self.subject, self.other)):
            text = text.replace(f"{{{n}}}", (subject.foreign, subject.copy)[which])
        return text

    def problem(self):
        result = json.loads(run(f"SELECT diff.check({self.number}, '{{}}', ARRAY[{literal(self.way(0))}, {literal(self.way(1))}]);"))
        if not result["problem"]:
            return None
        return f"UPDATE {self.number}: {self.way(0)}\n    {result['problem']}\n{result['plan']}"


def check(subjects, count, generator):
    """Problems of so many UPDATEs, one after the other, or of what they leave."""
    targets = [subject for subject in subjects if subject.foreign.split(".")[0] == "accounting"
               and subject.table["table_name"] in TARGETS]
    for number in range(count):
        problem = Write(number, generator.choice(targets), targets, generator).problem()
        if problem:
            return [problem]        # those that come after it see other rows
    problems = []
    for subject in targets:
        written = ", ".join(f'"{name}"' for name in [subject.key] + TARGETS[subject.table["table_name"]][0])
        for side, other in ((subject.foreign, subject.copy), (subject.copy, subject.foreign)):
            lacking = rows(f"SELECT {written} FROM {side} EXCEPT ALL SELECT {written} FROM {other}")
            if lacking:
                problems.append(f"after UPDATEs, {other} lacks {lacking[:3]}")
    return problems
