"""Spark entry point: put the staged candidates of a product and modality before the gate."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from expectations import checkpoint, evidence, gate, suites
from veil import modalities
from veil.anonymize.stage import require_policy, staged_objects
from veil.audit import AUDIT, candidates, quarantine_rows
from veil.control import Store, attempts, receipts, registry
from veil.entry import Arguments, main
from veil.errors import Refused
from veil.lake import RESTRICTED
from veil.policy import Policy
from veil.settings import Settings
from veil.stages import Job, job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Audit every staged unit of the run; a unit that fails is blocked, and so is this task."""
    policy = arguments.policy(settings)
    blocked: list[str] = []
    for unit in registry.units_of_run(store, arguments.run_key, arguments.modality):
        staged = receipts.latest(store, "anonymize", unit.unit_id, policy.product)
        if staged is None or "staging_version" not in staged.body:
            continue
        require_policy(staged, policy)
        with job(settings, store, AUDIT, unit.unit_id, arguments.run_key, policy.product) as work:
            work.figures.update(candidate=staged.receipt_id, policy=policy.hash, modality=arguments.modality)
            blocked += _audit(work, policy, arguments.modality, staged)
    if blocked:
        raise Refused(f"The gate blocked {arguments.modality}: {'; '.join(blocked)}", "See `veil quarantine list`")


def _audit(work: Job, policy: Policy, modality: str, staged: receipts.Receipt) -> tuple[str, ...]:
    if staged.body["staged"] == 0:  # nothing to show to anybody: only retirements, or nothing at all
        work.figures.update(verdict="passed", rows=0)
        return ()
    rows = candidates(work, policy, modality, staged)
    objects = str(work.lake.path(RESTRICTED, staged_objects(policy.product, modality, staged.body["attempt"])))
    frame, planted = evidence.gather(work.lake, rows, modality, policy.profile, objects, work.write)
    frame = frame.persist()
    count = int(staged.body["staged"]) + len(planted.rows)
    suite = suites.for_modality(binary=modalities.get(modality).binary, count=count)
    name = f"{work.attempt.unit_id}-{policy.product}"
    result = checkpoint.run(frame, name, suite, work.settings.home / "gx")
    verdict = gate.judge(result, planted, int(staged.body["staged"]))
    work.figures.update(
        verdict="passed" if verdict.passed else "blocked",
        reasons=list(verdict.reasons),
        rows=int(staged.body["staged"]),
        canaries=len(planted.rows),
        failed_rows=len(verdict.rows),
        rules=_rules(frame, verdict.rows),
    )
    if verdict.rows or attempts.is_done(work.store, AUDIT, work.attempt.unit_id, policy.product):
        quarantine_rows(work, policy, modality, rows, frame, verdict.rows)
    frame.unpersist()
    return verdict.reasons


def _rules(frame: DataFrame, failed: frozenset[str]) -> dict[str, int]:
    """Count the broken rules of the failed rows, by the rule's id."""
    counts: Counter[str] = Counter()
    for row in frame.where("detector_rules <> '' OR known_rules <> ''").collect():
        if row.row_id in failed:
            counts.update(rule for rule in f"{row.detector_rules},{row.known_rules}".split(",") if rule)
    return dict(counts)


if __name__ == "__main__":
    main(run)
