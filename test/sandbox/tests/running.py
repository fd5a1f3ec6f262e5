"""A sandbox in a process of its own, for tests that need the wire."""
import http.client
import json
import os
import signal
import subprocess
import urllib.parse

LAUNCHER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "xero-sandbox")


class Sandbox:
    def __init__(self, *switches):
        self.process = subprocess.Popen([LAUNCHER, *switches], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http"), line
        self.url = line.split()[-1]
        self.host = urllib.parse.urlsplit(self.url).netloc

    def stop(self):
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        return self.process.wait(5)

    def call(self, path, method="GET", body=None, **headers):
        """(status, headers, body bytes); members of `headers` replace the usual ones."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        usual = {"Authorization": "Bearer sandbox-token", "Accept": "application/json"}
        usual.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection.request(method, path, body, {n: v for n, v in usual.items() if v is not None})
        answer = connection.getresponse()
        try:
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, object_and_query, **headers):
        """(status, parsed JSON or text) of an Accounting call."""
        status, _, body = self.call("/api.xro/2.0/" + object_and_query, **headers)
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def write(self, method, path, members=None, base="/api.xro/2.0/", **headers):
        """(status, parsed JSON or text) of a write; bytes are sent as they are."""
        body = members if isinstance(members, (bytes, type(None))) else json.dumps(members)
        status, _, body = self.call(base + path, method, body, **{"Content_Type": "application/json", **headers})
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def where(self, name, text, more="page=1&pageSize=1000"):
        return self.get(f"{name}?{more}&where={urllib.parse.quote(text)}")

    def control(self, what, members=None):
        method = "GET" if members is None else "POST"
        status, _, body = self.call("/sandbox/" + what, method, None if members is None else json.dumps(members))
        assert status == 200, body
        return json.loads(body)
