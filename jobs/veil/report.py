"""What a run did, in figures that a manager understands: all of it from the control store, none of it a value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import select

from veil import ledger, modalities
from veil.control import Store, receipts, registry
from veil.control import schema as s
from veil.control.receipts import Receipt


@dataclass(slots=True)
class Line:
    """One modality of one product: records that came in, and what became of them."""

    modality: str
    product: str
    came_in: int = 0
    published: int = 0
    held: int = 0
    quarantined: int = 0
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a run. `blocked` counts by product, modality and rule what the gate stopped; `leaks` is None
    until the closing scan has run.
    """

    run: str
    lines: list[Line] = field(default_factory=list)
    blocked: list[tuple[str, str, str, int]] = field(default_factory=list)
    refused_drops: list[str] = field(default_factory=list)
    releases: list[dict[str, object]] = field(default_factory=list)
    budgets: list[dict[str, object]] = field(default_factory=list)
    seconds: dict[str, int] = field(default_factory=dict)
    leaks: list[str] | None = None

    def to_json(self) -> str:
        """Give the report as JSON."""
        return json.dumps(asdict(self), indent=1)

    @property
    def problems(self) -> list[str]:
        """Say in a line each what somebody has to act on."""
        found = [
            f"the gate blocked {modality} of {product}: {rule} ({count})"
            for product, modality, rule, count in self.blocked
        ]
        found += [f"a drop was refused: {reason}" for reason in self.refused_drops]
        return found + [f"the closing scan found an identifier in {place}" for place in self.leaks or []]


def report(store: Store, run_key: str) -> Report:
    """Compose the report of a run from its receipts and attempts."""
    found = receipts.of_run(store, run_key)
    lines, blocked = _lines(store, run_key, found)
    releases = [receipt for receipt in found if receipt.stage == "release"]
    return Report(
        run=run_key,
        lines=lines,
        blocked=blocked,
        refused_drops=[reason for _drop, reason in registry.refused_drops(store, run_key)],
        releases=[_release(receipt) for receipt in releases],
        budgets=[_budget(block) for block in ledger.blocks(store)],
        seconds=_seconds(store, run_key),
        leaks=registry.leaks_of_run(store, run_key),
    )


def _lines(store: Store, run_key: str, found: list[Receipt]) -> tuple[list[Line], list[tuple[str, str, str, int]]]:
    units = {unit.unit_id: unit.modality for unit in registry.units_of_run(store, run_key)}
    newest = {(receipt.stage, receipt.unit_id, receipt.product): receipt for receipt in found}
    products = sorted({receipt.product for receipt in found if receipt.product})
    lines: dict[tuple[str, str], Line] = {}
    blocked: list[tuple[str, str, str, int]] = []

    def line(modality: str, product: str) -> Line:
        return lines.setdefault((modality, product), Line(modality, product))

    intakes = {unit.intake_id for unit in registry.units_of_run(store, run_key)}
    for intake_id in intakes:
        ingest = receipts.latest(store, "ingest", intake_id, "")
        if ingest is None:
            continue
        quarantined = ingest.body["quarantined"]
        for modality in sorted({*ingest.body["counts"], *quarantined}):
            shown = _publishing(modality, products, newest, units)
            for product in shown or [""]:
                row = line(modality, product)
                lost = sum(quarantined.get(modality, {}).values())
                row.came_in += ingest.body["counts"].get(modality, 0) + lost
                row.quarantined += lost
                if not shown:
                    row.held += ingest.body["counts"].get(modality, 0)
    for (stage, unit_id, product), receipt in newest.items():
        if unit_id not in units:
            continue
        row = line(units[unit_id], product)
        if stage == "anonymize":
            row.quarantined += receipt.body.get("unpublishable", 0)
        elif stage == "audit":
            row.verdict = receipt.body["verdict"]
            if row.verdict == "blocked":
                row.held += receipt.body["rows"] - receipt.body["failed_rows"]
                row.quarantined += receipt.body["failed_rows"]
                rules = receipt.body["rules"] or dict.fromkeys(receipt.body["reasons"], 0)
                blocked += [(product, units[unit_id], rule, count) for rule, count in sorted(rules.items())]
        elif stage == "publish":
            row.published += receipt.body["published"]
    return [lines[key] for key in sorted(lines)], blocked


def _publishing(
    modality: str, products: list[str], newest: dict[tuple[str, str, str], Receipt], units: dict[str, str]
) -> list[str]:
    """List the products for which this modality was anonymized; none where it is held."""
    if modality not in modalities.registered() or modalities.get(modality).held:
        return []
    return [
        product
        for product in products
        if any(
            stage == "anonymize" and made_for == product and units.get(unit_id) == modality
            for stage, unit_id, made_for in newest
        )
    ]


def _release(receipt: Receipt) -> dict[str, object]:
    keep = ("verdict", "rho", "epsilon", "delta", "rows", "privacy_unit")
    return {"name": receipt.unit_id, **{name: receipt.body[name] for name in keep if name in receipt.body}}


def _budget(block: ledger.Block) -> dict[str, object]:
    return {
        "block": block.block_id,
        "privacy_unit": block.unit,
        "rho_spent": block.spent / 1e9,
        "rho_left": (block.cap - block.spent) / 1e9,
    }


def _seconds(store: Store, run_key: str) -> dict[str, int]:
    """Sum by stage how long its successful attempts took, in seconds."""
    query = select(s.attempt.c.stage, s.attempt.c.started, s.attempt.c.ended).where(
        (s.attempt.c.run_key == run_key) & (s.attempt.c.state == "done")
    )
    totals: dict[str, int] = {}
    with store.transaction() as connection:
        for stage, started, ended in connection.execute(query):
            took = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
            totals[stage] = totals.get(stage, 0) + int(took.total_seconds())
    return totals
