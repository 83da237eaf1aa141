"""`veil release`: declarations of releases, before anything is drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from veil.errors import VeilError
from veil.privacy.mechanism import femto_delta, nano_rho


@click.group()
def release() -> None:
    """Check what is declared to be released."""


@release.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(file: Path, as_json: bool) -> None:
    """Check the declaration FILE, and print what a draw costs and how precise its numbers will be.

    Its public tables lie beside it, and budgets.toml in the folder above.
    """
    from veil.pricing import described
    from veil.privacy.load import load_budget, load_release
    from veil.privacy.statement import statement
    from veil.release import is_large

    declared = load_release(file)
    budget = load_budget(file.resolve().parents[1], declared)
    said = statement(declared)
    caps = (
        ("the period", budget.period_rho, budget.period_delta),
        ("all time", budget.lifetime_rho, budget.lifetime_delta),
    )
    fit = [_fit(said, rho, delta) for _, rho, delta in caps]
    for draws, (when, rho, delta) in zip(fit, caps, strict=True):
        if not draws:
            raise VeilError(
                f"{file.name}: a draw costs rho {said['rho']:g} and delta {said['selection_delta']:g}, and "
                f"{declared.spec.source} has {rho:g} and {delta:g} for {when}",
                "Make it cheaper, or give budgets.toml larger caps before a first draw opens the budget; of one that "
                "is open two people raise rho, by the DAG raise_budget",
            )
    if as_json:
        fits = dict(zip(("period", "lifetime"), fit, strict=True))
        click.echo(json.dumps({**said, "draws_that_fit": fits, "waits_for_approval": is_large(declared, budget)}))
        return
    click.echo(described(declared, said))
    waits = "; each waits for an approver" if is_large(declared, budget) else ""
    click.echo(f"  {fit[0]} such draws fit into a period, {fit[1]} into all time{waits}")


def _fit(said: Mapping[str, Any], rho: float, delta: float) -> int:
    """Give how many draws two caps pay for, counted as the ledger counts."""
    draws = nano_rho(rho, up=False) // nano_rho(said["rho"], up=True)
    if not said["selection_delta"]:
        return draws
    return min(draws, femto_delta(delta, up=False) // femto_delta(said["selection_delta"], up=True))


@release.command()
def schema() -> None:
    """Print the JSON Schema of a declaration, for editors."""
    from veil.privacy.spec import json_schema

    click.echo(json_schema(), nl=False)
