"""Who calls: apps, access tokens, and the organisations they may see.

Xero's identity server is one more place that answers errors in its own shape:
{"error": …} from the token endpoint, PascalCase problem bodies from the API.
What is here: client_credentials, the ready-made token, and connections.  The
authorization code with PKCE, rotation, revocation and signed JWTs join here:
each is one more grant in GRANTS or one more route in app.py.
"""
import base64
import binascii
import datetime
import json
import urllib.parse

from . import seeds
from .errors import ApiError, security

READY_TOKEN = "sandbox-token"
CLIENTS = {"sandbox-client": "sandbox-secret"}
LIFETIME = 1800
NO_SCOPE = {"WWW-Authenticate": "insufficent_scope"}       # sic: Xero's spelling


class Token:
    """An access token.  scopes None means all; expires None means never."""

    def __init__(self, client, scopes=None, expires=None, tenants=None, machine=False):
        self.client = client
        self.scopes = scopes
        self.expires = expires
        self.tenants = tenants              # None: every tenant
        self.machine = machine              # client_credentials: the tenant header may be absent

    def allows(self, wanted, method):
        """Whether one of the wanted scopes was granted; .read serves GET."""
        if self.scopes is None or not wanted:
            return True
        for scope in wanted:
            if scope in self.scopes or (method == "GET" and scope + ".read" in self.scopes):
                return True
        return False


class Identity:
    def __init__(self, clock, seed):
        self.clock = clock
        self.reset(seed)

    def reset(self, seed):
        self.seed = seed
        self.issued = 0
        self.tokens = {READY_TOKEN: Token("sandbox-client", machine=True)}

    # tokens --------------------------------------------------------------

    def token(self, authorization, form):
        """POST /connect/token -> the answer's members."""
        grant = form.get("grant_type")
        handler = GRANTS.get(grant)
        client = self._client(authorization, form)
        if not handler:
            raise oauth_error("unsupported_grant_type")
        return handler(self, client, form)

    def _client(self, authorization, form):
        name, secret = form.get("client_id"), form.get("client_secret")
        if authorization.lower().startswith("basic "):
            try:
                pair = base64.b64decode(authorization[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise oauth_error("invalid_client", 401) from None
            name, _, secret = (urllib.parse.unquote_plus(part) for part in pair.partition(":"))
            if CLIENTS.get(name) != secret:
                raise oauth_error("invalid_client", 401)
        if name not in CLIENTS or CLIENTS[name] != secret:
            raise oauth_error("invalid_client")
        return name

    def client_credentials(self, client, form):
        scopes = form.get("scope", "").split()
        return self.issue(Token(client, set(scopes) if scopes else None, self.clock.now() + LIFETIME, machine=True),
                          scopes)

    def issue(self, token, scopes):
        self.issued += 1
        value = f"xat-{seeds.key_of(self.seed, 'token', self.issued):016x}{self.issued:06d}"
        self.tokens[value] = token
        return {"access_token": value, "expires_in": LIFETIME, "token_type": "Bearer", "scope": " ".join(scopes)}

    # checks --------------------------------------------------------------

    def bearer(self, authorization, instance):
        """The token of a call, or 401."""
        kind, _, value = authorization.partition(" ")
        token = self.tokens.get(value.strip()) if kind.lower() == "bearer" else None
        if not token:
            raise security(401, "Unauthorized", "AuthenticationUnsuccessful", instance)
        if token.expires is not None and token.expires <= self.clock.now():
            at = datetime.datetime.utcfromtimestamp(token.expires).strftime("%m/%d/%Y %H:%M:%S")
            raise security(401, "Unauthorized", f"TokenExpired: token expired at {at}", instance)
        return token

    def require(self, token, wanted, method, instance):
        """A missing scope is a 401 that a refresh does not cure."""
        if not token.allows(wanted, method):
            raise security(401, "Unauthorized", "AuthorizationUnsuccessful", instance, NO_SCOPE)

    def tenant(self, token, header, orgs, instance):
        """The organisation a call is about, or 403."""
        if not header and token.machine:
            return next(iter(orgs.values()))
        org = orgs.get((header or "").lower())
        if not org or (token.tenants is not None and org.tenant_id not in token.tenants):
            raise security(403, "Forbidden", "AuthenticationUnsuccessful", instance)
        return org

    def connections(self, token, orgs):
        """GET /connections: a bare array, times with seven digits and no zone."""
        return [{"id": str(org.connection_id), "authEventId": str(org.auth_event_id), "tenantId": org.tenant_id,
                 "tenantType": "ORGANISATION", "tenantName": org.name,
                 "createdDateUtc": "2019-12-07T18:46:19.5165400", "updatedDateUtc": "2026-01-07T18:46:19.5200840"}
                for org in orgs.values() if token.tenants is None or org.tenant_id in token.tenants]


def oauth_error(code, status=400):
    return ApiError(status, json.dumps({"error": code}), "application/json; charset=utf-8")


# grant_type -> method of Identity(client, form)
GRANTS = {"client_credentials": Identity.client_credentials}
