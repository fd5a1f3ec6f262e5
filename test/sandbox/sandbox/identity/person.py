"""The one who logs in, with a name that needs UTF-8."""
from .. import seeds

EMAIL = "zoe.obrien@example.com"


class Person:
    def __init__(self, seed):
        self.user_id = seeds.Ids(seed, "xero users").of(0)
        self.subject = f"{seeds.key_of(seed, 'subject', 1):016x}{seeds.key_of(seed, 'subject', 2):016x}"

    def claims(self, scopes):
        """What these scopes tell about the person."""
        claims = {"sub": self.subject, "xero_userid": self.user_id}
        if "profile" in scopes:
            claims.update({"preferred_username": EMAIL, "given_name": "Zoë", "family_name": "O’Brien-Łuk",
                           "name": "Zoë O’Brien-Łuk"})
        if "email" in scopes:
            claims["email"] = EMAIL
        return claims


class Consent:
    """What a person allowed an app at one login."""

    def __init__(self, app, person, scopes, event, session, at):
        self.app = app
        self.person = person
        self.scopes = scopes
        self.event = event              # authentication_event_id, authEventId
        self.session = session
        self.at = at                    # real time, for auth_time
        self.withdrawn = False

    @property
    def holder(self):
        return self.app.id, self.person.subject

    def about(self):
        """Answer of userinfo."""
        return self.person.claims(self.scopes)
