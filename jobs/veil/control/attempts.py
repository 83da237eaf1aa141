"""Attempts and locks: one try of a stage on a unit at a time, and the one before it fenced off."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from veil.control import schema as s
from veil.control.store import Store, now
from veil.errors import VeilError

_STALE_SECONDS = 60
_BEAT_SECONDS = 10
_TRY = "#"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a stage on a unit. `number` grows; `unfinished` lists earlier tries that nobody saw end."""

    stage: str
    unit_id: str
    product: str
    number: int
    run_key: str
    unfinished: tuple[int, ...]


def begin(store: Store, stage: str, unit_id: str, product: str, run_key: str) -> Attempt:
    """Start the next attempt; earlier ones that still count as running are marked as fenced."""
    scope = (s.attempt.c.stage == stage) & (s.attempt.c.unit_id == unit_id) & (s.attempt.c.product == product)
    with store.transaction() as connection:
        last = connection.scalar(select(func.max(s.attempt.c.number)).where(scope)) or 0
        running = scope & (s.attempt.c.state == "running")
        unfinished = tuple(connection.scalars(select(s.attempt.c.number).where(running)))
        connection.execute(update(s.attempt).where(running).values(state="fenced", ended=now()))
        connection.execute(
            insert(s.attempt).values(
                stage=stage,
                unit_id=unit_id,
                product=product,
                number=last + 1,
                run_key=run_key,
                state="running",
                started=now(),
            )
        )
    return Attempt(stage, unit_id, product, last + 1, run_key, unfinished)


def mark_done(connection: Connection, attempt: Attempt, detail: str) -> bool:
    """Note within a transaction that an attempt succeeded; False if a later attempt has fenced it off."""
    return _end(connection, attempt, "done", detail)


def fail(store: Store, attempt: Attempt) -> None:
    """Note that an attempt failed, unless a later one has fenced it off."""
    with store.transaction() as connection:
        _end(connection, attempt, "failed", "{}")


def _end(connection: Connection, attempt: Attempt, state: str, detail: str) -> bool:
    ended = connection.execute(
        update(s.attempt)
        .where(
            (s.attempt.c.stage == attempt.stage)
            & (s.attempt.c.unit_id == attempt.unit_id)
            & (s.attempt.c.product == attempt.product)
            & (s.attempt.c.number == attempt.number)
            & (s.attempt.c.state == "running")
        )
        .values(state=state, ended=now(), detail=detail)
    )
    return ended.rowcount == 1


def is_done(store: Store, stage: str, unit_id: str, product: str = "") -> bool:
    """Tell whether any attempt of a stage on a unit has succeeded."""
    with store.transaction() as connection:
        query = select(func.count()).where(
            (s.attempt.c.stage == stage)
            & (s.attempt.c.unit_id == unit_id)
            & (s.attempt.c.product == product)
            & (s.attempt.c.state == "done")
        )
        return bool(connection.scalar(query))


@contextmanager
def locked(store: Store, name: str, holder: str, wait_seconds: float = 900) -> Iterator[None]:
    """Hold a named lock with a heartbeat; a lock whose holder has not beaten for a minute is taken over.

    The same `holder` (a retry of the same task) takes its own lock back at once.

    Raises
    ------
    VeilError
        When another holder keeps it longer than `wait_seconds`.
    """
    deadline = time.monotonic() + wait_seconds
    # a try that was taken for dead and still ends must not free the lock that its retry has taken
    holding = f"{holder}{_TRY}{secrets.token_hex(8)}"
    while not _take(store, name, holder, holding):
        if time.monotonic() > deadline:
            raise VeilError(f"Another run holds the lock {name}", "Let it finish, then run this task again")
        time.sleep(1)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(store, name, holding, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()
        with store.transaction() as connection:
            connection.execute(delete(s.lock).where((s.lock.c.name == name) & (s.lock.c.holder == holding)))


def _take(store: Store, name: str, holder: str, holding: str) -> bool:
    moment = int(time.time())
    try:
        with store.transaction() as connection:
            own = s.lock.c.holder.startswith(f"{holder}{_TRY}", autoescape=True)
            free = own | (s.lock.c.beat < moment - _STALE_SECONDS)
            taken = connection.execute(
                update(s.lock).where((s.lock.c.name == name) & free).values(holder=holding, beat=moment)
            )
            if taken.rowcount == 0:
                connection.execute(insert(s.lock).values(name=name, holder=holding, beat=moment))
        return True
    except IntegrityError:
        return False


def _beat(store: Store, name: str, holding: str, stop: threading.Event) -> None:
    while not stop.wait(_BEAT_SECONDS):
        # a beat that fails is one that is missing: the next may succeed, before the lock counts as left behind
        with suppress(SQLAlchemyError), store.transaction() as connection:
            connection.execute(
                update(s.lock)
                .where((s.lock.c.name == name) & (s.lock.c.holder == holding))
                .values(beat=int(time.time()))
            )
