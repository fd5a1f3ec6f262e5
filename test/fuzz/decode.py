#!/usr/bin/env python3
"""Compare what the reader decodes with what Python's json decodes.

decode.py PROGRAM [COUNT [SEED]]

PROGRAM is decode.c, built.  Documents are random: records with blanks, escapes,
doubled members in any casing, characters outside the BMP, big numbers, dates in
each form, and values that nobody asked for, deeply nested.  A document that
differs is kept in the current folder's log/fuzz.
"""
import datetime
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
from dates import shown  # noqa: E402  (the path is set above)

BATCH = 500
EPOCH = datetime.date(2000, 1, 1).toordinal()

# decode.c has the same list, with the second and third of the parent record.
PATHS = ["Text", "Contact.Name", "Contact.Group.Code", "Number", "Whole", "Flag", "Id", "Day",
         "At", "Raw", "Any"]
OF_PARENT = {"Contact.Name", "Contact.Group.Code"}


class Number(str):
    """A number, as it is spelled."""


class Pairs(list):
    """An object's members, in order."""


# ---- documents ----

class Writer:
    """Random documents."""

    def __init__(self, rng):
        self.rng = rng

    def one_of(self, *items):
        return self.rng.choice(items)

    def blank(self):
        if self.rng.random() < 0.7:
            return ""
        return "".join(self.rng.choices(" \t\r\n", k=self.one_of(1, 2, 7, 70)))

    def character(self):
        kind = self.rng.random()
        if kind < 0.75:
            return self.one_of(*"abcXYZ 019,:{}[]%&'<>")
        if kind < 0.85:
            return self.one_of(*'"\\/\b\f\n\r\t')
        if kind < 0.95:
            return chr(self.one_of(0x1f, 0x7f, 0x80, 0xe9, 0x20ac, 0xfeff, 0xfffd,
                                   self.rng.randrange(0xa0, 0xd800)))
        return chr(self.rng.randrange(0x10000, 0x110000))

    def string(self, text=None):
        if text is None:
            text = "".join(self.character() for _ in range(self.one_of(0, 1, 3, 10, 40)))
        return '"' + "".join(map(self.escaped, text)) + '"'

    def escaped(self, c):
        short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n",
                 "\r": "\\r", "\t": "\\t"}
        must = c in '"\\' or c < " "
        if not must and self.rng.random() < 0.9:
            return c
        if c in short and self.rng.random() < 0.7:
            return short[c]
        units = c.encode("utf-16-be").hex()
        spelled = "".join("\\u" + units[i:i + 4] for i in range(0, len(units), 4))
        return spelled if self.rng.random() < 0.5 else spelled.upper().replace("\\U", "\\u")

    def number(self):
        whole = self.one_of("0", "7", "-1", "-0", "1234567890123456789012345678901234567890",
                            str(self.rng.randrange(10 ** 15)))
        fraction = self.one_of("", "", ".0", ".50", ".00000000000000000001", ".1234567890")
        return whole + fraction + self.one_of("", "", "", "e5", "E-12", "e+308")

    def value(self, depth=0):
        kind = self.rng.randrange(4 if depth > 4 else 7)
        if kind == 0:
            return self.number()
        if kind == 1:
            return self.one_of("true", "false", "null")
        if kind < 4:
            return self.string() if self.rng.random() < 0.8 else self.moment()
        if kind == 4:
            deep = self.rng.randrange(50)
            return "[" * deep + self.value(5) + "]" * deep
        parts = [self.value(depth + 1) for _ in range(self.rng.randrange(4))]
        if kind == 5:
            return "[" + ",".join(self.blank() + part + self.blank() for part in parts) + "]"
        return self.object([(self.one_of("xa", "xb", "Text", "Total", "DueDate", "updatedDateUTC"), part) for part in parts])

    def object(self, members):
        def member(name, value):
            return (f'{self.blank()}"{name}"{self.blank()}:{self.blank()}{value}{self.blank()}')
        return "{" + (",".join(member(*m) for m in members) or self.blank()) + "}"

    def iso(self):
        year = self.rng.choice([1, 1582, 1900, 1969, 1970, 1999, 2000, 2024, 2100, 9999])
        text = datetime.date(year, self.rng.randint(1, 12), self.rng.randint(1, 28)).isoformat()
        if self.rng.random() < 0.3:
            return text
        text += self.one_of("T", "t", " ") + "%02d:%02d" % (self.rng.randrange(24),
                                                          self.rng.randrange(60))
        if self.rng.random() < 0.8:
            text += ":%02d" % self.rng.randrange(60)
            if self.rng.random() < 0.6:
                text += "." + "".join(self.rng.choices("0123456789", k=self.rng.randint(1, 9)))
        return text + self.one_of("", "Z", "z", "+13", "-0330", "+05:45")

    def moment(self):
        if self.rng.random() < 0.5:
            return self.string(self.iso())
        ms = self.one_of(0, 1, -1, 86399999, -86400000, 1709596800000,
                         self.rng.randrange(-62135596800000, 253402300799999))
        text = f"/Date({ms}{self.one_of('', '+0000', '+1300', '-0800')})/"
        return '"' + text.replace("/", self.one_of("/", "\\/")) + '"'

    def wanted(self, name):
        """A value that the column's type can hold."""
        if self.rng.random() < 0.1:
            return self.one_of("null", '""' if name not in ("Raw", "Any") else "[]")
        if name == "Number":
            text = self.number()
            return self.one_of(text, f'"{text}"')
        if name == "Whole":
            text = str(self.one_of(0, -1, 2 ** 63 - 1, -2 ** 63, self.rng.randrange(10 ** 9)))
            text += self.one_of("", "", ".0", ".0000")
            return self.one_of(text, f'"{text}"')
        if name == "Flag":
            return self.one_of("true", "false", '"true"', '"FALSE"', '"True"')
        if name == "Id":
            text = "%032x" % self.rng.getrandbits(128)
            text = "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])
            return self.string(self.one_of(text, text.upper()))
        if name in ("Day", "At"):
            return self.moment()
        return self.value() if name in ("Raw", "Any") else self.one_of(self.string(), self.value())

    def cased(self, name):
        return name if self.rng.random() < 0.8 else self.one_of(name.lower(), name.upper())

    def members(self, names):
        members = []
        for name in names:
            for _ in range(self.one_of(0, 1, 1, 1, 1, 1, 1, 2)):
                members.append((self.cased(name), self.wanted(name)))
        for _ in range(self.rng.randrange(3)):
            members.append((self.one_of("x", "xText", "Numbers", "", "xContact"), self.value()))
        return members

    def contact(self):
        if self.rng.random() < 0.1:
            return self.value()
        members = self.members(["Name"])
        for _ in range(self.one_of(0, 1, 1, 2)):
            group = self.object(self.members(["Code"])) if self.rng.random() < 0.9 else self.value()
            members.append((self.cased("Group"), group))
        self.rng.shuffle(members)
        return self.object(members)

    def record(self, lines):
        own = [path for path in PATHS if "." not in path]
        members = self.members([] if lines else own)
        for _ in range(self.one_of(0, 1, 1, 1, 2)):
            members.append((self.cased("Contact"), self.contact()))
        if lines:
            for _ in range(self.one_of(0, 1, 1, 1, 2)):
                items = [self.object(self.members(own)) for _ in range(self.rng.randrange(4))]
                members.append((self.cased("Lines"), self.one_of(
                    "null", "[" + ",".join(items) + "]", "[" + ",".join(items) + "]")))
        self.rng.shuffle(members)
        return self.object(members)

    def document(self, lines):
        records = [self.record(lines) for _ in range(self.rng.randrange(4))]
        page = "[" + ",".join(self.blank() + r + self.blank() for r in records) + "]"
        if self.rng.random() < 0.2:
            text = page
        else:
            if len(records) == 1 and self.rng.random() < 0.3:
                page = records[0]
            members = [("Id", self.string()), ("pagination", '{"page":1,"itemCount":3}')]
            members = members[:self.rng.randrange(3)] + [(self.cased("Records"), page)]
            members += [("xx", self.value())] * self.rng.randrange(2)
            text = self.object(members)
        return self.one_of("", "", "\ufeff") + self.blank() + text + self.blank()


