"""Public tables: CSV files beside a release that say what a code means, or which keys there are."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veil.errors import VeilError
from veil.privacy.spec import PublicTable


@dataclass(frozen=True, slots=True)
class Table:
    """A public table: the names of its columns and its rows, in the order of the file."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(repr=False)

    def values(self, column: str) -> list[str]:
        """List the distinct values of a column, in order."""
        at = self.columns.index(column)
        return sorted({row[at] for row in self.rows})

    def parents(self, column: str, parents: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Give, for each value of a column, its values in coarser columns."""
        at, above = self.columns.index(column), [self.columns.index(parent) for parent in parents]
        return {row[at]: tuple(row[place] for place in above) for row in self.rows}

    def check_columns(self, columns: Sequence[str], place: str) -> None:
        """Refuse a table that lacks a column."""
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise VeilError(f"{place}: {self.name} has no column {', '.join(missing)}", "Correct the name or the file")

    def check_levels(self, columns: Sequence[str], place: str) -> None:
        """Refuse a table in which a value lies under two parents; the finest column comes first."""
        self.check_columns(columns, place)
        for finer, coarser in itertools.pairwise(columns):
            parent: dict[str, str] = {}
            at, above = self.columns.index(finer), self.columns.index(coarser)
            for row in self.rows:
                if parent.setdefault(row[at], row[above]) != row[above]:
                    raise VeilError(
                        f"{place}: in {self.name} a {finer} lies in two of {coarser}", "Give each one parent"
                    )

    def check_join(self, table: PublicTable, place: str) -> None:
        """Refuse a join by columns that are not there, or by keys that stand twice: one record would count twice."""
        self.check_columns(list(table.on), place)
        at = [self.columns.index(column) for column in table.on]
        seen: set[tuple[str, ...]] = set()
        for number, row in enumerate(self.rows, start=2):
            key = tuple(row[place] for place in at)
            if key in seen:
                raise VeilError(f"{place}: {self.name}, line {number}: the key stands twice", "Give each key one row")
            seen.add(key)


def read_table(release: Path, name: str) -> Table:
    """Read the public table `name` beside a release file.

    Raises
    ------
    VeilError
        It is no plain file beside the release, cannot be read, or a cell is empty.
    """
    told = f"{release.name}: the public table {name}"
    if Path(name).name != name:
        raise VeilError(
            f"{told} is not a file beside the release",
            "A key table is public and lies beside the release; one read from the lake would tell about the data",
        )
    try:
        with (release.parent / name).open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = [tuple(cell.strip() for cell in row) for row in csv.reader(stream) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise VeilError(
            f"{told} cannot be read", "It is a CSV file in UTF-8 with a header, beside the release"
        ) from error
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not all(row):
            raise VeilError(f"{told}, line {number}: a cell is empty or missing", "Fill it in or remove the line")
    if not rows or len(set(header)) < len(header):
        raise VeilError(f"{told} has no rows, or two columns of one name", "List at least one row under one header")
    return Table(name, tuple(header), rows)
