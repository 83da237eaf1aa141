"""The noise costs what was paid, has the scale that is stated, and the statement is an upper bound."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from veil.privacy.mechanism import Mechanism, epsilon, nano_rho

DRAWS = 20_000
mechanisms = st.builds(
    Mechanism,
    l0=st.integers(1, 500),
    l_infinity=st.integers(1, 1000),
    rho=st.floats(1e-6, 10, allow_subnormal=False),
)


def measurement(scale: float) -> Any:
    """OpenDP's own mechanism of a scale, to ask what it costs."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float), scale=scale)


@given(mechanisms)
@settings(max_examples=300, deadline=None)
def test_the_cost_is_never_above_rho_and_hardly_below(mechanism: Mechanism) -> None:
    spent = measurement(mechanism.scale).map(mechanism.l2)
    assert spent <= mechanism.rho
    assert spent > mechanism.rho * (1 - 1e-6)


@given(mechanisms)
@settings(max_examples=30, deadline=None)
def test_a_draw_gives_one_whole_number_for_each_cell(mechanism: Mechanism) -> None:
    drawn = mechanism.draw([0, 7, 10**6])
    assert len(drawn) == 3
    assert all(type(number) is int for number in drawn)


def test_a_draw_that_costs_more_than_was_paid_is_refused() -> None:
    class Cheap(Mechanism):
        @property
        def scale(self) -> float:
            return self.l2 / math.sqrt(2 * self.rho) * 0.99

    with pytest.raises(ValueError, match="costs more"):
        Cheap(4, 2, 0.05).draw([0])


@pytest.mark.parametrize("mechanism", [Mechanism(1, 1, 0.5), Mechanism(4, 1, 0.05), Mechanism(4, 2, 0.05)])
def test_the_noise_has_the_stated_scale_and_no_bias(mechanism: Mechanism) -> None:
    drawn = mechanism.draw([100] * DRAWS)
    assert statistics.stdev(drawn) == pytest.approx(mechanism.scale, rel=0.05)
    # six standard errors of the mean
    assert abs(statistics.fmean(drawn) - 100) < 6 * mechanism.scale / math.sqrt(DRAWS)


def coverage(scale: float, half_width: int) -> float:
    """Probability of the discrete Gaussian within the half width, summed from its definition."""
    weights = [math.exp(-(k**2) / (2 * scale**2)) for k in range(math.ceil(40 * scale) + 1)]
    return (2 * sum(weights[: half_width + 1]) - weights[0]) / (2 * sum(weights) - weights[0])


@given(mechanisms)
@settings(max_examples=100, deadline=None)
def test_the_half_width_is_the_smallest_that_holds_nineteen_of_twenty(mechanism: Mechanism) -> None:
    # a scale of thousands sums as many terms and shows nothing more
    assume(mechanism.scale < 1000)
    width = mechanism.half_width_95()
    assert coverage(mechanism.scale, width) >= 0.95
    assert width == 0 or coverage(mechanism.scale, width - 1) < 0.95


def test_as_many_draws_lie_within_the_half_width_as_the_definition_says() -> None:
    mechanism = Mechanism(4, 2, 0.05)
    share = coverage(mechanism.scale, mechanism.half_width_95())
    within = sum(abs(noise) <= mechanism.half_width_95() for noise in mechanism.draw([0] * DRAWS)) / DRAWS
    # six standard errors of a share of DRAWS: one run in a billion fails by chance
    assert abs(within - share) < 6 * math.sqrt(share * (1 - share) / DRAWS)


def test_two_draws_differ() -> None:
    mechanism = Mechanism(4, 2, 0.05)
    assert mechanism.draw([0] * 50) != mechanism.draw([0] * 50)


@pytest.mark.parametrize("delta", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("rho", [0.001, 0.05, 0.1, 1.0, 5.0])
def test_the_stated_epsilon_is_never_below_what_opendp_proves(rho: float, delta: float) -> None:
    import opendp.prelude as dp

    mechanism = Mechanism(4, 2, rho)
    proven = dp.c.make_zCDP_to_approxDP(measurement(mechanism.scale)).map(mechanism.l2).epsilon(delta)
    assert proven <= epsilon(rho, delta) < 2 * proven


@given(st.floats(1e-9, 100, allow_subnormal=False))
def test_a_cost_is_rounded_up_and_a_cap_down(rho: float) -> None:
    charged, allowed = nano_rho(rho, up=True), nano_rho(rho, up=False)
    declared = Fraction(repr(rho)) * 10**9
    assert allowed <= declared <= charged
    assert charged - allowed <= 1


@given(st.integers(1, 10_000))
def test_a_cap_pays_for_a_cost_of_the_same_size(thousandths: int) -> None:
    rho = thousandths / 1000
    assert nano_rho(rho, up=True) == nano_rho(rho, up=False) == thousandths * 10**6
