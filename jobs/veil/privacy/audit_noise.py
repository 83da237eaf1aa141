"""Audits the noise of a release: its scale, its distribution, that it is used once, and which keys it lets out."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from veil.privacy import bounding, drawing, plan
from veil.privacy.audit_path import Check, Path, subject_of
from veil.privacy.drawing import Draw
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.plan import Grouping, Measure

SMALL = Mechanism(1, 1, 2.0)
"""A scale of one half: there a rounded continuous Gaussian and the discrete one differ by a tenth."""
SMOOTH = 8.0
"""Scale from which a discrete Gaussian shows what a continuous one does."""
_REPEATS, _COLUMNS = 60, 200
"""Draws of the whole release from which correlation is told, and cells of each measure that are looked at."""
_KEYS_OF_ONE = 2_000


def noise(mechanism: Mechanism, subject: str, draws: int, add: Draw, sure: float) -> Check:
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


def through_draw(release: Release, path: Path, draws: int, sure: float) -> list[Check]:
    """Draw made-up numbers through the whole of `draw`: the noise has its scale, is used once, and no cell is missing.

    Half of the cells hold a number, the others are empty: what is done differently where nobody is would show.
    """
    public = _public(release)
    if public is None:
        return []
    counted = {grouping: _made_up(public, grouping) for grouping in plan.groupings(public)}
    repeats = max(_REPEATS, min(200, draws // 500))
    drawn = [path.draw(public, counted, path.add) for _ in range(repeats)]
    exact = drawing.draw(public, counted, lambda _, numbers: list(numbers))
    checks, columns = [], []
    for number, measure in enumerate(exact.measures):
        wanted, subject = exact.values[number], subject_of(public, measure)
        present = min(len(noisy.values[number].keys() & wanted.keys()) for noisy in drawn)
        checks.append(Check("cells present", subject, len(wanted), present, holds=present == len(wanted)))
        if present < len(wanted):
            continue
        noise = np.array([[noisy.values[number][cell] - wanted[cell] for cell in sorted(wanted)] for noisy in drawn])
        checks.append(_spread(measure, noise, subject, sure))
        columns.append(noise[:, np.linspace(0, noise.shape[1] - 1, min(noise.shape[1], _COLUMNS), dtype=int)])
    return [*checks, *_once(columns, repeats, sure)] if columns else checks


def _made_up(release: Release, grouping: Grouping) -> bounding.Exact:
    parts = plan.parts_of(release, grouping)
    edges = release.spec.queries[grouping.bins].edges if grouping.bins is not None else None
    bins = [(str(at),) for at in range(len(edges) - 1)] if edges else [()]
    cells = [(*cell, *at) for cell in release.cells(grouping.columns) for at in bins]
    return {cell: dict.fromkeys(parts, 1000 + at) for at, cell in enumerate(cells) if at % 2}


def _spread(measure: Measure, noise: Any, subject: str, sure: float) -> Check:
    """Compare the mean square of the noise with the variance of the discrete Gaussian, by its own standard error."""
    scale = measure.mechanism.scale
    reach = np.arange(-math.ceil(12 * scale), math.ceil(12 * scale) + 1) if scale < SMOOTH else None
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


def keys_of_one(release: Release, measure: Measure, path: Path, sure: float) -> Check:
    """Draw many keys that one unit alone has: none may come out more often than delta allows."""
    query = release.spec.queries[measure.query]
    grouping = plan.grouping_of(release, measure.query)
    columns = release.spec.by(query)
    cells = [tuple(f"key {number}" for _ in columns) for number in range(_KEYS_OF_ONE)]
    alone = release.spec.model_copy(update={"queries": [query]})
    counted = {replace(grouping, bins=None): {cell: {(0, "count"): 1} for cell in cells}}
    noisy = path.draw(replace(release, spec=alone), counted, path.add)
    expected = _KEYS_OF_ONE * (query.select_delta or 0.0)
    limit = max(0.0, float(stats.poisson.isf(1 - sure, expected)))
    found = len(noisy.cells[columns])
    return Check("keys of one that came out", subject_of(release, measure), limit, found, holds=found <= limit)


def _public(release: Release) -> Release | None:
    """Give the release with those queries alone whose cells are public; None where there is none."""
    kept = [query for query in release.spec.queries if not release.is_selected(release.spec.by(query))]
    if not kept:
        return None
    return replace(release, spec=release.spec.model_copy(update={"queries": kept}))


def delta(release: Release, measure: Measure, path: Path) -> Check:
    """Compute delta of selection anew from the definition: the probability that any of the new keys is shown."""
    mechanism, claim = measure.mechanism, release.spec.queries[measure.query].select_delta or 0.0
    threshold = path.threshold(mechanism, claim)
    reach = math.ceil(12 * mechanism.scale)
    noise = range(-reach, reach + 1)
    weights = [math.exp(-((value / mechanism.scale) ** 2) / 2) for value in noise]
    shown = math.fsum(weight for value, weight in zip(noise, weights, strict=True) if 1 + value >= threshold)
    share = shown / math.fsum(weights)
    found = -math.expm1(mechanism.l0 * math.log1p(-share))
    return Check("delta of selected keys", subject_of(release, measure), claim, found, holds=found <= claim)