# ---- what is in them ----

def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=Pairs)


def member(value, path):
    """The last member of that name, in any casing, wins."""
    for name in path.split("."):
        if not isinstance(value, Pairs):
            return None
        found = [v for n, v in value if n.lower() == name.lower()]
        value = found[-1] if found else None
    return value


def rows_of(text, lines):
    page = parse(text.lstrip("\ufeff"))
    records = member(page, "Records") if isinstance(page, Pairs) else page
    records = [records] if isinstance(records, Pairs) else records
    for record in records:
        for row in (member(record, "Lines") or [] if lines else [record]):
            yield [member(record if path in OF_PARENT else row, path) for path in PATHS]


def micros(text):
    """Day since 2000, microseconds of the day, and those that UTC is behind."""
    epoch = re.fullmatch(r"/Date\((-?\d+)([+-]\d{4})?\)/", text)
    if epoch:
        ms = int(epoch[1])
        return (ms // 86400000 + datetime.date(1970, 1, 1).toordinal() - EPOCH,
                ms % 86400000 * 1000, 0)
    day, hour, minute, second, fraction, zone = re.fullmatch(
        r"(\d+-\d+-\d+)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(.*))?", text).groups()
    usec = (int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)) * 1000000
    if fraction:
        usec += (int(fraction[:7].ljust(7, "0")) + 5) // 10
    ahead = 0
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        ahead = (int(digits[:2]) * 60 + int(digits[2:])) * 60000000 * (-1 if zone[0] == "-" else 1)
    return datetime.date.fromisoformat(day).toordinal() - EPOCH, usec, ahead


