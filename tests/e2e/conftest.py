"""The demonstration as a user runs it, once for all tests that look at what it leaves running."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

VEIL = Path(sys.executable).with_name("veil")


@dataclass(frozen=True)
class Finished:
    """A demonstration that has ended, its Airflow still running."""

    home: Path
    environment: dict[str, str]
    code: int
    output: str

    def veil(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([VEIL, *words], env=self.environment, capture_output=True, text=True, check=False)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.environment['VEIL_AIRFLOW_PORT']}"

    @property
    def password(self) -> str:
        return str(json.loads((self.home / "airflow" / "passwords.json").read_text())["admin"])

    @property
    def run(self) -> str:
        """The run that took the drop: other tests may have started others since."""
        return self.output.partition("\nRun ")[2].splitlines()[0]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("demo home")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"},
        "VEIL_HOME": str(home),
        "VEIL_AIRFLOW_PORT": free_port(),
        "VEIL_SPARK_PORT": free_port(),
    }
    command = [VEIL, "demo", "--patients", "20", "--keep"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    ended = Finished(home, environment, done.returncode, done.stdout + done.stderr)
    try:
        yield ended
    finally:
        ended.veil("down")
