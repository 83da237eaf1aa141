"""Loads a release: its file, its public tables and keys, checked against each other; and its canonical text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from math import prod
from pathlib import Path

from veil.errors import VeilError
from veil.policy.files import read_toml, validated
from veil.privacy import calendars
from veil.privacy.checks import check
from veil.privacy.spec import Budget, Budgets, Query, ReleaseSpec
from veil.privacy.tables import Table, read_table

MOST_CELLS = 2_000_000
"""A cell costs a draw, a row and a line of the page: beyond this, coarser keys are wanted."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release ready to run.

    `tables` are the public tables by file name. `window` is the period that one run releases, for a release that
    declares windows: ``2026-03``.
    """

    spec: ReleaseSpec
    tables: dict[str, Table] = field(repr=False)
    window: str | None = None

    @property
    def period(self) -> str:
        """The block that pays beside the lifetime block: the window, or the period that is declared."""
        return self.window or self.spec.period or ""

    @property
    def canonical(self) -> str:
        """Give what the numbers depend on, as canonical JSON: not the title, recipients, schedule or period."""
        told = {"title", "recipients", "schedule", "after_ingest", "period"}
        parts = self.spec.model_dump(mode="json", by_alias=True, exclude=told, exclude_defaults=True)
        tables = {name: [table.columns, *sorted(table.rows)] for name, table in self.tables.items()}
        whole = {"tables": {}, **parts, "version": 1, "at": self.window, **({"contents": tables} if tables else {})}
        return json.dumps(whole, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """Give the SHA-256 of the canonical declaration."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def of(self, day: date) -> Release:
        """Give this release for the window that a day lies in; a release without windows is the same on every day."""
        return self if self.spec.window is None else replace(self, window=calendars.period_of(self.spec.window, day))

    def is_selected(self, columns: tuple[str, ...]) -> bool:
        """Tell whether the cells of these columns are selected from the data instead of being public."""
        return any(self.spec.keys[column].selected for column in columns)

    def values(self, column: str) -> list[str]:
        """List the public keys of a column, in order; none for one whose keys are selected."""
        keys = self.spec.keys[column]
        if keys.first is not None and keys.count is not None:
            form = self.spec.columns[column].form
            listed = calendars.periods(form, keys.first, keys.count)
        elif keys.table is not None:
            listed = self.tables[keys.table].values(column)
        else:
            listed = list(keys.values or ())
        return [*listed, *([keys.other] if keys.other is not None else [])]

    def width(self, columns: Iterable[str]) -> int:
        """Count the public cells of some columns."""
        return prod(len(self.values(column)) for column in columns)

    def cells(self, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
        """List every public cell of some columns, in order; one without columns, for everything together."""
        return list(product(*(self.values(column) for column in columns)))


def load_release(path: Path) -> Release:
    """Read a release file and its public tables, and check that they fit together.

    Raises
    ------
    VeilError
        Naming file, key and line of what is wrong.
    """
    document, origin = read_toml(path)
    spec = validated(ReleaseSpec, document, origin)
    if spec.name != path.stem:
        raise VeilError(f"{origin.at('name')}: the release is called {spec.name}", f"Name it {path.stem}, as its file")
    files = [*(table.file for table in spec.tables), *(keys.table for keys in spec.keys.values() if keys.table)]
    tables = {file: read_table(path, file) for file in dict.fromkeys(files)}
    joined: list[list[str]] = []
    for number, table in enumerate(spec.tables):
        tables[table.file].check_join(table, origin.at("tables", number, "on"))
        joined.append([column for column in tables[table.file].columns if column not in table.on])
    check(spec, origin, joined)
    release = Release(spec, tables)
    for column, keys in spec.keys.items():
        if keys.table is not None:
            tables[keys.table].check_levels([column, *keys.parents], origin.at("keys", column, "table"))
    for column in spec.keys:
        values = release.values(column)
        if len(set(values)) < len(values):
            raise VeilError(f"{origin.at('keys', column)}: a key stands twice", "Give the other bucket another name")
    for number, query in enumerate(spec.queries):
        columns = release.spec.by(query)
        width = release.width(column for column in columns if not spec.keys[column].selected)
        if width * max(1, len(query.edges or ())) > MOST_CELLS:
            raise VeilError(
                f"{origin.at('queries', number, 'by')}: {width:,} cells are more than {MOST_CELLS:,}",
                "Use coarser keys",
            )
        if query.tells_truncation and not _truncates(release, spec.queries[spec.number_of(str(query.of))]):
            raise VeilError(
                f"{origin.at('queries', number, 'of')}: {query.of} leaves nothing out: it keeps all its cells",
                "Remove the query",
            )
    return release


def _truncates(release: Release, query: Query) -> bool:
    columns = release.spec.by(query)
    if not query.counts_units or release.is_selected(columns):
        return True
    return query.cells < release.width(columns)


def load_budget(config: Path, release: Release) -> Budget:
    """Read what the source of a release may spend, from ``budgets.toml``.

    Raises
    ------
    VeilError
        There is no budget for the source and privacy unit: nothing is released without one.
    """
    budgets = load_budgets(config)
    wanted = (release.spec.source, release.spec.privacy_unit)
    for budget in budgets.budgets:
        if (budget.source, budget.privacy_unit) == wanted:
            return budget
    raise VeilError(
        f"budgets.toml: no budget for the source {wanted[0]} and the privacy unit {wanted[1]}",
        f"Correct source in {release.spec.name}.toml, or add a [[budgets]] for them: there are budgets for "
        + ", ".join(sorted({f"{budget.source} ({budget.privacy_unit})" for budget in budgets.budgets})),
    )


def load_budgets(config: Path) -> Budgets:
    """Read ``budgets.toml``.

    Raises
    ------
    VeilError
        Naming file, key and line of what is wrong.
    """
    document, origin = read_toml(config / "budgets.toml")
    budgets = validated(Budgets, document, origin)
    seen = set()
    for number, budget in enumerate(budgets.budgets):
        if (budget.source, budget.privacy_unit) in seen:
            raise VeilError(
                f"{origin.at('budgets', number, 'source')}: a second budget for this source and privacy unit",
                "Keep one",
            )
        seen.add((budget.source, budget.privacy_unit))
    return budgets
