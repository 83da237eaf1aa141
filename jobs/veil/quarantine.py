"""Quarantine: what was not published, why, and what a person needs to mend it. Restricted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil.lake import RESTRICTED, Lake, Write

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

QUARANTINE = "quarantine"
COLUMNS = (
    "unit string, item_id string, stage string, unit_id string, product string, modality string, source string, "
    "drop_id string, path string, position long, type string, key string, row_uid string, rule string, "
    "reason string, content string, object_id string"
)


def partition(stage: str, unit_id: str, product: str = "") -> str:
    """Name the partition of one stage's attempts on a unit: a retry replaces what the attempt before it wrote."""
    return "-".join(part for part in (stage, unit_id, product) if part)


def replace(lake: Lake, items: DataFrame, stage: str, unit_id: str, product: str, write: Write) -> None:
    """Write the items of a stage on a unit.

    `items` has any of the columns of the table, at least `rule` and `reason`; the others are null. `item_id` depends
    on random ids and positions alone, so that it is the same after a retry and tells nothing.
    """
    from pyspark.sql import functions as F

    name = partition(stage, unit_id, product)
    given = items.withColumns(
        {
            "unit": F.lit(name),
            "stage": F.lit(stage),
            "unit_id": F.lit(unit_id),
            "product": F.lit(product),
        }
    )
    here = set(given.columns)
    fields = dict(column.split(" ") for column in COLUMNS.split(", "))
    given = given.withColumns({name: F.lit(None).cast(kind) for name, kind in fields.items() if name not in here})
    origin = [F.coalesce(F.col(part).cast("string"), F.lit("")) for part in _ORIGIN]
    given = given.withColumn("item_id", F.substring(F.sha2(F.concat_ws("|", *origin), 256), 1, 12))
    lake.replace_unit(given.select(*fields), RESTRICTED, QUARANTINE, name, write)


def counts(lake: Lake, stage: str, unit_id: str) -> dict[str, dict[str, int]]:
    """Count the items of a stage on a unit, by modality and rule."""
    from pyspark.sql import functions as F

    found: dict[str, dict[str, int]] = {}
    written = lake.table(RESTRICTED, QUARANTINE).where(F.col("unit") == partition(stage, unit_id))
    for row in written.groupBy("modality", "rule").count().collect():
        found.setdefault(row.modality or "unknown", {})[row.rule] = row["count"]
    return found


_ORIGIN = ("unit", "drop_id", "path", "position", "modality", "row_uid", "rule")
