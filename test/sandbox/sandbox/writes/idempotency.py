"""Answers kept for Idempotency-Keys: six minutes from the first call on the
sandbox's clock, errors too, per app, for one request only."""
from ..answer import Answer
from ..errors import bad_request
from . import messages

WINDOW = 360
LONGEST = 128
BROKEN = ("", "undefined", "null")          # what SDKs send when they have no key


class Idempotency:
    def __init__(self, clock):
        self.clock = clock
        self.kept = {}                      # (client, key) -> (time, request, answer)

    @staticmethod
    def applies(call):
        return call.method in ("PUT", "POST") and call.idempotency_key is not None

    @staticmethod
    def _request(org, call):
        return org.tenant_id, call.method, call.path, call.query, bytes(call.body)

    def find(self, org, call):
        """The kept answer of this very request, None for a new key."""
        key = call.idempotency_key
        if key in BROKEN:
            raise bad_request("Idempotency Key cannot be empty")
        if len(key) > LONGEST:
            raise bad_request(f"Idempotency Key cannot be longer than {LONGEST} characters")
        self._expire()
        found = self.kept.get((call.client, key))
        if not found:
            return None
        _, request, answer = found
        if request != self._request(org, call):
            raise bad_request(messages.KEY_REUSED.format(key))
        return Answer(answer.status, answer.body, answer.content_type, dict(answer.headers))

    def keep(self, org, call, answer):
        self.kept.pop((call.client, call.idempotency_key), None)        # to its place in order of time
        kept = Answer(answer.status, answer.body, answer.content_type, dict(answer.headers))
        self.kept[call.client, call.idempotency_key] = self.clock.now(), self._request(org, call), kept

    def _expire(self):
        """Kept in order of time, so the old ones come first."""
        edge = self.clock.now() - WINDOW
        for name, (at, _, _) in list(self.kept.items()):
            if at > edge:
                break
            del self.kept[name]
