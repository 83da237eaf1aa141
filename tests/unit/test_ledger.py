"""No budget is overspent, no release pays twice, and no key ever shows two numbers, whatever is killed when."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from veil import ledger
from veil.control import Store, attempts, receipts, schema
from veil.control.attempts import Attempt
from veil.errors import Refused, VeilError

DAY, LIFETIME = "clinic/2025-03", "clinic/lifetime"
COST = 10
DELTA = 1000


def charge(key: str, cost: int = COST, day: int = 100, lifetime: int = 1000, block: str = DAY) -> ledger.Charge:
    caps = {block: (day, DELTA), LIFETIME: (lifetime, DELTA)}
    return ledger.Charge(key, "visits", "the spec", "patient", cost, caps)


def spent(store: Store) -> dict[str, int]:
    return {block.block_id: block.spent for block in ledger.blocks(store)}


def state_of(store: Store, key: str) -> str | None:
    with store.transaction() as connection:
        return connection.scalar(select(schema.release.c.state).where(schema.release.c.key == key))


def release(store: Store, key: str, report: Path | None = None, **terms: Any) -> bytes:
    """Pay, draw, keep and publish; every draw differs, and what is kept is what `report` is told."""
    payload = ledger.reserve(store, charge(key, **terms))
    if payload is None:
        payload = ledger.keep_drawn(store, key, os.urandom(8))
    if report is not None:
        tell(report, key, payload)
    ledger.mark_published(store, key)
    return payload


def tell(report: Path, key: str, payload: bytes) -> None:
    with report.open("ab", buffering=0) as file:
        file.write(f"{key} {payload.hex()}\n".encode())


def told(report: Path) -> dict[str, set[str]]:
    seen = defaultdict(set)
    for line in report.read_text().splitlines() if report.exists() else []:
        key, payload = line.split()
        seen[key].add(payload)
    return seen


def test_a_release_is_charged_to_every_block_once(store: Store) -> None:
    first = release(store, "k")
    assert [release(store, "k") for _ in range(3)] == [first] * 3
    assert spent(store) == {DAY: COST, LIFETIME: COST}
    assert state_of(store, "k") == "PUBLISHED"


def test_a_change_of_spec_input_or_draw_is_another_key_and_nothing_else_is() -> None:
    key = ledger.release_key
    assert len({key("s", "i"), key("t", "i"), key("s", "j"), key("s", "i", 1), key("si", "")}) == 5
    assert key("s", "i") == key("s", "i", 0)


def test_a_refusal_charges_no_block_is_kept_and_can_be_afforded_by_a_cheaper_release(store: Store) -> None:
    ledger.reserve(store, charge("first", cost=60))
    with pytest.raises(Refused, match=f"{DAY} cannot pay for visits.*two people"):
        ledger.reserve(store, charge("second", cost=41))
    assert spent(store) == {DAY: 60, LIFETIME: 60}
    assert state_of(store, "second") is None
    with store.transaction() as connection:
        denials = connection.execute(select(schema.denial)).mappings().all()
    assert [(row["key"], row["block_id"], row["cost_rho"]) for row in denials] == [("second", DAY, 41)]
    ledger.reserve(store, charge("third", cost=40))
    assert spent(store) == {DAY: 100, LIFETIME: 100}


def test_a_block_that_could_pay_pays_nothing_when_another_cannot(store: Store) -> None:
    with pytest.raises(Refused, match=LIFETIME):
        ledger.reserve(store, charge("k", day=100, lifetime=COST - 1))
    assert spent(store) == {DAY: 0, LIFETIME: 0}


def test_a_budget_of_zero_pays_for_nothing(store: Store) -> None:
    with pytest.raises(Refused, match=f"The privacy budget {DAY} cannot pay for visits"):
        ledger.reserve(store, charge("k", cost=1, day=0))
    assert spent(store) == {DAY: 0, LIFETIME: 0}


@pytest.mark.parametrize("cost", [0, -COST])
def test_nothing_is_released_for_free_and_nothing_is_given_back(store: Store, cost: int) -> None:
    ledger.reserve(store, charge("paid"))
    with pytest.raises(Refused, match="for free"):
        ledger.reserve(store, charge("k", cost=cost))
    with pytest.raises(Refused, match="for free"):
        ledger.reserve(store, replace(charge("k"), caps={}))
    assert spent(store) == {DAY: COST, LIFETIME: COST}
    assert state_of(store, "k") is None


def test_a_cap_that_a_later_declaration_raises_stays(store: Store) -> None:
    ledger.reserve(store, charge("first", cost=100, day=100))
    with pytest.raises(Refused, match=DAY):
        ledger.reserve(store, charge("second", cost=1, day=10**9))


@pytest.mark.parametrize("value", [101, -1])
def test_the_database_itself_refuses_what_the_code_never_asks_for(store: Store, value: int) -> None:
    ledger.reserve(store, charge("k"))
    with pytest.raises(IntegrityError), store.transaction() as connection:
        connection.execute(update(schema.block).where(schema.block.c.block_id == DAY).values(spent=value))


def test_the_first_numbers_that_are_kept_are_the_ones_that_count(store: Store) -> None:
    assert ledger.reserve(store, charge("k")) is None
    assert ledger.keep_drawn(store, "k", b"first") == b"first"
    assert ledger.keep_drawn(store, "k", b"second") == b"first"
    ledger.mark_published(store, "k")
    assert ledger.keep_drawn(store, "k", b"third") == b"first"
    assert ledger.reserve(store, charge("k")) == b"first"


def test_numbers_that_nobody_paid_for_are_not_kept(store: Store) -> None:
    with pytest.raises(Refused):
        ledger.reserve(store, charge("denied", day=0))
    for key in ("denied", "unknown"):
        with pytest.raises(Refused, match="nobody paid"):
            ledger.keep_drawn(store, key, b"numbers")
        ledger.mark_published(store, key)
        assert not ledger.is_paid(store, key)
        assert state_of(store, key) is None


def test_only_numbers_as_they_were_drawn_count_as_paid(store: Store) -> None:
    ledger.reserve(store, charge("k"))
    assert not ledger.is_paid(store, "k")
    ledger.keep_drawn(store, "k", b"numbers")
    assert ledger.is_paid(store, "k")
    for forged in (b"others", b"", None):
        with store.transaction() as connection:
            connection.execute(update(schema.release).where(schema.release.c.key == "k").values(payload=forged))
        assert not ledger.is_paid(store, "k")


def _spend(url: str, keys: list[str]) -> int:
    store, paid = Store(url), 0
    for key in keys:
        try:
            release(store, key, day=75)
            paid += 1
        except Refused:
            pass
    return paid


def test_a_cap_holds_when_processes_race_for_it(url: str, race: Callable[..., list[Any]]) -> None:
    paid = race(_spend, [(url, [f"{lane}{number}" for number in range(5)]) for lane in "abcd"])
    assert sum(paid) == 7  # of 20 that cost 10 each, 75 pay for
    assert spent(Store(url)) == {DAY: 70, LIFETIME: 70}


def _release(url: str, key: str) -> bytes:
    return release(Store(url), key)


def test_processes_that_draw_for_one_key_pay_once_and_see_one_number(url: str, race: Callable[..., list[Any]]) -> None:
    assert len(set(race(_release, [(url, "k")] * 4))) == 1
    assert spent(Store(url)) == {DAY: COST, LIFETIME: COST}


def _die_at_commit(url: str, report: Path, fatal: int) -> None:
    store, commits = Store(url), 0

    def die(_connection: object) -> None:
        nonlocal commits
        commits += 1
        if commits == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", die)
    release(store, "k", report)


@pytest.mark.parametrize(("fatal", "left"), [(1, None), (2, "RESERVED"), (3, "DRAWN"), (4, "PUBLISHED")])
def test_a_crash_in_any_state_ends_in_one_number_and_one_charge(
    url: str, tmp_path: Path, processes: ForkServerContext, fatal: int, left: str | None
) -> None:
    store, report = Store(url), tmp_path / "seen"
    victim = processes.Process(target=_die_at_commit, args=(url, report, fatal))
    victim.start()
    victim.join()
    assert victim.exitcode == (0 if left == "PUBLISHED" else -signal.SIGKILL)
    assert state_of(store, "k") == left
    assert spent(store) == ({} if left is None else {DAY: COST, LIFETIME: COST})
    numbers = release(store, "k", report)
    assert release(store, "k", report) == numbers
    assert told(report) == {"k": {numbers.hex()}}
    assert spent(store) == {DAY: COST, LIFETIME: COST}
    assert ledger.is_paid(store, "k")


def _draw_with_a_full_disk(url: str, folder: Path, report: Path) -> None:
    store = Store(url)
    assert ledger.reserve(store, charge("k")) is None
    # whatever is written from here on has no more room, as on a disk that is full
    largest = max(path.stat().st_size for path in folder.glob("control.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    try:
        ledger.keep_drawn(store, "k", os.urandom(1 << 20))
    except DatabaseError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        tell(report, "refused", b"full")


def test_a_disk_that_is_full_when_numbers_are_to_be_kept_loses_nothing_and_costs_nothing(
    tmp_path: Path, processes: ForkServerContext
) -> None:
    url, report = f"sqlite:///{tmp_path / 'control.db'}", tmp_path / "seen"
    victim = processes.Process(target=_draw_with_a_full_disk, args=(url, tmp_path, report))
    victim.start()
    victim.join()
    assert (victim.exitcode, told(report)) == (0, {"refused": {b"full".hex()}})
    store = Store(url)
    assert (state_of(store, "k"), spent(store)) == ("RESERVED", {DAY: COST, LIFETIME: COST})
    numbers = release(store, "k")
    assert release(store, "k") == numbers
    assert spent(store) == {DAY: COST, LIFETIME: COST}
    assert ledger.verify(store) == []


def _die_at_statement(url: str, report: Path, fatal: int) -> None:
    store, statements = Store(url), 0

    def die(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", die)
    event.listen(Engine, "after_cursor_execute", die)
    release(store, "k", report)


def test_a_crash_before_or_after_any_statement_ends_in_one_number_and_one_charge(
    url: str, tmp_path: Path, processes: ForkServerContext
) -> None:
    """The same key goes on from wherever the one before was killed, one statement later each time."""
    store, report = Store(url), tmp_path / "seen"
    for fatal in range(1, 200):
        victim = processes.Process(target=_die_at_statement, args=(url, report, fatal))
        victim.start()
        victim.join()
        if victim.exitcode == 0:
            break
        assert victim.exitcode == -signal.SIGKILL
        assert set(spent(store).values()) <= {COST}
    assert fatal > 10
    assert len(told(report)["k"]) == 1
    assert spent(store) == {DAY: COST, LIFETIME: COST}
    assert ledger.verify(store) == []


def _work_until_killed(url: str, report: Path, seed: int) -> None:
    """Release every key of a round in an order of one's own, each beside a receipt, over and over."""
    store, order, period = Store(url), random.Random(seed), _round(seed)
    while True:
        for key in order.sample(_keys(period), KEYS):
            attempt = attempts.begin(store, "release", key, "visits", f"run {seed}")
            try:
                release(store, key, report, day=KILL_CAP, lifetime=10**9, block=period)
            except Refused:
                tell(report, "refused", key.encode())
                attempts.fail(store, attempt)
            else:
                _close(store, attempt)


