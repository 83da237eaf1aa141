"""The release stage: bound and count in Spark, pay, draw, keep, and put what was drawn before its own checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from veil import ledger
from veil.errors import Refused
from veil.ingest.digest import input_digest
from veil.ingest.stage import BRONZE
from veil.lake import RELEASES, RESTRICTED, names
from veil.privacy import bounding
from veil.privacy.mechanism import Mechanism, epsilon, nano_rho
from veil.privacy.spec import Release
from veil.stages import Job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

COLUMNS = (
    "unit string, month string, category string, patients long, patients_half_width_95 long, encounters long, "
    "encounters_half_width_95 long"
)
NAMES = names(COLUMNS)


def stage(work: Job, release: Release) -> DataFrame:
    """Draw a release if it has not been drawn yet, and stage its numbers; give the staged frame.

    Raises
    ------
    Refused
        When the budget cannot pay, or there is nothing in bronze to count.
    """
    from pyspark.sql import functions as F

    lake, spec = work.lake, release.spec
    if not lake.exists(RESTRICTED, BRONZE):
        raise Refused("There are no records in bronze to release numbers of", "Land a drop first")
    records = bounding.admitted(lake, spec.source).where("type IN ('Condition', 'Encounter')").persist()
    inputs = input_digest(records, work.settings.key_file)
    key = ledger.release_key(release.canonical, inputs)
    payload = ledger.reserve(work.store, _charge(release, key))
    if payload is None:
        counts = bounding.bounded_counts(bounding.contributions(records, release), release)
        payload = ledger.keep_drawn(work.store, key, _draw(release, counts))
    records.unpersist()
    rows = [(key, *row) for row in json.loads(payload)["rows"]]
    name = f"staging/releases/{spec.name}"
    version = lake.replace_unit(lake.spark.createDataFrame(rows, COLUMNS), RESTRICTED, name, key, work.write)
    work.figures.update(key=key, spec=release.hash, input=inputs, staging_version=version, **statement(release))
    return lake.table(RESTRICTED, name, version).where(F.col("unit") == key)


def publish(work: Job, release: Release, staged: DataFrame) -> None:
    """Publish staged numbers in one commit, if a ledger entry has paid for them."""
    key = str(work.figures["key"])
    if not ledger.is_paid(work.store, key):
        raise Refused("No ledger entry has paid for these numbers", "This is a defect: report it")
    ordered = staged.orderBy("month", "category").coalesce(1)
    work.lake.replace_unit(ordered, RELEASES, release.spec.name, key, work.write)
    ledger.mark_published(work.store, key)


def statement(release: Release) -> dict[str, Any]:
    """Say what a release gives away and how precise it is: nothing in it depends on the data."""
    cost = release.spec.cost
    total = cost.patients + cost.encounters
    return {
        "privacy_unit": release.spec.privacy_unit,
        "rho": total,
        "delta": cost.delta,
        "epsilon": round(epsilon(total, cost.delta), 4),
        "scale": {query: round(mechanism.scale, 4) for query, mechanism in _mechanisms(release).items()},
        "cells": len(release.public_keys),
    }


def _mechanisms(release: Release) -> dict[str, Mechanism]:
    bounds, cost = release.spec.bounds, release.spec.cost
    return {
        "patients": Mechanism(bounds.cells, 1, cost.patients),
        "encounters": Mechanism(bounds.cells, bounds.encounters_per_cell, cost.encounters),
    }


def _charge(release: Release, key: str) -> ledger.Charge:
    spec = release.spec
    return ledger.Charge(
        key=key,
        name=spec.name,
        spec=release.canonical,
        privacy_unit=spec.privacy_unit,
        cost=nano_rho(spec.cost.patients, up=True) + nano_rho(spec.cost.encounters, up=True),
        caps={
            f"{spec.source}/{spec.budget.period}": nano_rho(spec.budget.period_rho, up=False),
            f"{spec.source}/lifetime": nano_rho(spec.budget.lifetime_rho, up=False),
        },
    )


def _draw(release: Release, counts: Mapping[tuple[str, str, str], int]) -> bytes:
    """Add noise to every public cell, empty ones too, and give the rows as they will be published."""
    drawn = {
        query: (
            mechanism.draw([counts.get((query, *cell), 0) for cell in release.public_keys]),
            mechanism.half_width_95(),
        )
        for query, mechanism in _mechanisms(release).items()
    }
    rows = [
        [*cell, *(part for numbers, width in drawn.values() for part in (numbers[at], width))]
        for at, cell in enumerate(release.public_keys)
    ]
    return json.dumps({"rows": rows}, separators=(",", ":")).encode()
