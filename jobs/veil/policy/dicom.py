"""What becomes of the attributes of DICOM objects: the table of PS3.15 E.1-1, read by the options that a pack takes."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from veil.contracts import Profile
from veil.errors import VeilError
from veil.policy.treatments import DICOM, Rule, Treatment, split

Option = Literal["patient_characteristics", "device_identity", "modified_dates", "descriptors", "structured_content"]
"""Options of the Basic Profile (PS3.15 E.3): Retain Patient Characteristics, Retain Device Identity, Retain
Longitudinal Temporal Information with Modified Dates, Clean Descriptors, Clean Structured Content."""

_Part = TypeVar("_Part")
_TAG = re.compile(r"[0-9A-F]{8}")
_TABLE = Path(__file__).parents[1] / "packs" / "dicom_ps3_15.csv"
_BASIC: Mapping[str, Treatment] = {
    "X": "drop",
    "Z": "empty",
    "X/Z": "empty",
    "D": "dummy",
    "X/D": "dummy",
    "Z/D": "dummy",
    "X/Z/D": "dummy",
    "U": "uid",
    "X/Z/U": "clean",
}
"""Of several actions the one that leaves an attribute valid wherever its type demands one: D, then Z, then X."""


class Layout(BaseModel):
    """Where a device is known to write: boxes of pixels (left, top, right, bottom), half-open, by its attributes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    device: dict[str, str] = Field(min_length=1)
    boxes: list[list[Annotated[int, Field(ge=0)]]] = Field(min_length=1)


class Heads(BaseModel):
    """Which objects show so much of a head that a face can be rendered: slices this near, or this many frames.

    `words` are regular expressions of words that say in a header that it is a head.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    words: list[str] = Field(min_length=1)
    nearest_mm: float = Field(gt=0)
    most_frames: int = Field(ge=1)


class Dicom(BaseModel):
    """The part of a pack that is about DICOM.

    `sha256` is of the table, so that a policy's hash is of it too. `options` are taken by profile; `attributes` are
    exceptions by keyword, or by tag (eight hexadecimal digits) where the table has none; `vr` is for the standard's
    attributes that the table does not name; `private` are elements (hexadecimal, without their block) that are safe,
    by private creator (PS3.15 E.3.10). `allowed_text` are regular expressions of whole texts that may stay in pixels.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    edition: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    options: dict[Profile, list[Option]] = Field(min_length=2)
    attributes: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")], Rule] = Field(default_factory=dict)
    vr: dict[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], Rule] = Field(min_length=1)
    private: dict[str, list[Annotated[str, Field(pattern=r"^[0-9A-F]{2}$")]]] = Field(default_factory=dict)
    allowed_text: list[str] = Field(default_factory=list)
    layouts: list[Layout] = Field(default_factory=list)
    heads: Heads


@dataclass(frozen=True, slots=True)
class DicomPlan:
    """Treatments by tag and, for the standard's other attributes, by value representation; what neither has is dropped.

    `private` holds the last two digits of the tags that are kept, by private creator; `options` those that are taken;
    `allowed_text` and `layouts` what stays in pixels and where they are masked unseen; `heads` what is held for
    its face.
    """

    attributes: Mapping[int, Treatment] = field(default_factory=dict, repr=False)
    vr: Mapping[str, Treatment] = field(default_factory=dict)
    private: Mapping[str, frozenset[int]] = field(default_factory=dict)
    options: frozenset[str] = frozenset()
    allowed_text: tuple[str, ...] = ()
    layouts: tuple[Layout, ...] = ()
    heads: tuple[Heads, ...] = ()


@cache
def _table() -> tuple[str, tuple[dict[str, str], ...]]:
    """Read the table: its SHA-256 and its rows."""
    data = _TABLE.read_bytes()
    return hashlib.sha256(data).hexdigest(), tuple(csv.DictReader(data.decode().splitlines()))


def rules_of_dicom(pack: Dicom, profile: Profile) -> Iterator[tuple[str, str]]:
    """Give a treatment for each path ``dicom.<keyword>`` and ``dicom.vr.<VR>``.

    Raises
    ------
    VeilError
        The table is not the one that the pack was written for, or has not one of its attributes.
    """
    digest, rows = _table()
    if digest != pack.sha256:
        raise VeilError("The table of PS3.15 is not the one of the pack", "Review the changes, then write its sha256")
    unknown = {name for name in pack.attributes if not _TAG.fullmatch(name)} - {row["keyword"] for row in rows}
    if unknown:
        raise VeilError(f"dicom.attributes: PS3.15 E.1-1 has no {min(unknown)}", "Correct the keyword.")
    for row in rows:
        yield f"dicom.{row['keyword']}", _treatment(row, pack.options[profile])
    for name, rule in pack.attributes.items():
        yield f"dicom.{name}", rule
    for vr, rule in pack.vr.items():
        yield f"dicom.vr.{vr}", rule


def _treatment(row: Mapping[str, str], options: list[Option]) -> Treatment:
    taken = {row[option] for option in options}
    if "K" in taken:
        return "keep"
    return "clean" if "C" in taken else _BASIC[row["basic"]]


def compile_dicom(
    rules: Mapping[str, str], packs: Sequence[Dicom | None], profile: Profile, *, holds_heads: bool
) -> DicomPlan:
    """Compile the rules of DICOM.

    Parameters
    ----------
    rules
        A treatment for every path; others than those of DICOM are ignored.
    packs
        What each pack of the product says of DICOM: safe is a private element that all of them hold for safe.
    profile
        Whose options are taken.
    holds_heads
        Whether objects are held of which a face can be rendered.

    Raises
    ------
    VeilError
        A rule is none for DICOM.
    """
    attributes: dict[int, Treatment] = {}
    vr: dict[str, Treatment] = {}
    tags = {row["keyword"]: row["tag"] for row in _table()[1]}
    for path, rule in rules.items():
        if not path.startswith("dicom."):
            continue
        treatment, name = split(rule)[0], path.rpartition(".")[2]
        if treatment not in DICOM:
            raise VeilError(f"{path}: {treatment} is no action on DICOM", f"Write one of {', '.join(sorted(DICOM))}.")
        tag = tags.get(name, name)
        if path.startswith("dicom.vr."):
            vr[name] = treatment
        elif "X" not in tag:
            attributes[int(tag, 16)] = treatment
    options = set.intersection(*(set(pack.options[profile]) if pack else set() for pack in packs))
    allowed = set.intersection(*(set(pack.allowed_text) if pack else set() for pack in packs))
    heads = _distinct(pack.heads for pack in packs if pack and holds_heads)
    layouts = _distinct(layout for pack in packs if pack for layout in pack.layouts)
    return DicomPlan(attributes, vr, _safe_private(packs), frozenset(options), tuple(sorted(allowed)), layouts, heads)


def _distinct(parts: Iterable[_Part]) -> tuple[_Part, ...]:
    found: list[_Part] = []
    for part in parts:
        if part not in found:
            found.append(part)
    return tuple(found)


def _safe_private(packs: Sequence[Dicom | None]) -> dict[str, frozenset[int]]:
    each = [
        {(creator, int(element, 16)) for creator, elements in pack.private.items() for element in elements}
        if pack
        else set()
        for pack in packs
    ]
    safe = set.intersection(*each)
    return {creator: frozenset(element for name, element in safe if name == creator) for creator, _ in safe}
