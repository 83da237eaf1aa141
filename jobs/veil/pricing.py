"""What a release will cost, told before anything is drawn, and the consent of a person to a large draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from veil import ledger
from veil.control import Store
from veil.errors import Refused
from veil.privacy.load import Release, load_budget, load_budgets, load_release
from veil.privacy.statement import SIZES, statement
from veil.release import is_large, ticket


@dataclass(frozen=True, slots=True)
class Price:
    """What a draw costs, in words; the hash of the declaration that was priced; and whether a person has to agree."""

    told: str
    spec_hash: str
    is_large: bool


def price_of(config: Path, name: str, day: str = "") -> Price:
    """Price a draw of a release.

    Raises
    ------
    VeilError
        The declaration is wrong, or its source has no budget.
    """
    release = _release(config, name, day)
    large = is_large(release, load_budget(config, release))
    return Price(described(release, statement(release)), release.hash, large)


def enter_approval(store: Store, config: Path, name: str, day: str, spec_hash: str, who: str, run_key: str) -> None:
    """Enter in the ledger that a person agrees to the draw of one run, as it was priced.

    Raises
    ------
    Refused
        The person is none of the approvers, or the declaration has changed since it was priced.
    """
    if who not in load_budgets(config).approvers:
        raise Refused(f"{who or 'Nobody'} is none of the approvers", "Have it answered by one of budgets.toml")
    if _release(config, name, day).hash != spec_hash:
        raise Refused(f"The declaration of {name} has changed since it was priced", "Start the DAG again")
    ledger.approve(store, name, spec_hash, who, ticket(name, run_key))


def described(release: Release, said: dict[str, Any]) -> str:
    """Write a statement as lines of text: cost, noise, and the expected error by size of a count."""
    lines = [
        f"{release.spec.name}: {release.spec.title}",
        f"  privacy unit {said['privacy_unit']}, rho {said['rho']:g}, epsilon {said['epsilon']:g} "
        f"({said['epsilon_zcdp']:g} by zCDP) at delta {said['delta']:g}",
    ]
    if said["privacy_unit"] == "patient-day":
        lines.append("  days of one patient are not disjoint: for a patient, the cost of every day adds up")
    for query in said["queries"]:
        cells = "cells selected from the data" if query["cells"] is None else f"{query['cells']:,} cells"
        bins = f" of {query['bins']} bins" if query["bins"] > 1 else ""
        lines.append(f"  {query['query']} ({query['statistic']}), {cells}{bins}")
        for measure in query["measures"]:
            level = f", level {measure['level']}" if measure["level"] else ""
            lines.append(
                f"    {measure['part']}{level}: L0 {measure['l0']}, L-infinity {measure['l_infinity']}, "
                f"rho {measure['rho']:g}, scale {measure['scale']:.2f}, 95 % within ±{measure['half_width_95']}"
            )
        lines += _of_added(query) if "published" in query else _of_count(query)
        if "threshold" in query:
            dropped = ", ".join(f"{size:,}: {query['share_dropped'][str(size)]:.1%}" for size in SIZES)
            lines.append(
                f"    shown from {query['threshold']} on (delta {query['selection_delta']:.2g}); left out, of {dropped}"
            )
    return "\n".join(lines)


def _of_count(query: dict[str, Any]) -> list[str]:
    if "expected_relative_error" not in query:
        return []
    errors = ", ".join(f"{size:,}: {100 * query['expected_relative_error'][str(size)]:.2g} %" for size in SIZES)
    finest = ", at the finest level," if len(query["measures"]) > 1 and query["measures"][-1]["level"] else ""
    return [f"    expected relative error of a count{finest} of {errors}"]


def _of_added(query: dict[str, Any]) -> list[str]:
    low, high = query["bounds"]
    said = [
        f"    values from {low:g} to {high:g}, in steps of {query['resolution']:g}, in which scales are given",
        f"    published with 95 %: sum ±{query['published']['sum']:.4g}",
    ]
    if "mean" in query["published"]:
        means = ", ".join(f"{int(size):,}: ±{bound:.3g}" for size, bound in query["published"]["mean"].items())
        said.append(f"    mean, at the most, of {means or 'no number of records that is told here: it needs more'}")
    return said


def _release(config: Path, name: str, day: str) -> Release:
    release = load_release(config / "releases" / f"{name}.toml")
    return release.of(date.fromisoformat(day)) if day else release
