"""Which app reaches which organisation, and for whom.

An app that acts for itself reaches every organisation from the start.  For a
person it reaches those that were ticked at any login and not disconnected
since, whichever access token of theirs it shows.
"""
import datetime

from .. import seeds
from ..errors import security
from .apps import APPS

SINCE, UPDATED = "2019-12-07T18:46:19.5165400", "2026-01-07T18:46:19.5200840"


def seven_digits(seconds):
    """Xero's times here have seven decimals and no zone."""
    return datetime.datetime.utcfromtimestamp(seconds).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


class Connection:
    def __init__(self, connection_id, event, org, created, updated):
        self.id = connection_id
        self.event = event
        self.org = org
        self.created = created
        self.updated = updated
        self.connected = True

    def shown(self):
        return {"id": self.id, "authEventId": self.event, "tenantId": self.org.tenant_id, "tenantType": "ORGANISATION",
                "tenantName": self.org.name, "createdDateUtc": self.created, "updatedDateUtc": self.updated}


class Connections:
    def __init__(self, seed, orgs):
        self.orgs = orgs
        self.ids = seeds.Ids(seed, "connections of people")
        self.made = 0
        self.held = {(app, None): {tenant: Connection(org.connection_id, org.auth_event_id, org, SINCE, UPDATED)
                                   for tenant, org in orgs.items()} for app in APPS}

    def of(self, holder):
        return [connection for connection in self.held.get(holder, {}).values() if connection.connected]

    def connect(self, holder, tenants, event, now):
        """A connection that was cut comes back as the same one."""
        mine = self.held.setdefault(holder, {})
        at = seven_digits(now)
        for tenant in tenants:
            old = mine.get(tenant)
            if old:
                old.event, old.updated, old.connected = event, at, True
            else:
                mine[tenant] = Connection(self.ids.of(self.made), event, self.orgs[tenant], at, at)
                self.made += 1

    def remove(self, holder, connection_id):
        """Whether there was one to cut."""
        found = [connection for connection in self.of(holder) if connection.id == connection_id.lower()]
        for connection in found:
            connection.connected = False
        return bool(found)

    def remove_all(self, holder):
        for connection in self.of(holder):
            connection.connected = False

    def disconnect(self, tenant):
        """What an organisation's own people do: no app reaches it any more."""
        if tenant not in self.orgs:
            raise ValueError(f"no such organisation: {tenant}")
        for connections in self.held.values():
            if tenant in connections:
                connections[tenant].connected = False

    def tenant(self, token, header, instance):
        """The organisation a call is about, or 403."""
        tenant = header.lower()
        if not tenant and token.machine:
            tenant = next(iter(self.orgs), "")
        connection = self.held.get(token.holder, {}).get(tenant)
        if not connection or not connection.connected:
            raise security(403, "Forbidden", "AuthenticationUnsuccessful", instance)
        return tenant
