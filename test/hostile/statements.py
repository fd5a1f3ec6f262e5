"""The statements that meet the faults, and the rows that are right.

    phases      those that each passes through
    blanks      the columns of a row that may be null, where a fault says so
"""


class Statement:
    def __init__(self, name, phases, sql, rows, blanks=None, sorted_=True):
        self.name = name
        self.phases = ("connect", "token", "connections") + phases
        self.sql = sql
        self.rows = rows
        self.blanks = blanks or {}
        self.sorted = sorted_

    def is_right(self, got, blank=None):
        """Are these the right rows, if need be with null in a column?"""
        if not self.sorted:
            return got == self.rows
        if sorted(got, key=str) == sorted(self.rows, key=str):
            return True
        blanks = self.blanks.get(blank, ())
        left = list(self.rows)
        for row in sorted(got, key=lambda row: row.count(None)):
            match = next((one for one in left if all(a == b or (b is None and at in blanks)
                                                     for at, (a, b) in enumerate(zip(one, row)))), None)
            if match is None:
                return False
            left.remove(match)
        return not left


def invoice(n):
    day = f"2026-01-{n + 1:02d}"
    return (f"00000001-0000-4000-8000-{n:012d}", f"INV-{n}", day, f"{100 + n}.25", f"2026-01-01 00:00:{n:02d}+00",
            "t" if n % 2 else "f", f"00000002-0000-4000-8000-{n:012d}", f"Contact {n}", f'[{{"Quantity": {n}}}]')


STATEMENTS = [
    Statement("rows", ("page 1", "page 2"),
              "SELECT invoice_id, invoice_number, date, total, updated_date_utc, has_attachments, contact_id, contact_name, line_items"
              " FROM invoices", [invoice(n) for n in range(1, 6)], {"key": (0,), "contact": (6, 7)}),
    Statement("attachments", ("page 1", "page 2", "record"), "SELECT invoice_number, attachments FROM invoices",
              [(f"INV-{n}", f'[{{"FileName": "file {n}"}}]' if n % 2 else None) for n in range(1, 6)], {"detail": (1,)}),
    Statement("groups", ("page 1", "record"), "SELECT name, contacts FROM contact_groups",
              [(f"Group {n}", f'[{{"Name": "Contact {n}"}}]') for n in (1, 2)], {"detail": (1,)}),
    Statement("count", ("page 1",), "SELECT count(*) FROM invoices WHERE status = 'AUTHORISED'", [("5",)]),
    Statement("top", ("page 1",), "SELECT invoice_number FROM invoices ORDER BY total DESC LIMIT 2", [("INV-5",), ("INV-4",)], sorted_=False),
    Statement("one", ("record",), "SELECT invoice_number, total FROM invoices WHERE invoice_id = '00000001-0000-4000-8000-000000000002'",
              [("INV-2", "102.25")]),
    Statement("insert", ("write",), "INSERT INTO contacts (name) VALUES ('Contact 9') RETURNING contact_id",
              [("00000002-0000-4000-8000-000000000009",)]),
    Statement("update", ("record", "write"), "UPDATE contacts SET name = 'Contact 9' WHERE contact_id = '00000002-0000-4000-8000-000000000003'"
              " RETURNING contact_id", [("00000002-0000-4000-8000-000000000003",)]),
]
