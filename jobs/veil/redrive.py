"""Landing again what ingest refused: the same piece, as a drop of its own."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from veil.control import Store, registry
from veil.errors import VeilError
from veil.ingest.drops import BY_LINE
from veil.ingest.work import RAW_LIMIT
from veil.lake import RESTRICTED
from veil.modalities import recognisers
from veil.objects import ObjectStore
from veil.policy.tables import ROLE_SUFFIX
from veil.readers.attribution import Attribution, write_attribution
from veil.readers.landing import land
from veil.readers.manifest import MANIFEST, build_manifest, read_manifest
from veil.readers.manifest_schema import FileEntry
from veil.settings import Settings


def land_again(item: Mapping[str, Any], mended: Path | None = None) -> Path:
    """Land a quarantined piece again, mended or as it was, and give the folder of its drop.

    Raises
    ------
    VeilError
        When quarantine holds no whole piece and no `mended` one is given.
    """
    settings = Settings.from_env()
    restricted = settings.lake / RESTRICTED
    with tempfile.TemporaryDirectory(dir=restricted) as folder:
        target = Path(folder) / "drop"
        origin = registry.drop_folders(Store(settings.control)).get(str(item.get("drop_id")))
        entry = _entry(origin, item)
        name = _name(item, entry)
        (target / name).parent.mkdir(parents=True)
        if mended is not None:
            shutil.copyfile(mended, target / name)
        elif item["object_id"]:
            (target / name).write_bytes(ObjectStore(restricted / "objects").get(item["object_id"]))
        elif _is_by_line(item, entry) and _is_whole(item):
            (target / name).write_text(item["content"] + "\n")
        else:
            raise VeilError(
                "Quarantine does not hold this piece whole", "Mend it, and give it with `--with FILE`, or send a drop"
            )
        if origin is not None:
            _bring_along(target, name, origin, entry)
        manifest = build_manifest(target, item["source"], recognisers())
        return land(target, manifest, restricted / "landing", drop_id=secrets.token_hex(16))


def _entry(origin: Path | None, item: Mapping[str, Any]) -> FileEntry | None:
    """Find what the manifest that an item came with says of its file."""
    if origin is None or not (origin / MANIFEST).exists():
        return None
    return next((entry for entry in read_manifest(origin / MANIFEST).files if entry.path == item["path"]), None)


def _name(item: Mapping[str, Any], entry: FileEntry | None) -> str:
    """Name the file of a piece, in the folder that it came in: one line of many becomes a file of its own."""
    path = PurePosixPath(str(item["path"] or "piece"))
    if not _is_by_line(item, entry):
        return str(path)
    return str(path.with_name(f"{item['type'] or path.stem}.ndjson"))


def _bring_along(target: Path, name: str, origin: Path, entry: FileEntry | None) -> None:
    """Say whom a file is about, and what the columns of a table mean, as the drop that it came in did."""
    if entry is not None and entry.subject:
        write_attribution(target, name, Attribution(entry.subject, entry.encounter, entry.date))
    roles = f"{name.removesuffix('.csv')}{ROLE_SUFFIX}"
    if name.endswith(".csv") and (origin / roles).exists():
        shutil.copyfile(origin / roles, target / roles)


def _is_by_line(item: Mapping[str, Any], entry: FileEntry | None) -> bool:
    if entry is not None:
        return entry.format in BY_LINE
    return str(item["path"]).endswith((".ndjson", ".jsonl"))


def _is_whole(item: Mapping[str, Any]) -> bool:
    content = str(item["content"] or "")
    return content.startswith("{") and len(content) < RAW_LIMIT
