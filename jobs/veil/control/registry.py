"""The registry: which drops came, which units were frozen over them, and which run works on them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from veil.control import schema as s
from veil.control.store import Store, now


@dataclass(frozen=True, slots=True)
class Drop:
    """A delivered folder. `drop_date` (UTC) is fixed at registration."""

    drop_id: str
    source: str
    path: Path
    drop_date: str


@dataclass(frozen=True, slots=True)
class Unit:
    """What one intake takes of one modality; `seq` grows with arrival."""

    unit_id: str
    intake_id: str
    modality: str
    seq: int


def register_drop(store: Store, path: Path, source: str, drop_date: str | None = None) -> str:
    """Register a landed drop once, however often it is announced; return its random id."""
    try:
        with store.transaction() as connection:
            known = connection.scalar(select(s.drop.c.drop_id).where(s.drop.c.path == str(path)))
            if known is not None:
                return str(known)
            drop_id = secrets.token_hex(16)
            connection.execute(
                insert(s.drop).values(
                    drop_id=drop_id,
                    source=source,
                    path=str(path),
                    drop_date=drop_date or datetime.now(UTC).date().isoformat(),
                    state="pending",
                )
            )
            return drop_id
    except IntegrityError:  # another process announced the same folder between our look and our insert
        with store.transaction() as connection:
            return str(connection.execute(select(s.drop.c.drop_id).where(s.drop.c.path == str(path))).scalar_one())


def drop_folders(store: Store) -> dict[str, Path]:
    """Give the folder of every drop that was ever registered, by its id."""
    with store.transaction() as connection:
        return {row.drop_id: Path(row.path) for row in connection.execute(select(s.drop.c.drop_id, s.drop.c.path))}


def refuse_drop(store: Store, drop_id: str, reason: str) -> None:
    """Take a drop whose manifest cannot be read out of the queue, with a reason a person can act on."""
    with store.transaction() as connection:
        connection.execute(update(s.drop).where(s.drop.c.drop_id == drop_id).values(state="refused", reason=reason))


def refused_drops(store: Store, run_key: str) -> list[tuple[str, str]]:
    """List (drop id, reason) of every drop of a run that was refused whole."""
    query = (
        select(s.drop.c.drop_id, s.drop.c.reason)
        .join(s.unit_drop, s.unit_drop.c.drop_id == s.drop.c.drop_id)
        .join(s.run_intake, s.run_intake.c.intake_id == s.unit_drop.c.intake_id)
        .where((s.run_intake.c.run_key == run_key) & (s.drop.c.state == "refused"))
    )
    with store.transaction() as connection:
        rows = connection.execute(query)
        return [(row.drop_id, row.reason) for row in rows]


def plan_run(store: Store, run_key: str, modalities: Sequence[str], date: str | None = None) -> list[Unit]:
    """Freeze what a run works on, once: a retry of the run is given the same units.

    Parameters
    ----------
    date
        A drop date (ISO 8601): the run takes every unit of the drops of that date again (a backfill). Without it the
        run takes all pending drops. With or without, it takes the units that a person asked for again.
    """
    with store.transaction() as connection:
        if connection.scalar(select(s.run.c.seq).where(s.run.c.run_key == run_key)) is None:
            connection.execute(insert(s.run).values(run_key=run_key, started=now()))
            intakes = set(_intakes_again(connection))
            if date is not None:
                intakes |= set(_intakes_of_date(connection, date))
            else:
                intakes |= set(_freeze_pending(connection, modalities))
            for intake_id in intakes:
                connection.execute(insert(s.run_intake).values(run_key=run_key, intake_id=intake_id))
    return units_of_run(store, run_key)


def units_of_run(store: Store, run_key: str, modality: str | None = None) -> list[Unit]:
    """List a run's units in the order in which they arrived."""
    query = (
        select(s.unit.c.unit_id, s.unit.c.intake_id, s.unit.c.modality, s.unit.c.seq)
        .join(s.run_intake, s.run_intake.c.intake_id == s.unit.c.intake_id)
        .where(s.run_intake.c.run_key == run_key)
        .order_by(s.unit.c.seq)
    )
    if modality is not None:
        query = query.where(s.unit.c.modality == modality)
    with store.transaction() as connection:
        return [Unit(*row) for row in connection.execute(query)]


