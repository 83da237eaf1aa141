"""Pairs of neighbouring data sets to audit with: the same, but for one privacy unit, made to reach every bound."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veil.privacy.load import Release
from veil.privacy.records import UNIT
from veil.privacy.spec import PublicTable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_OTHERS = 2
_SEED = 20_110
_MOST_ROWS = 20_000
_TRIES, _FEW = 20, 100
_OUTSIDE = "no public key"
_SELECTED = [f"key {number}" for number in range(40)]
_Rows = list[dict[str, Any]]


def pairs(spark: SparkSession, release: Release, trials: int) -> DataFrame:
    """Make (trial, side, privacy unit, declared columns): side 1 has the records of one unit more than side 0.

    The one is an ordinary patient in some trials; in others one whose records fill more cells than are kept, each more
    often than counts, with all values beyond the same bound. Keys may be missing, or none. It is spread over the
    workers.
    """
    names, types = _columns(release)
    ddl = f"trial int, side int, {UNIT} string, " + ", ".join(
        f"{name} {kind}" for name, kind in zip(names, types, strict=True)
    )
    maker = _Maker(release, names, types)
    slices = 2 * int(spark.conf.get("spark.sql.shuffle.partitions") or 2)
    return spark.range(0, trials, 1, slices).mapInArrow(maker, ddl)


def _columns(release: Release) -> tuple[list[str], list[str]]:
    spec = release.spec
    numbers = {query.of for query in spec.queries if query.of and (query.adds_up or query.has_bins)}
    return list(spec.columns), ["double" if name in numbers else "string" for name in spec.columns]


def _joins(release: Release, table: PublicTable) -> _Rows:
    """Give, for each row of a public table, the declared columns by which a record is joined to it."""
    public = release.tables[table.file]
    places = {column: public.columns.index(name) for name, column in table.on.items()}
    return [{column: row[place] for column, place in places.items()} for row in public.rows]


class _Maker:
    """Makes the rows of some trials, the same for the same trial on whatever worker."""

    def __init__(self, release: Release, names: list[str], types: list[str]) -> None:
        self._names = names
        kinds = [pa.float64() if kind == "double" else pa.string() for kind in types]
        head = [("trial", pa.int32()), ("side", pa.int32()), (UNIT, pa.string())]
        self._schema = pa.schema([*head, *zip(names, kinds, strict=True)])
        own = {name: keys for name, keys in release.spec.keys.items() if name in names}
        self._keys = {
            name: [*(_SELECTED if keys.selected else release.values(name)), _OUTSIDE, None]
            for name, keys in own.items()
        }
        self._tables = [_joins(release, table) for table in release.spec.tables]
        self._deep = 1 + max(query.per_cell for query in release.spec.queries)
        self._cells = 4 + 2 * max(query.cells for query in release.spec.queries)
        self._limits: dict[str, list[float]] = {}
        for query in release.spec.queries:
            if query.of and (query.adds_up or query.has_bins):
                edges = query.edges or [query.lower or 0.0, query.upper or 0.0]
                self._limits.setdefault(query.of, []).extend((edges[0], edges[-1]))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [row for trial in batch.column("id").to_pylist() for row in self._trial(trial)]
            columns = zip(*rows, strict=True) if rows else [()] * len(self._schema)
            arrays = [pa.array(values, kind) for values, kind in zip(columns, self._schema.types, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _trial(self, trial: int) -> list[tuple[Any, ...]]:
        chance = random.Random(_SEED + trial)  # noqa: S311 - made-up records
        name, kind = f"one {trial}", trial % 4
        one = self._full(chance, name) if kind == 3 else self._unit(chance, name, (1, 12, 120)[kind])
        others = [
            row for number in range(_OTHERS) for row in self._unit(chance, f"other {number}", chance.randint(1, 8))
        ]
        return [(trial, side, *row) for side in (0, 1) for row in (others if side == 0 else [*others, *one])]

    def _unit(self, chance: random.Random, name: str, rows: int) -> list[tuple[Any, ...]]:
        """Make records at random: keys that are missing and keys that are none, values beyond the bounds."""
        tables = [[*rows, dict.fromkeys(rows[0], _OUTSIDE), dict.fromkeys(rows[0])] for rows in self._tables]
        return [(name, *self._row(chance, self._keys, tables, None, at)) for at in range(rows)]

    def _full(self, chance: random.Random, name: str) -> list[tuple[Any, ...]]:
        """Make records that fill more cells than are kept, each more often than counts, all at the same bound."""
        side = chance.choice((0, 1))
        rows: list[tuple[Any, ...]] = []
        seen: set[str] = set()
        for _ in range(_TRIES * self._cells):
            cell = {
                column: [chance.choice([key for key in keys if key is not None])] for column, keys in self._keys.items()
            }
            tables = [[chance.choice(rows)] for rows in self._tables]
            # few cells are tried again, in bins of their own; of many each is wanted once
            where = repr((cell, tables))
            if len(seen) > _FEW and where in seen:
                continue
            seen.add(where)
            rows += [(name, *self._row(chance, cell, tables, side, len(rows) + at)) for at in range(self._deep)]
            if len(rows) >= min(_MOST_ROWS, self._deep * self._cells):
                break
        return rows

    def _row(
        self, chance: random.Random, keys: dict[str, Any], tables: list[_Rows], side: int | None, at: int
    ) -> list[Any]:
        row: list[Any] = []
        joined: dict[str, Any] = {}
        for rows in tables:
            joined |= chance.choice(rows)
        for column in self._names:
            if column in joined:
                row.append(joined[column])
            elif column in self._limits:
                limits = self._limits[column]
                low, high = min(limits), max(limits)
                wide = (high - low) or 1.0
                spread = chance.uniform(low - wide, high + wide)
                row.append(spread if side is None else (low - wide, high + wide)[side])
            elif column in keys:
                row.append(chance.choice(keys[column]))
            else:
                row.append(f"item {at}")
        return row
