"""The body of a request -> raw elements, or why it is none."""
import json
from decimal import Decimal

from ..errors import no_data, not_json, post_data_invalid, too_large

MAX_BODY = 3_500_000


def _no_constant(text):
    raise ValueError(f"unexpected {text}")


def parse(call):
    """The JSON of a call; numbers keep their digits."""
    if len(call.body) > MAX_BODY:
        raise too_large()
    if "json" not in call.content_type.lower():
        raise not_json(call.content_type)
    try:
        text = call.body.decode("utf-8-sig")
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False, default=str).encode()         # no half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise post_data_invalid(f"JSON for post data was invalid,{error}") from None
    return value


def elements(value, wrapper, singular, bare):
    """The elements of {"Wrapper": […]}; {…} by itself where `bare`."""
    found = None
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower() == wrapper.lower():
                found = inner if isinstance(inner, list) else [inner]
        if found is None and bare and value:
            found = [value]
    if not found or not all(isinstance(element, dict) for element in found):
        raise no_data(singular)
    return found


def array(value, singular):
    """The elements of a bare array, as payroll in Australia has them."""
    if not isinstance(value, list):
        raise post_data_invalid(f"Cannot deserialize the current JSON object into an array of '{singular}'")
    if not value or not all(isinstance(element, dict) for element in value):
        raise no_data(singular)
    return value