def _close(store: Store, attempt: Attempt) -> None:
    try:
        receipts.close(store, attempt, {"verdict": "passed"}, receipts.new_id())
    except VeilError:
        return  # another writer began on the same key: its attempt counts


def _round(seed: int) -> str:
    """Name the round of a writer: few work on the same keys, and every few kills bring keys that nobody has drawn."""
    return f"round-{seed // 6}"


def _keys(period: str) -> list[str]:
    return [f"{period}/key-{number}" for number in range(KEYS)]


KEYS = 40
KILL_CAP = 35 * COST
KILLS, WRITERS = int(os.environ.get("VEIL_KILLS", "20")), int(os.environ.get("VEIL_WRITERS", "3"))


def test_nothing_is_overspent_or_drawn_twice_when_writers_are_killed_at_random(
    url: str, tmp_path: Path, processes: ForkServerContext
) -> None:
    store, report, moments = Store(url), tmp_path / "seen", random.Random(7)

    def start(seed: int) -> Any:
        writer = processes.Process(target=_work_until_killed, args=(url, report, seed), daemon=True)
        writer.start()
        return writer

    writers = [start(seed) for seed in range(WRITERS)]
    _wait_for(report)
    for kill in range(KILLS):
        time.sleep(moments.uniform(0.02, 0.12))
        writers.append(start(WRITERS + kill))
        victim = writers.pop(moments.randrange(WRITERS))
        victim.kill()
        victim.join()
    for writer in writers:
        writer.kill()
        writer.join()

    seen = told(report)
    refused = {bytes.fromhex(key).decode() for key in seen.pop("refused", ())}
    assert all(len(numbers) == 1 for numbers in seen.values())
    rounds = dict.fromkeys(_round(seed) for seed in range(WRITERS + KILLS))
    paid = {period: {key for key in _keys(period) if state_of(store, key) is not None} for period in rounds}
    everything = set().union(*paid.values())
    assert seen.keys() <= everything
    assert not refused & everything
    expected = {period: len(keys) * COST for period, keys in paid.items() if keys} | {LIFETIME: len(everything) * COST}
    assert {block: paid_for for block, paid_for in spent(store).items() if paid_for} == expected
    assert all(len(keys) * COST <= KILL_CAP for keys in paid.values())
    for key in sorted(everything):
        assert seen.get(key, set()) <= {release(store, key, block=_of(key), day=KILL_CAP, lifetime=10**9).hex()}
    assert receipts.verify(store) is None
    assert ledger.verify(store) == []


