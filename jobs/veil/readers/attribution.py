"""`files.csv`: whom the media and the free-standing notes of a drop are about."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from veil.errors import VeilError
from veil.readers.manifest_schema import is_encounter, is_subject
from veil.readers.times import utc

FILES_CSV = "files.csv"
_HEADER = ["path", "patient", "encounter", "date"]
_CHECKS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("patient", is_subject),
    ("encounter", is_encounter),
    ("date", lambda value: utc(value) is not None),
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whom one file is about, as far as it is known."""

    subject: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)
    date: str | None = field(default=None, repr=False)


def read_attributions(path: Path, names: frozenset[str]) -> dict[str, Attribution]:
    """Read ``files.csv`` (columns path, patient, encounter, date; the last two may be empty).

    Parameters
    ----------
    path
        The file; it may be absent.
    names
        The paths of the drop's files.

    Returns
    -------
    dict of str to Attribution
        By path.

    Raises
    ------
    VeilError
        The file is not in order; the line is named, never its content.
    """
    if not path.exists():
        return {}
    found: dict[str, Attribution] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            if next(reader, None) != _HEADER:
                raise VeilError(f"{FILES_CSV} has another header", f"Its first line is: {','.join(_HEADER)}")
            for row in reader:
                if row:
                    _read(row, reader.line_num, names, found)
    except (csv.Error, UnicodeDecodeError, OSError):
        raise VeilError(f"{FILES_CSV} is not CSV in UTF-8", "Write it anew, each value in double quotes.") from None
    return found


def write_attribution(folder: Path, name: str, about: Attribution) -> None:
    """Write a ``files.csv`` for a drop of one file."""
    with (folder / FILES_CSV).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER)
        writer.writerow([name, about.subject, about.encounter, about.date])


def _read(row: list[str], line: int, names: frozenset[str], found: dict[str, Attribution]) -> None:
    if len(row) != len(_HEADER):
        raise VeilError(f"Line {line} of {FILES_CSV} has not {len(_HEADER)} values", "Complete or remove the line.")
    path, *values = row
    if path not in names:
        raise VeilError(
            f"Line {line} of {FILES_CSV} names a file that the drop lacks", "Add the file or remove the line."
        )
    if path in found:
        raise VeilError(f"Line {line} of {FILES_CSV} names a file a second time", "A file is about one patient.")
    for (column, valid), value in zip(_CHECKS, values, strict=True):
        if value and not valid(value):
            fix = "Write Patient/<id>, Encounter/<id> and an ISO 8601 date, or leave the value empty."
            raise VeilError(f"The {column} in line {line} of {FILES_CSV} is not valid", fix)
    found[path] = Attribution(*(value or None for value in values))
