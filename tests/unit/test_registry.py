"""Drops are registered once, and every drop is worked on by exactly one intake, whoever plans at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from veil.control import Store, registry
from veil.errors import VeilError

MODALITIES = ["fhir", "text"]
MONDAY, TUESDAY = "2025-03-03", "2025-03-04"


def land(store: Store, name: str, date: str = MONDAY) -> str:
    return registry.register_drop(store, Path("/landing/clinic") / name, "clinic", date)


def plan(store: Store, run_key: str, date: str | None = None) -> list[registry.Unit]:
    return registry.plan_run(store, run_key, MODALITIES, date)


def drops_of(store: Store, units: list[registry.Unit]) -> Counter[str]:
    return Counter(
        drop.drop_id
        for intake_id in {unit.intake_id for unit in units}
        for drop in registry.drops_of_intake(store, intake_id)
    )


def _register(url: str, name: str) -> str:
    return land(Store(url), name)


def _plan(url: str, run_key: str) -> list[registry.Unit]:
    return plan(Store(url), run_key)


def _land_all(url: str, names: list[str]) -> list[registry.Unit]:
    store = Store(url)
    for name in names:
        land(store, name)
    return []


def _plan_all(url: str, run_keys: list[str]) -> list[registry.Unit]:
    store = Store(url)
    return [unit for run_key in run_keys for unit in plan(store, run_key)]


def _call(function: Callable[[str, list[str]], list[registry.Unit]], url: str, names: list[str]) -> list[registry.Unit]:
    return function(url, names)


def test_a_drop_announced_twice_is_one_drop(store: Store) -> None:
    first = land(store, "a", MONDAY)
    assert land(store, "a", TUESDAY) == first
    units = plan(store, "run")
    [drop] = registry.drops_of_intake(store, units[0].intake_id)
    assert (drop.drop_id, drop.source, drop.drop_date) == (first, "clinic", MONDAY)
    assert land(store, "a") == first
    assert plan(store, "next run") == []


def test_processes_that_announce_a_drop_at_once_open_one_store_and_register_one_drop(
    url: str, race: Callable[..., list[Any]]
) -> None:
    assert len(set(race(_register, [(url, "a")] * 4))) == 1


def test_a_run_takes_each_modality_of_all_that_is_pending_in_the_order_of_arrival(store: Store) -> None:
    drops = [land(store, name) for name in "zay"]
    units = plan(store, "run")
    assert [unit.modality for unit in units] == MODALITIES
    assert len({unit.unit_id for unit in units}) == 2
    [intake_id] = {unit.intake_id for unit in units}
    assert [drop.drop_id for drop in registry.drops_of_intake(store, intake_id)] == drops
    assert registry.units_of_run(store, "run", "text") == units[1:]


def test_a_retry_of_a_run_gets_the_same_units(store: Store) -> None:
    land(store, "a")
    units = plan(store, "run")
    late = land(store, "b")
    assert plan(store, "run") == units
    assert drops_of(store, plan(store, "next run")) == Counter([late])


def test_runs_that_plan_at_once_share_out_what_is_pending(url: str, race: Callable[..., list[Any]]) -> None:
    store = Store(url)
    drops = [land(store, str(number)) for number in range(6)]
    taken = race(_plan, [(url, f"run {number}") for number in range(4)])
    assert sum((drops_of(store, units) for units in taken), Counter[str]()) == Counter(drops)


def test_tries_of_one_run_that_plan_at_once_get_the_same_units(url: str, race: Callable[..., list[Any]]) -> None:
    land(Store(url), "a")
    first, *others = race(_plan, [(url, "run")] * 4)
    assert len(first) == 2
    assert others == [first] * 3


def test_no_drop_that_lands_while_runs_plan_is_lost_or_taken_twice(url: str, race: Callable[..., list[Any]]) -> None:
    store = Store(url)
    names = [[f"{lane}-{number}" for number in range(8)] for lane in "ab"]
    keys = [[f"run {lane}-{number}" for number in range(6)] for lane in "ab"]
    work = [(_land_all, url, lane) for lane in names] + [(_plan_all, url, lane) for lane in keys]
    planned = [*race(_call, work), plan(store, "last run")]
    landed = Counter(land(store, name) for lane in names for name in lane)
    assert drops_of(store, [unit for units in planned for unit in units]) == landed


def test_a_backfill_takes_the_units_of_its_date_again_and_nothing_else(store: Store) -> None:
    land(store, "monday", MONDAY)
    monday = plan(store, "first")
    land(store, "tuesday", TUESDAY)
    tuesday = plan(store, "second")
    pending = land(store, "late", TUESDAY)
    assert plan(store, "backfill", MONDAY) == monday
    assert plan(store, "backfill of tuesday", TUESDAY) == tuesday
    assert plan(store, "backfill of no such day", "2019-01-01") == []
    assert drops_of(store, plan(store, "third")) == Counter([pending])
    assert plan(store, "second backfill", MONDAY) == monday


def test_what_a_person_asks_for_again_is_in_the_next_run_only(store: Store) -> None:
    land(store, "a")
    units = plan(store, "first")
    registry.ask_again(store, units[0].unit_id)
    fresh = land(store, "b")
    again = plan(store, "second")
    assert units[0] in again
    assert fresh in drops_of(store, again)
    assert plan(store, "third") == []
    assert plan(store, "second") == again


def test_a_refused_drop_is_not_planned_again_and_only_its_run_reports_it(store: Store) -> None:
    refused = land(store, "a")
    assert plan(store, "run")
    registry.refuse_drop(store, refused, "The manifest is not JSON")
    assert land(store, "a") == refused
    assert plan(store, "later") == []
    assert registry.refused_drops(store, "run") == [(refused, "The manifest is not JSON")]
    assert registry.refused_drops(store, "later") == []


def test_the_newest_run_is_the_newest_that_had_something_to_do(store: Store) -> None:
    assert registry.last_run(store) is None
    land(store, "a")
    plan(store, "busy")
    plan(store, "idle")
    assert registry.last_run(store) == "busy"
    assert registry.is_run(store, "idle")
    assert not registry.is_run(store, "never")


def test_a_run_that_has_not_been_scanned_is_not_a_run_without_leaks(store: Store) -> None:
    plan(store, "run")
    assert registry.leaks_of_run(store, "run") is None
    registry.finish_run(store, "run", [])
    assert registry.leaks_of_run(store, "run") == []


def test_a_store_that_cannot_be_reached_says_so_without_its_password() -> None:
    with pytest.raises(VeilError, match="cannot be opened") as raised:
        Store("postgresql+psycopg://veil:hunter2@127.0.0.1:1/veil")
    assert "hunter2" not in str(raised.value)