def _of(key: str) -> str:
    return key.partition("/")[0]


def _wait_for(report: Path) -> None:
    deadline = time.monotonic() + 30
    while not report.exists():
        assert time.monotonic() < deadline, "no writer began"
        time.sleep(0.02)


def test_what_happened_is_kept_in_order_and_any_change_of_it_shows(store: Store) -> None:
    release(store, "k")
    with pytest.raises(Refused):
        ledger.reserve(store, charge("denied", cost=1000))
    told_kinds = [event.kind for event in ledger.events(store)]
    assert told_kinds == ["opened", "opened", "reserved", "drawn", "published", "denied"]
    assert ledger.verify(store) == []


def _forge(store: Store, table: Any, **values: Any) -> None:
    with store.transaction() as connection:
        connection.execute(update(table).values(**values))


@pytest.mark.parametrize(
    ("table", "values", "problem"),
    [
        (schema.block, {"spent": 0}, "what is spent"),
        (schema.block, {"cap": 10**12}, "its cap"),
        (schema.release, {"payload": b"others"}, "its numbers"),
        (schema.release, {"state": "DRAWN"}, "its state"),
        (schema.release, {"payload": None}, "its numbers"),
        (schema.release, {"cost_rho": 1}, "its cost"),
        (schema.release, {"draws": "[[1.0, 1, 1]]"}, "its cost"),
        (schema.release, {"spec": "another"}, "its cost"),
        (schema.block, {"unit": "patient-day"}, "block"),
        (schema.event, {"body": "{}"}, "chain is broken"),
        (schema.event, {"at": "2020-01-01T00:00:00+00:00"}, "chain is broken"),
    ],
)
def test_a_ledger_that_was_tampered_with_does_not_verify(
    table: Any, values: dict[str, Any], problem: str, store: Store
) -> None:
    release(store, "k")
    if table is schema.event:  # one of them: the others stay as they are
        with store.transaction() as connection:
            connection.execute(update(table).where(table.c.seq == 2).values(**values))
    else:
        _forge(store, table, **values)
    assert any(problem in found for found in ledger.verify(store))


