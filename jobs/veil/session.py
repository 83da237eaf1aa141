"""Spark sessions: in this process, on the shared Connect server, or under spark-submit; one configuration.

Code that uses a session keeps to the DataFrame and SQL API, which is the same on all three.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from veil.jars import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COMET = "org.apache.spark.CometPlugin"
_COMET = {
    "spark.plugins": COMET,
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    "spark.memory.offHeap.enabled": "true",
    "spark.memory.offHeap.size": "2g",
    "spark.comet.enabled": "false",
    "spark.comet.sparkToColumnar.enabled": "true",
    "spark.comet.sparkToColumnar.supportedOperatorList": "LocalTableScan,RDDScan",
}
"""Apache DataFusion Comet is loaded, and off but for what runs `natively`. It works outside of the JVM's heap."""
_PARTITIONS = 8
"""Partitions a core for what runs natively: of a hundred million rows two fit into memory at once."""
REMOTE = "VEIL_SPARK_REMOTE"
"""Address of the shared Connect server (``sc://host:port/;token=…``). Unset: a session of this process."""


def spark_conf(cores: int) -> dict[str, str]:
    """Settings that every session needs, sized for `cores` (all the cores of the master, not of one worker)."""
    return {
        **_COMET,
        "spark.jars": ",".join(str(jar) for jar in jars()),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(max(2, cores)),
        # Delta replays its log in 50 partitions by default: 30 s of a first write on two cores
        "spark.databricks.delta.snapshotPartitions": str(max(2, cores)),
        # no table keeps statistics to skip files by: looking for them took a seventh of an ingest's planning
        "spark.databricks.delta.stats.skipping": "false",
        # Spark takes a table's compressed size for its size: at the 10 MB of the default, a broadcast of the gate's
        # tokens of 2,000 patients did not fit into 2 GB
        "spark.sql.autoBroadcastJoinThreshold": "1m",
        # a plan string can hold literals; these go to logs
        "spark.sql.maxPlanStringLength": "0",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "512",
        "spark.pyspark.python": sys.executable,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def session_id(stage: str, unit: str, product: str, attempt: int) -> str:
    """Name the Connect session of one attempt, so that the next attempt can find and interrupt it."""
    return str(uuid5(NAMESPACE_OID, f"veil/{stage}/{unit}/{product}/{attempt}"))


def open_session(app: str, connect_id: str | None = None) -> SparkSession:
    """Open the session that this process is meant to use.

    With ``VEIL_SPARK_REMOTE`` set it is a session of the Connect server, under `connect_id`. Under spark-submit,
    and with neither, it is the process's own; its master is spark-submit's or ``local[*]``.
    """
    from pyspark.sql import SparkSession

    _silence()
    remote = os.environ.get(REMOTE)
    if remote:
        return _connect(f"{remote};session_id={connect_id}" if connect_id else remote)
    # one that is there has its settings: working them out reads every jar
    if (own := SparkSession.getActiveSession()) is not None:
        return own
    # the setting of this name is only read by spark-submit; workers would start the system's Python
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    cores = os.cpu_count() or 2
    builder = SparkSession.builder.appName(app)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        builder = builder.master(f"local[{cores}]").config("spark.driver.memory", "2g")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    for key, value in spark_conf(cores).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@contextmanager
def natively(spark: SparkSession) -> Iterator[None]:
    """Run what a block asks of Spark in Comet's native code, as far as Comet can; the rest stays Spark's own."""
    cores = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    settings = {"spark.comet.enabled": "true", "spark.sql.shuffle.partitions": str(_PARTITIONS * cores)}
    before = {name: spark.conf.get(name) for name in settings}
    try:
        for name, value in settings.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, str(value))


def interrupt(connect_id: str) -> None:
    """Stop what an earlier attempt may still have running on the Connect server, and close its session.

    A client killed with SIGKILL leaves its write running: the server committed one 18 s later.
    """
    remote = os.environ.get(REMOTE)
    if not remote:
        return
    from pyspark.errors import PySparkException

    _silence()
    try:
        zombie = _connect(f"{remote};session_id={connect_id}")
        zombie.interruptAll()
        zombie.stop()
    except PySparkException as error:
        if "SESSION_CLOSED" not in str(error):
            raise


def _connect(address: str) -> SparkSession:
    from pyspark.sql import SparkSession

    return SparkSession.builder.remote(address).create()


def _silence() -> None:
    """Keep the errors that Spark logs beside raising them, with what they quote of the data, out of a task's log.

    The first of these loggers is disabled by Spark, until something configures logging, as Airflow does in every
    task; a level stays.
    """
    from pyspark.logger import PySparkLogger

    for name in ("pyspark.sql.connect.logging", "DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


def release(spark: SparkSession) -> None:
    """Close a session of the Connect server. The process's own session stays: the next stage shares it."""
    if os.environ.get(REMOTE):
        spark.stop()
