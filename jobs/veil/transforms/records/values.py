"""The treatments: each takes one value of a record and returns what is published of it, or `DROPPED`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from veil.contracts import Item, Unpublishable
from veil.policy.plan import Leaf, Plan
from veil.policy.treatments import Treatment
from veil.transforms.control import CONTROL
from veil.transforms.records.ages import capped
from veil.transforms.records.dates import OLDEST_AGE, shifted, year_of

Text = Callable[[str, str], str]
"""Cleans a free text: its path in the policy and the text itself, in; the clean text, out."""


class _Dropped:
    """The type of `DROPPED`, which no value of a record can be equal to."""


DROPPED: Final = _Dropped()

_LONGEST_CODE = 128
_LONGEST_LABEL = 512
_LARGEST = 1e12
_FULL_DATE = re.compile(r"\d(?:\d{3}([-/])\d\d?\1\d|\d?([-/])\d\d?\2\d{4}(?!\d))", re.ASCII)
_CODE = re.compile(r"[!-?A-~]{1,64}")  # visible ASCII but no @
_FIRST_DAY, _NINE_DIGITS, _ROUND = 19_000_101, 100_000_000, 1_000_000
_UNIT = re.compile(r"(?=.{1,32}\Z)[^\s@]{1,24}(?: [^\s@]{1,16}){0,2}")
_UNIT_DIGITS = 5
_ID_DIGITS = 7
_NUMBER = re.compile(r"[<>]?=? ?[+-]?\d{1,12}(?:\.\d{1,12})?(?:[eE][+-]?\d)? ?%?", re.ASCII)
_ZIP = re.compile(r"(\d{3})\d\d(?:-?\d{4})?", re.ASCII)
_UNITED_STATES = frozenset({"us", "usa", "united states", "united states of america"})


@dataclass(slots=True)
class Work:
    """One record under way. `born` is the birth year of whom it is about, where the record tells it.

    `is_age` says that its code makes an age of its numbers.

    `has_read` tells that the text engine was asked, whose answer depends on whom the record is about.
    """

    plan: Plan
    item: Item
    text: Text
    reference_year: int
    born: int | None = None
    over_89: bool = False
    is_age: bool = False
    dropped: dict[str, int] = field(default_factory=dict)
    has_read: bool = False

    def read(self, path: str, value: str) -> str:
        """Clean a free text."""
        self.has_read = True
        return self.text(path, value)

    def drop(self, path: str) -> _Dropped:
        """Count what is not published, by the policy's own path: nothing of the record is in it."""
        self.dropped[path] = self.dropped.get(path, 0) + 1
        return DROPPED


Parent = Mapping[str, Any]


