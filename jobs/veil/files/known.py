"""Identifiers that the user knows beforehand, for texts that do not say whose they are."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import get_args

from veil.contracts import Kind, KnownIdentifier
from veil.errors import VeilError

_COLUMNS = ("place", "kind", "value")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ROLES = ("subject", "relative", "practitioner", "organization")
_FIX = "It is a CSV with the columns place, kind, value and, optional, role: docs/files.md"


@dataclass(frozen=True, slots=True)
class Known:
    """Known identifiers by place: a file or a folder directly below the input, or "" for all."""

    by_place: Mapping[str, Sequence[KnownIdentifier]] = field(default_factory=dict, repr=False)

    def of(self, place: str) -> list[KnownIdentifier]:
        """Give what is known at a place."""
        return [*self.by_place.get(place, ()), *self.by_place.get("", ())]


def read_known(path: Path) -> Known:
    """Read a CSV of ``place,kind,value[,role]``; the kinds are those of `veil.contracts.Kind`.

    Raises
    ------
    VeilError
        The file cannot be read, a column is missing, or a kind or role is unknown; it names the line.
    """
    found: defaultdict[str, list[KnownIdentifier]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if not set(_COLUMNS) <= set(reader.fieldnames or ()):
                raise VeilError(f"{path} lacks one of the columns {', '.join(_COLUMNS)}", _FIX)
            for row in reader:
                place, kind, value = ((row[name] or "").strip() for name in _COLUMNS)
                role = (row.get("role") or "subject").strip()
                if problem := _problem(row, kind, value, role):
                    raise VeilError(f"{path}, line {reader.line_num}: {problem}", _FIX)
                found[place].append(KnownIdentifier(kind, value, role))  # type: ignore[arg-type] # checked above
    except OSError as error:
        raise VeilError(f"{path} cannot be read: {error.strerror}", "Check the path and its permissions") from None
    except (UnicodeDecodeError, csv.Error):
        raise VeilError(f"{path} is no CSV in UTF-8, or a double quote in it is not closed", _FIX) from None
    return Known(found)


def _problem(row: Mapping[str | None, object], kind: str, value: str, role: str) -> str:
    if None in row:
        return "it has more values than the header has columns: put a value with a comma into double quotes"
    if kind not in get_args(Kind):
        return f"kind is none of {', '.join(get_args(Kind))}"
    if role not in _ROLES:
        return f"role is none of {', '.join(_ROLES)}"
    if not value:
        return "value is empty"
    return "a DATE is a day that exists, written as 1961-04-02" if kind == "DATE" and not _is_date(value) else ""


def _is_date(value: str) -> bool:
    try:
        return bool(_ISO_DATE.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False
