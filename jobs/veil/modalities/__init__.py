"""The modalities: each registers itself in one file of this folder, and nothing else names it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from veil.modalities.base import Modality

__all__ = ["Modality", "get", "recognisers", "registered"]


def registered() -> dict[str, Modality]:
    """Import every registration file and give the modalities by name.

    A registration file is a module of this folder that has a ``MODALITY``.
    """
    found = {}
    for module in pkgutil.iter_modules(__path__):
        modality = getattr(importlib.import_module(f"{__name__}.{module.name}"), "MODALITY", None)
        if isinstance(modality, Modality):
            found[modality.name] = modality
    return dict(sorted(found.items()))


def get(name: str) -> Modality:
    """Give one modality; a name that nobody registered is an error, never a default."""
    return registered()[name]


def recognisers() -> list[tuple[str, Callable[[str, bytes], str | None]]]:
    """List what tells, from a file's name and first bytes, which modality and format it is."""
    return [(name, modality.recognise) for name, modality in registered().items()]
