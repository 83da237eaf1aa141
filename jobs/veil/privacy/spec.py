"""The declaration of a release: one TOML file, as a schema. What its parts mean to each other is checked by `load`."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NAME = r"^[a-z][a-z0-9_]{0,62}$"
_RELEASE = r"^[a-z][a-z0-9_]{0,49}$"
_PERIOD = r"^[0-9]{4}(-(Q[1-4]|W[0-9]{2}|[0-9]{2}(-[0-9]{2})?))?$"
_WORDS = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029`]{1,200}$"
Unit = Literal["patient", "patient-day"]
Window = Literal["day", "week", "month", "quarter", "year"]
Statistic = Literal[
    "patients", "patient-days", "count", "sum", "mean", "variance", "histogram", "quantiles", "truncated"
]

ENVELOPE = ("type", "start", "code_system", "code")
"""The typed columns of bronze that a release may read, whatever the modality."""


def _is_declared(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(
            "a bound is a number, without quotes, that policy sets; one that comes from the data would tell of it"
        )
    return value


def _are_two(names: list[str]) -> list[str]:
    if len(set(names)) < len(names) or "" in names:
        raise ValueError("it takes two different people to raise a cap, each named once")
    return names


def _written(pattern: str, how: str) -> BeforeValidator:
    """Say in words how a text is written; editors are told by its pattern."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.match(pattern, value):
            raise ValueError(f"it is written {how}")
        return value

    return BeforeValidator(check)


_Bound = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(_is_declared)]
_Limit = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_is_declared)]
_Rho = Annotated[float, Field(ge=1e-9, le=10)]
_Delta = Annotated[float, Field(ge=1e-15, lt=1e-3)]
_Words = Annotated[
    str, Field(pattern=_WORDS), _written(_WORDS, "in one line of at most 200 characters, without back quotes")
]
"""What people read before they agree to a draw: a line that looks like another part of the page is none."""
_Name = Annotated[str, Field(pattern=NAME), _written(NAME, "in small letters, digits and _, and begins with a letter")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Records(_Part):
    """Which records are counted: the types of one modality."""

    modality: str = "tabular"
    types: Annotated[list[str], Field(min_length=1)]


class Read(_Part):
    """Where a column is read in a record.

    `read` is a typed column of bronze (`ENVELOPE`), ``reference`` (with `to`, the type that is referred to), or a
    JSON path into the record's content (``$.valueQuantity.value``). `as` gives it another form.
    """

    read: str
    to: str | None = None
    form: Annotated[Literal["text", "number", "day", "week", "month", "quarter", "year"], Field(alias="as")] = "text"


class PublicTable(_Part):
    """A public CSV file beside the release, joined before anything is bounded: its columns and the release's."""

    file: str
    on: Annotated[dict[str, str], Field(min_length=1)]


class Keys(_Part):
    """The keys of one column: listed, from a public table, a calendar, or selected from the data at a price.

    `first` and `count` make a calendar of the form that the column has. `parents` are coarser columns of the same
    table, the finest first. `other` is the key of every value that is none of the rest.
    """

    values: Annotated[list[str], Field(min_length=1)] | None = None
    table: str | None = None
    parents: list[str] = Field(default_factory=list)
    first: str | None = None
    count: Annotated[int, Field(ge=1, le=4000)] | None = None
    selected: bool = False
    other: str | None = None


class Query(_Part):
    """One statistic of the records, by columns.

    `cells` bounds in how many cells one privacy unit counts (L0), `per_cell` how often in one of them (L-infinity).
    `of` is the column that is counted once each, or whose numbers are added up; of ``truncated``, the query whose
    bounds left something out. What they mean: docs/releases.md.
    """

    name: _Name
    statistic: Statistic
    by: list[str] | None = None
    of: str | None = None
    cells: _Bound
    per_cell: _Bound = 1
    lower: _Limit | None = None
    upper: _Limit | None = None
    resolution: Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_is_declared)] = 1.0
    edges: Annotated[list[_Limit], Field(min_length=2, max_length=1001), BeforeValidator(_is_declared)] | None = None
    quantiles: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)] | None = None
    levels: bool = False
    select_delta: _Delta | None = None
    rho: _Rho | None = None
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0

    @property
    def counts_units(self) -> bool:
        """Whether privacy units are counted, each once in a cell."""
        return self.statistic in ("patients", "patient-days")

    @property
    def adds_up(self) -> bool:
        """Whether the numbers of `of` are added up, within `lower` and `upper`."""
        return self.statistic in ("sum", "mean", "variance")

    @property
    def has_bins(self) -> bool:
        """Whether the numbers of `of` are counted by bin."""
        return self.statistic in ("histogram", "quantiles")

    @property
    def bins(self) -> int:
        """How many bins each of its cells has; one where numbers are not counted by bin."""
        return len(self.edges) - 1 if self.edges else 1

    @property
    def tells_truncation(self) -> bool:
        """Whether privacy units are counted of whom another query leaves something out."""
        return self.statistic == "truncated"


