"""Registered apps, and how they prove who they are.

`sandbox-client` and `sandbox-legacy` have a secret.  `sandbox-pkce` is what
Xero calls a mobile or desktop app: no secret, so the code comes with PKCE.
`sandbox-legacy` is from before March 2026, so that no scope is closed to it.
"""
import base64
import binascii
import re
import urllib.parse

from . import scopes as names
from .oauth import oauth_error

# http://localhost with any port and path is registered; 127.0.0.1 is not, as at Xero.
REDIRECT = re.compile(r"http://localhost(:[0-9]{1,5})?(/[!-\"$-~]*)?")


class App:
    def __init__(self, app_id, secret, name, closed=names.CLOSED, starter=False):
        self.id = app_id
        self.secret = secret            # None: it has none
        self.name = name
        self.closed = closed            # scopes that Xero does not let it ask for
        self.starter = starter          # the free tier, for those who start the sandbox with it

    @property
    def scopes(self):
        """What it may ask an organisation for."""
        return [scope for scope in names.API if scope not in self.closed]

    @property
    def needs_pkce(self):
        return self.secret is None

    @staticmethod
    def may_return_to(redirect_uri):
        return bool(REDIRECT.fullmatch(redirect_uri))


APPS = {app.id: app for app in (App("sandbox-client", "sandbox-secret", "Sandbox Ledger", starter=True),
                                App("sandbox-legacy", "sandbox-secret", "Sandbox Archive", closed=frozenset()),
                                App("sandbox-pkce", None, "Sandbox Desktop"))}


def _basic(authorization):
    """(name, secret) of HTTP Basic, both form-encoded before base64 (RFC 6749, 2.3.1)."""
    pair = base64.b64decode(authorization[6:], validate=True).decode()
    name, _, secret = (urllib.parse.unquote_plus(part) for part in pair.partition(":"))
    return name, secret


def claimed_app(authorization, form):
    """Who a call says it is, for the log."""
    if authorization.lower().startswith("basic "):
        try:
            return _basic(authorization)[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return form.get("client_id")


def authenticate(authorization, form):
    """The app that calls: by HTTP Basic, in the form, or by name alone if it
    has no secret.  One way, not two."""
    if authorization.lower().startswith("basic "):
        try:
            name, secret = _basic(authorization)
        except (binascii.Error, UnicodeDecodeError):
            raise oauth_error("invalid_client", 401) from None
        if "client_secret" in form or form.get("client_id", name) != name:
            raise oauth_error("invalid_request")
        status, headers = 401, {"WWW-Authenticate": "Basic"}
    else:
        name, secret = form.get("client_id"), form.get("client_secret")
        status, headers = 400, None
    app = APPS.get(name)
    if not app or app.secret != secret:
        raise oauth_error("invalid_client", status, headers)
    return app
