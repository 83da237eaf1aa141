"""Starting and stopping an embedded installation."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from veil.embedded.places import Embedded
from veil.embedded.rest import Airflow
from veil.errors import VeilError
from veil.jars import jars

_JAVA = 17
_FREE_BYTES = 3 << 30
_START_SECONDS = 240
_SPARK_SLOTS = 2
_PARSE_SECONDS = 90
_DAGS = {"pipeline", "landing"}

Say = Callable[[str], None]


def start(home: Embedded, say: Say) -> Airflow:
    """Start what is not running yet, wait until it answers, and give a client of its API.

    Raises
    ------
    VeilError
        With the fix, when Java, a port, disk space or a jar is missing, or it does not come up.
    """
    if is_running(home):
        say(f"Airflow runs already at {home.airflow_url}")
        return _client(home)
    _preflight(home)
    home.airflow_home.mkdir(parents=True, exist_ok=True)
    passwords = {name: home.secrets[name] for name in ("admin", "officer")}
    (home.airflow_home / "passwords.json").write_text(json.dumps(passwords))
    say(f"Starting Airflow on port {home.airflow_port} and Spark on port {home.spark_port}")
    log = (home.airflow_home / "supervisor.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "veil.embedded.supervisor"],
        env=home.environment(),
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    home.pid_file.write_text(str(process.pid))
    client = _client(home)
    # the pool comes first: the scheduler may be there before the others, and tasks wait for it
    _wait(lambda: _ensure_pool(client) and client.is_healthy() and _listens(home.spark_port), process, home)
    _wait_for_dags(client)
    return client


def stop(home: Embedded, say: Say) -> None:
    """Stop the process group that was started here, and nothing else."""
    if not is_running(home):
        say("Nothing runs here")
        home.pid_file.unlink(missing_ok=True)
        return
    group = int(home.pid_file.read_text())
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while _group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.2)
    if _group_lives(group):
        os.killpg(group, signal.SIGKILL)
    home.pid_file.unlink(missing_ok=True)
    say("Stopped Airflow and Spark")


def is_running(home: Embedded) -> bool:
    """Tell whether the process group that was started here still lives."""
    try:
        group = int(home.pid_file.read_text())
    except (OSError, ValueError):
        return False
    return _group_lives(group) and _is_ours(group)


def _client(home: Embedded) -> Airflow:
    return Airflow(home.airflow_url, "admin", home.secrets["admin"])


def _preflight(home: Embedded) -> None:
    java = shutil.which("java")
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    if f'version "{_JAVA}' not in version:
        raise VeilError(
            f"Java {_JAVA} is not on the PATH", "Install it, e.g. `apt-get install openjdk-17-jre-headless`"
        )
    for name, port in (("VEIL_AIRFLOW_PORT", home.airflow_port), ("VEIL_SPARK_PORT", home.spark_port)):
        if _listens(port):
            raise VeilError(f"Port {port} is taken", f"Stop what uses it, or set {name} to a free one")
    if shutil.disk_usage(home.settings.home).free < _FREE_BYTES:
        raise VeilError(
            "Less than 3 GB of disk are free", f"Free some, or set VEIL_HOME elsewhere than {home.settings.home}"
        )
    jars()


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], home: Embedded) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise VeilError("Airflow or Spark did not come up", f"Read the logs in {home.airflow_home}")
        time.sleep(0.5)


def _wait_for_dags(client: Airflow) -> None:
    deadline = time.monotonic() + _PARSE_SECONDS
    while missing := _DAGS - {dag["dag_id"] for dag in client.get("/dags")["dags"]}:
        if time.monotonic() > deadline:
            broken = [error["filename"] for error in client.get("/importErrors")["import_errors"]]
            raise VeilError(
                f"Airflow does not know {', '.join(sorted(missing))}",
                f"Look at its import errors: {broken or 'none yet'}",
            )
        time.sleep(0.5)


def _ensure_pool(client: Airflow) -> bool:
    """Make the pool that Spark's tasks share, if it is not there; False where Airflow was too busy to answer."""
    try:
        if all(pool["name"] != "spark" for pool in client.get("/pools")["pools"]):
            client.post("/pools", {"name": "spark", "slots": _SPARK_SLOTS})
    except VeilError:
        return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _group_lives(group: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)  # a dead child of ours that nobody has asked for stays in its group
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _is_ours(group: int) -> bool:
    """Guard against a process id that was given to somebody else after a restart of the machine.

    Any process of the group tells: the supervisor may be dead and what it started alive.
    """
    processes = list(Path("/proc").glob("[0-9]*"))
    return not processes or any(_group_of(process) == group and _is_veil(process) for process in processes)


def _group_of(process: Path) -> int:
    with suppress(OSError):
        return os.getpgid(int(process.name))
    return -1


def _is_veil(process: Path) -> bool:
    with suppress(OSError):
        return any(word in (process / "cmdline").read_bytes() for word in (b"veil", b"airflow"))
    return False
