"""What draws cost together, as (epsilon, delta): by zero-concentrated DP, and by privacy loss distributions.

The ledger adds rho up, which holds whatever was decided in between. The privacy loss distribution (PLD) of the same
draws gives a smaller epsilon, for budgets that were fixed beforehand.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scipy.special import ndtr

from veil.privacy.mechanism import Mechanism

if TYPE_CHECKING:
    from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

_CONTINUOUS = 5000.0
"""Scale from which the discrete Gaussian is taken for the continuous one: they differ by e**(-2 pi**2 scale**2)."""
_NEAR, _EXACT = 0.99, 1e-4


@dataclass(frozen=True, slots=True)
class Draw:
    """What of a draw decides its privacy loss: `l0` discrete Gaussians of a scale and a sensitivity."""

    scale: float
    l0: int
    l_infinity: int

    @classmethod
    def of(cls, mechanism: Mechanism) -> Draw:
        """Take a mechanism at its scale."""
        return cls(mechanism.scale, mechanism.l0, mechanism.l_infinity)


def epsilon(rho: float, delta: float) -> float:
    """Give the epsilon of rho-zCDP at delta.

    It is the least over alpha of rho alpha + ln(1 / (alpha delta)) / (alpha - 1) + ln(1 - 1/alpha) (Canonne, Kamath
    and Steinke 2020, Corollary 13); each alpha gives an upper bound, so the search need not be exact.
    """

    def at(log_excess: float) -> float:
        excess = math.exp(log_excess)
        alpha = 1 + excess
        return rho * alpha + (-math.log(delta) - math.log(alpha)) / excess + math.log(excess) - math.log(alpha)

    low, high = math.log(1e-3), math.log(1e6)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(100):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if at(left) < at(right) else (left, high)
    return max(0.0, at((low + high) / 2))


def pld_epsilon(draws: Iterable[Draw], delta: float) -> float:
    """Give the epsilon at delta of all draws together, by their privacy loss distribution; 0 where there is none."""
    return _pld_epsilon(tuple(sorted(Counter(draws).items(), key=repr)), delta)


@lru_cache(maxsize=256)
def _pld_epsilon(draws: tuple[tuple[Draw, int], ...], delta: float) -> float:
    composed: Any = None
    for draw, times in draws:
        part = _distribution(draw).self_compose(draw.l0 * times)
        composed = part if composed is None else composed.compose(part)
    return 0.0 if composed is None else float(composed.get_epsilon_for_delta(delta))


@lru_cache(maxsize=64)
def rho_for(epsilon_wanted: float, delta: float, of_one: tuple[Mechanism, ...]) -> float:
    """Find the most rho that costs at most an epsilon by PLD or by zCDP, to one part in ten thousand.

    `of_one` are the mechanisms that a total rho of 1 is shared out to. The search begins at the rho of one continuous
    Gaussian, and ends on the side that costs less; the result is rounded down to the ledger's 1e-9.
    """

    def fits(rho: float) -> bool:
        if epsilon(rho, delta) <= epsilon_wanted:
            return True
        shared = [replace(mechanism, rho=rho * mechanism.rho) for mechanism in of_one]
        return pld_epsilon([Draw.of(mechanism) for mechanism in shared], delta) <= epsilon_wanted

    low = _gaussian_rho(epsilon_wanted, delta)
    while not fits(low):
        low *= _NEAR
    high = low / _NEAR
    while fits(high):
        low, high = high, high / _NEAR
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return math.floor(low * 1e9) / 1e9


def _gaussian_rho(epsilon_wanted: float, delta: float) -> float:
    """Give the rho of the continuous Gaussian of (epsilon, delta), by its exact curve (Balle and Wang 2018)."""

    def cost(mu: float) -> float:
        ratio = epsilon_wanted / mu
        return float(ndtr(mu / 2 - ratio) - math.exp(epsilon_wanted) * ndtr(-mu / 2 - ratio))

    low, high = 1e-6, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) <= delta else (low, middle)
    return low * low / 2


def _distribution(draw: Draw) -> PrivacyLossDistribution:
    from dp_accounting.pld import privacy_loss_distribution

    if draw.scale >= _CONTINUOUS:
        return privacy_loss_distribution.from_gaussian_mechanism(draw.scale / draw.l_infinity)
    return privacy_loss_distribution.from_discrete_gaussian_mechanism(draw.scale, draw.l_infinity)
