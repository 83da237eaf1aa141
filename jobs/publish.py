"""Spark entry point: publish what passed its gate, for one product and modality."""

from __future__ import annotations

from veil.control import Store
from veil.entry import Arguments, main
from veil.publish import publish
from veil.settings import Settings


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Publish the run's units in one commit each."""
    publish(settings, store, arguments.run_key, arguments.policy(settings), arguments.modality)


if __name__ == "__main__":
    main(run)
