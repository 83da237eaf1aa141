"""One try of a stage counts at a time; locks outlive crashes and end with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from veil.control import Store, attempts, receipts, schema
from veil.control.attempts import Attempt, locked
from veil.errors import VeilError

UNIT = "a" * 32


def begin(store: Store, run_key: str = "run") -> Attempt:
    return attempts.begin(store, "anonymize", UNIT, "research", run_key)


def close(store: Store, attempt: Attempt) -> None:
    receipts.close(store, attempt, {"rows": 1}, receipts.new_id())


def age_of_lock(store: Store, name: str, seconds: int) -> None:
    with store.transaction() as connection:
        beat = int(time.time()) - seconds
        connection.execute(update(schema.lock).where(schema.lock.c.name == name).values(beat=beat))


def holder_of(store: Store, name: str) -> str | None:
    with store.transaction() as connection:
        held = connection.scalar(select(schema.lock.c.holder).where(schema.lock.c.name == name))
    return None if held is None else str(held).partition("#")[0]


def test_a_later_attempt_fences_off_the_one_before(store: Store) -> None:
    zombie = begin(store)
    later = begin(store, "retry")
    assert (later.number, later.unfinished) == (zombie.number + 1, (zombie.number,))
    with pytest.raises(VeilError, match="later attempt"):
        close(store, zombie)
    assert receipts.latest(store, "anonymize", UNIT, "research") is None
    close(store, later)
    with pytest.raises(VeilError, match="later attempt"):
        close(store, zombie)
    attempts.fail(store, zombie)
    assert attempts.is_done(store, "anonymize", UNIT, "research")
    assert [receipt.run_key for receipt in receipts.of_run(store, "retry")] == ["retry"]
    assert receipts.of_run(store, "run") == []


def test_an_attempt_closes_once(store: Store) -> None:
    attempt = begin(store)
    close(store, attempt)
    with pytest.raises(VeilError, match="later attempt"):
        close(store, attempt)
    assert len(receipts.of_run(store, "run")) == 1


def test_an_attempt_that_failed_is_not_unfinished_and_does_not_count(store: Store) -> None:
    attempts.fail(store, begin(store))
    assert not attempts.is_done(store, "anonymize", UNIT, "research")
    assert begin(store).unfinished == ()


def test_attempts_at_other_work_are_left_alone(store: Store) -> None:
    mine = begin(store)
    others = [("audit", UNIT, "research"), ("anonymize", "b" * 32, "research"), ("anonymize", UNIT, "other")]
    for stage, unit, product in others:
        assert attempts.begin(store, stage, unit, product, "run").number == 1
    close(store, mine)
    assert not attempts.is_done(store, "audit", UNIT, "research")


def test_a_release_of_the_longest_name_has_attempts_and_a_receipt(store: Store) -> None:
    name = "r" * 63
    close(store, attempts.begin(store, "release", name, "", "r" * 250))
    assert receipts.latest(store, "release", name, "") is not None


def _begin_and_close(url: str) -> tuple[int, bool]:
    store = Store(url)
    attempt = begin(store)
    try:
        close(store, attempt)
    except VeilError:
        return attempt.number, False
    return attempt.number, True


def test_attempts_that_begin_at_once_are_told_apart(url: str, race: Callable[..., list[Any]]) -> None:
    ended = race(_begin_and_close, [(url,)] * 4)
    assert sorted(number for number, _ in ended) == [1, 2, 3, 4]
    assert dict(ended)[4]
    assert len(receipts.of_run(Store(url), "run")) == sum(closed for _, closed in ended)


def test_a_lock_keeps_others_out_until_it_is_released(store: Store) -> None:
    with locked(store, "vault", "a"), pytest.raises(VeilError, match="lock vault"), locked(store, "vault", "b", 0):
        pytest.fail("two holders")
    with locked(store, "vault", "b", 0), locked(store, "unit", "a", 0):
        assert holder_of(store, "vault") == "b"
    assert holder_of(store, "vault") is None


def test_a_lock_is_released_when_its_work_raises(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), locked(store, "vault", "a"):
        raise ZeroDivisionError
    assert holder_of(store, "vault") is None


def test_the_same_holder_takes_its_own_lock_back_at_once(store: Store) -> None:
    with locked(store, "vault", "a"), locked(store, "vault", "a", 0):
        assert holder_of(store, "vault") == "a"


def test_a_try_that_ends_late_does_not_free_the_lock_of_its_retry(store: Store) -> None:
    with locked(store, "vault", "a"):
        with locked(store, "vault", "a", 0) as _retry:
            pass
        assert holder_of(store, "vault") is None
    late = locked(store, "vault", "a")
    late.__enter__()
    with locked(store, "vault", "a", 0):
        late.__exit__(None, None, None)
        assert holder_of(store, "vault") == "a"
        with pytest.raises(VeilError, match="lock vault"), locked(store, "vault", "b", 0):
            pytest.fail("two holders")


def test_a_stale_lock_is_taken_over_and_its_old_holder_does_not_release_it(store: Store) -> None:
    successor = ExitStack()
    with locked(store, "vault", "dead"):
        age_of_lock(store, "vault", 50)
        with pytest.raises(VeilError), locked(store, "vault", "new", 0):
            pytest.fail("taken from a holder that may be alive")
        age_of_lock(store, "vault", 70)
        successor.enter_context(locked(store, "vault", "new", 0))
    with successor:
        assert holder_of(store, "vault") == "new"


def test_a_heartbeat_keeps_a_lock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_BEAT_SECONDS", 0.05)
    with locked(store, "vault", "a"):
        age_of_lock(store, "vault", 3600)
        deadline = time.monotonic() + 10
        while not _is_fresh(store, "vault"):
            assert time.monotonic() < deadline, "no heartbeat"
            time.sleep(0.02)
        with pytest.raises(VeilError), locked(store, "vault", "b", 0):
            pytest.fail("two holders")


def _is_fresh(store: Store, name: str) -> bool:
    with store.transaction() as connection:
        beat = connection.scalar(select(schema.lock.c.beat).where(schema.lock.c.name == name))
    return beat is not None and beat > time.time() - 60


def _work_under_lock(url: str, folder: Path, holder: str) -> bool:
    with locked(Store(url), "vault", holder):
        (folder / "inside").mkdir()  # raises when somebody else is inside
        time.sleep(0.1)
        (folder / "inside").rmdir()
    return True


def test_processes_that_want_a_lock_at_once_take_turns(
    url: str, tmp_path: Path, race: Callable[..., list[Any]]
) -> None:
    assert all(race(_work_under_lock, [(url, tmp_path, holder) for holder in "abc"]))
