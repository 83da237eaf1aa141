"""Landing again what ingest refused: the same piece, as a drop of its own."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veil.errors import VeilError
from veil.ingest.work import RAW_LIMIT
from veil.lake import RESTRICTED
from veil.modalities import recognisers
from veil.objects import ObjectStore
from veil.readers.attribution import Attribution, write_attribution
from veil.readers.landing import land
from veil.readers.manifest import MANIFEST, build_manifest, read_manifest
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
        target.mkdir()
        name = _name(item)
        if mended is not None:
            shutil.copyfile(mended, target / name)
        elif item["object_id"]:
            (target / name).write_bytes(ObjectStore(restricted / "objects").get(item["object_id"]))
        elif _is_whole_line(item):
            (target / name).write_text(item["content"] + "\n")
        else:
            raise VeilError(
                "Quarantine does not hold this piece whole", "Mend it, and give it with `--with FILE`, or send a drop"
            )
        _attribute(target, name, restricted / "landing" / str(item["source"]) / str(item["drop_id"]), item)
        manifest = build_manifest(target, item["source"], recognisers())
        return land(target, manifest, restricted / "landing", drop_id=secrets.token_hex(16))


def _name(item: Mapping[str, Any]) -> str:
    """Name the file of a piece: one line of many goes into a file of its own, under its resource type."""
    path = Path(str(item["path"] or "piece"))
    return f"{item['type'] or path.stem}.ndjson" if path.suffix == ".ndjson" else path.name


def _attribute(target: Path, name: str, origin: Path, item: Mapping[str, Any]) -> None:
    """Say of the file whom it is about, as the manifest that it came with did."""
    if not (origin / MANIFEST).exists():
        return
    about = next((entry for entry in read_manifest(origin / MANIFEST).files if entry.path == item["path"]), None)
    if about is not None and about.subject:
        write_attribution(target, name, Attribution(about.subject, about.encounter, about.date))


def _is_whole_line(item: Mapping[str, Any]) -> bool:
    content = str(item["content"] or "")
    return str(item["path"]).endswith(".ndjson") and content.startswith("{") and len(content) < RAW_LIMIT
