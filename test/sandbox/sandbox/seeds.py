"""Deterministic numbers: the n-th record is a pure function of the seed.

Nothing is stored for a record until somebody changes it, so an organisation
of a million invoices starts as fast as one of ten.
"""
import uuid

M64 = (1 << 64) - 1
M48 = (1 << 48) - 1
ODD = 0x9E3779B97F4B
ODD_INVERSE = pow(ODD, -1, 1 << 48)


def mix(x):
    """splitmix64's finaliser: any int to 64 well-stirred bits."""
    x = (x + 0x9E3779B97F4A7C15) & M64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M64
    return x ^ (x >> 31)


def key_of(*parts):
    """A 64-bit key from names and numbers."""
    key = 0
    for part in parts:
        for byte in str(part).encode():
            key = mix(key ^ byte)
        key = mix(key ^ 0x1F)
    return key


class Ids:
    """Row number <-> uuid, without a dictionary.

    The last six bytes are a bijection of the row number.  They are also what
    SQL Server, and so Xero, orders uuids by first.
    """

    def __init__(self, *parts):
        self.key = key_of(*parts)
        self.shift = self.key & M48

    def node(self, row):
        x = ((row + self.shift) * ODD) & M48
        x ^= x >> 24
        return (x * ODD) & M48

    def of(self, row):
        node = self.node(row)
        h = mix(node ^ self.key)
        return (f"{h >> 32:08x}-{h >> 16 & 0xffff:04x}-4{h & 0xfff:03x}-"
                f"{0x8000 | h >> 12 & 0x3fff:04x}-{node:012x}")

    def row(self, text):
        """The row number that has this uuid, if any (it may be past the end)."""
        try:
            x = int(text[-12:], 16)
        except ValueError:
            return None
        x = (x * ODD_INVERSE) & M48
        x ^= x >> 24
        row = ((x * ODD_INVERSE) - self.shift) & M48
        return row if self.of(row) == text.lower() else None


def guid_order(text):
    """Sort key of a uuid as SQL Server orders uniqueidentifier: last group
    first, then the others from the right, the first three byte-swapped."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return b"\xff" + text.encode()
    raw = value.bytes_le
    return raw[10:] + raw[8:10] + raw[6:8] + raw[4:6] + raw[:4]