class Cost(_Part):
    """The delta at which epsilon is stated; with `epsilon`, what all queries cost together, shared out by weight."""

    delta: _Delta
    epsilon: Annotated[float, Field(ge=0.001, le=20)] | None = None


class ReleaseSpec(_Part):
    """One release. The file's other parts hang on it. `period` is a year, quarter, month, week or day."""

    name: Annotated[
        str,
        Field(pattern=_RELEASE),
        _written(_RELEASE, "in at most 50 small letters, digits and _, and begins with a letter"),
    ]
    title: _Words
    source: _Words
    privacy_unit: Unit
    recipients: Annotated[list[_Words], Field(min_length=1)]
    period: (
        Annotated[str, Field(pattern=_PERIOD), _written(_PERIOD, "like 2026, 2026-Q1, 2026-01, 2026-W05 or 2026-01-31")]
        | None
    ) = None
    window: Window | None = None
    schedule: str | None = None
    after_ingest: bool = False
    minimum_size: Annotated[int, Field(ge=1)] | None = None
    records: Records
    columns: Annotated[dict[str, Read], Field(min_length=1)]
    tables: list[PublicTable] = Field(default_factory=list)
    keys: dict[str, Keys] = Field(default_factory=dict)
    queries: Annotated[list[Query], Field(min_length=1)]
    cost: Cost

    def by(self, query: Query) -> tuple[str, ...]:
        """Give the key columns of a query: those it names, or all; none of one that tells truncation."""
        if query.tells_truncation:
            return ()
        return tuple(self.keys) if query.by is None else tuple(query.by)

    def number_of(self, name: str) -> int:
        """Give the index of the query of a name."""
        return [query.name for query in self.queries].index(name)

    @property
    def key_columns(self) -> list[str]:
        """The columns of keys as they are published, with the parents of those that have levels, the coarsest first."""
        listed = [name for column, keys in self.keys.items() for name in (*reversed(keys.parents), column)]
        return list(dict.fromkeys(listed))


class Budget(_Part):
    """What one source may spend: caps of the blocks that its releases charge, when they are first opened.

    A draw of `large_rho` or more waits for one of `approvers`, who are users of Airflow.
    """

    source: str
    privacy_unit: Unit = "patient"
    period_rho: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    lifetime_rho: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    period_delta: Annotated[float, Field(ge=0, lt=1)] = 1e-6
    lifetime_delta: Annotated[float, Field(ge=0, lt=1)] = 1e-5
    large_rho: Annotated[float, Field(gt=0)] | None = None


class Budgets(_Part):
    """``budgets.toml``: the budgets of all sources, and who approves what is large or raises a cap."""

    budgets: Annotated[list[Budget], Field(min_length=1)]
    approvers: Annotated[list[str], Field(min_length=2), AfterValidator(_are_two)]


def quantile(share: float) -> str:
    """Name a quantile as it is published: ``p50``."""
    return f"p{100 * share:.10g}"


def json_schema() -> str:
    """Give the JSON Schema of a declaration, as text."""
    return json.dumps(ReleaseSpec.model_json_schema(by_alias=True), indent=1, sort_keys=True) + "\n"
