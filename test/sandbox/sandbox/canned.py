"""Answers that a test supplied, byte for byte."""
import json

from .answer import Answer


class Canned:
    """By path, and if given by query string and method."""

    def __init__(self):
        self.answers = []

    def put(self, path, body, query=None, status=200, headers=None, method=None):
        self.answers = [a for a in self.answers if (a[0], a[1], a[2]) != (path, query, method)]
        if body is not None:
            if not isinstance(body, str):
                body = json.dumps(body, ensure_ascii=False)
            headers = dict(headers or {})
            content_type = headers.pop("Content-Type", "application/json; charset=utf-8")
            self.answers.append((path, query, method, Answer(status, body.encode(), content_type, headers)))

    def find(self, method, path, query):
        for wanted_path, wanted_query, wanted_method, answer in reversed(self.answers):
            if path == wanted_path and wanted_query in (None, query) and wanted_method in (None, method):
                return Answer(answer.status, answer.body, answer.content_type, dict(answer.headers))
        return None
