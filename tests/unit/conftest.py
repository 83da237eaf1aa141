"""Control stores to test on, SQLite and a real Postgres, and processes that race for them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from veil.control import Store

Race = Callable[..., list[Any]]


def _postgres_programs() -> Path:
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), shutil.which("initdb")]
    programs = next((Path(path).parent for path in reversed(found) if path), None)
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb in /usr/lib/postgresql or on the PATH")
    return programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """A throw-away cluster; gives the folder of its socket, which has to be short."""
    programs = _postgres_programs()
    # the server refuses to run as root
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="veil-pg-") as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        # no care for power cuts: what is killed here are clients
        create = [f"{programs}/initdb", "-D", str(data), "-U", "veil", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)
        start = [f"{programs}/postgres", "-D", str(data), "-k", name, "-c", "listen_addresses=", "-c", "fsync=off"]
        log = (folder / "log").open("wb")
        server = subprocess.Popen(start, cwd=folder, stdout=log, stderr=subprocess.STDOUT, **owner)
        try:
            _wait_until_ready(folder, server)
            yield folder
        finally:
            server.send_signal(3)  # SIGQUIT, an immediate shutdown: nothing is to be kept
            server.wait()
            log.close()


def _wait_until_ready(folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(folder), user="veil", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Postgres does not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty control store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'control.db'}"
    folder = request.getfixturevalue("postgres")
    name = f"veil_{uuid4().hex}"  # a schema and not a database, which takes a hundred times as long to make
    with psycopg.connect(host=str(folder), user="veil", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"postgresql+psycopg://veil@/postgres?host={folder}&options=-csearch_path%3D{name}"


@pytest.fixture
def store(url: str) -> Store:
    return Store(url)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Children of a clean process: forking the one that runs the tests is not safe beside its threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "hypothesis", "psycopg", "veil.ledger", "veil.control.registry"])
    return context


@pytest.fixture
def race(processes: ForkServerContext) -> Race:
    """Run a function in one process for each tuple of arguments, all at the same moment, and give what they return."""

    def run(function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        together = processes.Barrier(len(arguments)).wait
        with ProcessPoolExecutor(len(arguments), mp_context=processes, initializer=together) as pool:
            return [future.result() for future in [pool.submit(function, *each) for each in arguments]]

    return run
