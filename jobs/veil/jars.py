"""The jars of Delta and Comet: fetched once into a cache of Veil's own, verified, never resolved at run time."""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

from veil.errors import VeilError

_PINS = Path(__file__).with_name("jars.toml")


def jar_dir() -> Path:
    """Where the jars are kept: ``VEIL_JARS``, else ``jars`` in ``VEIL_HOME``, else ``.veil/jars``."""
    return Path(os.environ.get("VEIL_JARS") or Path(os.environ.get("VEIL_HOME", ".veil")) / "jars").resolve()


def jars() -> list[Path]:
    """List the pinned jars in the cache.

    Raises
    ------
    VeilError
        When one is missing or is not the pinned file.
    """
    found = []
    for path, digest in _pins()[1].items():
        jar = jar_dir() / path.rsplit("/", 1)[1]
        if not _is(jar, digest):
            raise VeilError(f"{jar.name} is missing from {jar.parent} or damaged", "Run `make setup`, which fetches it")
        found.append(jar)
    return found


def fetch() -> list[Path]:
    """Download what is missing, verify every file against its pinned SHA-256, and return the paths.

    Raises
    ------
    VeilError
        When Maven Central cannot be reached, or serves another file than the pinned one.
    """
    repository, pins = _pins()
    jar_dir().mkdir(parents=True, exist_ok=True)
    for path, digest in pins.items():
        jar = jar_dir() / path.rsplit("/", 1)[1]
        if not _is(jar, digest):
            _download(f"{repository}/{path}", jar, digest)
    return jars()


def _pins() -> tuple[str, dict[str, str]]:
    data = tomllib.loads(_PINS.read_text())
    return data["repository"], data["sha256"]


def _is(jar: Path, digest: str) -> bool:
    return jar.is_file() and hashlib.sha256(jar.read_bytes()).hexdigest() == digest


def _download(url: str, jar: Path, digest: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            data = response.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise VeilError(f"{jar.name} could not be fetched from {url}", f"Check the network ({error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise VeilError(f"{url} is not the pinned file", "Do not use it: compare jars.toml with the publisher's list")
    with tempfile.NamedTemporaryFile(dir=jar.parent, delete=False) as part:
        part.write(data)
    Path(part.name).replace(jar)
