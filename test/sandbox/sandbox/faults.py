"""Misbehaviour on demand: what a test asked to go wrong, and how often."""

MEMBERS = {"path", "method", "after", "times", "status", "headers", "body", "delay_ms", "drop", "truncate", "drip_ms", "piece",
           "garbage", "problem", "retry_after", "huge", "worked", "kept", "holding"}

USUAL_WAIT = {"minute": 3, "day": 73_451, "appminute": 3}       # seconds; Xero sends none for concurrent


class Fault:
    """One rule.  It skips its first `after` matches, then applies `times` times
    (always, if not given)."""

    def __init__(self, members):
        unknown = set(members) - MEMBERS
        if unknown:
            raise ValueError(f"unknown fault members: {', '.join(sorted(unknown))}")
        self.path = members.get("path")
        self.method = members.get("method", "").upper() or None
        self.holding = members.get("holding")           # only of calls whose body holds this text
        self.skip = members.get("after", 0)
        self.left = members.get("times")
        self.status = members.get("status")
        self.headers = {name: str(value) for name, value in members.get("headers", {}).items()}
        self.body = members.get("body")
        self.delay_ms = members.get("delay_ms", 0)
        self.drop = members.get("drop")
        if self.drop not in (None, "before", "after"):
            raise ValueError("drop is before or after")
        self.truncate = members.get("truncate")
        self.drip_ms = members.get("drip_ms")
        self.piece = members.get("piece")
        self.garbage = members.get("garbage", False)
        self.problem = members.get("problem")
        self.retry_after = members.get("retry_after", USUAL_WAIT.get(self.problem))
        self.huge = members.get("huge")
        self.worked = members.get("worked", False)      # the work is done, though this is the answer
        self.kept = members.get("kept", False)          # a replay of the Idempotency-Key gets this answer

    def matches(self, method, path, body):
        """A path ending in * matches what begins so; no path matches all."""
        if self.method and self.method != method:
            return False
        if self.holding is not None and self.holding not in body:
            return False
        if self.path is None:
            return True
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path

    @property
    def replaces_answer(self):
        """Whether the call gets no further than the fault."""
        return bool(self.status or self.problem or self.garbage or self.huge or self.drop == "before")

    def take(self):
        """Whether this match is one to act on."""
        if self.skip:
            self.skip -= 1
            return False
        if self.left is None:
            return True
        if self.left <= 0:
            return False
        self.left -= 1
        return True


class Faults:
    def __init__(self):
        self.rules = []

    def replace(self, rules):
        self.rules = [Fault(rule) for rule in rules]

    def pick(self, method, path, body):
        """The first rule that applies to this call, if any."""
        for rule in self.rules:
            if rule.matches(method, path, body) and rule.take():
                return rule
        return None
