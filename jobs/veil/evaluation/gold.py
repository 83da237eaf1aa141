"""Labelled texts: brat standoff, presidio-research JSON, and a CSV of texts with the names in them."""

from __future__ import annotations

import csv
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from veil.errors import VeilError

_AGE = re.compile(r"\d{1,3}")
TITLE = re.compile(r"(?:(?:dr|mr|mrs|ms|mx|miss|prof|sr|sra|dra|don|doña)\.?(?:\s+|$))+", re.IGNORECASE)
"""Titles in front of a name; alone they identify nobody."""
_BRAT_KINDS = ("", *"TREAMN#*")
"""What a line of standoff may begin with: text-bound annotations, relations, events, attributes, notes."""
_FORMS = {
    ".ann": "Its lines are like: T1<tab>NAME 12 20<tab>Ana Ruiz. See docs/files.md",
    ".json": 'It is a list of {"full_text": …, "spans": [{"entity_type": …, "start_position": …, "end_position": …}]}',
    ".csv": "Its columns are text, names (separated by semicolons) and, optional, group. See docs/files.md",
}
_YEAR = re.compile(r"\s*(?:19|20)\d{2}\s*")
_OLDEST_AGE = 89


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A half-open range [start, end) of characters that somebody labelled, and the group that recall is compared by."""

    start: int
    end: int
    kind: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text with all that identifies somebody in it. One without spans is a hard negative."""

    text: str = field(repr=False)
    spans: tuple[GoldSpan, ...]


def read_gold(folder: Path) -> Iterator[Document]:
    """Read every labelled text of a folder.

    Parameters
    ----------
    folder
        Holds any of: ``<name>.txt`` with ``<name>.ann`` (brat standoff), ``*.json`` (a list of objects with
        ``full_text`` and ``spans`` of ``entity_type``, ``start_position``, ``end_position``), ``*.csv`` (columns
        ``text``, ``names`` separated by semicolons and, optional, ``group``).

    Yields
    ------
    Document
        Spans that no provision makes an identifier are left out: ages under 90, years alone, and what
        ``labels.toml`` says.

    Raises
    ------
    VeilError
        The folder has none of these, or one cannot be read; it names the file.
    """
    readers = {".ann": _brat, ".json": _presidio, ".csv": _names}
    files = sorted(path for path in folder.rglob("*") if path.suffix in readers and path.is_file())
    if not files:
        raise VeilError(
            f"{folder} has no labelled text", "It takes .txt with .ann (brat), .json, or .csv: docs/files.md"
        )
    for path in files:
        try:
            yield from readers[path.suffix](path)
        except OSError as error:
            raise VeilError(f"{path} cannot be read", str(error.strerror)) from None
        except UnicodeDecodeError:
            raise VeilError(f"{path} is not UTF-8", "Write it, and the text beside it, in UTF-8") from None
        except (ValueError, KeyError, TypeError, AttributeError, csv.Error):
            # its text may quote what identifies somebody
            raise VeilError(f"{path} is not the labelled text that its name promises", _FORMS[path.suffix]) from None


def _brat(path: Path) -> Iterator[Document]:
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        raise VeilError(f"{path} has no text beside it", f"Put {beside.name} into its folder")
    text = beside.read_bytes().decode("utf-8")
    spans = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line[:1] not in _BRAT_KINDS:
            raise VeilError(f"{path.name}, line {number}: it is no annotation of brat", _FORMS[".ann"])
        if line.startswith("T"):
            _, labelled, covered = line.split("\t", 2)
            label, _, ranges = labelled.partition(" ")
            pairs = [tuple(int(place) for place in pair.split()) for pair in ranges.split(";")]
            if " ".join(text[start:end] for start, end in pairs).split() != covered.split():
                raise VeilError(
                    f"{path.name}, line {number}: another text stands at these places",
                    "Check that the .txt is the same",
                )
            spans += [(label, start, end, "") for start, end in pairs]
    yield _document(text, spans)


def _presidio(path: Path) -> Iterator[Document]:
    for sample in json.loads(path.read_bytes()):
        spans = [
            (
                str(span["entity_type"]),
                int(span["start_position"]),
                int(span["end_position"]),
                str(span.get("group") or ""),
            )
            for span in sample["spans"]
        ]
        yield _document(str(sample["full_text"]), spans)


def _names(path: Path) -> Iterator[Document]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        rows = list(reader)
        if not rows or any(None in row for row in rows):
            raise VeilError(f"{path} has no rows, or one of more values than columns", _FORMS[".csv"])
        for number, row in enumerate(rows, 1):
            text, spans = row["text"], []
            for name in filter(None, (part.strip() for part in row["names"].split(";"))):
                found = list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))
                if not found:
                    raise VeilError(f"{path.name}, row {number}: a name does not stand in the text", "Correct either")
                spans += [("NAME", match.start(), match.end(), row.get("group") or "") for match in found]
            yield _document(text, spans)


def _document(text: str, spans: list[tuple[str, int, int, str]]) -> Document:
    found = []
    for label, start, end, group in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError("a span lies outside of its text")
        kind = _labels().get(label.upper(), label.upper())
        if kind and _identifies(kind, text[start:end]):
            found.append(GoldSpan(start, end, kind, group))
    return Document(text, tuple(sorted(found, key=lambda span: (span.start, span.end))))


def _identifies(kind: str, value: str) -> bool:
    """45 CFR 164.514(b)(2)(i)(C): of dates the year may stay, and ages up to 89."""
    if kind == "AGE":
        return any(int(number) > _OLDEST_AGE for number in _AGE.findall(value))
    if kind == "NAME":
        return not TITLE.fullmatch(value)
    return kind != "DATE" or not _YEAR.fullmatch(value)


@cache
def _labels() -> dict[str, str]:
    labels = tomllib.loads((Path(__file__).parent / "labels.toml").read_text("utf-8"))["labels"]
    return {str(label): str(kind) for label, kind in labels.items()}