def drops_of_intake(store: Store, intake_id: str) -> list[Drop]:
    """List the drops that an intake was frozen over, in the order in which they arrived."""
    with store.transaction() as connection:
        rows = connection.execute(
            select(s.drop.c.drop_id, s.drop.c.source, s.drop.c.path, s.drop.c.drop_date)
            .join(s.unit_drop, s.unit_drop.c.drop_id == s.drop.c.drop_id)
            .where(s.unit_drop.c.intake_id == intake_id)
            .order_by(s.drop.c.seq)
        )
        return [Drop(row.drop_id, row.source, Path(row.path), row.drop_date) for row in rows]


def finish_run(store: Store, run_key: str, leaks: Sequence[str]) -> None:
    """Note that a run ended, and in which places its closing scan found an identifier."""
    with store.transaction() as connection:
        connection.execute(
            update(s.run).where(s.run.c.run_key == run_key).values(finished=now(), leaks=json.dumps(list(leaks)))
        )


def leaks_of_run(store: Store, run_key: str) -> list[str] | None:
    """Give the places in which the closing scan found an identifier; None if it has not run yet."""
    with store.transaction() as connection:
        found = connection.scalar(select(s.run.c.leaks).where(s.run.c.run_key == run_key))
    return None if found is None else list(json.loads(found))


def last_run(store: Store) -> str | None:
    """Give the key of the newest run that had something to do."""
    busy = select(s.run_intake.c.run_key)
    query = select(s.run.c.run_key).where(s.run.c.run_key.in_(busy)).order_by(s.run.c.seq.desc()).limit(1)
    with store.transaction() as connection:
        return connection.scalar(query)


def ask_again(store: Store, unit_id: str) -> None:
    """Have the next run process a unit again."""
    with store.transaction() as connection:
        connection.execute(update(s.unit).where(s.unit.c.unit_id == unit_id).values(again=1))


def _freeze_pending(connection: Connection, modalities: Sequence[str]) -> list[str]:
    pending = connection.scalars(
        select(s.drop.c.drop_id).where(s.drop.c.state == "pending").order_by(s.drop.c.seq)
    ).all()
    if not pending:
        return []
    intake_id = secrets.token_hex(16)
    for modality in modalities:
        connection.execute(
            insert(s.unit).values(unit_id=secrets.token_hex(16), intake_id=intake_id, modality=modality, again=0)
        )
    for drop_id in pending:
        connection.execute(insert(s.unit_drop).values(intake_id=intake_id, drop_id=drop_id))
        connection.execute(update(s.drop).where(s.drop.c.drop_id == drop_id).values(state="taken"))
    return [intake_id]


def _intakes_of_date(connection: Connection, date: str) -> Sequence[str]:
    return connection.scalars(
        select(s.unit_drop.c.intake_id)
        .join(s.drop, s.drop.c.drop_id == s.unit_drop.c.drop_id)
        .where(s.drop.c.drop_date == date)
        .distinct()
    ).all()


def _intakes_again(connection: Connection) -> Sequence[str]:
    intakes = connection.scalars(select(s.unit.c.intake_id).where(s.unit.c.again == 1).distinct()).all()
    connection.execute(update(s.unit).values(again=0).where(s.unit.c.again == 1))
    return intakes


def is_run(store: Store, run_key: str) -> bool:
    """Tell whether a run of this key was ever planned."""
    with store.transaction() as connection:
        return connection.scalar(select(s.run.c.seq).where(s.run.c.run_key == run_key)) is not None
