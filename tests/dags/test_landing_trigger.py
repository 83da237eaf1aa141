"""The trigger announces each drop that has landed, once, and says nothing of it."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from veil.control import Store
from veil.landing import register_all

POLL_SECONDS = 0.01


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def drop(landing: Path, name: str, source: str = "ehr") -> Path:
    folder = landing / source / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    return folder / "manifest.json"


def watching(landing: Path, script: Callable[[Callable[[], Awaitable[Any]]], Awaitable[None]]) -> None:
    """Run a script beside the trigger; its argument gives the next payload, or None if there is none in 20 scans."""
    from veil_landing import LandingManifestTrigger

    async def run() -> None:
        events = LandingManifestTrigger(str(landing), POLL_SECONDS).run()
        waiting: asyncio.Task[Any] | None = None

        async def following() -> Any:
            nonlocal waiting
            # a task of its own, since giving up on an asynchronous generator would end it
            waiting = waiting or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({waiting}, timeout=20 * POLL_SECONDS)
            if not done:
                return None
            payload, waiting = waiting.result().payload, None
            return payload

        await script(following)
        if waiting:
            waiting.cancel()

    asyncio.run(run())


def test_a_drop_is_announced_once_and_the_next_one_too(landing: Path) -> None:
    async def script(following: Callable[[], Awaitable[Any]]) -> None:
        assert await following() is None
        drop(landing, "d1")
        assert await following() == {"drops": 1}
        assert await following() is None
        drop(landing, "d2")
        drop(landing, "d3", source="lab")
        first = await following()
        # the two may fall on either side of a scan
        assert first == {"drops": 2} or (first, await following()) == ({"drops": 1}, {"drops": 1})
        assert await following() is None

    watching(landing, script)


def test_after_a_restart_only_drops_that_nobody_registered_are_announced(landing: Path, tmp_path: Path) -> None:
    from veil_landing import REGISTERED, unregistered

    drop(landing, "d1")
    assert register_all(Store(f"sqlite:///{tmp_path / 'control.db'}"), unregistered(landing), REGISTERED) == 1
    assert unregistered(landing) == []
    kept = drop(landing, "d2")
    assert unregistered(landing) == [kept]

    async def script(following: Callable[[], Awaitable[Any]]) -> None:
        assert await following() == {"drops": 1}

    watching(landing, script)


def test_hidden_partial_and_misplaced_folders_are_no_drops(landing: Path) -> None:
    from veil_landing import unregistered

    drop(landing, ".d1.part")
    drop(landing, "d1", source=".staging")
    (landing / "ehr" / "d2").mkdir(parents=True)
    (landing / "ehr" / "d3").mkdir()
    (landing / "ehr" / "d3" / "manifest.json.part").write_text("{}")
    (landing / "ehr" / "manifest.json").write_text("{}")
    drop(landing / "ehr", "d4", source="deeper")
    assert unregistered(landing) == []


def test_a_landing_zone_that_is_not_there_yet_is_empty(landing: Path) -> None:
    from veil_landing import unregistered

    assert unregistered(landing) == []


def test_an_event_tells_no_path_and_no_name(landing: Path) -> None:
    drop(landing, "Vasterby-Quillon")

    async def script(following: Callable[[], Awaitable[Any]]) -> None:
        payload = await following()
        assert set(payload) == {"drops"}
        assert type(payload["drops"]) is int

    watching(landing, script)


def test_the_triggerer_makes_the_same_trigger_again_from_its_classpath(landing: Path) -> None:
    from veil_landing import LandingManifestTrigger

    classpath, arguments = LandingManifestTrigger(str(landing), 7.0).serialize()
    module, name = classpath.rsplit(".", 1)
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert isinstance(again, LandingManifestTrigger)
    assert again.serialize() == (classpath, arguments)
    assert (again.landing, again.poke_interval) == (str(landing), 7.0)
