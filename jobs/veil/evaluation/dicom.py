"""Scores what becomes of DICOM objects against an answer key, and how much burned-in text is covered."""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from veil.contracts import Item, Outcome, Unpublishable
from veil.evaluation.dicom_key import ACTIONS, Answer, TextBox
from veil.readers.dicom import patient_of

_COVERED = 0.9
_LEGIBLE = 14
"""Pixels of height from which on the bar for burned-in text is higher."""
_TOKEN = re.compile(r"[^\W_]+(?:[.:/-][^\W_]+)*")
_STOP = frozenset(("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"))
_WITHOUT_VALUE = frozenset(("Pixel Data", "Overlay Data", "File Meta Information Version"))
_MISSING_PASSES = frozenset(("text_removed", "date_shifted", "uid_changed", "pixels_hidden"))
_OFFSET_DAYS = 77


@dataclass(frozen=True, slots=True)
class _Pair:
    """An object before and after: its elements by their path in the key's notation."""

    before: Mapping[str, str] = field(repr=False)
    after: Mapping[str, str] | None = field(repr=False)
    output: Any = field(repr=False)


@dataclass(slots=True)
class DicomScores:
    """Checks passed and made, by action; boxes covered and labelled; objects held by reason; seconds used."""

    passed: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    failed_tags: Counter[tuple[str, str]] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the scores without anything of the objects: tags are those of the standard."""
        actions = {
            action: {"passed": self.passed[action], "made": self.made[action]}
            for action in ACTIONS
            if self.made[action]
        }
        made = sum(self.made.values())
        return {
            "objects": self.objects,
            "objects_per_second": round(self.objects / self.seconds, 2) if self.seconds else None,
            "held": dict(self.held),
            "score": round(sum(self.passed.values()) / made, 6) if made else None,
            "actions": actions,
            "failed": {f"{action} {path}": count for (action, path), count in sorted(self.failed_tags.items())},
            "burned_in_text": {
                size: {"covered": self.covered[size], "labelled": count} for size, count in self.boxes.items()
            },
        }


def score_dicom(
    folder: Path, answers: Iterable[Answer], boxes: Iterable[TextBox], anonymize: Callable[[Item], Outcome]
) -> DicomScores:
    """Anonymize every object below a folder, under secrets of this call alone, and check the result.

    An object that is held fails each check that needs it, as one that is missing does in the challenge.
    """
    scores = DicomScores()
    boxes_of: defaultdict[str, list[TextBox]] = defaultdict(list)
    for box in boxes:
        boxes_of[box.file].append(box)
    pairs: dict[str, _Pair] = {}
    keys: defaultdict[str, bytes] = defaultdict(lambda: secrets.token_bytes(32))
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        payload = path.read_bytes()
        if payload[128:132] != b"DICM":
            continue
        pair = _anonymized(payload, keys, anonymize, scores)
        if pair is not None:
            pairs[pair.before.get("<(0008,0018)>", path.name)] = pair
            _cover(pair, boxes_of[str(path.relative_to(folder))], scores)
    _check(pairs, list(answers), scores)
    return scores


def _anonymized(
    payload: bytes, keys: Mapping[str, bytes], anonymize: Callable[[Item], Outcome], scores: DicomScores
) -> _Pair | None:
    about = patient_of(payload)
    if about.is_directory:
        return None
    key = keys[about.patient]
    item = Item("dicom", secrets.token_hex(16), key[:16].hex(), payload=payload, offset_days=_OFFSET_DAYS, uid_key=key)
    began = time.perf_counter()
    try:
        output = anonymize(item).payload or b""
    except Unpublishable as reason:
        scores.held[str(reason)] += 1
        output = b""
    scores.seconds += time.perf_counter() - began
    scores.objects += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = pydicom.dcmread(io.BytesIO(payload), force=True)
        after = pydicom.dcmread(io.BytesIO(output)) if output else None
        return _Pair(elements(before), None if after is None else elements(after), after)


def elements(dataset: pydicom.Dataset, prefix: str = "") -> dict[str, str]:
    """Give every element by its path: ``<(gggg,eeee)>``, within an item ``…[<0000>]<(gggg,eeee)>``."""
    found: dict[str, str] = {}
    for element in dataset:
        path = f"{prefix}<{_label(element)}>"
        if element.name in _WITHOUT_VALUE:
            found[path] = ""
        else:
            found[path] = "" if element.value is None or element.VR == "SQ" else str(element.value).strip()
        if element.VR == "SQ":
            for number, item in enumerate(element.value or ()):
                found |= elements(item, f"{path}[<{number:04}>]")
    return found


def _label(element: pydicom.DataElement) -> str:
    group, number = f"{element.tag.group:04x}", f"{element.tag.element:04x}"
    creator = element.private_creator if element.tag.is_private else None
    return f'({group},"{creator.upper()}",{number[2:]})' if creator else f"({group},{number})"


def _check(pairs: Mapping[str, _Pair], answers: list[Answer], scores: DicomScores) -> None:
    new: dict[str, str] = {}
    for pair in pairs.values():
        for path, value in (pair.after or {}).items():
            new.setdefault(pair.before.get(path, ""), value)
    for answer in answers:
        found = pairs.get(answer.instance)
        is_there = found is not None and found.after is not None
        passed = _passes(answer, found, new) if found and is_there else answer.action in _MISSING_PASSES
        scores.made[answer.action] += 1
        scores.passed[answer.action] += passed
        if not passed:
            scores.failed_tags[answer.action, answer.path] += 1


def _passes(answer: Answer, pair: _Pair, new: Mapping[str, str]) -> bool:
    value = (pair.after or {}).get(answer.path)
    match answer.action:
        case "tag_retained":
            return value is not None
        case "text_notnull":
            return bool(value)
        case "text_retained":
            return bool(value) and not _missing(answer.text, value or "")
        case "text_removed":
            return not value or _missing(answer.text, value) == _tokens(answer.text)
        case "date_shifted" | "uid_changed":
            return not value or not answer.value or answer.value not in value
        case "uid_consistent" | "patid_consistent":
            return value is None or value == new.get(answer.value)
        case "pixels_retained":
            pixels = pair.output.get("PixelData") or b""
            return hashlib.md5(pixels, usedforsecurity=False).hexdigest() == answer.text
    return _is_hidden(pair.output, answer.text)


def _tokens(text: str) -> set[str]:
    return {token for token in _TOKEN.findall(text.lower()) if token not in _STOP}


def _missing(wanted: str, value: str) -> set[str]:
    """The words of a text that a value does not hold; numbers are compared as numbers."""
    try:
        return set() if float(wanted) == float(value) else _tokens(wanted)
    except ValueError:
        return {token for token in _tokens(wanted) if token not in value.lower()}


def _is_hidden(output: pydicom.Dataset, action: str) -> bool:
    box = json.loads(action)
    (left, top), (right, bottom) = box["top_left"], box["bottom_right"]
    return _share_masked(output, int(left), int(top), int(right), int(bottom)) >= _COVERED


def _cover(pair: _Pair, boxes: list[TextBox], scores: DicomScores) -> None:
    for box in boxes:
        corners = (box.left, box.top, box.left + box.width, box.top + box.height)
        covered = pair.output is not None and _share_masked(pair.output, *corners) >= _COVERED
        for size in ("all", *((f"{_LEGIBLE} px and more",) if box.height >= _LEGIBLE else ())):
            scores.boxes[size] += 1
            scores.covered[size] += covered


def _share_masked(output: pydicom.Dataset, left: int, top: int, right: int, bottom: int) -> float:
    """Give the share of a region whose pixels all have the most frequent value of the region."""
    region = np.asarray(output.pixel_array)
    frames = int(output.get("NumberOfFrames") or 1)
    region = region[:, top:bottom, left:right] if frames > 1 else region[None, top:bottom, left:right]
    flat = region.reshape(region.shape[0] * region.shape[1] * region.shape[2], -1) if region.size else region
    if not flat.size:
        return 0.0
    _, counts = np.unique(flat, axis=0, return_counts=True)
    return float(counts.max() / counts.sum())
