"""Registering drops whose manifest has landed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from veil.control import Store, registry
from veil.errors import VeilError


def register_all(store: Store, manifests: Iterable[Path], marker: str) -> int:
    """Register the drop of each manifest in ``<source>/<drop>/``, then put the marker beside it; give their number.

    The marker comes last: a drop that is announced again after a crash is already known to the registry.

    Raises
    ------
    VeilError
        When a drop cannot be registered, or its folder not be written, once all the others are; without its name.
    """
    count = failed = 0
    for manifest in manifests:
        try:
            registry.register_drop(store, manifest.parent, manifest.parent.parent.name)
            os.close(os.open(manifest.with_name(marker), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        except (OSError, ValueError, SQLAlchemyError):  # a name that is no UTF-8 is a ValueError
            failed += 1
        else:
            count += 1
    if failed:
        raise VeilError(
            f"{failed} drops could not be registered or marked",
            "Give Veil's user the folders in restricted/landing, under names in UTF-8, then clear this task",
        )
    return count
