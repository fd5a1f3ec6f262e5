"""What a test wants the identity server to do wrong, until told otherwise."""
from .forgeries import OF_ACCESS_TOKENS, OF_ID_TOKENS
from .scopes import known


def _flaw(flaws):
    def check(value):
        if value not in flaws:
            raise ValueError(f"no such flaw: {value}; there are {', '.join(sorted(flaws))}")
        return value
    return check


def _whole(value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a whole number of seconds is needed")
    return value


def _positive(value):
    if _whole(value) <= 0:
        raise ValueError("more than 0 seconds are needed")
    return value


def _yes_or_no(value):
    if not isinstance(value, bool):
        raise TypeError("true or false is needed")
    return value


class Switches:
    # switch -> its usual setting, which null brings back, and the check of another
    KINDS = {"id_token": (None, _flaw(OF_ID_TOKENS)), "access_token": (None, _flaw(OF_ACCESS_TOKENS)),
             "skew": (0, _whole), "lifetime": (1800, _positive), "reject_refresh": (False, _yes_or_no),
             "scopes": (None, lambda names: known(" ".join(names)))}

    def __init__(self):
        vars(self).update({name: usual for name, (usual, _) in self.KINDS.items()})

    def put(self, members):
        """All of them, or none if one makes no sense."""
        unknown = set(members) - set(self.KINDS)
        if unknown:
            raise ValueError(f"unknown members: {', '.join(sorted(unknown))}")
        vars(self).update({name: self.KINDS[name][0] if value is None else self.KINDS[name][1](value)
                           for name, value in members.items()})

    def shown(self):
        return dict(vars(self))
