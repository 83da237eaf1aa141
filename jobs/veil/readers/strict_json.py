"""JSON objects that every reader reads alike."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from veil.contracts import Malformed

MAX_DEPTH = 100
_KEY = re.compile(rb'"\s*:')


def load(data: bytes) -> dict[str, Any]:
    """Parse one object (RFC 8259, I-JSON's rule of unique keys).

    Parameters
    ----------
    data
        JSON text in UTF-8.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    Malformed
        The text is not UTF-8, not JSON, not an object, nested deeper than `MAX_DEPTH`, or repeats a key.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed(_reason(data, error)) from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    # Two readers of a repeated key may see two values. Text inside strings can only add to the number of matches, so
    # that the slow check runs whenever there may be a repetition.
    if len(_KEY.findall(data)) != _count_keys(value, 0):
        json.loads(data, object_pairs_hook=_unique)
    return value


def _reason(data: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return "not valid UTF-8"
    return "nested too deeply" if "depth limit" in error.msg else "not valid JSON"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Malformed("an object has the same key twice")
    return value


def _count_keys(node: Any, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise Malformed("nested too deeply")
    total, children = (len(node), node.values()) if type(node) is dict else (0, node)
    for child in children:
        kind = type(child)
        if kind is dict or kind is list:
            total += _count_keys(child, depth + 1)
    return total
