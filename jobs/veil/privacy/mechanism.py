"""The noise: OpenDP's discrete Gaussian on integer vectors, and what can be said about it.

`make_gaussian` with an integer domain samples the discrete Gaussian exactly (Canonne, Kamath and Steinke 2020), so no
floating-point noise is involved (Mironov 2012). Its guarantee is rho-zCDP (Bun and Steinke 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

_NANO = 10**9
_SLACK = 1 + 1e-9
_NORMAL = 1000.0
_LARGEST = 1 << 62
_FAR = 40
"""Scales beyond which the discrete Gaussian holds less than 1e-347: no double can tell it from nothing."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A discrete Gaussian for one vector of counts or sums.

    `l0` and `l_infinity` bound what one privacy unit changes; `rho` is what a draw may cost. `scale` is the standard
    deviation parameter, in the units of the vector.
    """

    l0: int
    l_infinity: int
    rho: float

    @property
    def l2(self) -> float:
        """The L2 sensitivity: sqrt(l0) * l_infinity, for adding or removing all records of one privacy unit."""
        return math.sqrt(self.l0) * self.l_infinity

    @property
    def scale(self) -> float:
        """The smallest scale whose cost is at most rho: rho = (l2 / scale)**2 / 2, and a hair more for rounding."""
        return self.l2 / math.sqrt(2 * self.rho) * _SLACK

    def draw(self, exact: Sequence[int]) -> list[int]:
        """Add noise to exact counts or sums. Each call is a new draw: the ledger must have been paid.

        Raises
        ------
        ValueError
            When OpenDP's own map says that the draw costs more than `rho`, or a value leaves no room for noise in 64
            bits; the message holds no value.
        """
        import opendp.prelude as dp

        if exact and max(map(abs, exact)) > _LARGEST:
            raise ValueError("a sum is too large for 64 bits with its noise: give a coarser resolution")
        dp.enable_features("contrib")
        # i64: OpenDP's own choice for Python's integers has 32 bits
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
        measurement = dp.m.make_gaussian(*space, scale=self.scale)
        if measurement.map(self.l2) > self.rho:
            raise ValueError("the mechanism costs more than was paid for")
        return [int(value) for value in measurement(list(exact))]

    def half_width(self, alpha: float = 0.05) -> int:
        """Give the half width of the narrowest interval around a noisy value that holds at least 1 - alpha.

        OpenDP's accuracy for discrete noise is the smallest `a` with P(|noise| >= a) <= alpha: the interval ends
        below. It sums as many terms as the scale is large; beyond 1,000 the normal quantile is exact enough, and one
        is added.
        """
        return _half_width(self.scale, alpha)

    def tail(self, least: int) -> float:
        """Give P(noise >= least), from above: the discrete Gaussian summed from its definition."""
        return _tail(self.scale, least)

    def selection_delta(self, threshold: int) -> float:
        """Give the delta of publishing those keys alone whose noisy count of privacy units reaches a threshold.

        Adding a unit makes at most `l0` keys appear that nobody else has, each with a count of one. Unless one of
        them passes, the output is distributed as over the keys that others have too, which is rho-zCDP: so the
        whole is delta-approximate rho-zCDP (Bun and Steinke 2016, section 8), with delta the probability that one
        passes, 1 - (1 - P(1 + noise >= threshold))**l0. The counts are independent and `l_infinity` is 1.

        Raises
        ------
        ValueError
            When a unit counts more than once in a cell: this proof does not hold then.
        """
        if self.l_infinity != 1:
            raise ValueError("keys are selected by counts of privacy units, each counted once")
        return -math.expm1(self.l0 * math.log1p(-min(self.tail(threshold - 1), 0.5))) * _SLACK

    def threshold(self, delta: float) -> int:
        """Give the smallest threshold whose delta is at most `delta`."""
        low, high = 1, 2 + math.ceil(_FAR * self.scale)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.selection_delta(middle) <= delta else (middle + 1, high)
        return low


@lru_cache(maxsize=4096)
def _half_width(scale: float, alpha: float) -> int:
    import opendp.prelude as dp

    if scale > _NORMAL:
        return math.ceil(float(ndtri(1 - alpha / 2)) * scale) + 1
    accuracy: float = dp.discrete_gaussian_scale_to_accuracy(scale=scale, alpha=alpha)
    return math.ceil(accuracy) - 1


def _tail(scale: float, least: int) -> float:
    if least <= 0:
        return 1.0
    reach = math.ceil(_FAR * scale) + 1
    # the normaliser is cut short, so that it errs on the safe side; what is cut from the tail is below any double
    whole = 1 + 2 * float(np.exp(-((np.arange(1, reach) / scale) ** 2) / 2).sum())
    return float(np.exp(-((np.arange(least, max(reach, least + 1)) / scale) ** 2) / 2).sum()) / whole * _SLACK


def nano_rho(rho: float, *, up: bool) -> int:
    """Give rho in the ledger's unit: costs are rounded up, caps down.

    It is the decimal number that was declared, not its binary neighbour, so that a cap pays for a cost of its size.
    """
    return _scaled(rho, _NANO, up=up)


def femto_delta(delta: float, *, up: bool) -> int:
    """Give delta in the ledger's unit of 1e-15: costs are rounded up, caps down."""
    return _scaled(delta, 10**15, up=up)


def _scaled(value: float, unit: int, *, up: bool) -> int:
    scaled = Decimal(repr(value)) * unit
    return math.ceil(scaled) if up else math.floor(scaled)
