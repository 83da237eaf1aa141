"""`veil budget`: what the privacy budgets have left, what they paid for, and whether the ledger is whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from veil.errors import VeilError

if TYPE_CHECKING:
    from veil.control import Store

_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON; rho in 1e-9, delta in 1e-15.")


@click.group()
def budget() -> None:
    """Look at the privacy budgets."""


@budget.command()
@_JSON
def show(as_json: bool) -> None:
    """Print every budget: its privacy unit, its cap, and what is spent."""
    from veil import ledger

    blocks = ledger.blocks(_store())
    if as_json:
        click.echo(json.dumps([asdict(block) for block in blocks]))
        return
    if not blocks:
        click.echo("No budget has been opened: nothing was released yet")
    for block in blocks:
        left = (block.cap - block.spent) / 1e9
        click.echo(f"{block.block_id:<32} unit {block.unit:<12} spent {block.spent / 1e9:.6f} rho, left {left:.6f}")


@budget.command()
@click.argument("block", required=False)
@_JSON
def blocks(block: str | None, as_json: bool) -> None:
    """Print for every budget, or for BLOCK, what its draws give away together, in (epsilon, delta) and in words."""
    from veil import ledger
    from veil.privacy.composed import composed

    store = _store()
    found = [ledger.block(store, block)] if block else ledger.blocks(store)
    said = [composed(each, ledger.entries(store, each.block_id)) for each in found]
    if as_json:
        click.echo(json.dumps(said))
        return
    if not said:
        click.echo("No budget has been opened yet: its first draw opens it")
    for each in said:
        click.echo(
            f"{each['block']}: {each['draws']} draws, rho {each['rho']:g}; epsilon {each['epsilon']:g} "
            f"({each['epsilon_zcdp']:g} by zCDP) at delta {each['delta']:g}"
        )
        click.echo(f"  {each['words']}")


@budget.command()
@_JSON
def history(as_json: bool) -> None:
    """Print every event of the ledger, oldest first: what was paid, drawn, published, refused, approved and raised."""
    from veil import ledger

    events = ledger.events(_store())
    if as_json:
        click.echo(json.dumps([asdict(event) for event in events]))
        return
    if not events:
        click.echo("Nothing has happened yet")
    for event in events:
        told = ", ".join(f"{name} {value}" for name, value in sorted(event.body.items()) if name != "inputs")
        click.echo(f"{event.seq:>6} {event.at} {event.kind:<10} {event.key[:32]:<32} {told}")


@budget.command()
@_JSON
def verify(as_json: bool) -> None:
    """Recompute the chain of the ledger and add it up again; exit 1 if anything does not fit."""
    from veil import ledger

    store = _store()
    problems = ledger.verify(store)
    if as_json:
        click.echo(json.dumps({"events": len(ledger.events(store)), "problems": problems}))
    if problems:
        raise VeilError(
            "The ledger does not fit: " + "; ".join(problems),
            "Release nothing, keep the file as it is, and restore the newest backup of the control store",
        )
    if not as_json:
        click.echo(f"The ledger is whole: {len(ledger.events(store))} events add up to its budgets and draws")


def _store() -> Store:
    from veil.control import Store
    from veil.settings import Settings

    return Store(Settings.from_env().control)
