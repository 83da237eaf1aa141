"""Spark entry point: freeze what a run takes, and ingest it."""

from __future__ import annotations

from veil.control import Store, registry
from veil.entry import Arguments, main
from veil.errors import Nothing
from veil.ingest.stage import ingest
from veil.modalities import registered
from veil.settings import Settings


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Plan the run once, whatever is retried, and ingest every intake that is not in bronze yet."""
    units = registry.plan_run(store, arguments.run_key, list(registered()), arguments.date or None)
    if not units:
        raise Nothing("No drop is waiting" if not arguments.date else f"No drop came on {arguments.date}")
    ingest(settings, store, arguments.run_key)


if __name__ == "__main__":
    main(run)
