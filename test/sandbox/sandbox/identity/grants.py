"""The token and revocation endpoints: codes and refresh tokens in, tokens out.

A code dies when its app first shows it, whatever comes of that.  A refresh
token is good for 60 days, and for 30 minutes more once it was exchanged, so
that a lost answer can be asked for again; each exchange gives another one.
"""
import base64
import hashlib
import re

from .. import seeds
from . import scopes as names
from .access import Access
from .apps import authenticate
from .oauth import oauth_error

CODE_LIFETIME = 300
REFRESH_LIFETIME = 60 * 86_400
GRACE = 1800
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Code:
    def __init__(self, consent, redirect_uri, challenge, nonce, expires):
        self.consent = consent
        self.redirect_uri = redirect_uri
        self.challenge = challenge
        self.nonce = nonce
        self.expires = expires

    def proven_by(self, verifier):
        """A verifier is needed if a challenge was given, and only then."""
        if self.challenge is None or verifier is None:
            return self.challenge is None and verifier is None
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return bool(VERIFIER.fullmatch(verifier)) and digest == self.challenge


class Refresh:
    def __init__(self, consent, expires):
        self.consent = consent
        self.expires = expires

    def exchanged(self, now):
        """Only the first time starts the grace."""
        self.expires = min(self.expires, now + GRACE)


class Grants:
    def __init__(self, seed, clock, switches, minter, access, connections):
        self.seed = seed
        self.clock = clock
        self.switches = switches
        self.minter = minter
        self.access = access
        self.connections = connections
        self.issued = 0
        self.codes = {}
        self.refreshes = {}

    def _secret(self, kind):
        """A text nobody can guess, but that the same seed gives again."""
        self.issued += 1
        digest = hashlib.sha256(f"{seeds.key_of(self.seed, kind, self.issued)} {self.seed} {self.issued}".encode())
        return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()

    def code(self, consent, redirect_uri, challenge, nonce):
        text = self._secret("code")
        self.codes[text] = Code(consent, redirect_uri, challenge, nonce, self.clock.now() + CODE_LIFETIME)
        return text

    # the token endpoint --------------------------------------------------

    def token(self, authorization, form, base):
        """POST /connect/token -> the answer's members."""
        app = authenticate(authorization, form)
        grant = {"authorization_code": self._authorization_code, "refresh_token": self._refresh_token,
                 "client_credentials": self._client_credentials}.get(form.get("grant_type"))
        if "grant_type" not in form:
            raise oauth_error("invalid_request")
        if not grant:
            raise oauth_error("unsupported_grant_type")
        return grant(app, form, base)

    def _authorization_code(self, app, form, base):
        if not form.get("code") or "redirect_uri" not in form:
            raise oauth_error("invalid_request")
        code = self.codes.get(form["code"])
        if not code or code.consent.app is not app:
            raise oauth_error("invalid_grant")
        del self.codes[form["code"]]
        if code.consent.withdrawn or code.expires <= self.clock.now() or code.redirect_uri != form["redirect_uri"] \
                or not code.proven_by(form.get("code_verifier")):
            raise oauth_error("invalid_grant")
        return self._for_person(code.consent, code.consent.scopes, base, code.nonce)

    def _refresh_token(self, app, form, base):
        if not form.get("refresh_token"):
            raise oauth_error("invalid_request")
        refresh = self.refreshes.get(form["refresh_token"])
        if not refresh or refresh.consent.app is not app or refresh.consent.withdrawn \
                or refresh.expires <= self.clock.now() or self.switches.reject_refresh:
            raise oauth_error("invalid_grant")
        scopes = refresh.consent.scopes
        if "scope" in form:
            scopes = self._scopes(form["scope"], scopes)
        refresh.exchanged(self.clock.now())
        return self._for_person(refresh.consent, scopes, base)

    def _client_credentials(self, app, form, base):
        if app.secret is None:
            raise oauth_error("unauthorized_client")
        asked = self._scopes(form["scope"], app.scopes) if form.get("scope", "").strip() else app.scopes
        granted = self.switches.scopes or asked
        access = Access(app.id, granted, self.clock.now() + self.switches.lifetime)
        return self._members(app, access, granted, base)

    @staticmethod
    def _scopes(text, allowed):
        try:
            return names.known(text, allowed)
        except ValueError:
            raise oauth_error("invalid_scope") from None

    def _for_person(self, consent, scopes, base, nonce=None):
        access = Access(consent.app.id, scopes, self.clock.now() + self.switches.lifetime, consent)
        members = self._members(consent.app, access, scopes, base)
        if "openid" in scopes:
            id_token = self.minter.id_token(consent.app, scopes, members["access_token"], base, consent, nonce)
            members = {"id_token": id_token, **members}
        if names.OFFLINE in consent.scopes:
            members["refresh_token"] = self._secret("refresh")
            self.refreshes[members["refresh_token"]] = Refresh(consent, self.clock.now() + REFRESH_LIFETIME)
        return members

    def _members(self, app, access, scopes, base):
        text = self.minter.access_token(app, scopes, self.switches.lifetime, base, access.consent)
        self.access.add(text, access)
        return {"access_token": text, "expires_in": self.switches.lifetime, "token_type": "Bearer",
                "scope": " ".join(scopes)}

    # the revocation endpoint ---------------------------------------------

    def revoke(self, authorization, form):
        """A refresh token takes with it all that the app holds of that person.
        What is no refresh token of the app is none of its business (RFC 7009)."""
        app = authenticate(authorization, form)
        if not form.get("token"):
            raise oauth_error("invalid_request")
        refresh = self.refreshes.get(form["token"])
        if not refresh or refresh.consent.app is not app:
            return
        holder = refresh.consent.holder
        for grant in (*self.codes.values(), *self.refreshes.values()):
            if grant.consent.holder == holder:
                grant.consent.withdrawn = True
        self.connections.remove_all(holder)