def _is_plain(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and value.isprintable() and not _FULL_DATE.search(value)


def is_number(value: object) -> bool:
    """Whether a CSV cell holds a plain number, perhaps with a comparator or a per cent sign."""
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def keep(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish a code as it is: one short printable line without a full date, or a boolean."""
    if value is True or value is False or (isinstance(value, str) and _is_plain(value, _LONGEST_CODE)):
        return value
    return work.drop(leaf.path)


def text(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish what the text engine makes of it."""
    if not isinstance(value, str) or CONTROL.search(value) or not (value.isascii() or _has_no_surrogate(value)):
        return work.drop(leaf.path)
    return work.read(leaf.path, value) or DROPPED


def _has_no_surrogate(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def label(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the code or label of a column that is declared to hold one; what does not look it is read as text."""
    if isinstance(value, str) and _is_plain(value, _LONGEST_LABEL):
        return value
    return text(leaf, value, parent, work)


def code(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish a Coding's code; one of an unknown system with a long number only if the text engine sees no harm."""
    if not isinstance(value, str) or not _CODE.fullmatch(value) or _FULL_DATE.search(value):
        return work.drop(leaf.path)
    if work.plan.is_terminology(parent.get("system")) or sum(map(str.isdigit, value)) < _ID_DIGITS:
        return value
    return value if work.read(leaf.path, value) == value else work.drop(leaf.path)


def display(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the label of a known code, or a concept's text that repeats one; any other label is read as text."""
    if isinstance(value, str) and _is_plain(value, _LONGEST_LABEL):
        codings = parent.get("coding")
        for coding in codings if isinstance(codings, list) else (parent,):
            if (
                isinstance(coding, dict)
                and (coding is parent or coding.get("display") == value)
                and work.plan.is_terminology(coding.get("system"))
            ):
                return value
    return text(leaf, value, parent, work)


def unit(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish a unit of measure (UCUM, or a word or three); what does not look like one is read as text."""
    if isinstance(value, str) and _UNIT.fullmatch(value) and sum(map(str.isdigit, value)) < _UNIT_DIGITS:
        return value
    return text(leaf, value, parent, work)


def identifies(value: float) -> bool:
    """Whether a whole number is none that is measured: nine digits or more, unless round, or a day in eight."""
    if value != int(value) or value < _FIRST_DAY:
        return False
    if value >= _NINE_DIGITS:
        return value % _ROUND != 0
    year, month, day = int(value) // 10_000, int(value) // 100 % 100, int(value) % 100
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31


def _measured(leaf: Leaf, value: object, parent: Parent, work: Work, *, is_age: bool) -> object:
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -_LARGEST < value < _LARGEST
        and not identifies(value)
    ):
        return capped(value, (parent.get("code"), parent.get("unit")), is_age=is_age)
    return work.drop(leaf.path)


def measure(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish a number; one in years (months, weeks, days) that may be an age is capped at 90 years."""
    return _measured(leaf, value, parent, work, is_age=work.is_age)


def age(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish an age in years unless its unit says otherwise, capped at 90 years (164.514(b)(2)(i)(C))."""
    return _measured(leaf, value, parent, work, is_age=True)


def date(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the year, or under `expert` the shifted date; no year that tells an age over 89."""
    year = year_of(value)
    if year is None:
        return work.drop(leaf.path)
    if work.plan.profile == "expert":
        if work.item.offset_days == 0:
            raise Unpublishable("the subject has no date offset, which the expert profile needs")
        moved = shifted(str(value), work.item.offset_days)
        return work.drop(leaf.path) if moved is None else moved
    if work.born is not None and year - work.born >= OLDEST_AGE:
        return work.drop(leaf.path)
    if work.reference_year - year >= OLDEST_AGE:
        return work.drop(leaf.path)  # whoever has a diagnosis of that year is as old
    return str(value)[:4]


def birth_date(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the year of birth of people under 90, under either profile."""
    if work.over_89 or year_of(value) is None:
        return work.drop(leaf.path)
    return str(value)[:4]


def zip3(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the first three digits of a US ZIP code, 000 where 20,000 people or fewer live (164.514(b)(2)(i)(B))."""
    country = parent.get("country", "us")
    found = _ZIP.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not isinstance(country, str) or country.strip().casefold() not in _UNITED_STATES:
        return work.drop(leaf.path)
    return "000" if found.group(1) in work.plan.restricted_zip3 else found.group(1)


def row_id(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the record's published id in place of its own."""
    return work.item.row_id


def subject(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish the subject's pseudonym in place of its id."""
    return work.item.subject


def reference(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish a reference to the published id of its target; without one in the linkage group there is none."""
    target = work.item.references.get(value) if isinstance(value, str) else None
    if target is None:
        return work.drop(leaf.path)
    named = _target_type(str(value)) or parent.get("type") or leaf.target
    if isinstance(named, str) and named in work.plan.types:
        return f"{named}/{target}"
    return work.drop(leaf.path)


@lru_cache(maxsize=4096)
def _target_type(written: str) -> str | None:
    """The type in ``Type/id``, an absolute URL of it, one of its versions, or ``Type?query``; None in a URN."""
    if written.startswith("urn:"):
        return None
    address, query, _ = written.partition("?")
    if query:
        return address.rpartition("/")[2]
    return address.partition("/_history/")[0].rpartition("/")[0].rpartition("/")[2] or None


def drop(leaf: Leaf, value: object, parent: Parent, work: Work) -> object:
    """Publish nothing."""
    return work.drop(leaf.path)


OPERATIONS: Mapping[Treatment, Callable[[Leaf, object, Parent, Work], object]] = {
    "keep": keep,
    "label": label,
    "code": code,
    "display": display,
    "unit": unit,
    "measure": measure,
    "age": age,
    "date": date,
    "birth_date": birth_date,
    "death_date": date,
    "zip3": zip3,
    "text": text,
    "id": row_id,
    "subject": subject,
    "reference": reference,
    "drop": drop,
}
