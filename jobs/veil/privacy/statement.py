"""What a release gives away and how precise it is: nothing said here depends on the data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from scipy.special import ndtr

from veil.privacy import plan
from veil.privacy.accounting import Draw, epsilon, pld_epsilon
from veil.privacy.load import Release
from veil.privacy.mechanism import femto_delta, nano_rho
from veil.privacy.plan import Measure
from veil.privacy.spec import Query

_ALPHA = 0.05
_WEAK = math.exp(10)
"""Odds beyond which nobody should be told that they are hidden."""
SIZES = (10, 30, 100, 1_000, 10_000)
"""True sizes for which the expected error of a count is told."""


def cost_rho(measures: Iterable[Measure]) -> int:
    """Give what measures cost together, in nano-rho; each is rounded up."""
    return sum(nano_rho(measure.mechanism.rho, up=True) for measure in measures)


def cost_delta(release: Release) -> int:
    """Give what selected keys cost, in 1e-15."""
    return sum(femto_delta(query.select_delta, up=True) for query in release.spec.queries if query.select_delta)


def statement(release: Release) -> dict[str, Any]:
    """Say what a release costs, by zCDP and by PLD, and how each query is measured."""
    measures = plan.measures(release)
    spec = release.spec
    aside = cost_delta(release) / 1e15
    rho = cost_rho(measures) / 1e9
    by_zcdp = epsilon(rho, spec.cost.delta - aside)
    # both are upper bounds; the grid of the PLD adds to it with every cell, and over thousands of them it loses
    by_pld = pld_epsilon([Draw.of(measure.mechanism) for measure in measures], spec.cost.delta - aside)
    return {
        "release": spec.name,
        "spec_hash": release.hash,
        "privacy_unit": spec.privacy_unit,
        "period": release.period,
        "rho": rho,
        "delta": spec.cost.delta,
        "epsilon_zcdp": upwards(by_zcdp),
        "epsilon": upwards(min(by_pld, by_zcdp)),
        "selection_delta": aside,
        "queries": [_query(release, number, measures) for number in range(len(spec.queries))],
    }


def in_words(said: dict[str, Any]) -> str:
    """Tell a patient what a statement means."""
    whom = "one patient" if said["privacy_unit"] == "patient" else "one day of one patient"
    # by zCDP: it also holds for what was decided after other numbers were seen
    odds = math.exp(said["epsilon_zcdp"])
    limit = (
        ""
        if said["privacy_unit"] == "patient"
        else " It does not hide that a patient was here on several days: over all days the budgets add up."
    )
    if odds > _WEAK:
        return (
            f"These numbers together do not hide {whom} well: the odds that somebody gives to {whom} being in the data "
            f"may change by a factor of {odds:.3g} or more.{limit}"
        )
    return (
        f"The numbers would look much the same with or without {whom}. Whoever reads them, and whatever else they "
        f"know, the odds that they give to {whom} being in the data change at most {odds:.1f} times, except with a "
        f"probability of {said['delta']:g}.{limit}"
    )


def _query(release: Release, number: int, measures: list[Measure]) -> dict[str, Any]:
    query = release.spec.queries[number]
    own = [measure for measure in measures if measure.query == number]
    told: dict[str, Any] = {
        "query": query.name,
        "bins": query.bins,
        "statistic": query.statistic,
        "by": list(release.spec.by(query)),
        "cells": None if release.is_selected(release.spec.by(query)) else release.width(release.spec.by(query)),
        "measures": [
            {
                "part": measure.part,
                "level": measure.level,
                "mechanism": "discrete Gaussian",
                "l0": measure.mechanism.l0,
                "l_infinity": measure.mechanism.l_infinity,
                "rho": measure.mechanism.rho,
                "scale": measure.mechanism.scale,
                "half_width_95": measure.mechanism.half_width(),
            }
            for measure in own
        ],
    }
    if query.adds_up:
        told |= {
            "bounds": [query.lower, query.upper],
            "resolution": query.resolution,
            "published": _published(query, own),
        }
    counting = next((measure.mechanism for measure in own if measure.part == "count"), None)
    if counting is not None:
        told["expected_relative_error"] = {
            str(size): round(math.sqrt(2 / math.pi) * counting.scale / size, 4) for size in SIZES
        }
    if query.select_delta is not None and counting is not None:
        threshold = counting.threshold(query.select_delta)
        told["threshold"] = threshold
        told["selection_delta"] = counting.selection_delta(threshold)
        told["share_dropped"] = {
            str(size): round(float(ndtr((threshold - 0.5 - size) / counting.scale)), 4) for size in SIZES
        }
    return told


def _published(query: Query, own: list[Measure]) -> dict[str, Any]:
    """Give the half widths of what is published of added values, in their units; of a mean by number of records.

    They are those of `estimates`: each part holds at 1 - 0.05 / parts, so that all do at once. A mean is off by at most
    (w_sum + w_count |mean - centre|) / (n - w_count), and infinitely where n is not above w_count.
    """
    width = {measure.part: measure.mechanism.half_width(_ALPHA / len(own)) for measure in own}
    whole = width["sum"] * query.resolution
    if "count" not in width:
        return {"sum": whole}
    half = ((query.upper or 0) - (query.lower or 0)) / 2
    mean = {
        str(size): (whole + half * width["count"]) / (size - width["count"]) for size in SIZES if size > width["count"]
    }
    mean = {size: bound for size, bound in mean.items() if bound < 2 * half}
    return {"sum": whole + abs(plan.centre(query)) * width["count"], "mean": mean}


def upwards(value: float) -> float:
    """Round an epsilon to four digits, never down."""
    return math.ceil(value * 1e4) / 1e4
