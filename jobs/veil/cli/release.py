"""`veil release`: declarations of releases, before anything is drawn."""

from __future__ import annotations

import json
from pathlib import Path

import click

from veil.errors import VeilError


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
    for when, rho, delta in caps:
        if said["rho"] > rho or said["selection_delta"] > delta:
            raise VeilError(
                f"{file.name}: a draw costs rho {said['rho']:g} and delta {said['selection_delta']:g}, and "
                f"{declared.spec.source} has {rho:g} and {delta:g} for {when}",
                "Make it cheaper, or have two people raise the cap once it is open: see docs/releases.md",
            )
    if as_json:
        click.echo(json.dumps(said))
        return
    click.echo(described(declared, said))
    period, lifetime = (f"{cap / said['rho']:.1f}" for cap in (budget.period_rho, budget.lifetime_rho))
    waits = "; each waits for an approver" if is_large(declared, budget) else ""
    click.echo(f"  {period} such draws fit into a period, {lifetime} into all time{waits}")


@release.command()
def schema() -> None:
    """Print the JSON Schema of a declaration, for editors."""
    from veil.privacy.spec import json_schema

    click.echo(json_schema(), nl=False)
