"""Access tokens, and what they admit to.

The sandbox knows a token by its text: a forged one that it gave out itself is
as good as any other here, so that only the client can refuse it.
"""
import datetime

from ..errors import ApiError, security

READY_TOKEN = "sandbox-token"
NO_SCOPE = {"WWW-Authenticate": "insufficent_scope"}       # sic: Xero's spelling


class Access:
    """One token.  scopes None means all; expires None means never."""

    def __init__(self, client, scopes=None, expires=None, consent=None):
        self.client = client
        self.scopes = scopes
        self.expires = expires
        self.consent = consent              # None: the app acts for itself

    @property
    def machine(self):
        return self.consent is None

    @property
    def starter(self):
        """Whether the tier Starter would count for it: an app's own tokens are
        a custom connection's, which no tier is for."""
        return not self.machine and self.consent.app.starter

    @property
    def holder(self):
        """Whose connections count."""
        return (self.client, None) if self.machine else self.consent.holder

    def allows(self, wanted, method):
        """Whether one of the wanted scopes was granted; .read serves GET."""
        if self.scopes is None or not wanted:
            return True
        for scope in wanted:
            if scope in self.scopes or (method == "GET" and scope + ".read" in self.scopes):
                return True
        return False


class AccessTokens:
    def __init__(self, clock):
        self.clock = clock
        self.tokens = {READY_TOKEN: Access("sandbox-client")}

    def add(self, text, access):
        self.tokens[text] = access

    def find(self, authorization):
        kind, _, text = authorization.partition(" ")
        return self.tokens.get(text.strip()) if kind.lower() == "bearer" else None

    def _expired(self, token):
        return token.expires is not None and token.expires <= self.clock.now()

    def expire_all(self):
        for token in self.tokens.values():
            if token.expires is not None:
                token.expires = min(token.expires, self.clock.now())

    def bearer(self, authorization, instance):
        """The token of a call, or 401."""
        token = self.find(authorization)
        if not token:
            raise security(401, "Unauthorized", "AuthenticationUnsuccessful", instance)
        if self._expired(token):
            at = datetime.datetime.utcfromtimestamp(token.expires).strftime("%m/%d/%Y %H:%M:%S")
            raise security(401, "Unauthorized", f"TokenExpired: token expired at {at}", instance)
        return token

    def require(self, token, wanted, method, instance):
        """A missing scope is a 401 that a refresh does not cure."""
        if not token.allows(wanted, method):
            raise security(401, "Unauthorized", "AuthorizationUnsuccessful", instance, NO_SCOPE)

    def person(self, authorization):
        """The consent that userinfo tells about; it refuses as RFC 6750 says,
        unlike the APIs."""
        token = self.find(authorization)
        if not token or self._expired(token):
            raise ApiError(401, b"", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if token.machine or "openid" not in token.scopes:
            raise ApiError(403, b"", headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
        return token.consent
