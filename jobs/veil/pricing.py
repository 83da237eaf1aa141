"""What a release will cost, told before anything is drawn, and the consent of a person to a large draw."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from veil import ledger
from veil.control import Store
from veil.privacy.load import Release, load_budget, load_release
from veil.privacy.statement import SIZES, statement
from veil.release import is_large


def price_of(config: Path, name: str, day: str = "") -> tuple[str, bool]:
    """Tell what a draw of a release costs, and whether a person has to agree to it.

    Raises
    ------
    VeilError
        The declaration is wrong, or its source has no budget.
    """
    release = _release(config, name, day)
    return described(release, statement(release)), is_large(release, load_budget(config, release))


def enter_approval(store: Store, config: Path, name: str, day: str, who: str, ticket: str) -> None:
    """Enter in the ledger that a person agrees to the draw of one run.

    Raises
    ------
    Refused
        Nobody is named.
    """
    ledger.approve(store, name, _release(config, name, day).hash, who, ticket)


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
        lines.append(f"  {query['query']} ({query['statistic']}), {cells}")
        for measure in query["measures"]:
            level = f", level {measure['level']}" if measure["level"] else ""
            lines.append(
                f"    {measure['part']}{level}: L0 {measure['l0']}, L-infinity {measure['l_infinity']}, "
                f"rho {measure['rho']:g}, scale {measure['scale']:.2f}, 95 % within ±{measure['half_width_95']}"
            )
        if "expected_relative_error" in query:
            errors = ", ".join(f"{size:,}: {query['expected_relative_error'][str(size)]:.1%}" for size in SIZES)
            lines.append(f"    expected relative error of a count of {errors}")
        if "threshold" in query:
            dropped = ", ".join(f"{size:,}: {query['share_dropped'][str(size)]:.1%}" for size in SIZES)
            lines.append(
                f"    shown from {query['threshold']} on (delta {query['selection_delta']:.2g}); left out, of {dropped}"
            )
    return "\n".join(lines)


def _release(config: Path, name: str, day: str) -> Release:
    release = load_release(config / "releases" / f"{name}.toml")
    return release.of(date.fromisoformat(day)) if day else release
