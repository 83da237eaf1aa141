"""What may be done to a value, and which change of treatment only tightens."""

from __future__ import annotations

import re
from typing import Annotated, Literal, cast, get_args

from pydantic import AfterValidator

Treatment = Literal[
    "keep",
    "label",
    "code",
    "display",
    "unit",
    "measure",
    "age",
    "date",
    "birth_date",
    "death_date",
    "zip3",
    "text",
    "id",
    "subject",
    "reference",
    "clean",
    "uid",
    "dummy",
    "empty",
    "drop",
]

DICOM_ONLY: frozenset[str] = frozenset({"clean", "uid", "dummy", "empty"})
"""The actions C, U, D and Z of DICOM PS3.15 E.1, of which records know nothing."""

DICOM: frozenset[str] = DICOM_ONLY | {"keep", "subject", "drop"}
"""What can be done to an attribute of a DICOM object."""

TREATMENTS: frozenset[str] = frozenset(get_args(Treatment))

LEVELS = ("keep", "generalise", "pseudonymise", "remove")
"""How strongly a treatment changes a value; an overlay may only go up."""

_LEVEL: dict[str, str] = {
    **dict.fromkeys(("keep", "label", "code", "display", "unit", "measure"), "keep"),
    **dict.fromkeys(("age", "date", "birth_date", "death_date", "zip3", "text", "clean"), "generalise"),
    **dict.fromkeys(("id", "subject", "reference", "uid"), "pseudonymise"),
    **dict.fromkeys(("dummy", "empty", "drop"), "remove"),
}

_STRICTER_PEERS: frozenset[tuple[str, str]] = frozenset(
    {
        ("label", "keep"),
        ("label", "display"),
        ("measure", "age"),
        ("date", "birth_date"),
        ("date", "death_date"),
        ("death_date", "birth_date"),
        ("dummy", "empty"),
        ("dummy", "drop"),
        ("empty", "drop"),
    }
)
"""Within a level, only these pairs (from, to) are known to publish less."""

_PROSE = frozenset({"label", "display", "unit"})
"""Treatments of strings that may be prose already: only there does the text engine publish less and not more."""

_REFERENCE = re.compile(r"(reference):([A-Z][A-Za-z]{0,63})")
_MACRO = re.compile(r"type:([A-Z][A-Za-z]{0,63})")


def split(treatment: str) -> tuple[Treatment, str | None]:
    """Take ``reference:Patient`` apart into the treatment and the type of its target."""
    found = _REFERENCE.fullmatch(treatment)
    if found:
        return "reference", found.group(2)
    return cast(Treatment, treatment), None


def macro(treatment: str) -> str | None:
    """The datatype that ``type:<Datatype>`` stands for."""
    found = _MACRO.fullmatch(treatment)
    return found.group(1) if found else None


def known(treatment: str) -> str:
    """Return the treatment as it is.

    Raises
    ------
    ValueError
        It is none of the treatments that exist.
    """
    if macro(treatment) is None and split(treatment)[0] not in TREATMENTS:
        raise ValueError(f"a treatment is one of {', '.join(sorted(TREATMENTS))}, reference:<Type> or type:<Datatype>")
    return treatment


Rule = Annotated[str, AfterValidator(known)]
"""A treatment as a policy file writes it."""


def level(treatment: str) -> str:
    """How strongly a treatment changes a value: one of `LEVELS`."""
    return _LEVEL[split(treatment)[0]]


def tightens(before: str, after: str) -> bool:
    """Whether a change of treatment cannot publish more than before (no change counts as well)."""
    if before == after:
        return True
    old, new = split(before)[0], split(after)[0]
    if old == new or new not in TREATMENTS or (new == "text" and old not in _PROSE):
        return False
    return LEVELS.index(level(old)) < LEVELS.index(level(new)) or (old, new) in _STRICTER_PEERS


def tighter(one: str, other: str) -> str:
    """The one of two treatments that satisfies both; where neither contains the other, ``drop``."""
    if tightens(one, other):
        return other
    return one if tightens(other, one) else "drop"