def test_an_event_that_was_removed_shows(store: Store) -> None:
    release(store, "k")
    with store.transaction() as connection:
        connection.execute(schema.event.delete().where(schema.event.c.seq == 5))
    assert any("its state" in problem for problem in ledger.verify(store))


def test_a_cap_rises_by_two_people_once_and_for_a_reason(store: Store) -> None:
    ledger.reserve(store, charge("k", cost=100))
    for people, reason in ((("ann", "Ann "), "more cells"), (("ann", ""), "more cells"), (("ann", "ben"), " ")):
        with pytest.raises(Refused):
            ledger.raise_cap(store, DAY, 150, people, reason, "run 1")
    with pytest.raises(Refused, match="already"):
        ledger.raise_cap(store, DAY, 90, ("ann", "ben"), "fewer cells", "run 1")
    with pytest.raises(Refused, match="no budget"):
        ledger.raise_cap(store, "elsewhere", 150, ("ann", "ben"), "more cells", "run 1")
    for _ in range(2):  # a task that is tried again
        ledger.raise_cap(store, DAY, 150, ("ann", "ben"), "more cells", "run 1")
    assert ledger.block(store, DAY).cap == 150
    raised = [event.body for event in ledger.events(store) if event.kind == "raised"]
    assert [(body["old_cap"], body["who"], body["second_person"]) for body in raised] == [(100, "ann", "ben")]
    ledger.reserve(store, charge("later", cost=50))
    assert ledger.verify(store) == []


