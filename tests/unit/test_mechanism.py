"""The noise costs what was paid, has the scale that is stated, and the statement is an upper bound."""

from __future__ import annotations

import math
import random
import statistics
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from veil.privacy.accounting import Draw, epsilon, pld_epsilon, rho_for
from veil.privacy.mechanism import Mechanism, femto_delta, nano_rho

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
    width = mechanism.half_width()
    assert coverage(mechanism.scale, width) >= 0.95
    assert width == 0 or coverage(mechanism.scale, width - 1) < 0.95


def test_as_many_draws_lie_within_the_half_width_as_the_definition_says() -> None:
    mechanism = Mechanism(4, 2, 0.05)
    share = coverage(mechanism.scale, mechanism.half_width())
    within = sum(abs(noise) <= mechanism.half_width() for noise in mechanism.draw([0] * DRAWS)) / DRAWS
    # six standard errors of a share of DRAWS: one run in a billion fails by chance
    assert abs(within - share) < 6 * math.sqrt(share * (1 - share) / DRAWS)


def test_two_draws_differ() -> None:
    mechanism = Mechanism(4, 2, 0.05)
    assert mechanism.draw([0] * 50) != mechanism.draw([0] * 50)


@pytest.mark.parametrize("delta", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("rho", [0.001, 0.05, 0.1, 1.0, 5.0])
def test_the_stated_epsilon_is_what_opendp_proves(rho: float, delta: float) -> None:
    import opendp.prelude as dp

    mechanism = Mechanism(4, 2, rho)
    proven = dp.c.make_zCDP_to_approxDP(measurement(mechanism.scale)).map(mechanism.l2).epsilon(delta)
    assert epsilon(rho, delta) == pytest.approx(proven, rel=1e-6)


def compositions(number: int) -> list[list[Mechanism]]:
    draw = random.Random(number)
    return [
        [
            Mechanism(draw.randint(1, 8), draw.choice((1, 1, 2, 5)), 10 ** draw.uniform(-3, -0.3))
            for _ in range(draw.randint(1, 6))
        ]
        for _ in range(number)
    ]


@pytest.mark.parametrize("number", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_pld_is_below_zcdp_and_close_to_the_exact_curve_of_gaussians(number: int) -> None:
    """Discrete Gaussians compose like one Gaussian of the summed rho: Balle and Wang (2018) give its exact curve."""
    from dp_accounting.pld import privacy_loss_distribution

    for mechanisms in compositions(number):
        rho = sum(mechanism.rho for mechanism in mechanisms)
        stated = pld_epsilon([Draw.of(mechanism) for mechanism in mechanisms], 1e-7)
        gaussian = privacy_loss_distribution.from_gaussian_mechanism(1 / math.sqrt(2 * rho))
        assert stated <= epsilon(rho, 1e-7)
        assert stated == pytest.approx(gaussian.get_epsilon_for_delta(1e-7), rel=0.02)


def test_one_and_thirty_releases_cost_what_others_have_computed() -> None:
    found = [pld_epsilon([Draw.of(Mechanism(5, 1, 0.05))] * times, 1e-7) for times in (1, 30)]
    assert found == [pytest.approx(expected, rel=0.01) for expected in (1.52, 10.0)]
    by_zcdp = [epsilon(0.05 * times, 1e-7) for times in (1, 30)]
    assert by_zcdp == [pytest.approx(expected, rel=0.01) for expected in (1.62, 10.6)]


def test_the_scale_for_an_epsilon_is_the_smallest_that_pld_allows() -> None:
    bought = Mechanism(5, 1, rho_for(1.0, 1e-7, (Mechanism(5, 1, 1.0),)))
    assert bought.scale <= 10.5
    assert pld_epsilon([Draw.of(bought)], 1e-7) <= 1.0
    assert pld_epsilon([Draw.of(Mechanism(5, 1, bought.rho * 1.0002))], 1e-7) > 1.0


def exhaustive_delta(mechanism: Mechanism, threshold: int) -> float:
    """Enumerate what `l0` new keys with a count of one do: the probability that any of them is shown."""
    scale = mechanism.scale
    weights = {noise: math.exp(-(noise**2) / (2 * scale**2)) for noise in range(-300, 301)}
    total = math.fsum(weights.values())
    shown = math.fsum(weight for noise, weight in weights.items() if 1 + noise >= threshold) / total
    return math.fsum(
        math.comb(mechanism.l0, number) * shown**number * (1 - shown) ** (mechanism.l0 - number)
        for number in range(1, mechanism.l0 + 1)
    )


@given(st.integers(1, 8), st.floats(0.02, 2), st.integers(2, 60))
@settings(max_examples=60, deadline=None)
def test_delta_of_selected_keys_is_the_probability_that_a_key_of_one_is_shown(
    l0: int, rho: float, threshold: int
) -> None:
    mechanism = Mechanism(l0, 1, rho)
    exact = exhaustive_delta(mechanism, threshold)
    assert exact <= mechanism.selection_delta(threshold) * (1 + 1e-12)
    assert mechanism.selection_delta(threshold) == pytest.approx(exact, rel=1e-6, abs=1e-290)


def test_the_threshold_is_the_smallest_that_the_delta_pays_for() -> None:
    mechanism = Mechanism(5, 1, 0.05)
    assert mechanism.selection_delta(40) == pytest.approx(1.26e-7, rel=0.01)
    assert mechanism.selection_delta(41) == pytest.approx(0.57e-7, rel=0.02)
    assert mechanism.threshold(1e-7) == 41
    with pytest.raises(ValueError, match="counted once"):
        Mechanism(5, 2, 0.05).selection_delta(40)


def test_a_key_of_one_is_shown_as_often_as_delta_says() -> None:
    mechanism = Mechanism(1, 1, 0.05)
    shown = sum(value >= 6 for value in mechanism.draw([1] * DRAWS)) / DRAWS
    expected = mechanism.selection_delta(6)
    assert abs(shown - expected) < 6 * math.sqrt(expected / DRAWS)


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


def test_delta_is_kept_in_whole_parts_that_err_on_the_safe_side() -> None:
    assert femto_delta(1e-7, up=True) == femto_delta(1e-7, up=False) == 10**8
    assert femto_delta(1.5e-15, up=True) == 2
    assert femto_delta(1.5e-15, up=False) == 1
