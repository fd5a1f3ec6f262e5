"""What goes back to a client."""

JSON = "application/json; charset=utf-8"


class Answer:
    def __init__(self, status, body, content_type=JSON, headers=None):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers or {}
