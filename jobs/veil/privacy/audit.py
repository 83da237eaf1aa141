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

_STATED = 0.95
_SMALL = Mechanism(1, 1, 2.0)
"""A scale of one half: there a rounded continuous Gaussian and the discrete one differ by a tenth."""

_REPEATS, _COLUMNS = 60, 200
"""Draws of the whole release from which correlation is told, and cells of each measure that are looked at."""
_SMOOTH, _MOST_CONVOLVED = 8.0, 2_000
"""Scale from which a discrete Gaussian shows what a continuous one does, and the largest change worked out exactly."""
_KEYS_OF_ONE = 2_000

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
    for grouping in drawing.groupings(release):
        differences = _differences(spark, release, grouping, trials, path)
        own = [measure for measure in measures if plan.grouping_of(release, measure.query) == grouping]
        for measure in own:
            worst, found = _sensitivity(release, measure, differences)
            checks += found
            if worst is not None:
                checks.append(_rho(release, measure, worst, draws, path.add, sure))
    checks += [_noise(_SMALL, "a scale of one half", draws, path.add, sure), *_through_draw(release, path, draws, sure)]
    for measure in measures:
        if release.spec.queries[measure.query].select_delta is not None:
            checks += [_delta(release, measure, path), _keys_of_one(release, measure, path, sure)]
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
    return Check("rho, lower bound", _subject(release, measure), mechanism.rho, stated, sure <= mechanism.rho)


def _shown(mechanism: Mechanism, worst: Sequence[int]) -> float:
    """Give what the half-way test shows of a discrete Gaussian, as a ratio to what it shows of a continuous one."""
    if mechanism.scale > _SMOOTH or sum(map(abs, worst)) > _MOST_CONVOLVED:
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


def _noise(mechanism: Mechanism, subject: str, draws: int, add: Draw, sure: float) -> Check:
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
    return Check("noise, chi-squared", subject, 1 - sure, chance, holds=chance > 1 - sure and not stray)


