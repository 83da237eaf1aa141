"""The lake: every Delta table is opened, made and written here, so that no table leaks by Delta's defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RESTRICTED = "restricted"
PUBLISHED = "published"
RELEASES = "releases"

_TXN_APP = "spark.databricks.delta.write.txnAppId"
_TXN_VERSION = "spark.databricks.delta.write.txnVersion"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"

_PROPERTIES = {
    # by default the log holds the minimum and maximum of 32 columns in the clear
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.deletedFileRetentionDuration": "interval 1 days",
    "delta.logRetentionDuration": "interval 2 days",
}


@dataclass(frozen=True, slots=True)
class Write:
    """What fences and explains one write: the attempt's number and the id of the receipt that will prove it.

    Delta ignores a write whose `version` is not above the last one of the same application id, so the write that a
    killed attempt left running never lands on top of its retry's.
    """

    scope: str
    version: int
    receipt_id: str = ""


@dataclass(frozen=True, slots=True)
class Lake:
    """The zones under one root folder, seen through one Spark session."""

    spark: SparkSession
    root: Path

    def path(self, zone: str, name: str) -> Path:
        """Give the folder of a table or of a set of objects."""
        return self.root / zone / name

    def exists(self, zone: str, name: str) -> bool:
        """Tell whether a table has had its first commit."""
        return any((self.path(zone, name) / "_delta_log").glob("*.json"))

    def table(self, zone: str, name: str, version: int | None = None) -> DataFrame:
        """Open a table, at `version` or as it is now."""
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(str(self.path(zone, name)))

    def create(self, zone: str, name: str, schema: str, partition: str | None = None, statistics: str = "") -> None:
        """Make a table if there is none.

        `schema` is a DDL string. `statistics` names the columns whose minima and maxima Delta may write to its log
        in the clear; none by default, since they hold raw values.
        """
        if self.exists(zone, name):
            return
        properties = dict(_PROPERTIES)
        if statistics:
            properties["delta.dataSkippingStatsColumns"] = statistics
        by = f"PARTITIONED BY ({partition})" if partition else ""
        listed = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.sql_name(zone, name)} ({schema}) "
            f"USING DELTA {by} TBLPROPERTIES ({listed})"
        )

    def sql_name(self, zone: str, name: str) -> str:
        """Give the table's name as SQL takes it."""
        return f"delta.`{self.path(zone, name)}`"

    def replace_unit(
        self, frame: DataFrame, zone: str, name: str, unit: str | Sequence[str], write: Write, column: str = "unit"
    ) -> int:
        """Replace the partitions of one unit or several in one commit; return the table's version.

        Units are random ids, so the predicate that Delta writes into its commit info tells nothing.
        """
        units = [unit] if isinstance(unit, str) else unit
        listed = ", ".join(f"'{each}'" for each in units)
        (
            frame.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", f"{column} IN ({listed})")
            .option("txnAppId", f"{name}/{write.scope}")
            .option("txnVersion", write.version)
            .option("userMetadata", write.receipt_id)
            .save(str(self.path(zone, name)))
        )
        return self.version(zone, name)

    def append(self, frame: DataFrame, zone: str, name: str, write: Write) -> None:
        """Append rows in one fenced commit, to a table whose readers do not mind a row that is there twice."""
        (
            frame.write.format("delta")
            .mode("append")
            .option("txnAppId", f"{name}/{write.scope}")
            .option("txnVersion", write.version)
            .save(str(self.path(zone, name)))
        )

    def merge(self, zone: str, name: str, source: DataFrame, on: str, clauses: str, write: Write) -> None:
        """Run ``MERGE INTO`` a table (alias `t`) from a frame (alias `s`) as one fenced commit.

        `on` and `clauses` are SQL without literals from the data: Delta copies them into its commit info.
        """
        view = f"source_{abs(hash((name, write.scope)))}"
        source.createOrReplaceTempView(view)
        with self._fenced(f"{name}/{write.scope}", write):
            self.spark.sql(f"MERGE INTO {self.sql_name(zone, name)} t USING {view} s ON {on} {clauses}").collect()
        self.spark.catalog.dropTempView(view)

    def version(self, zone: str, name: str) -> int:
        """Give the version of a table's newest commit."""
        log = self.path(zone, name) / "_delta_log"
        return max(int(entry.stem) for entry in log.glob("*.json") if entry.stem.isdigit())

    @contextmanager
    def _fenced(self, application: str, write: Write) -> Iterator[None]:
        settings: Mapping[str, str] = {
            _TXN_APP: application,
            _TXN_VERSION: str(write.version),
            _USER_METADATA: write.receipt_id,
        }
        for key, value in settings.items():
            self.spark.conf.set(key, value)
        try:
            yield
        finally:
            for key in settings:
                self.spark.conf.unset(key)
