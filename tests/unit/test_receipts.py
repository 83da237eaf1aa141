"""Nobody changes, removes, inserts or reorders a receipt without its chain telling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from veil.control import Store, attempts, hashing, receipts, schema

LENGTH = 5
COLUMNS = ["receipt_id", "stage", "unit_id", "product", "run_key", "body", "previous", "hash"]
POSITIONS = st.integers(1, LENGTH)
EACH_EXAMPLE_MENDS = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def append(store: Store, unit_id: str, **body: Any) -> None:
    attempt = attempts.begin(store, "audit", unit_id, "research", "run")
    receipts.close(store, attempt, body, receipts.new_id())


@pytest.fixture
def chain(store: Store) -> Store:
    for number in range(LENGTH):
        append(store, f"{number:032x}", verdict="passed", rows=number)
    return store


@contextmanager
def mended(store: Store) -> Iterator[None]:
    with store.transaction() as connection:
        rows = [dict(row) for row in connection.execute(select(schema.receipt)).mappings()]
    try:
        yield
    finally:
        with store.transaction() as connection:
            connection.execute(delete(schema.receipt))
            connection.execute(insert(schema.receipt), rows)


def change(store: Store, at: int, **values: Any) -> None:
    with store.transaction() as connection:
        connection.execute(update(schema.receipt).where(schema.receipt.c.seq == at).values(**values))


def test_an_untouched_chain_fits(chain: Store) -> None:
    assert receipts.verify(chain) is None
    latest = receipts.latest(chain, "audit", f"{4:032x}", "research")
    assert latest is not None
    assert (latest.seq, latest.body) == (LENGTH, {"verdict": "passed", "rows": 4, "attempt": 1})
    assert [receipt.seq for receipt in receipts.of_run(chain, "run")] == list(range(1, LENGTH + 1))


def test_an_empty_chain_fits(store: Store) -> None:
    assert receipts.verify(store) is None


@EACH_EXAMPLE_MENDS
@given(seq=POSITIONS, column=st.sampled_from(COLUMNS), text=st.text("abcdef0123456789", min_size=1, max_size=16))
def test_a_changed_receipt_is_found(chain: Store, seq: int, column: str, text: str) -> None:
    with mended(chain):
        change(chain, seq, **{column: text})
        assert receipts.verify(chain) == seq
    assert receipts.verify(chain) is None


@EACH_EXAMPLE_MENDS
@given(seq=POSITIONS)
def test_a_changed_receipt_is_found_even_when_its_own_hash_is_made_to_fit(chain: Store, seq: int) -> None:
    with mended(chain):
        with chain.transaction() as connection:
            row = dict(connection.execute(select(schema.receipt).where(schema.receipt.c.seq == seq)).mappings().one())
        row["body"] = '{"verdict":"blocked"}'
        change(chain, seq, body=row["body"], hash=hashing.digest(row, receipts._CHAINED))
        assert receipts.verify(chain) is not None


@EACH_EXAMPLE_MENDS
@given(first=POSITIONS, count=st.integers(1, LENGTH), closed_up=st.booleans())
def test_a_removed_receipt_is_found(chain: Store, first: int, count: int, closed_up: bool) -> None:
    gone = schema.receipt.c.seq.between(first, first + count - 1)
    with mended(chain):
        with chain.transaction() as connection:
            connection.execute(delete(schema.receipt).where(gone))
            for seq in range(first + count, LENGTH + 1) if closed_up else ():
                connection.execute(
                    update(schema.receipt).where(schema.receipt.c.seq == seq).values(seq=schema.receipt.c.seq - count)
                )
        assert receipts.verify(chain) == first


@EACH_EXAMPLE_MENDS
@given(pair=st.lists(POSITIONS, min_size=2, max_size=2, unique=True))
def test_reordered_receipts_are_found(chain: Store, pair: list[int]) -> None:
    with mended(chain):
        for seq, other in [(pair[0], 99), (pair[1], pair[0]), (99, pair[1])]:
            change(chain, seq, seq=other)
        assert receipts.verify(chain) == min(pair)


@EACH_EXAMPLE_MENDS
@given(seq=POSITIONS)
def test_a_receipt_that_no_attempt_earned_is_found(chain: Store, seq: int) -> None:
    with mended(chain):
        with chain.transaction() as connection:
            last = connection.execute(select(schema.receipt).where(schema.receipt.c.seq == LENGTH)).mappings().one()
            forged = {**last, "seq": LENGTH + 1, "receipt_id": f"{seq:032x}", "previous": last["hash"]}
            forged["hash"] = hashing.digest(forged, receipts._CHAINED)
            connection.execute(insert(schema.receipt).values(**forged))
        assert receipts.verify(chain) == LENGTH + 1


def _append_many(url: str, lane: str) -> None:
    store = Store(url)
    for number in range(10):
        append(store, f"{lane}{number}")


def test_the_chain_holds_when_processes_append_at_once(url: str, race: Callable[..., list[Any]]) -> None:
    race(_append_many, [(url, lane) for lane in "abc"])
    store = Store(url)
    assert receipts.verify(store) is None
    assert len(receipts.of_run(store, "run")) == 30
