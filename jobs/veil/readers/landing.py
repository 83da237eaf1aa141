"""Bring a drop into the landing zone so that it is there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from veil.errors import VeilError
from veil.readers.manifest import MANIFEST, Manifest, inside

_DROP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def land(folder: Path, manifest: Manifest, landing_root: Path, *, drop_id: str) -> Path:
    """Copy a drop to ``<landing_root>/<source>/<drop_id>/``, its manifest last.

    The manifest is what starts a run, so a drop without one is not there yet. Whatever is killed when, calling again
    with the same `drop_id` completes the drop; once it is complete, the call changes nothing.

    Parameters
    ----------
    folder
        The delivered folder; it is not changed.
    manifest
        Its manifest, read or built. Files that are missing from the folder are left for ingest to report.
    landing_root
        The landing zone.
    drop_id
        The random name of this drop.

    Returns
    -------
    Path
        The landed folder.

    Raises
    ------
    VeilError
        The `drop_id` is no name, a file has become a link out of the drop, or the copy failed.
    """
    if not _DROP_ID.fullmatch(drop_id):
        raise VeilError("The drop's id is not valid", "Use up to 64 letters, digits, - and _.")
    parent = landing_root / manifest.source
    final, partial = parent / drop_id, parent / f".{drop_id}.partial"
    if (final / MANIFEST).exists():
        return final
    try:
        if not final.exists():
            _fill(folder, manifest, partial)
            os.rename(partial, final)
            _sync_folder(parent)
        _write_manifest(manifest, final)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise VeilError(
            f"The drop could not be copied: {error.strerror}", "Mend that and land the drop again."
        ) from None
    return final


def _fill(folder: Path, manifest: Manifest, partial: Path) -> None:
    # What an earlier attempt left is of unknown completeness.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    doubtful = {problem.position for problem in manifest.problems}
    for index, entry in enumerate(manifest.files):
        if index in doubtful and not (folder / entry.path).is_file():
            continue
        if not inside(folder, entry.path):
            shutil.rmtree(partial, ignore_errors=True)
            raise VeilError(f"File {index} of the drop has become a link out of it", "Deliver the file itself.")
        target = partial / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with (folder / entry.path).open("rb") as source, target.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
    for path, _, _ in os.walk(partial):
        _sync_folder(Path(path))


def _write_manifest(manifest: Manifest, final: Path) -> None:
    temporary = final / f".{MANIFEST}.partial"
    with temporary.open("wb") as stream:
        stream.write(manifest.to_json())
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, final / MANIFEST)
    _sync_folder(final)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
