"""One walk over a resource: its references, its attachments."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from importlib.resources import files
from tomllib import loads
from typing import Any

from veil.contracts import Attachment, Malformed

_ELEMENTS = frozenset(loads(files(__package__).joinpath("fhir.toml").read_text("utf-8"))["attachment"]["elements"])
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")
_DEFAULT_TYPE = "application/octet-stream"

_Path = tuple[Any, ...]


@dataclass(slots=True)
class Survey:
    """What the walk found, in the order of the text; the keys of `references` are unique."""

    references: dict[str, None] = field(default_factory=dict, repr=False)
    attachments: list[Attachment] = field(default_factory=list, repr=False)


def survey(resource: dict[str, Any]) -> Survey:
    """Collect the references of a resource, and take the payloads out of it.

    Parameters
    ----------
    resource
        A parsed resource. The `data` of its attachments is removed in place.

    Returns
    -------
    Survey
        Every `reference` string, contained resources and extensions included, and every attachment, decoded.

    Raises
    ------
    Malformed
        An attachment is not base64 or its `url` leaves the drop.
    """
    found = Survey()
    _visit(resource, "", (), found)
    return found


def _visit(node: Any, element: str, path: _Path, found: Survey) -> None:
    if type(node) is list:
        for index, child in enumerate(node):
            kind = type(child)
            if kind is dict or kind is list:
                _visit(child, element, (path, index), found)
        return
    reference = node.get("reference")
    if type(reference) is str:
        found.references[reference] = None
    if ("data" in node or "url" in node) and ("contentType" in node or element in _ELEMENTS):
        _take(node, path, found)
    for key, child in node.items():
        kind = type(child)
        if kind is dict or kind is list:
            _visit(child, key, (path, key), found)


def _take(node: dict[str, Any], path: _Path, found: Survey) -> None:
    declared = node.get("contentType")
    content_type = declared if isinstance(declared, str) else _DEFAULT_TYPE
    url = node.get("url")
    if "data" in node:
        data = _decoded(node.pop("data"))
        found.attachments.append(Attachment(_text(path), content_type, data=data))
    elif isinstance(url, str) and url and not _ELSEWHERE.match(url):
        found.attachments.append(Attachment(_text(path), content_type, url=_inside(url)))


def _decoded(data: Any) -> bytes:
    if not isinstance(data, str):
        raise Malformed("the data of an attachment is not text")
    try:
        # FHIR R4, 2.24.0.1: base64Binary; white space was allowed before R4 and still comes.
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("the data of an attachment is not valid base64") from None


def _inside(url: str) -> str:
    if url.startswith("/") or "\\" in url or ".." in url.split("/") or not url.isprintable():
        raise Malformed("the url of an attachment leaves the drop")
    return url


def _text(path: _Path) -> str:
    """Write a chain of (parent, step) as ``content[0].attachment``."""
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).removeprefix(".")
