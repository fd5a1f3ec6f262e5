"""OAuth 2's forms in, and its errors out."""
import json
import urllib.parse

from ..errors import ApiError

FORM = "application/x-www-form-urlencoded"


def oauth_error(code, status=400, headers=None):
    return ApiError(status, json.dumps({"error": code}), headers=headers)


def form_of(request):
    """The members of a form; each may be there once."""
    content_type = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    pairs = urllib.parse.parse_qsl(request.body, keep_blank_values=True)
    form = dict(pairs)
    if content_type != FORM or len(form) != len(pairs):
        raise oauth_error("invalid_request")
    return form