def test_delta_is_a_budget_of_its_own(store: Store) -> None:
    ledger.reserve(store, replace(charge("k"), cost_delta=DELTA))
    with pytest.raises(Refused, match=DAY):
        ledger.reserve(store, replace(charge("other"), cost_delta=1))
    assert ledger.block(store, DAY).spent_delta == DELTA
    assert ledger.verify(store) == []


def test_a_block_is_kept_for_one_privacy_unit(store: Store) -> None:
    ledger.reserve(store, charge("k"))
    with pytest.raises(Refused, match="another privacy unit"):
        ledger.reserve(store, replace(charge("other"), privacy_unit="patient-day"))


def test_one_consent_pays_for_one_draw_of_what_was_agreed_to_in_its_run(store: Store) -> None:
    large = replace(charge("k"), approval=("hash", "run 1"))
    for agreed, ticket in (("another", "run 1"), ("hash", "run 2")):
        ledger.approve(store, "visits", agreed, "ann", ticket)
    with pytest.raises(Refused, match="nobody has approved"):
        ledger.reserve(store, large)
    assert spent(store) == {DAY: 0, LIFETIME: 0}
    ledger.reserve(store, replace(large, approval=("hash", "run 2")))
    with pytest.raises(Refused, match="nobody has approved"):
        ledger.reserve(store, replace(charge("other"), approval=("hash", "run 2")))
    assert ledger.verify(store) == []
    with store.transaction() as connection:  # a forged consent
        connection.execute(update(schema.approval).values(used_by=None))
    assert any("approval run 2" in problem for problem in ledger.verify(store))


def test_a_draw_that_costs_more_than_was_paid_before_a_crash_is_refused(store: Store) -> None:
    assert ledger.reserve(store, charge("k")) is None
    with pytest.raises(Refused, match="less than it costs now"):
        ledger.reserve(store, charge("k", cost=COST + 1))
    assert ledger.reserve(store, charge("k")) is None
    assert spent(store) == {DAY: COST, LIFETIME: COST}
