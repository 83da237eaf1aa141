"""Who is named in a resource: the identifiers that its text and its media are searched for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from tomllib import loads
from typing import Any

from veil.contracts import Kind, KnownIdentifier
from veil.readers.times import utc

_TABLE = loads(files(__package__).joinpath("identifiers.toml").read_text("utf-8"))
_TYPES: dict[str, Kind] = _TABLE["types"]
_SYSTEMS: dict[str, Kind] = _TABLE["systems"]
_TELECOM: dict[str, Kind] = _TABLE["telecom"]
_ROLES: dict[str, str] = _TABLE["roles"]
_ALIAS_TYPES = frozenset(_TABLE["alias"]["types"])
_TITLES = frozenset(_TABLE["names"]["titles"])
_MOTHER: str = _TABLE["extensions"]["mother"]
_BIRTHPLACE: str = _TABLE["extensions"]["birthplace"]
_DAY = 10
"""Characters of a date with its day; a year alone identifies nobody (164.514(b)(2)(i)(C))."""

_Pairs = Iterator[tuple[Kind, object]]


def known(resource: dict[str, Any]) -> tuple[KnownIdentifier, ...]:
    """List the identifiers that a resource and the resources contained in it state.

    Parameters
    ----------
    resource
        Any FHIR R4 resource; one that is no person and no place states none itself.

    Returns
    -------
    tuple of KnownIdentifier
        Unique, in the order of the resource.
    """
    found: dict[KnownIdentifier, None] = {}
    for part in (resource, *objects(resource.get("contained"))):
        kind = part.get("resourceType")
        role = _ROLES.get(kind) if isinstance(kind, str) else None
        if role == "organization":
            _add(found, role, _place(part))
            _add(found, "practitioner", _contacts(part))
        elif role is not None:
            _add(found, role, _person(part))
            _add(found, "relative", _relatives(part))
    return tuple(found)


def aliases(resource: dict[str, Any]) -> Iterator[str]:
    """Yield the other references by which records point to this resource.

    A Patient is found by the identifiers that it alone holds, ``identifier:<system>|<value>``, and by the Patients it
    is linked to as the same person (FHIR R4, 8.1.2: Patient.link); every resource by a conditional reference,
    ``<Type>?identifier=<system>|<value>`` (FHIR R4, 3.1.0.7.1).
    """
    kind = resource.get("resourceType")
    for identifier in objects(resource.get("identifier")):
        system, value = identifier.get("system"), identifier.get("value")
        if isinstance(system, str) and isinstance(value, str) and value.strip():
            if kind != "Patient":
                yield f"{kind}?identifier={system}|{value.strip()}"
            elif _own(identifier, system):
                yield f"identifier:{system}|{value.strip()}"
                yield f"Patient?identifier={system}|{value.strip()}"
    for link in objects(resource.get("link")) if kind == "Patient" else ():
        other = link.get("other")
        reference = other.get("reference") if isinstance(other, dict) else None
        if isinstance(reference, str) and reference.startswith("Patient/"):
            yield reference


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, or the one object where a list could have been; nothing for anything else."""
    if isinstance(value, dict):
        return [value]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def is_title(part: str) -> bool:
    """Whether a word beside a name ("Mrs.", "M.D.") names nobody."""
    return part.replace(".", "").strip(" ,").casefold() in _TITLES


def _add(found: dict[KnownIdentifier, None], role: str, pairs: _Pairs) -> None:
    for kind, value in pairs:
        if isinstance(value, str) and value.strip():
            found[KnownIdentifier(kind, value.strip(), role)] = None


def _person(part: dict[str, Any]) -> _Pairs:
    for name in objects(part.get("name")):
        yield from (("NAME", text) for text in _names(name))
    yield from _contact_points(part)
    for identifier in objects(part.get("identifier")):
        yield _identifier_kind(identifier), identifier.get("value")
    for element in ("birthDate", "deceasedDateTime"):
        day = utc(part.get(element))
        if day is not None and len(day) >= _DAY:
            yield "DATE", str(part[element]).strip()[:_DAY]
    for extension in objects(part.get("extension")):
        if extension.get("url") == _BIRTHPLACE:
            yield from _address(extension.get("valueAddress"))


def _relatives(part: dict[str, Any]) -> _Pairs:
    yield from _contacts(part)
    for extension in objects(part.get("extension")):
        if extension.get("url") == _MOTHER:
            yield "NAME", extension.get("valueString")


def _contacts(part: dict[str, Any]) -> _Pairs:
    for contact in objects(part.get("contact")):
        for name in objects(contact.get("name")):
            yield from (("NAME", text) for text in _names(name))
        yield from _contact_points(contact)


def _place(part: dict[str, Any]) -> _Pairs:
    names = [part.get("name"), *_strings(part.get("alias"))]
    yield from (("ORGANIZATION", name) for name in names)
    yield from _contact_points(part)


def _contact_points(part: dict[str, Any]) -> _Pairs:
    for telecom in objects(part.get("telecom")):
        system = telecom.get("system")
        yield _TELECOM.get(system, "ID") if isinstance(system, str) else "ID", telecom.get("value")
    for address in objects(part.get("address")):
        yield from _address(address)


def _address(address: object) -> _Pairs:
    if isinstance(address, dict):
        lines: list[object] = [*_strings(address.get("line"))]
        for value in (
            *(lines or [address.get("text")]),
            address.get("city"),
            address.get("district"),
            address.get("postalCode"),
        ):
            yield "LOCATION", value


def _names(name: dict[str, Any]) -> Iterator[str]:
    """A HumanName (FHIR R4, 2.24.0.12) in natural order, without titles."""
    parts = _strings(name.get("given")) + _strings([name.get("family")])
    yield " ".join(parts)
    text = name.get("text")
    if isinstance(text, str):
        last, comma, first = text.partition(",")
        ordered = f"{first} {last}" if comma and not is_title(first) else text
        words = [word.strip(",") for word in ordered.split() if not is_title(word)]
        if not set(words) <= set(" ".join(parts).split()):
            yield " ".join(words)


def _identifier_kind(identifier: dict[str, Any]) -> Kind:
    for code in _type_codes(identifier):
        if code in _TYPES:
            return _TYPES[code]
    system = identifier.get("system")
    return _SYSTEMS.get(system, "ID") if isinstance(system, str) else "ID"


def _own(identifier: dict[str, Any], system: str) -> bool:
    codes = _type_codes(identifier)
    return bool(_ALIAS_TYPES.intersection(codes)) if codes else system not in _SYSTEMS


def _type_codes(identifier: dict[str, Any]) -> list[str]:
    kind = identifier.get("type")
    codings = objects(kind.get("coding")) if isinstance(kind, dict) else []
    return [coding["code"] for coding in codings if isinstance(coding.get("code"), str)]


def _strings(values: object) -> list[str]:
    items: Iterable[object] = values if isinstance(values, list) else ()
    return [item.strip() for item in items if isinstance(item, str) and item.strip()]
