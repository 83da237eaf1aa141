"""Payload objects on a file system."""

from __future__ import annotations

from pathlib import Path

from veil.objects import ObjectStore


def test_what_no_row_names_is_removed_half_written_or_not(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    for object_id in ("ab12", "cd34"):
        store.put(object_id, b"picture")
    (tmp_path / "ab" / "ab12.0f0f0f0f.part").write_bytes(b"half a picture of somebody else")
    store.keep_only({"ab12"})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ab12"]
    assert store.get("ab12") == b"picture"
