"""The identity server over the wire: login, tokens, connections, and what a
test can have it do wrong.  Signatures are checked by arithmetic of our own."""
import base64
import hashlib
import hmac
import html.parser
import http.client
import json
import os
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.running import Sandbox  # noqa: E402

AUTHORIZE = "/identity/connect/authorize"
BACK = "http://localhost:8912/back?kept=1"
SCOPES = "openid profile email offline_access accounting.invoices.read accounting.settings"
VERIFIER = "an-unguessable.verifier_of~more-than-43-characters"
BASIC = "Basic " + base64.b64encode(b"sandbox-client:sandbox-secret").decode()
DAY = 86_400
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def unpack(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token):
    """(header, claims) of a token, unverified."""
    return tuple(json.loads(unpack(part)) for part in token.split(".")[:2])


def signed_by(token, key):
    """RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017."""
    n, e = (int.from_bytes(unpack(key[name]), "big") for name in ("n", "e"))
    length = (n.bit_length() + 7) // 8
    message, _, signature = token.rpartition(".")
    expected = SHA256_INFO + hashlib.sha256(message.encode()).digest()
    padded = b"\0\1" + b"\xff" * (length - 3 - len(expected)) + b"\0" + expected
    return pow(int.from_bytes(unpack(signature), "big"), e, n).to_bytes(length, "big") == padded


class Page(html.parser.HTMLParser):
    """The form of a login page: inputs and buttons."""

    def __init__(self, text):
        super().__init__()
        self.inputs, self.buttons = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        {"input": self.inputs, "button": self.buttons}.get(tag, []).append(dict(attributes))


class IdentityCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--tenants", "3", "--no-limits")

    @classmethod
    def tearDownClass(cls):
        assert cls.sandbox.stop() == 0

    def setUp(self):
        self.tenants = self.sandbox.control("reset", {})["tenants"]

    def authorize(self, **changes):
        """(status, Location, page); None takes a parameter away."""
        params = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": BACK, "scope": SCOPES,
                  "state": "s t&ate", "nonce": "n-1", "consent": "yes", **changes}
        query = urllib.parse.urlencode({n: v for n, v in params.items() if v is not None}, doseq=True)
        status, headers, body = self.sandbox.call(f"{AUTHORIZE}?{query}", Authorization=None)
        return status, headers["Location"], body.decode()

    def redirected(self, **changes):
        """The query members that the app gets back."""
        status, location, _ = self.authorize(**changes)
        self.assertEqual(status, 302)
        self.assertTrue(location.startswith("http://localhost"))
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))

    def code(self, **changes):
        return self.redirected(**changes)["code"]

    def post(self, path, authorization, **form):
        status, _, body = self.sandbox.call(path, "POST", urllib.parse.urlencode(form), Authorization=authorization,
                                            Content_Type="application/x-www-form-urlencoded")
        return status, json.loads(body) if body else None

    def token(self, authorization=BASIC, **form):
        return self.post("/connect/token", authorization, **form)

    def exchange(self, code, **form):
        return self.token(**{"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **form})

    def refresh(self, token, **form):
        return self.token(grant_type="refresh_token", refresh_token=token, **form)

    def login(self, **changes):
        """The token endpoint's answer to a login."""
        status, answer = self.exchange(self.code(**changes))
        self.assertEqual(status, 200, answer)
        return answer

    def assert_refused(self, answer, error, status=400):
        self.assertEqual(answer, (status, {"error": error}))

    def advance(self, seconds):
        self.sandbox.control("clock", {"advance": seconds})

    def switch(self, **members):
        return self.sandbox.control("identity", members)

    def call(self, path, token, method="GET", **headers):
        status, answered, body = self.sandbox.call(path, method, Authorization="Bearer " + token, **headers)
        return status, json.loads(body) if body else answered["WWW-Authenticate"]

    def invoices(self, token, tenant, method="GET"):
        return self.call("/api.xro/2.0/Invoices?page=1&pageSize=1", token, method, xero_tenant_id=tenant)

    def published(self):
        return {key["kid"]: key for key in self.call("/.well-known/openid-configuration/jwks", "-")[1]["keys"]}


class Login(IdentityCase):
    def test_consent_at_once(self):
        back = self.redirected()
        self.assertEqual((back["kept"], back["state"], back["scope"]), ("1", "s t&ate", SCOPES))
        self.assertEqual(self.redirected(state=None).get("state"), None)

    def test_page_can_be_clicked(self):
        status, _, text = self.authorize(consent=None, state='"><script>')
        self.assertEqual(status, 200)
        self.assertNotIn("<script>", text)
        page = Page(text)
        boxes = [i for i in page.inputs if i["type"] == "checkbox"]
        hidden = [(i["name"], i["value"]) for i in page.inputs if i["type"] == "hidden"]
        self.assertEqual([box["value"] for box in boxes], self.tenants)
        self.assertEqual([b["value"] for b in page.buttons], ["yes", "no"])
        query = urllib.parse.urlencode([*hidden, ("tenant", self.tenants[1]), ("consent", "yes")])
        status, headers, _ = self.sandbox.call(f"{AUTHORIZE}?{query}", Authorization=None)
        back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["Location"]).query))
        self.assertEqual((status, back["state"]), (302, '"><script>'))
        token = self.exchange(back["code"])[1]["access_token"]
        self.assertEqual([c["tenantId"] for c in self.call("/connections", token)[1]], [self.tenants[1]])
        status, headers, body = self.sandbox.call(f"{AUTHORIZE}?{urllib.parse.urlencode([*hidden, ('consent', 'yes')])}")
        self.assertEqual((status, b"Tick an organisation" in body), (200, True))

    def test_cancel(self):
        self.assertEqual(self.redirected(consent="no"), {"kept": "1", "error": "access_denied", "state": "s t&ate"})

    def test_who_is_not_known_is_not_sent_back(self):
        for changes in ({"client_id": "nobody"}, {"client_id": None}, {"redirect_uri": None},
                        {"redirect_uri": "http://127.0.0.1:8912/back"}, {"redirect_uri": "https://localhost/back"},
                        {"redirect_uri": "http://localhost.example.com/"}, {"redirect_uri": "http://localhost:1@x.org/"},
                        {"redirect_uri": "http://localhost/#part"}, {"state": ["one", "two"]},
                        {"tenant": "00000000-0000-0000-0000-000000000000"}):
            status, location, text = self.authorize(**changes)
            self.assertEqual((status, location), (400, None), changes)
            self.assertIn("Error:", text)

    def test_what_is_wrong_is_told_to_the_app(self):
        challenge = b64url(hashlib.sha256(VERIFIER.encode()).digest())
        for error, changes in (
                ("unsupported_response_type", {"response_type": "token"}), ("invalid_request", {"response_type": None}),
                ("invalid_scope", {"scope": "openid accounting.everything"}), ("invalid_scope", {"scope": None}),
                ("invalid_scope", {"scope": "profile accounting.settings"}),
                ("invalid_request", {"client_id": "sandbox-pkce"}),
                ("invalid_request", {"code_challenge": challenge}),
                ("invalid_request", {"code_challenge": VERIFIER, "code_challenge_method": "plain"}),
                ("invalid_request", {"code_challenge": "short", "code_challenge_method": "S256"})):
            self.assertEqual(self.redirected(**changes).get("error"), error, changes)

    def test_granular_scopes(self):
        for app in ("sandbox-client", "sandbox-legacy"):
            scope = "accounting.reports.profitandloss.read payroll.employees accounting.invoices"
            self.assertEqual(self.redirected(client_id=app, scope=scope)["scope"], scope)

    # One closed scope refuses the whole consent: crude-xero; XeroAPI/xero-mcp-server#298, #302.  Which ones are closed to
    # apps from 2 March 2026 on (custom connections from 29 April): Xero's scopes page and its changelog of 2026.
    CLOSED = ("accounting.transactions", "accounting.transactions.read", "accounting.reports.read",
              "accounting.journals.read", "accounting.classicexpenses", "accounting.classicexpenses.read",
              "finance.accountingactivity.read", "finance.bankstatementsplus.read", "finance.cashvalidation.read",
              "finance.statements.read")

    def test_closed_scopes(self):
        challenge = {"code_challenge": b64url(hashlib.sha256(VERIFIER.encode()).digest()), "code_challenge_method": "S256"}
        for scope in self.CLOSED:
            asked = f"openid {scope} accounting.settings"
            for app in ({"client_id": "sandbox-client"}, {"client_id": "sandbox-pkce", **challenge}):
                self.assertEqual(self.redirected(scope=asked, **app).get("error"), "invalid_scope", asked)
            self.assertEqual(self.redirected(scope=asked, client_id="sandbox-legacy")["scope"], asked)

    def test_pkce(self):
        challenge = b64url(hashlib.sha256(VERIFIER.encode()).digest())
        asked = {"client_id": "sandbox-pkce", "code_challenge": challenge, "code_challenge_method": "S256"}
        named = {"authorization": None, "client_id": "sandbox-pkce"}
        for wrong in ({}, {"code_verifier": VERIFIER + "x"}, {"code_verifier": challenge}, {"code_verifier": "x"}):
            self.assert_refused(self.exchange(self.code(**asked), **named, **wrong), "invalid_grant")
        status, answer = self.exchange(self.code(**asked), **named, code_verifier=VERIFIER)
        self.assertEqual(status, 200)
        self.assertEqual(self.refresh(answer["refresh_token"], **named)[0], 200)
        self.assert_refused(self.refresh(answer["refresh_token"]), "invalid_grant")
        self.assert_refused(self.exchange(self.code(), code_verifier=VERIFIER), "invalid_grant")
        self.assert_refused(self.token(**named, grant_type="client_credentials"), "unauthorized_client")


