"""Registering drops whose manifest has landed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from veil.control import Store, registry


def register_all(store: Store, manifests: Iterable[Path], marker: str) -> int:
    """Register the drop of each manifest in ``<source>/<drop>/``, then put the marker beside it; give their number.

    The marker comes last: a drop that is announced again after a crash is already known to the registry.
    """
    count = 0
    for manifest in manifests:
        registry.register_drop(store, manifest.parent, manifest.parent.parent.name)
        manifest.with_name(marker).touch()
        count += 1
    return count
