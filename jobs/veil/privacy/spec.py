"""The declaration of a release: a TOML file, validated at load, whose canonical text is part of the ledger's key."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from veil.errors import VeilError
from veil.policy.files import read_toml, validated

_NAME = r"^[a-z][a-z0-9_]{0,62}$"
_Positive = Annotated[int, Field(ge=1)]
_Rho = Annotated[float, Field(gt=0, le=10)]
_Cap = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keys(_Part):
    """The public keys: consecutive months from `first_month` (``YYYY-MM``), and the categories of a public table."""

    first_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    months: Annotated[int, Field(ge=1, le=120)]
    categories: str


class Bounds(_Part):
    """What one patient can change: `cells` is the L0 bound, `encounters_per_cell` the L-infinity bound."""

    cells: _Positive
    encounters_per_cell: _Positive


class Cost(_Part):
    """Rho (zero-concentrated DP, Bun and Steinke 2016) of each query, and the delta at which epsilon is stated."""

    patients: _Rho
    encounters: _Rho
    delta: Annotated[float, Field(gt=0, lt=1e-3)]


class Budget(_Part):
    """The blocks a release charges, and the caps they get when they are first opened; later only people raise them."""

    period: Annotated[str, Field(pattern=r"^[0-9-]{4,10}$")]
    period_rho: _Cap
    lifetime_rho: _Cap


class ReleaseSpec(_Part):
    """One release of two queries: distinct patients, and encounters, by month and condition category."""

    name: Annotated[str, Field(pattern=_NAME)]
    title: str
    source: str
    privacy_unit: Annotated[str, Field(pattern="^patient$")]
    recipients: Annotated[list[str], Field(min_length=1)]
    keys: Keys
    bounds: Bounds
    cost: Cost
    budget: Budget


@dataclass(frozen=True, slots=True)
class Release:
    """A release ready to run: its declaration and the public table of categories, (code system, code) to category."""

    spec: ReleaseSpec
    categories: dict[tuple[str, str], str]

    @property
    def canonical(self) -> str:
        """Give what the numbers depend on, as canonical JSON: not the title, nor who receives them, nor the caps."""
        parts = self.spec.model_dump(include={"name", "source", "privacy_unit", "keys", "bounds", "cost"})
        table = sorted([*key, category] for key, category in self.categories.items())
        return json.dumps({**parts, "table": table}, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """Give the SHA-256 of the canonical declaration."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def public_keys(self) -> list[tuple[str, str]]:
        """List every (month, category), in order: each gets a number, whether anybody is in it or not."""
        year, month = map(int, self.spec.keys.first_month.split("-"))
        first = year * 12 + month - 1
        months = [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, first + self.spec.keys.months)]
        return list(product(months, sorted(set(self.categories.values()))))


def load_release(path: Path) -> Release:
    """Read a release file and its public table.

    Raises
    ------
    VeilError
        Naming file, key and line of what is wrong.
    """
    spec = validated(ReleaseSpec, *read_toml(path))
    return Release(spec, _read_categories(path, spec.keys.categories))


def _read_categories(path: Path, name: str) -> dict[tuple[str, str], str]:
    categories: dict[tuple[str, str], str] = {}
    try:
        with (path.parent / name).open(newline="", encoding="utf-8") as stream:
            for row in (reader := csv.DictReader(stream)):
                key, category = (row["code_system"], row["code"]), row["category"]
                if not all((*key, category)) or categories.setdefault(key, category) != category:
                    raise VeilError(
                        f"{path.name}: {name}, line {reader.line_num}: a cell is empty, or the code has two categories",
                        "Give each code one category",
                    )
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise VeilError(
            f"{path.name}: keys.categories names {name}, which cannot be read",
            "It is a CSV file beside the release with columns code_system, code, category",
        ) from error
    if not categories:
        raise VeilError(f"{path.name}: {name} holds no category", "List at least one")
    return categories
