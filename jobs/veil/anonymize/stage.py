"""The anonymize stage of one product and modality."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from veil import modalities, quarantine, vault
from veil.anonymize import inputs
from veil.anonymize.staged import STAGED_DDL
from veil.anonymize.worker import Anonymizer
from veil.control import Store, attempts, receipts, registry
from veil.control.receipts import Receipt
from veil.control.schema import withheld
from veil.errors import Refused, VeilError
from veil.ingest.stage import BRONZE, OBJECTS
from veil.lake import RESTRICTED
from veil.policy import Policy
from veil.settings import Settings
from veil.stages import Job, job
from veil.surrogates import pattern

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FINDINGS = "findings"
"""Where an identifier was found and by what, of every unit and product; never the value, only its HMAC."""


def staging(product: str, modality: str) -> str:
    """Name the staging table of a product and modality."""
    return f"staging/{product}/{modality}"


def staged_objects(product: str, modality: str, attempt: int) -> str:
    """Name the folder of an attempt's staged payload objects: no attempt writes over another's."""
    return f"staging/{product}/objects-{modality}/{attempt}"


def require_policy(staged: Receipt, policy: Policy) -> None:
    """Refuse a candidate that was made under another policy: its ids, dates and rules would be those of the other.

    Raises
    ------
    VeilError
        With what to do.
    """
    if staged.body["policy"] != policy.hash:
        raise VeilError("The policy has changed since this was anonymized", "Clear the anonymize task of this run")


def anonymize(settings: Settings, store: Store, run_key: str, policy: Policy, modality: str) -> None:
    """Stage the candidates of every unit that a run takes of a modality; a held modality has none."""
    if modalities.get(modality).held:
        return
    _require_group(store, policy, modality)
    for unit in registry.units_of_run(store, run_key, modality):
        with job(settings, store, "anonymize", unit.unit_id, run_key, policy.product) as work:
            work.figures.update(policy=policy.hash, epoch=policy.epoch, group=policy.group_of(modality))
            if work.lake.exists(RESTRICTED, BRONZE):
                _anonymize(work, policy, modality, _reference_year(store, unit.intake_id))


def _require_group(store: Store, policy: Policy, modality: str) -> None:
    """Refuse another linkage group within an epoch: every id would change, and nothing published be found again."""
    before = receipts.newest_of_product(store, "anonymize", policy.product, modality)
    if before is None or before.body["epoch"] != policy.epoch:
        return
    if before.body["group"] != policy.group_of(modality):
        raise Refused(
            f"The linkage group of {modality} in {policy.product} has changed within epoch {policy.epoch}",
            "Raise the epoch in the product file, or undo the change",
        )


def _anonymize(work: Job, policy: Policy, modality: str, reference_year: int) -> None:
    from pyspark.sql import functions as F

    lake, unit_id, product = work.lake, work.attempt.unit_id, policy.product
    group = policy.group_of(modality).split("+")
    rows = inputs.rows(lake, modality, unit_id, group, modalities.get(modality).whole)
    anonymizer = Anonymizer(
        policy=policy.canonical,
        modality=modality,
        reference_year=reference_year,
        key_file=work.settings.key_file,
        bronze_objects=str(lake.path(RESTRICTED, OBJECTS)),
        staged_objects=str(lake.path(RESTRICTED, staged_objects(product, modality, work.attempt.number))),
        withheld=_withheld(work),
        taken=_taken(work) if policy.surrogates else frozenset(),
    )
    staged = inputs.by_subject(lake, rows).mapInArrow(anonymizer, STAGED_DDL).withColumn("unit", F.lit(unit_id))
    name = staging(product, modality)
    version = lake.replace_unit(staged, RESTRICTED, name, unit_id, work.write)
    written = lake.table(RESTRICTED, name, version).where(F.col("unit") == unit_id)
    work.figures.update(staging_version=version, modality=modality, **_counts(written))
    items = written.where("rule IS NOT NULL").select(
        "row_uid", "type", "rule", "reason", F.lit(modality).alias("modality")
    )
    if work.figures["unpublishable"] or attempts.is_done(work.store, "anonymize", unit_id, product):
        quarantine.replace(lake, items, "anonymize", unit_id, product, work.write)
    if work.figures["findings"] or attempts.is_done(work.store, "anonymize", unit_id, product):
        _write_findings(work, written, product, modality)


def _counts(written: DataFrame) -> dict[str, object]:
    """Count rows by what becomes of them, findings, and what the policy dropped by path, in one pass."""
    from pyspark.sql import functions as F

    figures = {
        "staged": F.expr("NOT retired AND rule IS NULL").cast("int"),
        "retired": F.expr("retired").cast("int"),
        "unpublishable": F.expr("rule IS NOT NULL").cast("int"),
        "findings": F.size("findings"),
    }
    sums = [F.sum(number).alias(name) for name, number in figures.items()]
    counts = dict.fromkeys(figures, 0)
    dropped: Counter[str] = Counter()
    # records of one kind have the same fields: their counts, as text, are few
    for row in written.groupBy("dropped").agg(F.count("*").alias("rows"), *sums).collect():
        for name in figures:
            counts[name] += int(row[name] or 0)
        for path, number in json.loads(row.dropped or "{}").items():
            dropped[path] += number * row.rows
    return {**counts, "dropped": dict(sorted(dropped.items()))}


def _write_findings(work: Job, written: DataFrame, product: str, modality: str) -> None:
    from pyspark.sql import functions as F

    scope = f"{work.attempt.unit_id}-{product}"
    findings = written.select("row_uid", F.explode("findings").alias("finding")).select(
        F.lit(scope).alias("unit"),
        F.lit(product).alias("product"),
        F.lit(modality).alias("modality"),
        "row_uid",
        "finding.*",
    )
    work.lake.replace_unit(findings, RESTRICTED, FINDINGS, scope, work.write)


def _taken(work: Job) -> frozenset[str]:
    """Give the words of names in the vault that could be drawn as surrogates: few, if any."""
    from pyspark.sql import functions as F

    names = (
        vault.known(work.lake)
        .where("kind = 'NAME'")
        .select(F.explode(F.split(F.lower("value"), r"[^\p{L}]+")).alias("word"))
    )
    drawable = names.where(F.col("word").rlike(f"^(?i:{pattern()})$"))
    return frozenset(row.word for row in drawable.distinct().collect())


def _withheld(work: Job) -> frozenset[str]:
    with work.store.transaction() as connection:
        return frozenset(connection.scalars(select(withheld.c.row_uid)))


def _reference_year(store: Store, intake_id: str) -> int:
    """Give the year to which ages are computed: that of the newest drop, the same whenever the unit is processed."""
    return max(int(drop.drop_date[:4]) for drop in registry.drops_of_intake(store, intake_id))
