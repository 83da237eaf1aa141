"""Landing again what ingest refused: the same piece, as a drop of its own."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veil.errors import VeilError
from veil.ingest.work import RAW_LIMIT
from veil.lake import RESTRICTED
from veil.modalities import recognisers
from veil.objects import ObjectStore
from veil.readers.landing import land
from veil.readers.manifest import build_manifest
from veil.settings import Settings


def land_again(item: Mapping[str, Any]) -> Path:
    """Land a quarantined record again, and give the folder of its drop.

    Raises
    ------
    VeilError
        When quarantine holds no whole record: a file has to be sent again by its source.
    """
    settings = Settings.from_env()
    with tempfile.TemporaryDirectory(dir=settings.lake / RESTRICTED) as folder:
        target = Path(folder) / "drop"
        target.mkdir()
        if item["object_id"]:
            objects = ObjectStore(settings.lake / RESTRICTED / "objects")
            (target / Path(item["path"]).name).write_bytes(objects.get(item["object_id"]))
        elif _is_whole_line(item):
            (target / f"{item['type'] or 'Resource'}.ndjson").write_text(item["content"] + "\n")
        else:
            raise VeilError("Quarantine does not hold this piece whole", "Mend it at its source and send a drop")
        manifest = build_manifest(target, item["source"], recognisers())
        return land(target, manifest, settings.lake / RESTRICTED / "landing", drop_id=secrets.token_hex(16))


def _is_whole_line(item: Mapping[str, Any]) -> bool:
    content = str(item["content"] or "")
    return str(item["path"]).endswith(".ndjson") and content.startswith("{") and len(content) < RAW_LIMIT
