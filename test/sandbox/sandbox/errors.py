"""Answers other than 200, with the bodies Xero gives them."""
import json

NOT_FOUND = "The resource you're looking for cannot be found"


class ApiError(Exception):
    """An error answer: status, body bytes, content type, headers."""

    def __init__(self, status, body, content_type="application/json; charset=utf-8", headers=None):
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode()
        self.content_type = content_type
        self.headers = headers or {}


def _pretty(value):
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\r\n")


def not_found():
    """A missing id and an over-long query string look exactly alike."""
    return ApiError(404, NOT_FOUND, "text/plain; charset=utf-8")


def bad_query(message):
    """A where or order that Xero cannot parse."""
    return ApiError(400, _pretty({"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}))


def validation(message):
    return ApiError(400, _pretty({"ErrorNumber": 10, "Type": "ValidationException", "Message": message}))


def null_in_filter():
    """A method called on a null field: Xero fails as a whole."""
    return ApiError(500, _pretty({
        "ErrorNumber": 500, "Type": "UnknownErrorException",
        "Message": "An error occurred in Xero. Check the API Status page http://status.developer.xero.com "
                   "for current service status. Contact the API support team at api@xero.com for more assistance."}))


def not_implemented(status=501):
    return ApiError(status, _pretty({"ErrorNumber": 20, "Type": "ApiMethodNotImplementedException",
                                     "Message": "The Api Method called is not implemented"}))


def security(status, title, detail, instance, headers=None):
    """401 and 403: PascalCase members, unlike RFC 7807."""
    return ApiError(status, json.dumps({"Type": None, "Title": title, "Status": status, "Detail": detail,
                                        "Instance": instance, "Extensions": {}}), headers=headers)


def post_data_invalid(message):
    """A body that Xero cannot read as what it should be: nothing was done."""
    return ApiError(400, _pretty({"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": message}))


def no_data(what):
    return ApiError(400, _pretty({
        "ErrorNumber": 17, "Type": "NoDataProcessedException",
        "Message": "No data has been processed for this endpoint. This endpoint is expecting "
                   f"{what} data to be specifed in the request body."}))


def too_large():
    return ApiError(413, "Request Entity Too Large", "text/plain; charset=utf-8")


def not_json(content_type):
    return ApiError(415, f"Unsupported Media Type: {content_type or 'none'}", "text/plain; charset=utf-8")


def bad_request(message):
    return ApiError(400, _pretty({"Type": None, "Title": "BadRequest", "Status": 400, "Detail": message}))
