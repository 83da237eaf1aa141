"""What the audit stage reads and records; the gate itself is in `expectations`, which this layer never imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import quarantine
from veil.anonymize.stage import staging
from veil.control.receipts import Receipt
from veil.lake import RESTRICTED
from veil.policy import Policy
from veil.stages import Job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

AUDIT = "audit"


def candidates(work: Job, policy: Policy, modality: str, staged: Receipt) -> DataFrame:
    """Give the rows that publishing would publish, of exactly the staged version that its receipt names."""
    from pyspark.sql import functions as F

    table = work.lake.table(RESTRICTED, staging(policy.product, modality), int(staged.body["staging_version"]))
    return table.where((F.col("unit") == work.attempt.unit_id) & F.expr("rule IS NULL AND NOT retired"))


def quarantine_rows(
    work: Job, policy: Policy, modality: str, rows: DataFrame, evidence: DataFrame, failed: frozenset[str]
) -> None:
    """Put the rows that failed into quarantine under their row keys, with the rules that they broke."""
    from pyspark.sql import functions as F

    keys = work.lake.spark.createDataFrame([(key,) for key in sorted(failed)], "row_id string")
    named = (
        rows.join(keys, "row_id")
        .join(evidence.select("row_id", "detector_rules", "known_rules"), "row_id", "left")
        .select(
            "row_uid",
            "type",
            F.lit(modality).alias("modality"),
            F.concat_ws(",", F.nullif("detector_rules", F.lit("")), F.nullif("known_rules", F.lit(""))).alias("rule"),
            F.lit("the gate still sees an identifier: mend the policy or withhold the row, then retry").alias("reason"),
        )
    )
    quarantine.replace(work.lake, named, AUDIT, work.attempt.unit_id, policy.product, work.write)
