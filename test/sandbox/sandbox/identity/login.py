"""GET /identity/connect/authorize: a person lets an app in, or does not.

As long as it is not clear that the app is who it says, the person is told what
is wrong; after that the app is, by the redirect.  `consent=yes` and
`consent=no` are the page's buttons, `tenant` its boxes; who has not seen the
page may send them at once, and connects every organisation if none is named.
"""
import hashlib
import re
import time
import urllib.parse

from .. import seeds
from ..answer import Answer
from . import page
from . import scopes as names
from .apps import APPS
from .person import EMAIL, Consent

HTML = "text/html; charset=utf-8"
CHALLENGE = re.compile("[A-Za-z0-9_-]{43}")
CLICKS = ("consent", "tenant")


class Refused(Exception):
    """An error that the app is told by the redirect."""


class Login:
    def __init__(self, seed, clock, switches, person, orgs, connections, grants):
        self.clock = clock
        self.switches = switches
        self.person = person
        self.orgs = orgs
        self.connections = connections
        self.grants = grants
        self.ids = seeds.Ids(seed, "logins")
        self.logins = 0

    def answer(self, request):
        pairs = urllib.parse.parse_qsl(request.query, keep_blank_values=True)
        asked = [pair for pair in pairs if pair[0] not in CLICKS]
        params = dict(asked)
        app = APPS.get(params.get("client_id"))
        if len(params) != len(asked):
            return self._sorry("invalid_request", "A parameter was sent twice.")
        if not app:
            return self._sorry("unauthorized_client", "There is no app with this client_id.")
        if not app.may_return_to(params.get("redirect_uri", "")):
            return self._sorry("invalid_request", "This redirect_uri is not registered for the app.")
        tenants = [value for name, value in pairs if name == "tenant"]
        try:
            scopes = self._checked(app, params)
            return self._clicked(app, params, asked, scopes, dict(pairs).get("consent"), tenants)
        except Refused as error:
            return self._back(params, error=str(error))

    @staticmethod
    def _sorry(code, reason):
        return Answer(400, page.refusal(code, reason), HTML)

    @staticmethod
    def _back(params, **members):
        """To the app; its own query string is kept, and its state returned."""
        if "state" in params:
            members["state"] = params["state"]
        uri = params["redirect_uri"]
        location = uri + ("&" if "?" in uri else "?") + urllib.parse.urlencode(members, quote_via=urllib.parse.quote)
        return Answer(302, b"", HTML, {"Location": location, "Cache-Control": "no-store"})

    @staticmethod
    def _checked(app, params):
        """The scopes asked for, once all else is in order."""
        if "response_type" not in params:
            raise Refused("invalid_request")
        if params["response_type"] != "code":
            raise Refused("unsupported_response_type")
        if "code_challenge" in params or "code_challenge_method" in params or app.needs_pkce:
            if params.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(params.get("code_challenge", "")):
                raise Refused("invalid_request")
        try:
            return names.for_login(params.get("scope", ""), app.scopes)
        except ValueError:
            raise Refused("invalid_scope") from None

    def _clicked(self, app, params, asked, scopes, click, tenants):
        orgs = list(self.orgs.values()) if names.reach_organisations(scopes) else []
        if click == "no":
            raise Refused("access_denied")
        if click != "yes":
            return Answer(200, page.consent(app, EMAIL, scopes, orgs, asked), HTML)
        ticked = [tenant.lower() for tenant in tenants if tenant]
        if not set(ticked) <= set(self.orgs):
            return self._sorry("invalid_request", "There is no such organisation.")
        if tenants and not ticked and orgs:
            return Answer(200, page.consent(app, EMAIL, scopes, orgs, asked, "Tick an organisation."), HTML)
        return self._consented(app, params, scopes, (ticked or list(self.orgs)) if orgs else [])

    def _consented(self, app, params, scopes, tenants):
        event = self.ids.of(self.logins)
        session = hashlib.md5(event.encode()).hexdigest()
        self.logins += 1
        granted = self.switches.scopes or scopes
        consent = Consent(app, self.person, granted, event, session, int(time.time() + self.switches.skew))
        self.connections.connect(consent.holder, tenants, event, self.clock.now())
        code = self.grants.code(consent, params["redirect_uri"], params.get("code_challenge"), params.get("nonce"))
        return self._back(params, code=code, scope=" ".join(granted), session_state=session.upper() + "." + event[:8])
