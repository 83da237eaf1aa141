"""Audits a release through its real path: what one unit changes after bounding, and what the noise gives away.

A claim is checked from outside: neighbouring data sets that differ in one privacy unit go through the same Spark and
OpenDP code as the records do. Nothing of it reads the lake.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from veil.privacy import bounding, drawing, plan
from veil.privacy.drawing import Draw, Noisy
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.neighbours import pairs
from veil.privacy.plan import Grouping, Measure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SURE = 0.999
"""A check fails only where chance alone would make it fail once in a thousand audits."""
_STATED = 0.95
_SMALL = Mechanism(1, 1, 2.0)
"""A scale of one half: there a rounded continuous Gaussian and the discrete one differ by a tenth."""

_REPEATS = 60
"""Draws of the whole release from which correlation is told."""

Bound = Callable[..., "DataFrame"]


@dataclass(frozen=True, slots=True)
class Path:
    """The code under audit; a test puts a fault in the place of a part and expects to see it caught."""

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


def audit(spark: SparkSession, release: Release, trials: int, draws: int, path: Path | None = None) -> list[Check]:
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
    """
    path = path or Path()
    measures = plan.measures(release)
    checks: list[Check] = []
    for grouping in drawing.groupings(release):
        differences = _differences(spark, release, grouping, trials, path)
        own = [measure for measure in measures if plan.grouping_of(release, measure.query) == grouping]
        for measure in own:
            worst, found = _sensitivity(release, measure, differences)
            checks += found
            if worst is not None:
                checks.append(_rho(release, measure, worst, draws, path.add))
    checks += [_noise(_SMALL, "a scale of one half", draws, path.add), *_independence(release, path, draws)]
    checks += _cells(release, path)
    checks += [_delta(release, measure, path) for measure in measures if _selects(release, measure)]
    return checks


def _differences(
    spark: SparkSession, release: Release, grouping: Grouping, trials: int, path: Path
) -> list[dict[str, Any]]:
    """Bound all pairs in one job, and give what the one unit changes: (trial, cell, changes by measure)."""
    from pyspark.sql import functions as F

    found = pairs(spark, release, trials)
    both = path.bound(found, release, grouping, within=("trial", "side"))
    numbers = [name for name in both.columns if name.startswith("q") and "_" in name]
    cell = [name for name in both.columns if name not in (*numbers, "trial", "side")]
    signed = [F.sum(F.when(F.col("side") == 1, F.col(name)).otherwise(-F.col(name))).alias(name) for name in numbers]
    changed = both.groupBy("trial", *cell).agg(*signed)
    rows = changed.where(" OR ".join(f"{name} <> 0" for name in numbers)).collect()
    listed = None if release.is_selected(grouping.columns) else release.cells(grouping.columns)
    return [_named(row.asDict(), grouping, listed) for row in rows]


def _named(row: dict[str, Any], grouping: Grouping, listed: list[tuple[str, ...]] | None) -> dict[str, Any]:
    keys = listed[row[bounding.CELL]] if listed is not None else tuple(row[name] for name in grouping.columns)
    row["cell"] = (*keys, str(row[bounding.BIN])) if grouping.bins is not None else keys
    return row


def _sensitivity(
    release: Release, measure: Measure, differences: Sequence[dict[str, Any]]
) -> tuple[list[int] | None, list[Check]]:
    """Compare what one unit changed with what the mechanism claims; give the worst change too."""
    name, columns = f"q{measure.query}_{measure.part}", release.by(release.spec.queries[measure.query])
    by_trial: dict[int, dict[tuple[str, ...], int]] = {}
    for row in differences:
        cell = drawing.above(release, columns, row["cell"], measure.level)
        changed = by_trial.setdefault(row["trial"], {})
        changed[cell] = changed.get(cell, 0) + int(row[name])
    vectors = [[change for change in changed.values() if change] for changed in by_trial.values()]
    vectors = [vector for vector in vectors if vector]
    if not vectors:
        return None, [Check("sensitivity", _subject(release, measure), measure.mechanism.l2, 0.0, holds=False)]
    worst = max(vectors, key=_l2)
    claims = (
        ("L0", measure.mechanism.l0, max(map(len, vectors))),
        ("L-infinity", measure.mechanism.l_infinity, max(abs(change) for vector in vectors for change in vector)),
        ("L2", measure.mechanism.l2, _l2(worst)),
    )
    subject = _subject(release, measure)
    return worst, [Check(kind, subject, claim, found, found <= claim * (1 + 1e-9)) for kind, claim, found in claims]


def _l2(vector: Sequence[int]) -> float:
    return math.sqrt(sum(change * change for change in vector))


def _rho(release: Release, measure: Measure, worst: list[int], draws: int, add: Draw) -> Check:
    """Bound rho from below by telling the worst pair apart (Dong, Roth and Su 2022: Gaussian DP).

    The draws are projected on the change; the threshold lies half way, fixed beforehand. From the two error rates,
    each at a Clopper-Pearson bound, follows mu, and rho = mu**2 / 2. What was found is the 95 % bound; the check fails
    where the 99.9 % bound lies above the claim.
    """
    direction = np.array(worst, dtype=float)
    length = float(np.sqrt((direction**2).sum()))
    sides = []
    for side in (0, 1):
        exact = [change * side for change in worst] * draws
        values = np.array(add(measure.mechanism, exact), dtype=float).reshape(draws, len(worst))
        sides.append(values @ direction / length)
    false_alarms, missed = int((sides[0] > length / 2).sum()), int((sides[1] <= length / 2).sum())
    stated, sure = (_rho_bound(false_alarms, missed, draws, level) for level in (_STATED, _SURE))
    claim = measure.mechanism.rho
    return Check("rho, lower bound", _subject(release, measure), claim, stated, sure <= claim)


