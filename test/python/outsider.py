#!/usr/bin/python3
"""Another program of the same app, which asks nobody.

outsider.py URL TENANT CALLS

wants so many calls a minute, at random times, to an organisation of the sandbox
at URL, as `sandbox-client`, and goes on until it is ended.  It makes one call
at a time; when one is refused it waits as long as it is told, and catches up.
The sandbox's log shows its calls by their user agent, "outsider".
"""
import base64
import http.client
import json
import random
import sys
import time
import urllib.parse

NAME = "outsider"
APP = base64.b64encode(b"sandbox-client:sandbox-secret").decode()


def ask(connection, method, path, body, headers):
    connection.request(method, path, body, {"User-Agent": NAME, "Accept": "application/json", **headers})
    response = connection.getresponse()
    return response, response.read()


def token(connection):
    _, body = ask(connection, "POST", "/connect/token", "grant_type=client_credentials",
                  {"Authorization": f"Basic {APP}", "Content-Type": "application/x-www-form-urlencoded"})
    return json.loads(body)["access_token"]


def spend(url, tenant, calls):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token(connection)}", "Xero-Tenant-Id": tenant}
    dice = random.Random(1)
    due = time.monotonic()
    while True:
        response, body = ask(connection, "GET", "/api.xro/2.0/Currencies", None, headers)
        if response.status == 429:
            time.sleep(int(response.headers.get("Retry-After", 1)))
            continue
        if response.status != 200:
            sys.exit(f"{NAME}: {response.status} {body[:200]}")
        due += dice.uniform(0, 2) * 60 / calls
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    spend(sys.argv[1], sys.argv[2], int(sys.argv[3]))
