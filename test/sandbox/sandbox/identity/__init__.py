"""Xero's identity server: who calls, what was allowed, and for which organisations.

    apps         registered apps and how they prove who they are
    person       the one who logs in
    scopes       the names there are
    login        the authorize endpoint; page is what a browser shows
    grants       the token and revocation endpoints
    access       access tokens and what they admit to
    connections  which app reaches which organisation
    discovery    where everything is
    jwt, keys    signed tokens; forgeries: wrong ones
    switches     what a test wants to go wrong
    oauth        the shape of its errors

All of it runs on the event loop, one call at a time, and on the sandbox's
clock.  Only the times inside signed tokens are real ones.
"""
import json
import re
import urllib.parse

from ..answer import Answer
from ..errors import ApiError
from .access import AccessTokens
from .apps import claimed_app
from .connections import Connections
from .discovery import document
from .grants import Grants
from .jwt import Minter
from .keys import KeyRing
from .login import Login
from .oauth import form_of
from .person import Person
from .switches import Switches

PLACES = re.compile(r"/(connect|identity|\.well-known|connections)(/|$)")
HIDDEN = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Request:
    """The parts of a call that matter here."""

    def __init__(self, entry, scheme, instance):
        self.method = entry["method"]
        self.path = entry["path"].lower()
        self.headers = entry["headers"]
        self.query = entry["query"]
        self.body = entry["body"]
        self.authorization = self.headers.get("authorization", "")
        self.base = f"{scheme}://{self.headers.get('host', 'localhost')}"     # the issuer, as the caller spells it
        self.instance = instance


class Identity:
    def __init__(self, clock, scheme):
        self.clock = clock
        self.scheme = scheme
        self.keys = KeyRing()           # not data: a reset leaves them alone

    def reset(self, seed, orgs):
        self.orgs = orgs
        self.switches = Switches()
        self.access = AccessTokens(self.clock)
        self.connections = Connections(seed, orgs)
        person = Person(seed)
        minter = Minter(seed, self.keys, self.switches, person)
        self.grants = Grants(seed, self.clock, self.switches, minter, self.access, self.connections)
        self.login = Login(seed, self.clock, self.switches, person, orgs, self.connections, self.grants)

    # calls ---------------------------------------------------------------

    @staticmethod
    def serves(path):
        return bool(PLACES.match(path.lower()))

    def caller(self, entry):
        """The app a call says it comes from, for the log; nothing is checked."""
        authorization = entry["headers"].get("authorization", "")
        token = self.access.find(authorization)
        if token:
            return token.client
        text = entry["query"] if entry["method"] == "GET" else entry["body"]
        return claimed_app(authorization, dict(urllib.parse.parse_qsl(text)))

    def answer(self, entry, instance):
        request = Request(entry, self.scheme, instance)
        connection = re.fullmatch("/connections/([^/]+)", request.path)
        if connection:
            return self._only(request, {"DELETE": lambda request: self._disconnect(request, connection[1])})
        handlers = {
            "/identity/connect/authorize": {"GET": self.login.answer},
            "/connect/token": {"POST": self._token},
            "/connect/revocation": {"POST": self._revocation},
            "/connect/userinfo": {"GET": self._userinfo, "POST": self._userinfo},
            "/connections": {"GET": self._connections},
            "/.well-known/openid-configuration": {"GET": lambda request: as_json(document(request.base))},
            "/.well-known/openid-configuration/jwks": {"GET": lambda _request: as_json(self.keys.published())},
        }.get(request.path)
        if not handlers:
            raise ApiError(404, b"", "text/plain")
        return self._only(request, handlers)

    @staticmethod
    def _only(request, handlers):
        if request.method not in handlers:
            raise ApiError(405, b"", "text/plain", {"Allow": ", ".join(handlers)})
        return handlers[request.method](request)

    def _token(self, request):
        return as_json(self.grants.token(request.authorization, form_of(request), request.base), HIDDEN)

    def _revocation(self, request):
        self.grants.revoke(request.authorization, form_of(request))
        return Answer(200, b"", "text/plain", HIDDEN)

    def _userinfo(self, request):
        return as_json(self.access.person(request.authorization).about(), HIDDEN)

    def _connections(self, request):
        token = self.access.bearer(request.authorization, request.instance)
        wanted = urllib.parse.parse_qs(request.query).get("authEventId")
        return as_json([connection.shown() for connection in self.connections.of(token.holder)
                        if not wanted or connection.event == wanted[-1].lower()])

    def _disconnect(self, request, connection_id):
        token = self.access.bearer(request.authorization, request.instance)
        if not self.connections.remove(token.holder, connection_id):
            raise ApiError(404, b"", "text/plain")
        return Answer(204, b"")

    # what the APIs ask ---------------------------------------------------

    def bearer(self, authorization, instance):
        return self.access.bearer(authorization, instance)

    def require(self, token, wanted, method, instance):
        self.access.require(token, wanted, method, instance)

    def tenant(self, token, header, instance):
        return self.orgs[self.connections.tenant(token, header, instance)]

    # what a test asks ----------------------------------------------------

    def control(self, members):
        """POST /sandbox/identity: switches stay as they are put, actions happen once."""
        members = dict(members)
        actions = {"rotate_keys": lambda _yes: self.keys.rotate(),
                   "expire_tokens": lambda _yes: self.access.expire_all(),
                   "disconnect": self.connections.disconnect}
        wanted = {name: members.pop(name) for name in list(members) if name in actions}
        self.switches.put(members)
        for name, value in wanted.items():
            if value:
                actions[name](value)
        return self.switches.shown()


def as_json(value, headers=None):
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(200, body, headers=dict(headers or {}))
