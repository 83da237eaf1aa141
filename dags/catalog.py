"""What the configuration declares, read as data so that parsing a DAG imports nothing heavy."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path(os.environ.get("VEIL_CONFIG", Path(__file__).parent / "config"))


@dataclass(frozen=True, slots=True)
class Product:
    """A product and the modalities it publishes."""

    name: str
    title: str
    modalities: tuple[str, ...]


def products() -> list[Product]:
    """Read ``products/*.toml``; they are validated in full when a job loads them."""
    declared = (tomllib.loads(path.read_text()) for path in sorted((CONFIG / "products").glob("*.toml")))
    return [Product(file["name"], file["title"], tuple(file["modalities"])) for file in declared]


@dataclass(frozen=True, slots=True)
class Release:
    """A release: when it is made, and the title of its table."""

    name: str
    title: str
    window: str | None
    schedule: str | None
    after_ingest: bool


_END_OF = {"day": "0 0 * * *", "week": "0 0 * * 1", "month": "0 0 1 * *", "quarter": "0 0 1 */3 *", "year": "0 0 1 1 *"}
"""When a window has ended, in cron's words: a release by windows that has no schedule is made then."""


def releases() -> list[Release]:
    """Read ``releases/*.toml``, but for those that are wrong: `problems` says what, and no other DAG suffers."""
    return [_release(path) for path in _declarations() if _problem(path) is None]


def problems() -> list[str]:
    """Say what is wrong with declarations of releases, by file, key and line."""
    return [problem for path in _declarations() if (problem := _problem(path))]


def _declarations() -> list[Path]:
    return sorted((CONFIG / "releases").glob("*.toml"))


def _problem(path: Path) -> str | None:
    from veil.errors import VeilError
    from veil.privacy.load import load_release

    try:
        load_release(path)
    except VeilError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other DAGs go on
        return f"{path.name}: it cannot be read ({type(error).__name__}): `veil release check` on it shows why"
    return None


def _release(path: Path) -> Release:
    file = tomllib.loads(path.read_text())
    return Release(
        file["name"],
        file["title"],
        file.get("window"),
        file.get("schedule", _END_OF.get(file.get("window", ""))),
        file.get("after_ingest", False),
    )


def approvers() -> list[str]:
    """Read who may approve a large draw and raise a cap."""
    path = CONFIG / "budgets.toml"
    return list(tomllib.loads(path.read_text()).get("approvers", [])) if path.is_file() else []