def with_iso_dates(value):
    """A value as jsonb shows it."""
    if isinstance(value, Pairs):
        return Pairs((name, inner if isinstance(inner, Number) else shown(name, with_iso_dates(inner)))
                     for name, inner in value)
    return [with_iso_dates(v) for v in value] if isinstance(value, list) else value


def agrees(path, found, value):
    """Is what the reader printed what Python has?"""
    typed = path not in ("Text", "Contact.Name", "Contact.Group.Code", "Raw", "Any")
    if found is None or value is None or (typed and value == ""):
        return found is None and (value is None or (typed and value == ""))
    if path == "Any":
        return parse(found) == with_iso_dates(value)
    if path == "Raw" or isinstance(value, list):
        return parse(found) == value
    if isinstance(value, bool):
        return found == ("true" if value else "false")
    if path == "Whole":
        return int(found) == int(value.split(".")[0])
    if path in ("Flag", "Id"):
        return found == value.lower()
    if path in ("Day", "At"):
        day, usec, ahead = micros(value)
        return int(found) == (day if path == "Day" else day * 86400000000 + usec - ahead)
    return found == value


# ---- comparing ----

def as_input(text, lines):
    bare = text.lstrip("\ufeff \t\r\n").startswith("[")
    return bytes([lines + 2 * bare]) + text.encode()


def read_output(output):
    """For each document its rows, or None if it was refused."""
    documents, rows, at = [], [], 0
    while at < len(output):
        if output[at] == ord("="):
            end = output.index(b"\n", at)
            documents.append(rows if output[at + 1:end] == b"0" else None)
            rows, at = [], end + 1
            continue
        row = []
        while output[at] != ord("\n"):
            if output[at] == ord("-"):
                row.append(None)
                at += 1
                continue
            colon = output.index(b":", at)
            end = colon + 1 + int(output[at:colon])
            row.append(output[colon + 1:end].decode())
            at = end
        rows.append(row)
        at += 1
    return documents


def difference(text, lines, rows):
    """What differs, or None; and how many values were compared."""
    expected = list(rows_of(text, lines))
    if rows is None or len(rows) != len(expected):
        return f"{len(expected)} rows expected, {'refused' if rows is None else len(rows)}", 0
    compared = 0
    for row, values in zip(rows, expected):
        for path, found, value in zip(PATHS, row, values):
            compared += 1
            if not agrees(path, found, value):
                return f"{path}: {found!r}, Python has {value!r}", compared
    return None, compared


def run_batch(program, batch, folder):
    names = []
    for i, (text, lines) in enumerate(batch):
        names.append(f"{folder}/{i}")
        pathlib.Path(names[-1]).write_bytes(as_input(text, lines))
    result = subprocess.run([program] + names, stdout=subprocess.PIPE, check=False)
    documents = read_output(result.stdout)
    if result.returncode != 0:
        documents.append(None)
    return documents


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 25000
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    writer = Writer(random.Random(seed))
    documents = compared = differences = 0
    with tempfile.TemporaryDirectory() as folder:
        while documents < count and differences == 0:
            batch = []
            for _ in range(min(BATCH, count - documents)):
                lines = writer.rng.randrange(3) == 0
                batch.append((writer.document(lines), lines))
            for (text, lines), rows in zip(batch, run_batch(program, batch, folder)):
                what, values = difference(text, lines, rows)
                documents += 1
                compared += values
                if what is not None:
                    differences += 1
                    kept = pathlib.Path("log/fuzz", f"decode-{seed}-{documents}")
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(as_input(text, lines))
                    print(f"{kept}: {what}")
    print(f"decode: seed {seed}, {documents} documents, {compared} values compared, "
          f"{differences} differences")
    return 0 if differences == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
