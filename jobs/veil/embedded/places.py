"""Where an embedded installation keeps things, its ports, and the secrets that are drawn for it once."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from veil.errors import VeilError
from veil.keys import FileKey
from veil.lake import RESTRICTED
from veil.settings import Settings

PROJECT = Path(__file__).resolve().parents[3]
_BUSY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Embedded:
    """An embedded installation: Airflow's port and Spark's, and what guards them."""

    settings: Settings
    airflow_port: int
    spark_port: int
    secrets: dict[str, str]

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder."""
        return self.settings.home / "airflow"

    @property
    def pid_file(self) -> Path:
        """Where the id of the supervisor's process group is kept while it runs."""
        return self.settings.home / "up.pid"

    @property
    def remote(self) -> str:
        """Address of the Spark Connect server. The client only sends a token without TLS to the name localhost."""
        return f"sc://localhost:{self.spark_port}/;token={self.secrets['spark']}"

    @property
    def airflow_url(self) -> str:
        """Address of Airflow's pages."""
        return f"http://localhost:{self.airflow_port}"

    def environment(self) -> dict[str, str]:
        """Give what Airflow and its tasks are started with."""
        connection = {
            "conn_type": "spark_connect",
            "host": "localhost",
            "port": self.spark_port,
            "password": self.secrets["spark"],
        }
        airflow = {
            "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "CORE__LOAD_EXAMPLES": "False",
            # a DAG that is unpaused after it was read is watched for drops from its next reading on, 30 s later
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "4",
            "CORE__FERNET_KEY": self.secrets["fernet"],
            # two people, since it takes two to raise a privacy budget
            "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,officer:op",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.airflow_home / "passwords.json"),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "API__PORT": str(self.airflow_port),
            "API__HOST": "127.0.0.1",
            "API__BASE_URL": self.airflow_url,
            "API__WORKERS": "1",
            "API__SECRET_KEY": self.secrets["api"],
            "API_AUTH__JWT_SECRET": self.secrets["jwt"],
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
            "DAG_PROCESSOR__PARSING_PROCESSES": "1",
            # SQLite has one writer: the others wait for it, 5 s by default
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.airflow_home / 'airflow.db'}?timeout={_BUSY_SECONDS}",
            "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "SCHEDULER__USE_JOB_SCHEDULE": "True",
            "TRIGGERER__CAPACITY": "100",
            "LOGGING__LOGGING_LEVEL": "INFO",
        }
        return {
            **os.environ,
            **self.settings.to_env(),
            # Airflow starts its parts by name
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "VEIL_JARS": os.environ.get("VEIL_JARS", str(PROJECT / ".veil" / "jars")),
            "VEIL_JOBS": str(PROJECT / "jobs"),
            "AIRFLOW_HOME": str(self.airflow_home),
            "AIRFLOW_CONN_VEIL_SPARK": os.environ.get("AIRFLOW_CONN_VEIL_SPARK", json.dumps(connection)),
            **{f"AIRFLOW__{name}": value for name, value in airflow.items()},
        }


def open_home(settings: Settings) -> Embedded:
    """Open the installation in ``VEIL_HOME``; draw its keys and passwords if it has none yet."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        settings.home.chmod(0o700)  # it may have been made by another hand
    except OSError as error:
        raise VeilError(f"The folder {settings.home} cannot be used: {error.strerror}", "Set VEIL_HOME") from None
    if not settings.key_file.exists() and (settings.lake / RESTRICTED / "vault").exists():
        raise VeilError(
            f"The zone key {settings.key_file} is gone, and the lake holds secrets that only it opens",
            "Restore it from its backup, or mount the volume that it is on",
        )
    FileKey.create(settings.key_file)
    kept = settings.home / "keys" / "services.json"
    kept.parent.mkdir(exist_ok=True, mode=0o700)
    drawn = {
        "spark": secrets.token_urlsafe(32),
        "admin": secrets.token_urlsafe(12),
        "officer": secrets.token_urlsafe(12),
        "api": secrets.token_urlsafe(32),
        "jwt": secrets.token_urlsafe(48),
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    present = json.loads(kept.read_text()) if kept.exists() else {}
    if drawn.keys() - present.keys():
        made = kept.with_name(f".services-{secrets.token_hex(4)}.json")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({**drawn, **present}, file)
        os.replace(made, kept)
    return Embedded(
        settings=settings,
        airflow_port=_port("VEIL_AIRFLOW_PORT", 8080),
        spark_port=_port("VEIL_SPARK_PORT", 15002),
        secrets=json.loads(kept.read_text()),
    )


def _port(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise VeilError(f"{name} is not a port", "Set it to a number from 1 to 65535")
    return int(value)
