"""The trigger that sees new drops: one scan of the landing zone for manifests that nobody has registered yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

REGISTERED = ".registered"
"""Marker beside a manifest: the drop is in the registry, so that no restart of the triggerer announces it again."""


class LandingManifestTrigger(BaseEventTrigger):  # type: ignore[misc]
    """Fire once for each new manifest in ``<landing>/<source>/<drop>/manifest.json``.

    The event carries nothing but a count: which drops they are is for the registry to say. A manifest is announced
    until its drop is registered, at least once; registering twice changes nothing.

    Parameters
    ----------
    landing
        The landing zone.
    poke_interval
        Seconds between two scans.
    """

    def __init__(self, landing: str, poke_interval: float = 2.0) -> None:
        super().__init__()
        self.landing = landing
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Say how the triggerer makes this trigger again."""
        return (
            "veil_landing.LandingManifestTrigger",
            {"landing": self.landing, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Scan until the process ends."""
        announced: set[Path] = set()
        while True:
            waiting = set(await asyncio.to_thread(unregistered, Path(self.landing)))
            fresh = waiting - announced
            announced = waiting
            if fresh:
                yield TriggerEvent({"drops": len(fresh)})
            await asyncio.sleep(self.poke_interval)


def unregistered(landing: Path) -> list[Path]:
    """List the manifests of complete drops without the marker; a folder that begins with a dot is still being made."""
    return sorted(
        manifest
        for manifest in landing.glob("[!.]*/[!.]*/manifest.json")
        if not manifest.with_name(REGISTERED).exists()
    )
