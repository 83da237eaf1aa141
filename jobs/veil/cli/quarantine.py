"""`veil quarantine`: see what was not published and why, and have it tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from veil.errors import VeilError

_LISTED = ("item_id", "stage", "modality", "rule", "reason", "path", "position")


@click.group()
def quarantine() -> None:
    """See what was not published and why, and have it tried again. What it prints may identify patients."""


@quarantine.command("list")
@click.option("--stage", type=click.Choice(["ingest", "anonymize", "audit"]))
@click.option("--modality")
@click.option("--json", "as_json", is_flag=True)
def list_items(stage: str | None, modality: str | None, as_json: bool) -> None:
    """List what waits in quarantine."""
    items = [item for item in _waiting() if stage in (None, item["stage"]) and modality in (None, item["modality"])]
    if as_json:
        click.echo(json.dumps([{name: item[name] for name in _LISTED} for item in items]))
        return
    for item in items:
        place = f"{item['path']} @ {item['position']}" if item["path"] else f"row {item['row_uid']}"
        click.echo(f"{item['item_id']}  {item['stage']:<9} {item['modality'] or '-':<9} {item['rule']:<20} {place}")
        click.echo(f"{'':14}{item['reason']}")
    click.echo(f"{len(items)} items")


@quarantine.command()
@click.argument("item_id")
def show(item_id: str) -> None:
    """Print one item with what it holds: restricted data, for the person who mends it."""
    item = _item(item_id)
    for name, value in {**item, "content": item["content"] or _content(item)}.items():
        if value is not None:
            click.echo(f"{name:<12} {value}")


@quarantine.command()
@click.argument("item_id")
@click.option("--reason", default="withheld after the gate's finding", show_default=True)
def exclude(item_id: str, reason: str) -> None:
    """Withhold the row of ITEM_ID from publication, and have its unit processed again without it."""
    from veil.control import registry
    from veil.control.quarantined import exclude as exclude_row

    item = _item(item_id)
    if not item["row_uid"]:
        raise VeilError("This item is no row of bronze, so there is nothing to withhold", "Send a mended drop instead")
    store = _store()
    registry.ask_again(store, item["unit_id"])  # first: a run without the exclusion is blocked again, and no more
    exclude_row(store, item_id, item["row_uid"], reason)
    click.echo("The row is withheld; the next run of the DAG pipeline takes its unit again")


@quarantine.command()
@click.argument("item_id")
@click.option(
    "--with",
    "mended",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Land this file in place of what ingest refused.",
)
def retry(item_id: str, mended: Path | None) -> None:
    """Try ITEM_ID again: its unit with the next run, or, for what ingest refused, as a drop of its own."""
    from veil.control import registry
    from veil.control.quarantined import resolve

    item = _item(item_id)
    store = _store()
    if item["stage"] == "ingest":
        from veil.redrive import land_again

        landed = land_again(item, mended)
        resolve(store, item_id, "landed again")
        click.echo(f"Landed again as drop {landed.name}; Airflow takes it as any drop")
        return
    if mended is not None:
        raise VeilError("Only what ingest refused can be mended by a file", "Mend the policy, or send a drop")
    registry.ask_again(store, item["unit_id"])
    click.echo("The next run of the DAG pipeline takes its unit again")


def _content(item: dict[str, Any]) -> str | None:
    """Find in bronze what a later stage refused."""
    from veil.ingest.stage import BRONZE
    from veil.lake import RESTRICTED
    from veil.rows import rows
    from veil.settings import Settings

    if not item["row_uid"]:
        return None
    place = f"row_uid = '{item['row_uid']}' AND unit = '{item['unit_id']}'"
    found = list(rows(Settings.from_env().lake / RESTRICTED / BRONZE, "content", place))
    return found[0]["content"] if found else None


def _store() -> Any:
    from veil.control import Store
    from veil.settings import Settings

    return Store(Settings.from_env().control)


def _waiting() -> list[dict[str, Any]]:
    from veil.control.quarantined import resolved
    from veil.lake import RESTRICTED
    from veil.quarantine import QUARANTINE
    from veil.rows import rows
    from veil.settings import Settings

    done = resolved(_store())
    waiting = (row for row in rows(Settings.from_env().lake / RESTRICTED / QUARANTINE) if row["item_id"] not in done)
    return sorted(waiting, key=lambda row: (row["stage"], row["item_id"]))


def _item(item_id: str) -> dict[str, Any]:
    found = [item for item in _waiting() if item["item_id"] == item_id]
    if not found:
        raise VeilError("No such item waits in quarantine", "See `veil quarantine list`")
    return found[0]