class Tokens(IdentityCase):
    def test_claims(self):
        answer = self.login()
        self.assertEqual((answer["expires_in"], answer["token_type"], answer["scope"]), (1800, "Bearer", SCOPES))
        keys, now = self.published(), time.time()
        header, access = parts(answer["access_token"])
        self.assertEqual((header["alg"], header["typ"]), ("RS256", "JWT"))
        self.assertTrue(signed_by(answer["access_token"], keys[header["kid"]]))
        self.assertFalse(signed_by(answer["access_token"][::-1].replace(".", "x", 1)[::-1], keys[header["kid"]]))
        self.assertEqual((access["iss"], access["aud"], access["client_id"], access["scope"]),
                         (self.sandbox.url, self.sandbox.url + "/resources", "sandbox-client", SCOPES.split()))
        self.assertEqual(access["exp"] - access["nbf"], 1800)
        self.assertLess(abs(access["nbf"] - now), 5)
        header, claims = parts(answer["id_token"])
        self.assertTrue(signed_by(answer["id_token"], keys[header["kid"]]))
        self.assertEqual((claims["iss"], claims["aud"], claims["nonce"], claims["sub"]),
                         (self.sandbox.url, "sandbox-client", "n-1", access["sub"]))
        self.assertEqual(claims["exp"] - claims["iat"], 300)
        self.assertEqual(claims["at_hash"], b64url(hashlib.sha256(answer["access_token"].encode()).digest()[:16]))
        self.assertEqual((claims["given_name"], claims["email"]), ("Zoë", "zoe.obrien@example.com"))
        self.assertEqual(claims["sid"], access["global_session_id"])
        about = self.call("/connect/userinfo", answer["access_token"])[1]
        self.assertEqual({name: claims[name] for name in about}, about)
        self.assertEqual(self.call("/.well-known/openid-configuration", "-")[1]["issuer"], self.sandbox.url)

    def test_claims_are_those_of_the_scopes(self):
        answer = self.login(scope="openid accounting.settings", nonce=None)
        self.assertNotIn("refresh_token", answer)
        self.assertFalse({"email", "given_name", "nonce"} & set(parts(answer["id_token"])[1]))
        answer = self.login(scope="offline_access accounting.settings")
        self.assertNotIn("id_token", answer)
        self.assertEqual(self.call("/connect/userinfo", answer["access_token"]),
                         (403, 'Bearer error="insufficient_scope"'))
        self.assertEqual(self.call("/connect/userinfo", "x"), (401, 'Bearer error="invalid_token"'))

    def test_code_is_good_once_for_five_minutes_and_one_address(self):
        code = self.code()
        self.assertEqual(self.exchange(code)[0], 200)
        self.assert_refused(self.exchange(code), "invalid_grant")
        code = self.code()
        self.assert_refused(self.exchange(code, redirect_uri=BACK + "&"), "invalid_grant")
        self.assert_refused(self.exchange(code), "invalid_grant")
        code = self.code()
        self.advance(299)
        self.assertEqual(self.exchange(code)[0], 200)
        code = self.code()
        self.advance(300)
        self.assert_refused(self.exchange(code), "invalid_grant")

    def test_client_authentication(self):
        right = {"grant_type": "client_credentials"}
        good = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        self.assertEqual(self.token(None, **right, **good)[0], 200)
        self.assertEqual(self.token(**right, client_id="sandbox-client")[0], 200)
        self.assert_refused(self.token(None, **right), "invalid_client")
        self.assert_refused(self.token(None, **right, client_id="sandbox-client"), "invalid_client")
        self.assert_refused(self.token(None, **right, client_id="sandbox-pkce", client_secret=""), "invalid_client")
        self.assert_refused(self.token("Basic " + base64.b64encode(b"sandbox-client:x").decode(), **right),
                            "invalid_client", 401)
        self.assert_refused(self.token("Basic !", **right), "invalid_client", 401)
        self.assert_refused(self.token(**right, **good), "invalid_request")
        self.assert_refused(self.token(**right, client_id="sandbox-pkce"), "invalid_request")

    def test_malformed_requests(self):
        self.assert_refused(self.token(), "invalid_request")
        self.assert_refused(self.token(grant_type="password"), "unsupported_grant_type")
        self.assert_refused(self.token(grant_type="authorization_code"), "invalid_request")
        self.assert_refused(self.token(grant_type="refresh_token"), "invalid_request")
        status, _, body = self.sandbox.call("/connect/token", "POST", "grant_type=a&grant_type=b", Authorization=BASIC)
        self.assertEqual((status, json.loads(body)), (400, {"error": "invalid_request"}))
        status, _, body = self.sandbox.call("/connect/token", "POST", "{}", Authorization=BASIC,
                                            Content_Type="application/json")
        self.assertEqual((status, json.loads(body)), (400, {"error": "invalid_request"}))
        self.assertEqual(self.sandbox.call("/connect/token")[0], 405)
        self.assertEqual(self.sandbox.call("/connect/other")[0], 404)

    def test_client_credentials(self):
        status, answer = self.token(grant_type="client_credentials", scope="accounting.settings.read")
        self.assertEqual((status, answer["scope"]), (200, "accounting.settings.read"))
        self.assertEqual(set(answer), {"access_token", "expires_in", "token_type", "scope"})
        header, claims = parts(answer["access_token"])
        self.assertTrue(signed_by(answer["access_token"], self.published()[header["kid"]]))
        self.assertNotIn("sub", claims)
        self.assertEqual(self.call("/api.xro/2.0/Accounts", answer["access_token"])[0], 200)
        for scope in ("offline_access", "openid", "nonsense"):
            self.assert_refused(self.token(grant_type="client_credentials", scope=scope), "invalid_scope")

    def test_closed_scopes_of_custom_connections(self):
        legacy = {"authorization": None, "client_id": "sandbox-legacy", "client_secret": "sandbox-secret"}
        for scope in Login.CLOSED:
            asked = {"grant_type": "client_credentials", "scope": "accounting.settings " + scope}
            self.assert_refused(self.token(**asked), "invalid_scope")
            self.assertEqual(self.token(**legacy, **asked)[1]["scope"], asked["scope"])

    def test_what_is_closed_is_not_granted_unasked(self):
        """Without a scope, a token has all that the app has."""
        legacy = {"authorization": None, "client_id": "sandbox-legacy", "client_secret": "sandbox-secret"}
        token = self.token(grant_type="client_credentials")[1]["access_token"]
        old = self.token(**legacy, grant_type="client_credentials")[1]["access_token"]
        for name in ("Journals", "ExpenseClaims", "Receipts"):
            self.assertEqual(self.call("/api.xro/2.0/" + name, token)[0], 401, name)
            self.assertEqual(self.call("/api.xro/2.0/" + name, old)[0], 200, name)
            self.assertEqual(self.call("/api.xro/2.0/" + name, "sandbox-token")[0], 200, name)
        self.assertEqual(self.invoices(token, "")[0], 200)

    # The tier Starter has 1,000 calls a day and organisation, all others 5,000; custom connections are exempt from the
    # tiers: Xero's pricing of 2 March 2026, by "Manuva 03" of 1 October 2026.
    def test_starter(self):
        def left(token):
            return self.sandbox.call("/api.xro/2.0/Invoices?page=1&pageSize=1", Authorization="Bearer " + token,
                                     xero_tenant_id=self.tenants[0])[1]["X-DayLimit-Remaining"]

        def logins():
            back = self.redirected(client_id="sandbox-legacy")
            old = self.exchange(back["code"], authorization=None, client_id="sandbox-legacy", client_secret="sandbox-secret")
            return self.login()["access_token"], old[1]["access_token"]

        for starter, remaining in ((True, "999"), (False, "4999")):
            self.sandbox.control("reset", {"starter": starter, "limits": True})
            new, old = logins()
            self.assertEqual((left(new), left(old)), (remaining, "4999"))
            machine = self.token(grant_type="client_credentials")[1]["access_token"]
            self.assertEqual((left(machine), left("sandbox-token")), ("4998", "4997"))     # one app, one count
        self.sandbox.control("reset", {"starter": True, "limits": True, "day_limit": 2})
        new, old = logins()
        self.assertEqual((left(new), left(old)), ("1", "1"))

    def test_rotation_and_grace(self):
        first = self.login()["refresh_token"]
        status, answer = self.refresh(first)
        second = answer["refresh_token"]
        self.assertEqual((status, first == second), (200, False))
        self.assertNotIn("nonce", parts(answer["id_token"])[1])
        self.advance(1790)
        status, answer = self.refresh(first)                    # the answer was lost, say
        self.assertEqual(status, 200)
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)
        self.advance(10)                                        # a repetition does not prolong the grace
        self.assert_refused(self.refresh(first), "invalid_grant")
        self.assertEqual(self.refresh(second)[0], 200)
        self.assertEqual(self.refresh(answer["refresh_token"])[0], 200)

    def test_refresh_tokens_live_60_days(self):
        first = self.login()["refresh_token"]
        self.advance(60 * DAY - 10)
        second = self.refresh(first)[1]["refresh_token"]
        self.advance(11)
        self.assert_refused(self.refresh(first), "invalid_grant")
        self.assertEqual(self.refresh(second)[0], 200)

    def test_a_refresh_widens_no_scope(self):
        token = self.login()["refresh_token"]
        self.assert_refused(self.refresh(token, scope=SCOPES + " files"), "invalid_scope")
        narrow = self.refresh(token, scope="accounting.settings")[1]
        self.assertEqual(narrow["scope"], "accounting.settings")
        self.assertEqual(self.invoices(narrow["access_token"], self.tenants[0])[0], 401)
        self.assertEqual(self.refresh(narrow["refresh_token"])[1]["scope"], SCOPES)

    def test_lost_answers(self):
        token = self.login()["refresh_token"]
        for drop, rotated in (("before", False), ("after", True)):
            self.sandbox.control("faults", [{"path": "/connect/token", "drop": drop, "times": 1}])
            with self.assertRaises((http.client.HTTPException, ConnectionError)):
                self.refresh(token)
            status, answer = self.refresh(token)
            self.assertEqual(status, 200)
            self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)
        entries = [e for e in self.sandbox.control("log") if e["path"] == "/connect/token"]
        self.assertEqual([e["status"] for e in entries], [200, None, 200, 200, 200])
        self.assertEqual(entries[1]["body"], "grant_type=refresh_token&refresh_token=" + token)
        self.assertEqual({e["client_id"] for e in entries}, {"sandbox-client"})
        code = self.code()
        self.sandbox.control("faults", [{"path": "/connect/token", "drop": "after", "times": 1}])
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.exchange(code)
        self.assert_refused(self.exchange(code), "invalid_grant")

    def test_faults_of_every_path(self):
        for method, path in (("GET", AUTHORIZE), ("POST", "/connect/token"), ("POST", "/connect/revocation"),
                             ("GET", "/connect/userinfo"), ("GET", "/connections"), ("DELETE", "/connections/x"),
                             ("GET", "/.well-known/openid-configuration"),
                             ("GET", "/.well-known/openid-configuration/jwks")):
            self.sandbox.control("faults", [{"path": path, "status": 503, "times": 1}, {"path": path, "drop": "before"}])
            self.assertEqual(self.sandbox.call(path, method)[0], 503)
            with self.assertRaises((http.client.HTTPException, ConnectionError), msg=path):
                self.sandbox.call(path, method)

    def test_revocation(self):
        answer, other = self.login(), self.login()
        self.assertEqual(self.post("/connect/revocation", BASIC, token="unknown"), (200, None))
        self.assertEqual(self.post("/connect/revocation", None, client_id="sandbox-pkce", token=answer["refresh_token"]),
                         (200, None))
        self.assert_refused(self.post("/connect/revocation", BASIC), "invalid_request")
        self.assert_refused(self.post("/connect/revocation", None, token="x"), "invalid_client")
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)
        self.assertEqual(self.post("/connect/revocation", BASIC, token=answer["refresh_token"]), (200, None))
        for token in (answer, other):
            self.assert_refused(self.refresh(token["refresh_token"]), "invalid_grant")
            self.assertEqual(self.call("/connections", token["access_token"]), (200, []))
            self.assertEqual(self.invoices(token["access_token"], self.tenants[0])[0], 403)
        self.assertEqual(self.refresh(self.login()["refresh_token"])[0], 200)

    def test_expiry_and_scopes(self):
        token = self.login()["access_token"]
        self.assertEqual(self.call("/api.xro/2.0/Contacts", token, xero_tenant_id=self.tenants[0])[1]["Detail"],
                         "AuthorizationUnsuccessful")
        self.advance(1800)
        status, body = self.invoices(token, self.tenants[0])
        self.assertEqual((status, body["Detail"][:13]), (401, "TokenExpired:"))
        self.assertEqual(self.call("/connections", token)[0], 401)


