"""Signed tokens with the claims that Xero's have.

Their times are real ones, whatever a test advanced the sandbox's clock by: a
client compares them with its own clock, which no test can advance.
"""
import hashlib
import json
import time

from .. import seeds
from .forgeries import forged
from .keys import b64url

ID_LIFETIME = 300


def encoded(header, claims, sign):
    """header.claims.signature; sign(bytes) -> bytes."""
    parts = [b64url(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) for part in (header, claims)]
    return ".".join([*parts, b64url(sign(".".join(parts).encode()))])


def at_hash(token):
    return b64url(hashlib.sha256(token.encode()).digest()[:16])


class Minter:
    def __init__(self, seed, keys, switches, person):
        self.seed = seed
        self.keys = keys
        self.switches = switches
        self.person = person
        self.minted = 0

    def now(self):
        return int(time.time() + self.switches.skew)

    def _mint(self, claims, forgery):
        key = self.keys.current
        header = {"alg": "RS256", "kid": key.kid, "typ": "JWT", "x5t": key.x5t}
        return encoded(*forged(forgery, header, claims, self.keys))

    def access_token(self, app, scopes, lifetime, base, consent):
        """consent is None for an app that acts for itself."""
        self.minted += 1
        now = self.now()
        claims = {"nbf": now, "exp": now + lifetime, "iss": base, "aud": base + "/resources", "client_id": app.id}
        if consent:
            claims.update({"sub": self.person.subject, "auth_time": consent.at, "xero_userid": self.person.user_id,
                           "global_session_id": consent.session, "sid": consent.session,
                           "authentication_event_id": consent.event})
        claims.update({"jti": f"{seeds.key_of(self.seed, 'jti', self.minted):016X}{self.minted:016X}", "scope": scopes})
        return self._mint(claims, self.switches.access_token)

    def id_token(self, app, scopes, access_token, base, consent, nonce):
        now = self.now()
        claims = {"nbf": now, "exp": now + ID_LIFETIME, "iss": base, "aud": app.id, "iat": now,
                  "at_hash": at_hash(access_token), "sid": consent.session, "auth_time": consent.at, "idp": "local",
                  "amr": ["pwd"], "global_session_id": consent.session, **self.person.claims(scopes)}
        if nonce is not None:
            claims["nonce"] = nonce
        return self._mint(claims, self.switches.id_token)
