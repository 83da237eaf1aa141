"""Answer keys for DICOM in the schema of the MIDI-B challenge, and boxes of burned-in text.

A key is the table ``answer_data`` of an SQLite file, or a CSV with the same columns: `SOPInstanceUID`, and
`AnswerData`, a JSON object whose values name an `action`, the element's path `tag_ds`, its `value` and the
`action_text`, each in angle brackets (github.com/CBIIT/MIDI_validation_script).
"""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veil.errors import VeilError

ACTIONS = (
    "tag_retained",
    "text_notnull",
    "text_retained",
    "text_removed",
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "patid_consistent",
    "pixels_hidden",
    "pixels_retained",
)
_FIX = "A key has the columns SOPInstanceUID and AnswerData: docs/dicom.md"


@dataclass(frozen=True, slots=True)
class Answer:
    """What has to become of one element of one object (its original SOP instance UID)."""

    instance: str = field(repr=False)
    action: str
    path: str
    value: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextBox:
    """A word that stands in the pixels of a file (path in the folder): left, top, width and height in pixels."""

    file: str = field(repr=False)
    left: int
    top: int
    width: int
    height: int


def read_key(folder: Path) -> list[Answer]:
    """Read every key that lies in a folder.

    Raises
    ------
    VeilError
        A key cannot be read, or names an action that there is not.
    """
    answers: list[Answer] = []
    for path in sorted(folder.iterdir()):
        if path.suffix in {".db", ".sqlite", ".sqlite3"}:
            answers += _answers(path, _of_database(path))
        elif path.suffix == ".csv":
            csv.field_size_limit(sys.maxsize)
            with path.open(encoding="utf-8", newline="") as stream:
                answers += _answers(path, csv.DictReader(stream))
    return answers


def read_boxes(folder: Path) -> list[TextBox]:
    """Read ``boxes.json``: for each file the boxes of its words, as `{left, top, width, height}`.

    Raises
    ------
    VeilError
        It is there and cannot be read.
    """
    path = folder / "boxes.json"
    if not path.exists():
        return []
    try:
        return [
            TextBox(name, *(int(box[part]) for part in ("left", "top", "width", "height")))
            for name, boxes in json.loads(path.read_text("utf-8")).items()
            for box in boxes
        ]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise VeilError("boxes.json is not what it should be", "See docs/dicom.md for an example") from None


def _of_database(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            yield from (dict(row) for row in database.execute("SELECT * FROM answer_data"))
    except sqlite3.Error:
        raise VeilError(f"{path.name} has no readable table answer_data", _FIX) from None


def _answers(path: Path, rows: Iterator[dict[str, Any]] | csv.DictReader[str]) -> Iterator[Answer]:
    for number, row in enumerate(rows, 1):
        try:
            each = json.loads(row["AnswerData"]).values()
            for answer in each:
                yield _answer(str(row["SOPInstanceUID"]), answer)
        except (KeyError, ValueError, AttributeError, TypeError):
            raise VeilError(f"{path.name}, row {number} is no answer", _FIX) from None


def _answer(instance: str, answer: dict[str, Any]) -> Answer:
    action, value, text = (_bare(answer.get(name)) for name in ("action", "value", "action_text"))
    if action not in ACTIONS:
        raise ValueError(action)
    return Answer(instance, action, str(answer.get("tag_ds") or ""), value, text)


def _bare(value: object) -> str:
    text = "" if value is None else str(value)
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text
