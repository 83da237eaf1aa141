"""The release stage: bound and count in Spark, pay, draw, keep, and put what was drawn before its own checkpoint."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from veil import ledger, release_files
from veil.errors import Refused
from veil.ingest.digest import input_digest
from veil.ingest.stage import BRONZE
from veil.lake import RELEASES, RESTRICTED, names
from veil.privacy import bounding, drawing, estimates, plan, records
from veil.privacy.accounting import Draw
from veil.privacy.checks import FILES
from veil.privacy.load import Release
from veil.privacy.mechanism import femto_delta, nano_rho
from veil.privacy.spec import Budget
from veil.privacy.statement import cost_delta, cost_rho, statement
from veil.stages import Job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LEDGER = "ledger"
STATE = "state"
"""Column that the gate sees beside those of the table: null where a number is missing that was not suppressed."""
_EVENTS = "seq int, kind string, key string, at string, body string, hash string"


def columns(release: Release) -> str:
    """Give the schema of the published table (a DDL string): one row for each number."""
    keys = ", ".join(f"{name} string" for name in release.spec.key_columns)
    return (
        f"unit string, period string, {keys + ', ' if keys else ''}query string, statistic string, bin string, "
        "value double, low_95 double, high_95 double, suppressed boolean"
    )


@dataclass(frozen=True, slots=True)
class Contents:
    """What the declaration says that its table holds: columns, those that make a row unique, public values, rows."""

    columns: list[str]
    keys: list[str]
    values: dict[str, list[str]]
    rows: int | None


def contents(release: Release) -> Contents:
    """Work out from the declaration alone what its table has to hold."""
    spec = release.spec
    values = {"query": [query.name for query in spec.queries], "period": [release.period]}
    for column, keys in spec.keys.items():
        if not keys.selected:
            values[column] = release.values(column)
    return Contents(
        names(columns(release)),
        ["unit", *release.spec.key_columns, "query", "statistic", "bin"],
        values,
        estimates.expected_rows(release),
    )


def with_state(staged: DataFrame) -> DataFrame:
    """Add the column by which the gate sees a number that is missing and was not suppressed."""
    from pyspark.sql import functions as F

    is_whole = F.col("value").isNotNull() & F.col("low_95").isNotNull() & F.col("high_95").isNotNull()
    state = F.when(F.col("suppressed") & F.col("value").isNull(), "suppressed").when(is_whole, "whole")
    return staged.withColumn(STATE, state)


def stage(work: Job, release: Release, budget: Budget, redraw: int = 0) -> DataFrame:
    """Draw a release if it has not been drawn yet, and stage its numbers; give the staged frame.

    Raises
    ------
    Refused
        When the budget cannot pay, there is nothing in bronze to count, or the ledger is older than what was
        published.
    """
    from pyspark.sql import functions as F

    lake, spec = work.lake, release.spec
    if not lake.exists(RESTRICTED, BRONZE):
        raise Refused("There are no records in bronze to release numbers of", "Land a drop first")
    _check_ledger(work)
    admitted = records.admitted(lake, release).persist()
    inputs = input_digest(admitted, work.settings.key_file)
    key = ledger.release_key(release.canonical, inputs, redraw)
    payload = ledger.drawn(work.store, key)
    if payload is None:
        payload = _paid(work, release, admitted, charge(release, budget, key, inputs, redraw, work.attempt.run_key))
    admitted.unpersist()
    rows = _rows(release, key, payload)
    name = f"staging/releases/{spec.name}"
    version = lake.replace_unit(lake.spark.createDataFrame(rows, columns(release)), RESTRICTED, name, key, work.write)
    work.figures.update(
        key=key, spec=release.hash, input=inputs, staging_version=version, rows=len(rows), **_told(release)
    )
    return lake.table(RESTRICTED, name, version).where(F.col("unit") == key)


def _rows(release: Release, key: str, payload: bytes) -> list[tuple[Any, ...]]:
    """Give the rows of the table that were drawn, as `columns` names them."""
    return [
        (
            *(key, release.period),
            *(row["keys"].get(column) for column in release.spec.key_columns),
            *(row["query"], row["statistic"], row["bin"]),
            *(None if row[part] is None else float(row[part]) for part in ("value", "low", "high")),
            row["suppressed"],
        )
        for row in json.loads(payload)
    ]


def _paid(work: Job, release: Release, admitted: DataFrame, cost: ledger.Charge) -> bytes:
    """Count, pay, draw and keep. What cannot be counted costs nothing: it fails before the ledger is asked."""
    found = records.rows(admitted, release)
    counted = {of: bounding.exact(found, release, of) for of in plan.groupings(release)}
    payload = ledger.reserve(work.store, cost)
    # before anybody sees a number: a backup that is restored afterwards has to be told from this ledger
    _copy_ledger(work, "reserved")
    if payload is not None:
        return payload
    made = estimates.rows(release, drawing.draw(release, counted))
    return ledger.keep_drawn(work.store, cost.key, json.dumps([asdict(row) for row in made]).encode())


def publish(work: Job, release: Release, staged: DataFrame) -> None:
    """Publish staged numbers in one commit, if a ledger entry has paid for them, with the files for people.

    The order of the rows is that of the keys: nothing of the data is in it.
    """
    key = str(work.figures["key"])
    payload = ledger.drawn(work.store, key) if ledger.is_paid(work.store, key) else None
    ordered = staged.orderBy(*release.spec.key_columns, "query", "statistic", "bin").coalesce(1)
    rows = [row.asDict() for row in ordered.collect()]
    found = Counter(tuple(row[name] for name in names(columns(release))) for row in rows)
    if payload is None or found != Counter(_rows(release, key, payload)):
        raise Refused("No ledger entry has paid for these numbers", "This is a defect: report it")
    paid = [ledger.block(work.store, block) for block in ledger.entry(work.store, key).blocks]
    folder = work.settings.lake / RELEASES / FILES / release.spec.name / key
    release_files.write(folder, release, key, rows, paid)
    work.lake.replace_unit(ordered, RELEASES, release.spec.name, key, work.write)
    ledger.mark_published(work.store, key)
    _copy_ledger(work, "published")


def is_large(release: Release, budget: Budget) -> bool:
    """Tell whether a draw costs so much that a person has to agree to it."""
    return _waits(cost_rho(plan.measures(release)), budget)


def _waits(cost: int, budget: Budget) -> bool:
    return budget.large_rho is not None and cost >= nano_rho(budget.large_rho, up=True)


def ticket(name: str, run_key: str) -> str:
    """Name the run of a release that a person is asked about."""
    return f"release_{name}/{run_key}"


def charge(
    release: Release, budget: Budget, key: str, inputs: str, redraw: int = 0, run_key: str = ""
) -> ledger.Charge:
    """Say what a draw costs and which blocks pay it: that of its source and period, and that of the source for ever.

    Another privacy unit has blocks of its own: what it promises is another thing.
    """
    spec, measures = release.spec, plan.measures(release)
    cost = cost_rho(measures)
    unit = "" if spec.privacy_unit == "patient" else f"/{spec.privacy_unit}"
    return ledger.Charge(
        key=key,
        name=spec.name,
        spec=release.canonical,
        privacy_unit=spec.privacy_unit,
        cost=cost,
        cost_delta=cost_delta(release),
        caps={
            f"{spec.source}/{release.period}{unit}": _caps(budget.period_rho, budget.period_delta),
            f"{spec.source}/lifetime{unit}": _caps(budget.lifetime_rho, budget.lifetime_delta),
        },
        inputs=inputs,
        redraw=redraw,
        draws=[(draw.scale, draw.l0, draw.l_infinity) for draw in (Draw.of(each.mechanism) for each in measures)],
        approval=(release.hash, ticket(spec.name, run_key)) if _waits(cost, budget) else None,
    )


def _caps(rho: float, delta: float) -> tuple[int, int]:
    return nano_rho(rho, up=False), femto_delta(delta, up=False)


def _told(release: Release) -> dict[str, Any]:
    said = statement(release)
    kept = ("privacy_unit", "period", "rho", "delta", "epsilon", "epsilon_zcdp", "selection_delta")
    return {name: said[name] for name in kept}


def _check_ledger(work: Job) -> None:
    """Refuse to spend from a ledger that is older than its own copy: a backup that was restored forgets what it paid.

    Raises
    ------
    Refused
        The copy holds events that the ledger does not.
    """
    if not work.lake.exists(RESTRICTED, LEDGER):
        return
    copied = work.lake.table(RESTRICTED, LEDGER).selectExpr("max_by(hash, seq) AS hash", "max(seq) AS seq").first()
    if copied is None or copied.seq is None:
        return
    newest = ledger.events(work.store, copied.seq - 1)
    if not newest or newest[0].hash != copied.hash:
        raise Refused(
            "The ledger is older than its copy in the lake, or another one: it has forgotten what was spent",
            "Restore the newest backup of the control store; nothing is released until then",
        )


def _copy_ledger(work: Job, moment: str) -> None:
    """Append to the copy in the lake what has happened since; the control store alone decides.

    A stage copies at two moments: each has a name of its own, or Delta would take the second for a repetition.
    """
    lake, write = work.lake, work.write
    last = 0
    if lake.exists(RESTRICTED, LEDGER):
        last = lake.table(RESTRICTED, LEDGER).selectExpr("coalesce(max(seq), 0) AS seq").collect()[0].seq
    fresh = [
        (event.seq, event.kind, event.key, event.at, json.dumps(event.body, sort_keys=True), event.hash)
        for event in ledger.events(work.store, last)
    ]
    if fresh:
        own = replace(write, scope=f"{write.scope}/{moment}")
        lake.append(lake.spark.createDataFrame(fresh, _EVENTS), RESTRICTED, LEDGER, own)
