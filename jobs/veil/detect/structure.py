"""What still identifies somebody in a published JSON record, whatever policy produced it.

It knows no policy: it refuses names of fields and shapes of values, for FHIR R4 resources and for rows as objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from veil.contracts import Profile
from veil.detect import dates, text

RULES: dict[str, str] = {
    "forbidden-field": (
        "field that identifies by its meaning: name, telecom, identifier, photo, contact, contained, ..."
    ),
    "geography": "address finer than a state",
    "zip": "postal code of more than three digits",
    "date": "date finer than a year",
    "age": "age over 90",
    "narrative": "rendered narrative",
    "inline-data": "payload inside the record",
    "display": "display text of a reference",
    "id": "id or reference that is not opaque",
    "long-text": "string of more than 20,000 characters",
    "base64": "base64 in a string",
    "key": "name of a field that is no name of a field",
}
"""Rules of this module; a hit of a rule of `veil.detect.text` inside a string is reported under that rule's id."""

_FORBIDDEN_NAMES = (
    "name telecom identifier photo contact contained ssn mrn firstname lastname first last middle maiden fullname "
    "surname passport drivers phone fax email street latitude lat longitude lon birthplace signature fathername "
    "mothername patientname"
)
_FORBIDDEN = frozenset(_FORBIDDEN_NAMES.split())
_FINE_GEOGRAPHY = frozenset(("line", "city", "district", "county", "addressline", "birthcity"))
_ZIP_KEYS = frozenset(("postalcode", "zip", "zipcode", "postcode"))
_ZIP3 = re.compile(r"\d{3}(?:\*\*|00|XX)?")
_KEY = re.compile(r"_?[A-Za-z][A-Za-z0-9_\-]{0,63}")
_OPAQUE = re.compile(
    r"(?:[A-Z][A-Za-z]{2,40}/)?(?:urn:uuid:)?(?:[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{64,}")
_COMPACT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4,6})?")
_PHRASE = re.compile(r"[ @.:-]")
_MAX_TEXT = 20_000
_MAX_AGE = 90
_YEARS = frozenset(("a", "y", "yr", "yrs", "year", "years"))
_SYSTEMS = frozenset(("system", "url", "profile", "version"))
"""Fields that hold addresses of code systems."""


def violations(record: object, *, profile: Profile) -> list[str]:
    """Name what may not stand in a published record (45 CFR 164.514(b)(2)(i)).

    Parameters
    ----------
    record
        Parsed JSON: a FHIR resource, or a row with its columns as keys.
    profile
        Under ``expert`` dates are shifted and may stand, and so may geography above the street.

    Returns
    -------
    list of str
        ``<rule> at <path>`` with the names of fields alone, sorted; empty for a clean record.
    """
    return sorted({f"{rule} at {path or '.'}" for rule, path in _walk(record, "", "", {}, profile)})


def _walk(
    value: object, key: str, path: str, parent: Mapping[str, object], profile: Profile
) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            if _is_old(value):
                yield "age", path
            for name, child in value.items():
                known = isinstance(name, str) and _KEY.fullmatch(name)
                inner = f"{path}.{name if known else '?'}".lstrip(".")
                if not known:
                    yield "key", inner
                elif child not in (None, "", [], {}):
                    yield from ((rule, inner) for rule in _field(name, child, path, value, profile))
                yield from _walk(child, str(name), inner, value, profile)
        case list() | tuple():
            for child in value:
                yield from _walk(child, key, path, parent, profile)
        case str():
            yield from ((rule, path) for rule in _string(value, key, profile))
        case int() | float() if not isinstance(value, bool):
            yield from ((rule, path) for rule in _number(value, key, profile))


def _field(name: str, child: object, path: str, parent: Mapping[str, object], profile: Profile) -> Iterator[str]:
    plain = name.lower().replace("_", "").replace("-", "")
    names_somebody = plain in _FORBIDDEN or (plain == "address" and isinstance(child, str))
    # a table keeps the column by which its rows join, with the pseudonym in it
    if names_somebody and not (isinstance(child, str) and _OPAQUE.fullmatch(child)):
        yield "forbidden-field"
    if plain == "div":
        yield "narrative"
    in_address = path.lower().endswith("address")
    street = plain in {"line", "addressline"} or (in_address and plain == "text")
    if street or (profile == "safe_harbor" and plain in _FINE_GEOGRAPHY):
        yield "geography"
    if plain in _ZIP_KEYS and not _ZIP3.fullmatch(str(child)):
        yield "zip"
    if plain == "data" and ("contentType" in parent or parent.get("resourceType") == "Binary"):
        yield "inline-data"
    if plain == "display" and "code" not in parent and "system" not in parent:
        yield "display"
    is_id = plain in {"id", "reference"} or name.endswith(("_id", "_uid"))
    if is_id and isinstance(child, (str, int)) and not _OPAQUE.fullmatch(str(child)):
        yield "id"


def _string(value: str, key: str, profile: Profile) -> Iterator[str]:
    if len(value) > _MAX_TEXT:
        yield "long-text"
    if any(_is_base64(match[0]) for match in _BASE64.finditer(value)):
        yield "base64"
        return  # reading it as text would only add chance hits
    dated = profile == "safe_harbor" or key.lower() in {"birthdate", "birth_date", "dob"}
    if dated and (dates.finer_than_year(value) or (key != "code" and _COMPACT_DATE.fullmatch(value))):
        yield "date"
    if key.lower().startswith("age") and value.isdigit() and int(value) > _MAX_AGE:
        yield "age"
    if key.lower() in _SYSTEMS or _OPAQUE.fullmatch(value):
        return
    # one word has no room for a label, a title or an address around its value
    rules = text.leaks(value, profile="expert") if _PHRASE.search(value) else []
    yield from (rule for rule in rules if text.RULES[rule].severity == "critical")


def _number(value: float, key: str, profile: Profile) -> Iterator[str]:
    if re.match(r"age(?:$|_|[A-Z])", key) and value > _MAX_AGE:
        yield "age"
    if profile == "safe_harbor" and key != "code" and "date" in key.lower() and value > 9999:
        yield "date"


def _is_old(value: Mapping[str, object]) -> bool:
    amount = value.get("value")
    unit = str(value.get("code") or value.get("unit") or "").lower()
    return isinstance(amount, (int, float)) and unit in _YEARS and amount > _MAX_AGE


def _is_base64(run: str) -> bool:
    return any(c.isupper() for c in run) and any(c.islower() for c in run) and any(c.isdigit() for c in run)
