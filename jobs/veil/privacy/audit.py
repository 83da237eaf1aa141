"""Audits a release through its real path: what one unit changes after bounding, and what the noise gives away.

A claim is checked from outside: neighbouring data sets that differ in one privacy unit go through the same Spark and
OpenDP code as the records do. Nothing of it reads the lake.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from veil.privacy import audit_noise, cells, drawing, plan
from veil.privacy.audit_path import Check, Path, subject_of
from veil.privacy.drawing import Draw
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.neighbours import pairs
from veil.privacy.plan import Grouping, Measure
from veil.session import natively

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_STATED = 0.95
_MOST_CONVOLVED = 2_000
"""The largest change of which the exact error rates are worked out."""


def audit(
    spark: SparkSession, release: Release, trials: int, draws: int, path: Path | None = None, level: float = 0.999
) -> list[Check]:
    """Audit a release.

    Parameters
    ----------
    spark
        A session to bound with.
    release
        Its declaration; a release by windows, for one of them.
    trials
        How many pairs of neighbouring data sets are bounded, all in one job for each grouping.
    draws
        How often each data set of the worst pair is drawn, for the bound on rho.
    path
        The code under audit.
    level
        Probability with which an audit of honest code raises no alarm, over all of its checks (Bonferroni).
    """
    path = path or Path()
    measures = plan.measures(release)
    sure = 1 - (1 - level) / (4 * len(measures) + 4)
    checks: list[Check] = []
    for grouping in plan.groupings(release):
        differences = _differences(spark, release, grouping, trials, path)
        own = [measure for measure in measures if plan.grouping_of(release, measure.query) == grouping]
        for measure in own:
            worst, found = _sensitivity(release, measure, differences)
            checks += found
            if worst is not None:
                checks.append(_rho(release, measure, worst, draws, path.add, sure))
    checks.append(audit_noise.noise(audit_noise.SMALL, "a scale of one half", draws, path.add, sure))
    checks += audit_noise.through_draw(release, path, draws, sure)
    for measure in measures:
        if release.spec.queries[measure.query].select_delta is not None:
            checks += [
                audit_noise.delta(release, measure, path),
                audit_noise.keys_of_one(release, measure, path, sure),
            ]
    return checks


def _differences(
    spark: SparkSession, release: Release, grouping: Grouping, trials: int, path: Path
) -> list[dict[str, Any]]:
    """Bound all pairs in one job, and give what the one unit changes: (trial, cell, changes by measure)."""
    from pyspark.sql import functions as F

    found = path.join(pairs(spark, release, trials), release)
    both = path.bound(found, release, grouping, within=("trial", "side"))
    numbers = [name for name in both.columns if name.startswith("q") and "_" in name]
    cell = [name for name in both.columns if name not in (*numbers, "trial", "side")]
    signed = [F.sum(F.when(F.col("side") == 1, F.col(name)).otherwise(-F.col(name))).alias(name) for name in numbers]
    changed = both.groupBy("trial", *cell).agg(*signed)
    with natively(spark):
        rows = changed.where(" OR ".join(f"{name} <> 0" for name in numbers)).collect()
    listed = cells.listed_cells(release, grouping)
    return [{**row, "cell": cells.cell_of(row, grouping, listed)} for row in (each.asDict() for each in rows)]


def _sensitivity(
    release: Release, measure: Measure, differences: Sequence[dict[str, Any]]
) -> tuple[list[int] | None, list[Check]]:
    """Compare what one unit changed with what the mechanism claims; give the worst change too."""
    name = f"q{measure.query}_{measure.part}"
    above = drawing.ascent(release, release.spec.by(release.spec.queries[measure.query]))
    by_trial: dict[int, dict[tuple[str, ...], int]] = {}
    for row in differences:
        cell = above(row["cell"], measure.level)
        changed = by_trial.setdefault(row["trial"], {})
        changed[cell] = changed.get(cell, 0) + int(row[name])
    vectors = [[change for change in changed.values() if change] for changed in by_trial.values()]
    vectors = [vector for vector in vectors if vector]
    if not vectors:
        return None, [
            Check("sensitivity, not reached", subject_of(release, measure), measure.mechanism.l2, 0.0, holds=False)
        ]
    worst = max(vectors, key=_l2)
    claims = (
        ("L0", measure.mechanism.l0, max(map(len, vectors))),
        ("L-infinity", measure.mechanism.l_infinity, max(abs(change) for vector in vectors for change in vector)),
        ("L2", measure.mechanism.l2, _l2(worst)),
    )
    subject = subject_of(release, measure)
    return worst, [Check(kind, subject, claim, found, found <= claim * (1 + 1e-9)) for kind, claim, found in claims]


def _l2(vector: Sequence[int]) -> float:
    return math.sqrt(sum(change * change for change in vector))


def _rho(release: Release, measure: Measure, worst: list[int], draws: int, add: Draw, surely: float) -> Check:
    """Bound rho from below by telling the worst pair apart (Dong, Roth and Su 2022: Gaussian DP).

    The draws are projected on the change; the threshold lies half way, fixed beforehand. From the two error rates,
    each at a Clopper-Pearson bound, follows mu, and rho = mu**2 / 2. A discrete Gaussian of a small scale shows a
    little more by this than a continuous one: what it shows by its definition counts as the claim. What was found is
    the 95 % bound; the check fails where the bound at the level `surely` lies above the claim.
    """
    mechanism = measure.mechanism
    direction = np.array(worst, dtype=float)
    length = float(np.sqrt((direction**2).sum()))
    sides = []
    for side in (0, 1):
        exact = [change * side for change in worst] * draws
        values = np.array(add(mechanism, exact), dtype=float).reshape(draws, len(worst))
        sides.append(values @ direction / length)
    false_alarms, missed = int((sides[0] > length / 2).sum()), int((sides[1] <= length / 2).sum())
    shown = _shown(mechanism, worst)
    stated, sure = (_rho_bound(false_alarms, missed, draws, level) / shown for level in (_STATED, surely))
    return Check("rho, lower bound", subject_of(release, measure), mechanism.rho, stated, sure <= mechanism.rho)


def _shown(mechanism: Mechanism, worst: Sequence[int]) -> float:
    """Give what the half-way test shows of a discrete Gaussian, as a ratio to what it shows of a continuous one."""
    if mechanism.scale > audit_noise.SMOOTH or sum(map(abs, worst)) > _MOST_CONVOLVED:
        return 1.0
    total = np.ones(1)
    for change in worst:
        reach = math.ceil(10 * mechanism.scale)
        spread = np.zeros(2 * reach * abs(change) + 1)
        spread[:: abs(change)] = np.exp(-((np.arange(-reach, reach + 1) / mechanism.scale) ** 2) / 2)
        total = np.convolve(total, spread / spread.sum())
    sums = np.arange(len(total)) - len(total) // 2
    half = sum(change * change for change in worst) / 2
    false_alarm, missed = float(total[sums > half].sum()), float(total[sums <= -half].sum())
    mu = float(stats.norm.isf(false_alarm) + stats.norm.isf(missed))
    return (mu * mu) / (2 * half / mechanism.scale**2)


def _rho_bound(false_alarms: int, missed: int, draws: int, level: float) -> float:
    alpha = (1 - level) / 2
    worst = [float(stats.beta.ppf(1 - alpha, count + 1, max(draws - count, 1))) for count in (false_alarms, missed)]
    mu = max(0.0, float(stats.norm.isf(worst[0]) + stats.norm.isf(worst[1])))
    return mu * mu / 2
