"""Spark entry point: anonymize what a run takes of one modality, for one product."""

from __future__ import annotations

from veil.anonymize.stage import anonymize
from veil.control import Store
from veil.entry import Arguments, main
from veil.settings import Settings


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Stage the candidates of the run's units."""
    anonymize(settings, store, arguments.run_key, arguments.policy(settings), arguments.modality)


if __name__ == "__main__":
    main(run)
