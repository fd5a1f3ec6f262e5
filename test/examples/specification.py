"""The example answers of Xero's specification, as JSON texts.

The files are YAML, and a YAML loader's own ideas of types would spoil them:
40.00 becomes a float, an unquoted 2018-10-20T00:00:00 a timestamp.  So only
the node tree is read, and what is plain and spelled as JSON spells it is
copied as it stands; all else is a string.
"""
import json
import re

import yaml

from database import parse

NOT_STRING = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def member(node, *names):
    """The node below, or None."""
    for name in names:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == name), None)
        if found is None:
            return None
        node = found
    return node


def to_json(node):
    """A node as JSON text, in its order and with its digits."""
    if isinstance(node, yaml.MappingNode):
        return "{" + ", ".join(f"{json.dumps(key.value)}: {to_json(value)}" for key, value in node.value) + "}"
    if isinstance(node, yaml.SequenceNode):
        return "[" + ", ".join(map(to_json, node.value)) + "]"
    plain = not node.style
    if plain and node.value in ("", "~"):
        return "null"
    if plain and NOT_STRING.fullmatch(node.value):
        return node.value
    return json.dumps(node.value, ensure_ascii=False)


class Specification:
    """One file."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.compose(file, Loader=LOADER)

    def paths(self):
        return [key.value for key, _ in member(self.root, "paths").value]

    def example(self, path):
        """The answer that a GET of the path is shown with, or None."""
        content = member(self.root, "paths", path, "get", "responses", "200", "content", "application/json")
        node = member(content, "example")
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode):
            parse(node.value)           # some are written as JSON already
            return node.value
        return to_json(node)
