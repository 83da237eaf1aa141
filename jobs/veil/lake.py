"""The lake: every Delta table is opened, made and written here, so that no table leaks by Delta's defaults."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from veil.errors import Refused

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

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

    Delta passes over a write whose `version` is not above the last one of the same application id, so the write that a
    killed attempt left running never lands on top of its retry's.
    """

    scope: str
    version: int
    receipt_id: str = ""


def names(schema: str) -> list[str]:
    """Give the names of the columns of a DDL string."""
    return [column.split(" ")[0] for column in schema.split(", ")]


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

    def table_or_empty(self, zone: str, name: str, schema: str) -> DataFrame:
        """Open a table as it is now, or give no rows of `schema` (a DDL string) where it has had no commit."""
        return self.table(zone, name) if self.exists(zone, name) else self.spark.createDataFrame([], schema)

    @property
    def cores(self) -> int:
        """How many cores the session was sized for."""
        return int(self.spark.conf.get("spark.sql.shuffle.partitions") or 1)

    def replace_unit(
        self,
        frame: DataFrame,
        zone: str,
        name: str,
        unit: str | Sequence[str],
        write: Write,
        partition: Sequence[str] = ("unit",),
    ) -> int:
        """Replace the partitions of one unit or several in one commit; return the table's version.

        The last column of `partition` holds the unit. Units are random ids, so the predicate that Delta writes into
        its commit info tells nothing.
        """
        units = [unit] if isinstance(unit, str) else unit
        listed = ", ".join(f"'{each}'" for each in units)
        if not self._first(frame, zone, name, write, partition):
            writer = self._writer(frame, name, write).mode("overwrite")
            writer.option("replaceWhere", f"{partition[-1]} IN ({listed})").save(str(self.path(zone, name)))
        return self.version(zone, name)

    def append(self, frame: DataFrame, zone: str, name: str, write: Write) -> None:
        """Append rows in one fenced commit, to a table whose readers do not mind a row that is there twice."""
        if not self._first(frame, zone, name, write):
            self._writer(frame, name, write).mode("append").save(str(self.path(zone, name)))

    def merge(
        self,
        zone: str,
        name: str,
        source: DataFrame,
        on: str,
        clauses: str,
        write: Write,
        first: DataFrame,
        partition: Sequence[str] = (),
    ) -> None:
        """Run ``MERGE INTO`` a table (alias `t`) from a frame (alias `s`) as one fenced commit.

        `on` and `clauses` are SQL without literals from the data: Delta copies them into its commit info. A table
        that does not exist yet begins with the rows of `first`.
        """
        if self._first(first, zone, name, write, partition):
            return
        view = f"source_{abs(hash((name, write.scope)))}"
        source.createOrReplaceTempView(view)
        with self._fenced(f"{name}/{write.scope}", write):
            target = f"delta.`{self.path(zone, name)}`"
            self.spark.sql(f"MERGE INTO {target} t USING {view} s ON {on} {clauses}").collect()
        self.spark.catalog.dropTempView(view)

    def spread(self, frame: DataFrame, column: str) -> DataFrame:
        """Spread rows over the cores by a column, for a step that costs more than moving them.

        By itself Spark would give a small table to a single core, however long each of its rows takes.
        """
        return frame.repartition(2 * self.cores, column)

    def settle(self, frame: DataFrame, name: str, write: Write) -> DataFrame:
        """Write rows to a scratch file of this attempt and read them back.

        What follows sees the same rows, random ids and all, and they are computed once. `discard` removes them.
        """
        path = str(self._scratch(write) / str(write.version) / name)
        frame.write.mode("overwrite").parquet(path)
        return self.spark.read.schema(frame.schema).parquet(path)

    def discard(self, write: Write) -> None:
        """Remove the scratch files of this attempt and of those before it; a later one may be at work."""
        for attempt in self._scratch(write).glob("*"):
            if int(attempt.name) <= write.version:
                shutil.rmtree(attempt, ignore_errors=True)

    def version(self, zone: str, name: str) -> int:
        """Give the version of a table's newest commit."""
        log = self.path(zone, name) / "_delta_log"
        return max(int(entry.stem) for entry in log.glob("*.json") if entry.stem.isdigit())

    def _scratch(self, write: Write) -> Path:
        return self.root / RESTRICTED / "scratch" / write.scope

    def _writer(self, frame: DataFrame, name: str, write: Write) -> DataFrameWriter:
        return (
            frame.write.format("delta")
            .option("txnAppId", f"{name}/{write.scope}")
            .option("txnVersion", write.version)
            .option("userMetadata", write.receipt_id)
        )

    def _first(self, frame: DataFrame, zone: str, name: str, write: Write, partition: Sequence[str] = ()) -> bool:
        """Make a table out of its first rows, in one commit; False where it is there already.

        An empty table to begin with would be a second commit, whose state the first real write has to compute.
        """
        if self.exists(zone, name):
            self._require_newer(zone, name, write)
            return False
        writer = self._writer(frame, name, write).mode("append").options(**_PROPERTIES)
        try:
            (writer.partitionBy(*partition) if partition else writer).save(str(self.path(zone, name)))
        except Exception:
            # of two that make one table at the same moment Delta lets one through; the kind of error depends on the
            # session, and any other leaves no table
            if not self.exists(zone, name):
                raise
            return False
        return True

    def _require_newer(self, zone: str, name: str, write: Write) -> None:
        """Refuse a write that Delta would take for one that it has seen, and pass over without a word.

        Raises
        ------
        Refused
            A later attempt has written, or the control store was restored from before this table was written.
        """
        from deltalake import DeltaTable

        last = DeltaTable(str(self.path(zone, name))).transaction_version(f"{name}/{write.scope}")
        if last is not None and last >= write.version:
            raise Refused(
                "A later attempt than this one has written already, or the control store is older than the lake",
                "Let the later attempt finish; after a restore, bring back the newest backup of the control store",
            )

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
