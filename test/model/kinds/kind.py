"""What all kinds of things have: fields, and the rules of Xero for them.

Values are in terms of the local table, as text; nothing and '' are the same.  A
Kind tells what a record says in these terms, and the other way round.
"""
from datetime import date, timedelta
from decimal import Decimal


def plain(value):
    return "" if value is None else str(value)


def number(value):
    return "" if value in (None, "") else format(Decimal(str(value)).normalize(), "f")


def day(value):
    """A date, of one or of /Date(1700000000000+0000)/."""
    if value and value.startswith("/Date("):
        return str(date(1970, 1, 1) + timedelta(milliseconds=int(value[6:].split("+")[0].rstrip(")/"))))
    return plain(value)


def day_of(years):
    """words of a day in some of these years."""
    return lambda rng, token: f"{rng.choice(years)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


def odd(rng, token, longest=200):
    """A text that says the token, in a way that breaks naive clients."""
    how = rng.randrange(10)
    text = [token, token.upper(), f"é{token} Łódź", f"{token}'s \"q\" \\n", f"日本{token}🎉", f"{token}, {{x}} $1 %s",
            token, token, token, token][how]
    if rng.random() < 0.05:
        text = (text + " long" * 60)[:longest]
    return text.strip()


class Field:
    """One field: which way it flows, and the values that people give it.

    words(random, token) makes a value that Xero takes; bad(token) one that it
    refuses, if there is any.
    """

    def __init__(self, flow="both", words=None, bad=None, is_bad=lambda value: False, empty=True, show=plain, given=False):
        self.flow = flow
        self.words = words
        self.bad = bad
        self.is_bad = is_bad
        self.empty = empty      # it may be
        self.show = show        # a value of JSON as text
        self.given = given      # by Xero, if a new record has none

    def word(self, rng, token, _before):
        """A value that Xero takes, in the place of another one, if there is any."""
        return self.words(rng, token)

    def spelled(self, value):
        """A value as it is written into the table."""
        return value

    def stored(self, value, _quirks):
        """What Xero makes of a value."""
        return value


class Kind:
    """What a subclass says of things:

    name, table (the foreign one), object, path, id: what they are called;
    match: the field that match_on names; members: what Xero calls the fields;
    columns, mapping: the local table, and the fields of the sync;
    verbatim: fields that are sent as they are.
    """
    ends = {}                           # {status: that of a record that has ended from there}
    vanishes = False                    # a record that has ended is gone
    deletes = ["ignore", "archive"]     # what on_delete can be
    merges = False
    fixed = False                       # nobody can change a record

    def __init__(self, rng):
        self.rng = rng

    def seen(self, record):
        """What a record says, in local terms."""
        return {name: self.fields[name].show(record.get(member)) for name, member in self.members.items()}

    def said(self, values):
        """The members of a record that says this."""
        return {self.members[name]: value for name, value in values.items()}

    def shown(self, row):
        """What a row says."""
        return {name: field.show(row[name]) for name, field in self.fields.items()}

    def new(self, values):
        """The members of a new record."""
        return self.said(values)

    def key(self, token):
        """What the field of match_on may say on both sides."""
        return token

    def spellings(self, key):
        """The same, as people write it."""
        return [key, key.upper(), key.title(), key + " ", " " + key]

    def mapped(self, direction):
        """The fields of a sync of that direction."""
        return {name: how for name, how in self.mapping.items()
                if direction != "pull" or not isinstance(how, dict) or how.get("direction") != "to_xero"}

    # What people do at Xero

    def prepare(self, there):
        """What must be there before."""

    def create(self, there, values):
        """The id of a new record."""
        return there.do("change", {"object": self.object, "create": self.new(values)})["id"]

    def change(self, there, record, values):
        """Change a record; the values that it has then."""
        there.do("change", {"object": self.object, "id": record, "set": self.said(values)})
        return values

    def happen(self, there, record, side):
        """Something that only people do there; the values that it changes, if it does."""

    # The rules of Xero

    def ended(self, side):
        return side.get("status") in self.ends.values()

    def ending(self, side):
        """What a record says when somebody ends it, if that can be."""
        status = self.ends.get(side.get("status"))
        return status and {"status": status}

    def active(self, record):
        """Does its key keep others from having it?"""
        return True

    def refuses(self, here, there):
        """May Xero refuse what would make a record of a row, or say what the row says?
        Without a row it would end."""
        return here is not None and any(self.fields[name].is_bad(value) for name, value in here.items())


def key_of(text):
    """What match_on compares."""
    return text.strip(" ").lower()
