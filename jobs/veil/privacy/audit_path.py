"""What an audit looks at, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veil.privacy import bounding, drawing, records
from veil.privacy.drawing import Draw, Noisy
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.plan import Measure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Bound = Callable[..., "DataFrame"]


@dataclass(frozen=True, slots=True)
class Path:
    """The code under audit; a test puts a fault in the place of a part and expects to see it caught."""

    join: Callable[..., DataFrame] = records.joined
    bound: Bound = bounding.bounded
    draw: Callable[..., Noisy] = drawing.draw
    add: Draw = Mechanism.draw
    threshold: Callable[[Mechanism, float], int] = Mechanism.threshold


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, what was claimed, what was found, and whether the claim holds."""

    name: str
    subject: str
    claimed: float
    found: float
    holds: bool


def subject_of(release: Release, measure: Measure) -> str:
    """Name a measure to a reader."""
    level = f", level {measure.level}" if measure.level else ""
    return f"{release.spec.queries[measure.query].name}: {measure.part}{level}"
