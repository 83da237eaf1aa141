"""Opening the control store, and the one kind of transaction that everything in it uses."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from veil.control.schema import metadata, release
from veil.errors import VeilError

_BUSY_SECONDS = 60
_READS = "veil_reads"
_POSTGRES_LOCK = 0x5645494C  # "VEIL"


class Store:
    """A control store by its SQLAlchemy URL; the tables are made at the first opening.

    Raises
    ------
    VeilError
        When the URL names no usable database, or that cannot be reached or is none, or its folder cannot be written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._engine = _engine(url)
            with self.transaction() as connection:
                metadata.create_all(connection)
                _check_columns(connection)
        except (ArgumentError, ImportError) as error:  # its text may hold the password
            raise VeilError(
                "VEIL_CONTROL does not name a database that can be used",
                "Write sqlite:////path or postgresql+psycopg://user:password@host/database",
            ) from error
        except DatabaseError as error:
            raise VeilError(
                f"The control store {make_url(url).render_as_string(hide_password=True)} cannot be opened",
                "Check that it runs, or that its file is whole and its folder can be written",
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction that no other one runs beside: SQLite's IMMEDIATE, on Postgres an advisory lock.

        It commits when the block ends and rolls back when the block raises.
        """
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that waits for nobody, to read what no transaction changes any more."""
        options: dict[str, Any] = {_READS: True}
        if self._engine.dialect.name != "sqlite":
            options["isolation_level"] = "AUTOCOMMIT"  # one round trip, not three
        with self._engine.connect() as opened:
            yield opened.execution_options(**options)


def _check_columns(connection: Connection) -> None:
    """Refuse a store whose ledger an earlier version made: it lacks what the chain is checked by."""
    found = {column["name"] for column in inspect(connection).get_columns(release.name)}
    if missing := sorted(column.name for column in release.columns if column.name not in found):
        raise VeilError(
            f"The control store was made by an earlier version: its ledger has no {', '.join(missing)}",
            "Keep it. Begin with a new VEIL_CONTROL, and lower the caps of budgets.toml by what the old one spent",
        )


def now() -> str:
    """Give the time as the store keeps it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        event.listen(engine, "begin", _lock_postgres)
        _forget_in_children(engine)
        return engine
    database = make_url(url).database
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise VeilError("The folder of the control store cannot be made", f"{error.strerror}: check it") from error
    # a connection that stays open: SQLite writes its journal back, and waits for the disk, when the last one closes
    engine = create_engine(url, poolclass=QueuePool, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    if database and database != ":memory:":
        _follow_file(engine, Path(database))
    _forget_in_children(engine)
    return engine


def _forget_in_children(engine: Engine) -> None:
    """Have a forked process open connections of its own: one that two processes use is damaged."""
    known = weakref.ref(engine)

    def forget() -> None:
        if (mine := known()) is not None:
            mine.dispose(close=False)

    os.register_at_fork(after_in_child=forget)


def _follow_file(engine: Engine, database: Path) -> None:
    """Open the file anew where it is no longer the one that was opened: a backup may have been restored."""

    def note(_raw: object, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(database)

    def compare(_raw: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info["file"] != _identity(database):
            raise DisconnectionError

    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", compare)


def _identity(database: Path) -> tuple[int, int] | None:
    try:
        status = database.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _configure_sqlite(raw: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # autocommit, so that BEGIN IMMEDIATE below is the transaction and not a second one inside the driver's own
    raw.isolation_level = None
    _use_wal(raw)
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")


def _use_wal(raw: sqlite3.Connection) -> None:
    # SQLite does not wait for this switch as it does for other locks, and processes may open a new store at once
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_immediate(connection: Connection) -> None:
    if _READS in connection.get_execution_options():
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _lock_postgres(connection: Connection) -> None:
    if _READS in connection.get_execution_options():
        return
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