def _through_draw(release: Release, path: Path, draws: int, sure: float) -> list[Check]:
    """Draw made-up numbers through the whole of `draw`: the noise has its scale, is used once, and no cell is missing.

    Half of the cells hold a number, the others are empty: what is done differently where nobody is would show.
    """
    public = _public(release)
    if public is None:
        return []
    counted = {grouping: _made_up(public, grouping) for grouping in drawing.groupings(public)}
    repeats = max(_REPEATS, min(200, draws // 500))
    drawn = [path.draw(public, counted, path.add) for _ in range(repeats)]
    exact = drawing.draw(public, counted, lambda _, numbers: list(numbers))
    checks, columns = [], []
    for number, measure in enumerate(exact.measures):
        wanted, subject = exact.values[number], _subject(public, measure)
        present = min(len(noisy.values[number].keys() & wanted.keys()) for noisy in drawn)
        checks.append(Check("cells present", subject, len(wanted), present, holds=present == len(wanted)))
        if present < len(wanted):
            continue
        noise = np.array([[noisy.values[number][cell] - wanted[cell] for cell in sorted(wanted)] for noisy in drawn])
        checks.append(_spread(measure, noise, subject, sure))
        columns.append(noise[:, np.linspace(0, noise.shape[1] - 1, min(noise.shape[1], _COLUMNS), dtype=int)])
    return [*checks, *_once(columns, repeats, sure)] if columns else checks


def _made_up(release: Release, grouping: Grouping) -> bounding.Exact:
    parts = [
        (number, part)
        for number in range(len(release.spec.queries))
        if plan.grouping_of(release, number) == grouping
        for part in plan.parts(release.spec.queries[number])
    ]
    edges = release.spec.queries[grouping.bins].edges if grouping.bins is not None else None
    bins = [(str(at),) for at in range(len(edges) - 1)] if edges else [()]
    cells = [(*cell, *at) for cell in release.cells(grouping.columns) for at in bins]
    return {cell: dict.fromkeys(parts, 1000 + at) for at, cell in enumerate(cells) if at % 2}


def _spread(measure: Measure, noise: Any, subject: str, sure: float) -> Check:
    """Compare the mean square of the noise with the variance of the discrete Gaussian, by its own standard error."""
    scale = measure.mechanism.scale
    reach = np.arange(-math.ceil(12 * scale), math.ceil(12 * scale) + 1) if scale < _SMOOTH else None
    if reach is None:
        second, fourth = scale**2, 3 * scale**4
    else:
        weights = np.exp(-((reach / scale) ** 2) / 2) / np.exp(-((reach / scale) ** 2) / 2).sum()
        second, fourth = float((weights * reach**2).sum()), float((weights * reach**4).sum())
    found = float((noise.astype(float) ** 2).mean())
    error = math.sqrt(max(fourth - second**2, 1e-12) / noise.size)
    limit = float(stats.norm.isf((1 - sure) / 2)) * error + 1e-9
    claim = math.sqrt(second)
    return Check("noise, standard deviation", subject, claim, math.sqrt(found), abs(found - second) <= limit)


def _once(columns: list[Any], repeats: int, sure: float) -> list[Check]:
    """Look for noise that is used twice: in two draws, two measures or two cells."""
    table = np.concatenate(columns, axis=1).astype(float)
    again = sum(bool(np.array_equal(one, other)) for one, other in pairwise(table))
    by_chance = (repeats - 1) * math.prod(_collision(table[:, at]) for at in range(table.shape[1]))
    limit = float(stats.poisson.isf(1 - sure, by_chance)) if by_chance > 1e-9 else 0.0
    checks = [Check("noise, the same twice", "two draws", limit, again, holds=again <= limit)]
    if table.shape[1] > 1:
        with np.errstate(invalid="ignore"):  # noise that never changes has no correlation, and is as bad as one
            correlated = np.nan_to_num(np.corrcoef(table, rowvar=False), nan=1.0)
        largest = float(np.abs(correlated - np.diag(np.diag(correlated))).max())
        pairs_seen = table.shape[1] * (table.shape[1] - 1) / 2
        # of independent columns, t = r sqrt((n - 2) / (1 - r**2)) has Student's distribution; Bonferroni over pairs
        critical = float(stats.t.isf((1 - sure) / (2 * pairs_seen), repeats - 2))
        bound = critical / math.sqrt(repeats - 2 + critical**2)
        checks.append(Check("noise, correlation of two cells", "all measures", bound, largest, largest <= bound))
    return checks


def _collision(column: Any) -> float:
    """Give the probability that two draws of a cell are equal, as its own draws tell."""
    _, counts = np.unique(column, return_counts=True)
    return float(((counts / counts.sum()) ** 2).sum())


def _keys_of_one(release: Release, measure: Measure, path: Path, sure: float) -> Check:
    """Draw many keys that one unit alone has: none may come out more often than delta allows."""
    query = release.spec.queries[measure.query]
    grouping = plan.grouping_of(release, measure.query)
    columns = release.by(query)
    cells = [tuple(f"key {number}" for _ in columns) for number in range(_KEYS_OF_ONE)]
    alone = release.spec.model_copy(update={"queries": [query]})
    counted = {replace(grouping, bins=None): {cell: {(0, "count"): 1} for cell in cells}}
    noisy = path.draw(replace(release, spec=alone), counted, path.add)
    expected = _KEYS_OF_ONE * (query.select_delta or 0.0)
    limit = max(0.0, float(stats.poisson.isf(1 - sure, expected)))
    found = len(noisy.cells[columns])
    return Check("keys of one that came out", _subject(release, measure), limit, found, holds=found <= limit)


def _public(release: Release) -> Release | None:
    """Give the release with those queries alone whose cells are public; None where there is none."""
    kept = [query for query in release.spec.queries if not release.is_selected(release.by(query))]
    if not kept:
        return None
    return replace(release, spec=release.spec.model_copy(update={"queries": kept}))


def _delta(release: Release, measure: Measure, path: Path) -> Check:
    """Compute delta of selection anew from the definition: the probability that any of the new keys is shown."""
    mechanism, claim = measure.mechanism, release.spec.queries[measure.query].select_delta or 0.0
    threshold = path.threshold(mechanism, claim)
    reach = math.ceil(12 * mechanism.scale)
    noise = range(-reach, reach + 1)
    weights = [math.exp(-((value / mechanism.scale) ** 2) / 2) for value in noise]
    shown = math.fsum(weight for value, weight in zip(noise, weights, strict=True) if 1 + value >= threshold)
    share = shown / math.fsum(weights)
    found = -math.expm1(mechanism.l0 * math.log1p(-share))
    return Check("delta of selected keys", _subject(release, measure), claim, found, holds=found <= claim)


def _subject(release: Release, measure: Measure) -> str:
    level = f", level {measure.level}" if measure.level else ""
    return f"{release.spec.queries[measure.query].name}: {measure.part}{level}"
