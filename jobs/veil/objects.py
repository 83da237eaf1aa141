"""Payload objects: bytes by id on any file system that Arrow knows (local, S3, HDFS)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from pyarrow import fs

from veil.errors import VeilError

_FAN_OUT = 2


class ObjectStore:
    """Objects under one folder, used alike by the driver and by the workers; ids are hexadecimal.

    An object is written once, whole: to a temporary name beside it, then moved.
    """

    def __init__(self, root: str | Path) -> None:
        self._fs: fs.FileSystem
        self._root: str
        uri = str(root)
        self._fs, self._root = fs.FileSystem.from_uri(uri) if "://" in uri else (fs.LocalFileSystem(), uri)

    def put(self, object_id: str, payload: bytes) -> str:
        """Store an object and return its SHA-256; storing the same id again replaces it."""
        path = self._path(object_id)
        self._fs.create_dir(path.rsplit("/", 1)[0], recursive=True)
        part = f"{path}.{hashlib.sha256(payload).hexdigest()[:8]}.part"
        with self._fs.open_output_stream(part) as stream:
            stream.write(payload)
        self._fs.move(part, path)
        return hashlib.sha256(payload).hexdigest()

    def get(self, object_id: str) -> bytes:
        """Read an object.

        Raises
        ------
        VeilError
            When there is none under this id.
        """
        try:
            with self._fs.open_input_stream(self._path(object_id)) as stream:
                return bytes(stream.read())
        except FileNotFoundError as error:
            raise VeilError(f"Object {object_id} is not there", "Process its unit again") from error

    def keep_only(self, object_ids: Collection[str]) -> None:
        """Remove every other file, half-written ones of killed attempts among them; nobody may be writing."""
        folder = fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        for found in self._fs.get_file_info(folder):
            if found.type == fs.FileType.File and found.base_name not in object_ids:
                self._fs.delete_file(found.path)

    def _path(self, object_id: str) -> str:
        if not object_id.isalnum():
            raise VeilError("An object id may hold letters and digits alone", "This is a defect: report it")
        return f"{self._root}/{object_id[:_FAN_OUT]}/{object_id}"
