"""spark-submit: the command line and environment that run a job on any master."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pyspark

from veil.lake import RESTRICTED
from veil.session import REMOTE, spark_conf
from veil.settings import Settings


def spark_home() -> Path:
    """Give the Spark that came with the installed package."""
    return Path(pyspark.__file__).parent


def submit_command(master: str, job: Path, arguments: Mapping[str, str], options: Mapping[str, object]) -> list[str]:
    """Compose the command for one job.

    `options` are the connection's extras: ``cores`` (all the master's, default 2), ``driver-memory``,
    ``executor-memory`` and ``conf``, a mapping of further Spark settings.
    """
    conf = spark_conf(int(str(options.get("cores", 2))))
    settings = Settings.from_env()
    # spilled rows are as raw as bronze
    conf["spark.local.dir"] = str(settings.lake / RESTRICTED / "spark")
    for name, value in settings.to_env().items():
        if name != "VEIL_CONTROL":  # no executor needs it, and a command line with its password can be read by others
            conf[f"spark.executorEnv.{name}"] = value
    further = options.get("conf")
    if isinstance(further, Mapping):
        conf |= {str(key): str(value) for key, value in further.items()}
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", master]
    for option in ("driver-memory", "executor-memory"):
        if option in options:
            command += [f"--{option}", str(options[option])]
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    command.append(str(job))
    for name, value in arguments.items():
        command += [f"--{name.replace('_', '-')}", value]
    return command


def driver_log(job: str) -> Path:
    """Give the file in the restricted zone that a driver's log goes to."""
    folder = Settings.from_env().lake / RESTRICTED / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"spark-submit-{job}.log"


def submit_environment() -> dict[str, str]:
    """Give the environment of spark-submit."""
    environment = {name: value for name, value in os.environ.items() if name != REMOTE}
    return (
        environment
        | Settings.from_env().to_env()
        | {
            "SPARK_HOME": str(spark_home()),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
        }
    )
