#!/usr/bin/python3
"""Another program of the same app, which calls evenly and asks nobody.

outsider.py URL TENANT CALLS

makes so many calls a minute to an organisation of the sandbox at URL, as
`sandbox-client`, until it is ended.  A call that is refused is not repeated.
The sandbox's log shows them by their user agent, "outsider".
"""
import base64
import http.client
import json
import sys
import time
import urllib.parse

NAME = "outsider"
APP = base64.b64encode(b"sandbox-client:sandbox-secret").decode()


def ask(connection, method, path, body, headers):
    connection.request(method, path, body, {"User-Agent": NAME, "Accept": "application/json", **headers})
    response = connection.getresponse()
    return response.status, response.read()


def token(connection):
    _, body = ask(connection, "POST", "/connect/token", "grant_type=client_credentials",
                  {"Authorization": f"Basic {APP}", "Content-Type": "application/x-www-form-urlencoded"})
    return json.loads(body)["access_token"]


def spend(url, tenant, calls):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token(connection)}", "Xero-Tenant-Id": tenant}
    due = time.monotonic()
    while True:
        status, body = ask(connection, "GET", "/api.xro/2.0/Currencies", None, headers)
        if status not in (200, 429):
            sys.exit(f"{NAME}: {status} {body[:200]}")
        due += 60 / calls
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    spend(sys.argv[1], sys.argv[2], int(sys.argv[3]))
