"""FHIR R4 resources as records: NDJSON of a bulk export, single Bundles, and the deletions of an export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from tomllib import loads
from typing import Any

import orjson

from veil.contracts import Malformed, Record
from veil.readers.consent import consent
from veil.readers.known import aliases, known, objects
from veil.readers.problem import Problem
from veil.readers.strict_json import load
from veil.readers.survey import survey
from veil.readers.times import utc

REFERENCE = r"^(?:https?://.*/)?([A-Z][A-Za-z]+/[^/|?#]+)(?:/_history/[^/]+)?$"
"""A reference to another resource, relative or absolute, of any version (FHIR R4, 2.3.0.1)."""

_TABLE = loads(files(__package__).joinpath("fhir.toml").read_text("utf-8"))
_OWN = frozenset(_TABLE["subject"]["own"])


def _paths(paths: list[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in paths)


_SUBJECT = _paths(_TABLE["subject"]["paths"])
_SUBJECT_ONLY = {kind: _paths(paths) for kind, paths in _TABLE["subject"]["only"].items()}
_START = _paths(_TABLE["start"]["paths"])
_CODE: tuple[str, ...] = tuple(_TABLE["code"]["paths"])

_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}")
_ID = re.compile(r"[^\s/|?#\\\x00-\x1f]{1,256}")
_LOCAL = re.compile(r"(?:https?://.*/)?([A-Z][A-Za-z]{0,63}/[^\s/|?#]{1,256})(?:/_history/[^/]+)?")
_CONDITIONAL = re.compile(r"Patient\?identifier=([^|&]*)\|([^&]+)")


def parse(data: bytes) -> Record:
    """Read one resource, such as a line of a bulk export (FHIR Bulk Data Access 2.0, NDJSON).

    Parameters
    ----------
    data
        JSON text in UTF-8.

    Returns
    -------
    Record
        The envelope; `content` is compact JSON without inline attachment data.

    Raises
    ------
    Malformed
        The text is no resource with a type and an id. The reason holds no value.
    """
    return _record(load(data), {}, "")


def parse_bundle(data: bytes) -> Iterator[Record | Problem]:
    """Read a Bundle of resources (FHIR R4, 2.36), or a file that holds a single resource.

    Parameters
    ----------
    data
        JSON text in UTF-8, a byte order mark allowed.

    Returns
    -------
    iterator of Record or Problem
        One per entry with a resource, in order. References stay as they are written; a record has its `fullUrl` among
        its aliases, so that ``urn:uuid:`` references to it resolve, and `subject` is resolved through them. An entry
        without an id is named by the UUID of its `fullUrl`. A Problem's position is the index of the entry.

    Raises
    ------
    Malformed
        The text is no Bundle and no resource.
    """
    bundle = load(data.removeprefix(b"\xef\xbb\xbf"))
    if bundle.get("resourceType") != "Bundle":
        return iter([_record(bundle, {}, "")])
    if not isinstance(bundle.get("entry", []), list):
        raise Malformed("the Bundle's entry is not a list")
    return _entries(bundle.get("entry", []))


def parse_deletions(line: bytes) -> list[Record]:
    """Read one line of an export's ``deleted`` files: a transaction Bundle of DELETE requests (Bulk Data Access 2.0).

    Parameters
    ----------
    line
        JSON text in UTF-8.

    Returns
    -------
    list of Record
        Tombstones (`deleted` is True): type, id, the Bundle's time as version, and the subject only where the record
        was its own.

    Raises
    ------
    Malformed
        The line is no such Bundle, or a request does not name one record.
    """
    bundle = load(line)
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise Malformed("not a Bundle of deletions")
    meta = bundle.get("meta")
    version = utc(bundle.get("timestamp")) or (utc(meta.get("lastUpdated")) if isinstance(meta, dict) else None) or ""
    return [_tombstone(entry, version) for entry in entries]


def _tombstone(entry: Any, version: str) -> Record:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        raise Malformed("an entry is not a deletion")
    url = request.get("url")
    target = _LOCAL.fullmatch(url) if isinstance(url, str) else None
    if target is None:
        raise Malformed("an entry is not the deletion of one record")
    kind, _, name = target[1].partition("/")
    content = orjson.dumps({"resourceType": kind, "id": name}).decode()
    return Record(kind, name, target[1] if kind in _OWN else None, content, version, deleted=True)


def _record(resource: dict[str, Any], names: Mapping[str, str], full_url: str) -> Record:
    kind, name = _type_and_id(resource, full_url)
    found = survey(resource)
    meta = resource.get("meta")
    code_system, code = _first_code(resource)
    other = [full_url] if full_url else []
    return Record(
        type=kind,
        id=name,
        subject=f"{kind}/{name}" if kind in _OWN else _subject(kind, resource, names),
        content=orjson.dumps(resource).decode(),
        version=(utc(meta.get("lastUpdated")) if isinstance(meta, dict) else None) or "",
        start=_start(resource),
        code_system=code_system,
        code=code,
        references=tuple(found.references),
        aliases=tuple(dict.fromkeys([*other, *aliases(resource)])) if kind in _OWN else tuple(other),
        known=known(resource),
        attachments=tuple(found.attachments),
        consent=consent(resource) if kind == "Consent" else None,
    )


def _type_and_id(resource: dict[str, Any], full_url: str) -> tuple[str, str]:
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise Malformed("no resourceType")
    if kind == "Bundle":
        raise Malformed("a Bundle where a resource is expected")
    name = resource.get("id")
    if name is None and full_url.startswith("urn:uuid:"):
        name = full_url.removeprefix("urn:uuid:")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise Malformed("no usable id")
    return kind, name


def _entries(entries: list[Any]) -> Iterator[Record | Problem]:
    names: dict[str, str] = {}
    for entry in objects(entries):
        url, resource = entry.get("fullUrl"), entry.get("resource")
        if isinstance(url, str) and isinstance(resource, dict):
            try:
                names[url] = "/".join(_type_and_id(resource, url))
            except Malformed:
                continue
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        url = entry.get("fullUrl") if isinstance(entry, dict) else None
        try:
            if not isinstance(resource, dict):
                raise Malformed("an entry without a resource")
            yield _record(resource, names, url if isinstance(url, str) else "")
        except Malformed as error:
            yield Problem(index, str(error))


def _subject(kind: str, resource: dict[str, Any], names: Mapping[str, str]) -> str | None:
    for path in _SUBJECT_ONLY.get(kind, _SUBJECT):
        for target in _at(resource, path):
            subject = _patient(target, resource, names)
            if subject is not None:
                return subject
    return None


def _patient(target: Any, resource: dict[str, Any], names: Mapping[str, str]) -> str | None:
    """The patient that a Reference (FHIR R4, 2.3) means, in the one form that the vault looks up."""
    if not isinstance(target, dict):
        return None
    reference = target.get("reference")
    if not isinstance(reference, str):
        identifier = target.get("identifier")
        return next(aliases({"resourceType": "Patient", "identifier": identifier}), None)
    if reference.startswith("#"):
        inside = [part for part in objects(resource.get("contained")) if part.get("id") == reference[1:]]
        return next(
            (alias for part in inside if part.get("resourceType") == "Patient" for alias in aliases(part)), None
        )
    reference = names.get(reference, reference)
    if conditional := _CONDITIONAL.fullmatch(reference):
        return f"identifier:{conditional[1]}|{conditional[2]}"
    local = _LOCAL.fullmatch(reference)
    return local[1] if local is not None and local[1].startswith("Patient/") else None


def _start(resource: dict[str, Any]) -> str | None:
    for path in _START:
        if path[0] in resource:
            for value in _at(resource, path):
                start = utc(value)
                if start is not None:
                    return start
    return None


def _first_code(resource: dict[str, Any]) -> tuple[str | None, str | None]:
    for element in _CODE:
        for concept in objects(resource.get(element)):
            for coding in objects(concept.get("coding")):
                system, code = coding.get("system"), coding.get("code")
                if isinstance(code, str):
                    return system if isinstance(system, str) else None, code
    return None, None


def _at(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at a path, descending through lists."""
    if isinstance(node, list):
        for entry in node:
            yield from _at(entry, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _at(node[path[0]], path[1:])
