"""`veil budget`: what the privacy budgets have left."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.group()
def budget() -> None:
    """Look at the privacy budgets."""


@budget.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, in nano-rho.")
def show(as_json: bool) -> None:
    """Print every block: its privacy unit, its cap, and what is spent."""
    from veil import ledger
    from veil.control import Store
    from veil.settings import Settings

    blocks = ledger.blocks(Store(Settings.from_env().control))
    if as_json:
        click.echo(json.dumps([asdict(block) for block in blocks]))
        return
    if not blocks:
        click.echo("No budget has been opened: nothing was released yet")
    for block in blocks:
        left = (block.cap - block.spent) / 1e9
        click.echo(f"{block.block_id:<32} unit {block.unit:<10} spent {block.spent / 1e9:.6f} rho, left {left:.6f}")
