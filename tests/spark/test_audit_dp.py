"""The audit finds nothing in what is shipped, and every fault that is planted in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.spark.conftest import PROJECT
from tests.spark.releases import BASIC, KITCHEN, LEVELS, SELECTED, declared
from veil.privacy import bounding, drawing, records
from veil.privacy.audit import audit
from veil.privacy.audit_path import Check
from veil.privacy.audit_path import Path as Under
from veil.privacy.load import Release, load_release
from veil.privacy.mechanism import Mechanism
from veil.privacy.records import UNIT
from veil.session import open_session

TRIALS, DRAWS, LEVEL = 40, 3_000, 0.99999


def failing(release: Release, path: Under | None = None, draws: int = DRAWS) -> dict[str, Check]:
    checks = audit(open_session("tests"), release, TRIALS, draws, path, LEVEL)
    assert checks
    return {f"{check.name} {check.subject}": check for check in checks if not check.holds}


def test_the_shipped_release_keeps_its_claims_and_the_audit_comes_close_to_them() -> None:
    release = load_release(PROJECT / "dags" / "config" / "releases" / "monthly_conditions.toml")
    checks = audit(open_session("tests"), release, TRIALS, 20_000, level=LEVEL)
    assert [check for check in checks if not check.holds] == []
    found = {(check.name, check.subject): check for check in checks}
    for query in ("patients", "encounters"):
        reached = found["L2", f"{query}: count"]
        assert reached.found == pytest.approx(reached.claimed)
        bound = found["rho, lower bound", f"{query}: count"]
        assert 0.5 * bound.claimed < bound.found <= bound.claimed


@pytest.mark.parametrize("text", [KITCHEN, SELECTED, LEVELS], ids=["kitchen", "selected", "levels"])
def test_every_statistic_keeps_its_claims(text: str, tmp_path: Path) -> None:
    assert failing(declared(tmp_path, text)) == {}


def unbounded(change: dict[str, Any]) -> Any:
    """Bound by a declaration that is laxer than the one the noise was made for."""

    def bound(found: Any, release: Release, grouping: Any, within: Sequence[str] = ()) -> Any:
        lax = [query.model_copy(update=change) for query in release.spec.queries]
        spec = release.spec.model_copy(update={"queries": lax})
        laxer = replace(release, spec=spec)
        return bounding.bounded(found, laxer, replace(grouping, cells=change.get("cells", grouping.cells)), within)

    return bound


def half_noise(mechanism: Mechanism, exact: Sequence[int]) -> list[int]:
    return Mechanism(mechanism.l0, mechanism.l_infinity, 4 * mechanism.rho).draw(exact)


def rounded_after(mechanism: Mechanism, exact: Sequence[int]) -> list[int]:
    draw = random.Random(5)
    return [round(value + draw.gauss(0, mechanism.scale)) for value in exact]


class Reused:
    """The same noise for every vector."""

    def __init__(self) -> None:
        self._noise: list[int] = []

    def __call__(self, mechanism: Mechanism, exact: Sequence[int]) -> list[int]:
        if len(self._noise) < len(exact):
            self._noise = mechanism.draw([0] * len(exact))
        return [value + noise for value, noise in zip(exact, self._noise, strict=False)]


def exact_where_anybody_is(release: Release, counted: Any, add: Any) -> Any:
    noisy, exact = drawing.draw(release, counted, add), drawing.draw(release, counted, lambda _, numbers: list(numbers))
    mixed = [
        {cell: told[cell] or value for cell, value in values.items()}
        for values, told in zip(noisy.values, exact.values, strict=True)
    ]
    return replace(noisy, values=mixed)


def selected_by_the_exact_count(release: Release, counted: Any, add: Any) -> Any:
    noisy = drawing.draw(release, counted, add)
    return replace(noisy, cells={columns: sorted(next(iter(counted.values()))) for columns in noisy.cells})


def without_empty(release: Release, counted: Any, add: Any) -> Any:
    noisy = drawing.draw(release, counted, add)
    return replace(noisy, values=[dict(list(values.items())[:-1]) for values in noisy.values])


def split(found: Any, release: Release) -> Any:
    """Make several privacy units of one patient, who are then bounded one by one."""
    from pyspark.sql import functions as F

    return records.joined(found, release).withColumn(UNIT, F.concat_ws("|", UNIT, "ward"))


FAULTS = {
    "a patient under several units": (BASIC, Under(join=split), "L0"),
    "no L-infinity": (BASIC, Under(bound=unbounded({"per_cell": 10_000})), "L-infinity"),
    "no L0": (BASIC, Under(bound=unbounded({"cells": 10_000})), "L0"),
    "half noise": (BASIC, Under(add=half_noise), "rho, lower bound"),
    "reused noise": (BASIC, Under(add=Reused()), "noise, "),
    "dropped empty key": (BASIC, Under(draw=without_empty), "cells present"),
    "wrong delta": (
        SELECTED,
        Under(threshold=lambda mechanism, delta: mechanism.threshold(delta) - 2),
        "delta of selected keys",
    ),
    "exact numbers": (BASIC, Under(draw=exact_where_anybody_is), "noise, standard deviation"),
    "selection by exact counts": (SELECTED, Under(draw=selected_by_the_exact_count), "keys of one that came out"),
    "rounding after the draw": (BASIC, Under(add=rounded_after), "noise, chi-squared"),
}


@pytest.mark.parametrize("rho", [0.5, 2.0])
def test_honest_noise_of_a_small_scale_raises_no_alarm(rho: float, tmp_path: Path) -> None:
    """In Python alone: what tells pairs apart, on the scales where discrete and continuous noise differ most."""
    from veil.privacy import audit as under
    from veil.privacy import plan

    release = declared(tmp_path, SELECTED)
    measure = replace(plan.measures(release)[0], mechanism=Mechanism(1, 1, rho))
    checks = [under._rho(release, measure, [1], 10_000, Mechanism.draw, LEVEL) for _ in range(3)]
    assert all(check.holds for check in checks)
    assert all(0.7 * rho < check.found < 1.15 * rho for check in checks)


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_planted_fault_is_caught(fault: str, tmp_path: Path) -> None:
    text, path, told = FAULTS[fault]
    found = failing(declared(tmp_path, text), path)
    assert any(name.startswith(told) for name in found), sorted(found)


def test_the_audit_is_the_same_every_time(tmp_path: Path) -> None:
    release = declared(tmp_path, SELECTED)
    run = partial(audit, open_session("tests"), release, TRIALS, 1000)
    names = ("L0", "L-infinity", "L2")
    first, second = ([check for check in run() if check.name in names] for _ in range(2))
    assert first == second
