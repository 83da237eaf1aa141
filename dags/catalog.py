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


def releases() -> list[tuple[str, str]]:
    """Read the name and title of each of ``releases/*.toml``."""
    declared = (tomllib.loads(path.read_text()) for path in sorted((CONFIG / "releases").glob("*.toml")))
    return [(file["name"], file["title"]) for file in declared]
