"""The supervisor: one process group with Airflow and Spark in it; what dies is started again, until told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial

from veil.embedded import connect
from veil.embedded.places import Embedded, open_home
from veil.lake import RESTRICTED
from veil.session import COMET, spark_conf
from veil.settings import Settings
from veil.submit import spark_home

_FASTEST_RESTART_SECONDS = 5.0
# logs are read from the disk: the servers of logs would listen on every network address
_AIRFLOW = (("scheduler", "--skip-serve-logs"), ("dag-processor",), ("api-server",), ("triggerer", "--skip-serve-logs"))
_SMALL = 4
_SMALL_JVM = (
    # the second compiler took 84 of 195 CPU seconds of a first ingest on two cores; without it the JVM reserves less
    # room for compiled code than Spark fills
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=256m",
    # a collector with threads of its own took 10 of 65 CPU seconds from the work
    "-XX:+UseSerialGC",
    "-Xmn600m",
)
"""What a JVM needs that shares a few cores with everything else."""


def spark_server(home: Embedded) -> subprocess.Popen[bytes]:
    """Start the Spark Connect server on the loopback address, guarded by its token.

    Its log goes to the restricted zone: an exception in it may quote the data.
    """
    cores = os.cpu_count() or 2
    scratch = home.settings.lake / RESTRICTED / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    conf = spark_conf(cores) | {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(home.spark_port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.plugins": f"{COMET},{connect.PLUGIN}",
        "spark.sql.artifact.isolation.enabled": "false",
        "spark.python.worker.idleTimeoutSeconds": "0",
        "spark.local.dir": str(scratch),
    }
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", f"local[{cores}]", "--driver-memory", "2g"]
    # in /tmp Spark's temporary files would be seen by others, and those of another user would be in the way
    options = [f'"-Djava.io.tmpdir={scratch}"', *(_SMALL_JVM if cores <= _SMALL else ())]
    command += ["--driver-java-options", " ".join(options)]
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    environment = home.environment() | {
        "SPARK_HOME": str(spark_home()),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": home.secrets["spark"],
    }
    logs = home.settings.lake / RESTRICTED / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "spark-connect.log").open("ab") as log:
        return subprocess.Popen([*command, connect.__file__], env=environment, stdout=log, stderr=log)


def airflow(home: Embedded, *words: str) -> subprocess.Popen[bytes]:
    """Start a command of Airflow; what it prints goes to a log of its name."""
    with (home.airflow_home / f"{words[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", *words], env=home.environment(), stdout=log, stderr=log
        )


def supervise(home: Embedded) -> None:
    """Keep Spark and every part of Airflow running until told to stop; whatever ends this, nothing stays behind."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    try:
        _keep_running(home)
    finally:
        # every process of the group, since Airflow leaves its own children behind when it alone is ended
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


def _keep_running(home: Embedded) -> None:
    starters = {"spark": partial(spark_server, home)} | {part[0]: partial(airflow, home, *part) for part in _AIRFLOW}
    running = {"spark": starters["spark"]()}
    if airflow(home, "db", "migrate").wait():
        raise SystemExit(f"Airflow's database could not be made: see {home.airflow_home}/db.log")
    running |= {name: start() for name, start in starters.items() if name not in running}
    started = dict.fromkeys(starters, time.monotonic())
    while True:
        time.sleep(1)
        for name, process in running.items():
            if process.poll() is not None and time.monotonic() - started[name] > _FASTEST_RESTART_SECONDS:
                started[name] = time.monotonic()
                with suppress(OSError):  # a full disk or process table: tried again
                    running[name] = starters[name]()


if __name__ == "__main__":
    os.umask(0o077)
    supervise(open_home(Settings.from_env()))
