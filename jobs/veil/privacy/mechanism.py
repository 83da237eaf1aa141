"""The noise: OpenDP's discrete Gaussian on integer vectors, and what can be said about it.

`make_gaussian` with an integer domain samples the discrete Gaussian exactly (Canonne, Kamath and Steinke 2020), so no
floating-point noise is involved (Mironov 2012). Its guarantee is rho-zCDP (Bun and Steinke 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_NANO = 10**9
_SLACK = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A discrete Gaussian for one query.

    `l0` and `l_infinity` bound what one patient changes; `rho` is what a draw may cost. `scale` is the standard
    deviation parameter, in counts.
    """

    l0: int
    l_infinity: int
    rho: float

    @property
    def l2(self) -> float:
        """The L2 sensitivity: sqrt(l0) * l_infinity, for adding or removing all records of one patient."""
        return math.sqrt(self.l0) * self.l_infinity

    @property
    def scale(self) -> float:
        """The smallest scale whose cost is at most rho: rho = (l2 / scale)**2 / 2, and a hair more for rounding."""
        return self.l2 / math.sqrt(2 * self.rho) * _SLACK

    def draw(self, counts: Sequence[int]) -> list[int]:
        """Add noise to exact counts. Each call is a new draw: the ledger must have been paid.

        Raises
        ------
        ValueError
            When OpenDP's own map says that the draw costs more than `rho`.
        """
        import opendp.prelude as dp

        dp.enable_features("contrib")
        space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
        measurement = dp.m.make_gaussian(*space, scale=self.scale)
        if measurement.map(self.l2) > self.rho:
            raise ValueError("the mechanism costs more than was paid for")
        return [int(value) for value in measurement(list(counts))]

    def half_width_95(self) -> int:
        """Give the half width of the narrowest interval around a noisy count that has at least 95 %, in counts.

        OpenDP's accuracy for discrete noise is the smallest `a` with P(|noise| >= a) <= 5 %: the interval ends below.
        """
        import opendp.prelude as dp

        accuracy: float = dp.discrete_gaussian_scale_to_accuracy(scale=self.scale, alpha=0.05)
        return math.ceil(accuracy) - 1


def nano_rho(rho: float, *, up: bool) -> int:
    """Give rho in the ledger's unit: costs are rounded up, caps down.

    It is the decimal number that was declared, not its binary neighbour, so that a cap pays for a cost of its size.
    """
    scaled = Decimal(repr(rho)) * _NANO
    return math.ceil(scaled) if up else math.floor(scaled)


def epsilon(rho: float, delta: float) -> float:
    """Give the epsilon of rho-zCDP at delta: rho + 2 sqrt(rho ln(1/delta)) (Bun and Steinke 2016, Proposition 1.3)."""
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))