class Organisations(IdentityCase):
    def test_connections_of_a_login(self):
        first = self.login(tenant=self.tenants[0])["access_token"]
        second = self.login(tenant=[self.tenants[1], self.tenants[2]])["access_token"]
        everything = self.call("/connections", first)[1]
        self.assertEqual([c["tenantId"] for c in everything], self.tenants)
        self.assertEqual(set(everything[0]), {"id", "authEventId", "tenantId", "tenantType", "tenantName",
                                              "createdDateUtc", "updatedDateUtc"})
        self.assertRegex(everything[0]["createdDateUtc"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}$")
        event = parts(second)[1]["authentication_event_id"]
        filtered = self.call("/connections?authEventId=" + event, first)[1]
        self.assertEqual([c["tenantId"] for c in filtered], self.tenants[1:])
        self.assertEqual(self.invoices(first, self.tenants[2])[0], 200)
        self.assertEqual(self.invoices(first, "")[0], 403)
        self.assertEqual(self.call("/connections", self.login(scope="openid")["access_token"])[1], everything)

    # DELETE takes the id of the connection, not of the tenant, and answers 204: xero-identity.yaml.
    def test_disconnecting(self):
        token = self.login()["access_token"]
        gone, *rest = self.call("/connections", token)[1]
        self.assertEqual(self.call("/connections/" + gone["tenantId"], token, "DELETE")[0], 404)
        self.assertEqual(self.call("/connections/" + gone["id"], "sandbox-token", "DELETE")[0], 404)
        self.assertEqual(self.call("/connections/" + gone["id"], token, "DELETE")[0], 204)
        self.assertEqual(self.call("/connections/" + gone["id"], token, "DELETE")[0], 404)
        self.assertEqual(self.call("/connections", token)[1], rest)
        status, body = self.invoices(token, gone["tenantId"])
        self.assertEqual((status, body["Title"], body["Detail"]), (403, "Forbidden", "AuthenticationUnsuccessful"))
        self.assertEqual(self.invoices("sandbox-token", gone["tenantId"])[0], 200)
        self.assertEqual([self.invoices(token, other["tenantId"])[0] for other in rest], [200, 200])
        self.advance(60)
        again = self.call("/connections", self.login()["access_token"])[1][0]
        self.assertEqual((again["id"], again["createdDateUtc"]), (gone["id"], gone["createdDateUtc"]))
        self.assertGreater(again["updatedDateUtc"], gone["updatedDateUtc"])

    def test_disconnected_by_the_organisation(self):
        token = self.login()["access_token"]
        self.switch(disconnect=self.tenants[0])
        for bearer in (token, "sandbox-token"):
            self.assertEqual(self.invoices(bearer, self.tenants[0])[0], 403)
            self.assertEqual(self.invoices(bearer, self.tenants[1])[0], 200)
        self.assertEqual(self.invoices("sandbox-token", "")[0], 403)


class Switches(IdentityCase):
    def test_flaws_of_claims(self):
        sound = parts(self.login()["id_token"])[1]
        for flaw, name in (("wrong_iss", "iss"), ("wrong_aud", "aud"), ("wrong_sub", "sub"), ("wrong_nonce", "nonce"),
                           ("no_nonce", "nonce"), ("no_exp", "exp"), ("wrong_at_hash", "at_hash")):
            self.switch(id_token=flaw)
            answer = self.login()
            header, claims = parts(answer["id_token"])
            if name != "at_hash":
                self.assertNotEqual(claims.get(name), sound[name], flaw)
            self.assertEqual(claims.get("at_hash") == b64url(hashlib.sha256(answer["access_token"].encode()).digest()[:16]),
                             name != "at_hash")
            self.assertTrue(signed_by(answer["id_token"], self.published()[header["kid"]]))
            self.assertEqual(parts(answer["access_token"])[1]["iss"], self.sandbox.url)
        self.switch(id_token="stale", access_token="early")
        answer = self.login()
        self.assertLess(parts(answer["id_token"])[1]["exp"], time.time())
        self.assertGreater(parts(answer["access_token"])[1]["nbf"], time.time() + 1800)
        self.switch(id_token=None, access_token="wrong_client")
        self.assertEqual(parts(self.login()["access_token"])[1]["client_id"], "somebody-else")
        self.switch(access_token=None, skew=-600)
        answer = self.login()
        self.assertLess(abs(parts(answer["id_token"])[1]["iat"] + 600 - time.time()), 5)
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)

    def test_flaws_of_signatures(self):
        for flaw in ("alg_none", "hs256", "wrong_key", "unknown_kid"):
            self.switch(id_token=flaw, access_token=flaw)
            answer = self.login()
            keys = self.published()
            for token in (answer["id_token"], answer["access_token"]):
                header = parts(token)[0]
                self.assertEqual(header["kid"] in keys, flaw != "unknown_kid")
                self.assertEqual(header["alg"], {"alg_none": "none", "hs256": "HS256"}.get(flaw, "RS256"))
                self.assertFalse(any(signed_by(token, key) for key in keys.values()))
            self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)

    def test_alg_confusion_signs_with_the_public_key(self):
        self.switch(id_token="hs256")
        message, _, signature = self.login()["id_token"].rpartition(".")
        n = unpack(list(self.published().values())[-1]["n"])            # the current one comes last
        info = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100") + n + b"\2\3\1\0\1"
        text = base64.b64encode(info).decode()
        lines = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
        pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
        self.assertEqual(unpack(signature), hmac.new(pem.encode(), message.encode(), hashlib.sha256).digest())

    def test_rotation_of_keys(self):
        old, before = self.login()["id_token"], self.published()
        self.switch(rotate_keys=True)
        new, after = self.login()["id_token"], self.published()
        self.assertNotIn(parts(new)[0]["kid"], before)
        self.assertTrue(signed_by(new, after[parts(new)[0]["kid"]]))
        self.assertTrue(signed_by(old, after[parts(old)[0]["kid"]]))
        self.switch(rotate_keys=True)
        self.assertNotIn(parts(old)[0]["kid"], self.published())

    def test_refresh_rejected_and_tokens_expired(self):
        answer = self.login()
        self.switch(reject_refresh=True)
        self.assert_refused(self.refresh(answer["refresh_token"]), "invalid_grant")
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 200)
        self.switch(expire_tokens=True, reject_refresh=None)
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[1]["Detail"][:13], "TokenExpired:")
        self.assertEqual(self.invoices("sandbox-token", self.tenants[0])[0], 200)
        token = self.refresh(answer["refresh_token"])[1]["access_token"]
        self.assertEqual(self.invoices(token, self.tenants[0])[0], 200)

    def test_scopes_and_lifetime(self):
        self.switch(scopes=["openid", "offline_access", "accounting.settings"], lifetime=7)
        answer = self.login()
        self.assertEqual((answer["scope"], answer["expires_in"]), ("openid offline_access accounting.settings", 7))
        self.assertEqual(self.invoices(answer["access_token"], self.tenants[0])[0], 401)
        self.advance(7)
        self.assertEqual(self.call("/connections", answer["access_token"])[0], 401)
        self.assertEqual(self.refresh(answer["refresh_token"])[1]["scope"], answer["scope"])

    def test_nonsense_changes_nothing(self):
        usual = self.switch()
        for members in ({"id_token": "wrong_client"}, {"access_token": "no_nonce"}, {"skew": "1"}, {"lifetime": 0},
                        {"scopes": ["nonsense"]}, {"scopes": []}, {"reject_refresh": 1}, {"other": 1},
                        {"lifetime": 5, "skew": True}, {"disconnect": "nobody"}, {"rotate_keys": True, "skew": 1.5}):
            status, _, _ = self.sandbox.call("/sandbox/identity", "POST", json.dumps(members))
            self.assertEqual(status, 400, members)
        self.assertEqual(self.switch(), usual)


if __name__ == "__main__":
    unittest.main()