def _rho_bound(false_alarms: int, missed: int, draws: int, level: float) -> float:
    alpha = (1 - level) / 2
    worst = [float(stats.beta.ppf(1 - alpha, count + 1, max(draws - count, 1))) for count in (false_alarms, missed)]
    mu = max(0.0, float(stats.norm.ppf(1 - worst[0]) - stats.norm.ppf(worst[1])))
    return mu * mu / 2


def _noise(mechanism: Mechanism, subject: str, draws: int, add: Draw) -> Check:
    """Compare draws with the definition of the discrete Gaussian by a chi-squared test; found is the p-value."""
    drawn = np.array(add(mechanism, [0] * draws))
    reach = math.ceil(8 * mechanism.scale) + 2
    weights = np.exp(-((np.arange(-reach, reach + 1) / mechanism.scale) ** 2) / 2)
    expected = draws * weights / weights.sum()
    counts = np.array([(drawn == value).sum() for value in range(-reach, reach + 1)], dtype=float)
    common = expected >= 5
    observed = np.append(counts[common], draws - counts[common].sum())
    wanted = np.append(expected[common], draws - expected[common].sum())
    kept = wanted > 1e-9
    statistic = float(((observed[kept] - wanted[kept]) ** 2 / wanted[kept]).sum())
    chance = float(stats.chi2.sf(statistic, kept.sum() - 1))
    stray = observed[~kept].sum()
    return Check("noise, chi-squared", subject, 1 - _SURE, chance, holds=chance > 1 - _SURE and not stray)


def _independence(release: Release, path: Path, draws: int) -> list[Check]:
    """Look for noise that is used twice: in two cells, two measures or two draws of the same numbers."""
    public = _public(release)
    if public is None:
        return []
    empty: dict[Grouping, bounding.Exact] = {grouping: {} for grouping in drawing.groupings(public)}
    repeats = max(_REPEATS, min(200, draws // 500))
    drawn = [
        np.concatenate([_scaled(noisy, number) for number in range(len(noisy.measures))])
        for noisy in (path.draw(public, empty, path.add) for _ in range(repeats))
    ]
    again = sum(bool(np.array_equal(one, other)) for one, other in pairwise(drawn))
    checks = [Check("noise, the same twice", "two draws", 0, again, holds=again == 0 or len(drawn[0]) < 3)]
    table = np.stack(drawn)
    if table.shape[1] > 1:
        chosen = table[:, :400]
        with np.errstate(invalid="ignore"):  # noise that never changes has no correlation, and is as bad as one
            correlated = np.nan_to_num(np.corrcoef(chosen, rowvar=False), nan=1.0)
        largest = float(np.abs(correlated - np.diag(np.diag(correlated))).max())
        pairs_seen = chosen.shape[1] * (chosen.shape[1] - 1) / 2
        # of independent columns, t = r sqrt((n - 2) / (1 - r**2)) has Student's distribution; Bonferroni over pairs
        critical = float(stats.t.isf((1 - _SURE) / (2 * pairs_seen), repeats - 2))
        limit = critical / math.sqrt(repeats - 2 + critical**2)
        checks.append(Check("noise, correlation of two cells", "all measures", limit, largest, largest <= limit))
    return checks


def _scaled(noisy: Noisy, number: int) -> Any:
    values = noisy.values[number]
    return np.array([values[cell] for cell in sorted(values)], dtype=float) / noisy.measures[number].mechanism.scale


def _cells(release: Release, path: Path) -> list[Check]:
    """Count the cells that come out where nobody is in any: all public ones have to."""
    public = _public(release)
    if public is None:
        return []
    noisy = path.draw(public, {grouping: {} for grouping in drawing.groupings(public)}, path.add)
    checks = []
    for measure, values in zip(noisy.measures, noisy.values, strict=True):
        query = public.spec.queries[measure.query]
        cells = public.cells(public.by(query))
        wanted = len({drawing.above(public, public.by(query), cell, measure.level) for cell in cells})
        wanted *= len(query.edges) - 1 if query.edges is not None else 1
        subject = _subject(public, measure)
        checks.append(Check("empty cells present", subject, wanted, len(values), holds=len(values) == wanted))
    return checks


def _public(release: Release) -> Release | None:
    """Give the release with those queries alone whose cells are public; None where there is none."""
    kept = [query for query in release.spec.queries if not release.is_selected(release.by(query))]
    if not kept:
        return None
    return replace(release, spec=release.spec.model_copy(update={"queries": kept}))


def _selects(release: Release, measure: Measure) -> bool:
    return release.spec.queries[measure.query].select_delta is not None


def _delta(release: Release, measure: Measure, path: Path) -> Check:
    """Compute delta of selection anew, by enumerating which of the new keys are shown."""
    mechanism, claim = measure.mechanism, release.spec.queries[measure.query].select_delta or 0.0
    threshold = path.threshold(mechanism, claim)
    reach = math.ceil(12 * mechanism.scale)
    noise = range(-reach, reach + 1)
    weights = [math.exp(-((value / mechanism.scale) ** 2) / 2) for value in noise]
    shown = math.fsum(weight for value, weight in zip(noise, weights, strict=True) if 1 + value >= threshold)
    share = shown / math.fsum(weights)
    found = math.fsum(
        math.comb(mechanism.l0, number) * share**number * (1 - share) ** (mechanism.l0 - number)
        for number in range(1, mechanism.l0 + 1)
    )
    return Check("delta of selected keys", _subject(release, measure), claim, found, holds=found <= claim)


def _subject(release: Release, measure: Measure) -> str:
    level = f", level {measure.level}" if measure.level else ""
    return f"{release.spec.queries[measure.query].name}: {measure.part}{level}"
