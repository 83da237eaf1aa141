"""The folder that a demo drop is written to, and the record of what was planted in it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import orjson

from veil.demo.resources import Plant, Resource
from veil.demo.truth import Planted
from veil.errors import VeilError


class Drop:
    """Writes the files of one drop, each opened once and appended to, so that its size needs no memory.

    Attributes
    ----------
    planted
        The identifiers written so far.
    counts
        FHIR resources by type and CSV rows by ``csv/<table>`` written so far.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and any(root.iterdir()):
            raise VeilError("The folder for the demo drop is not empty", "Name a new folder.")
        self._root = root
        self._open = ExitStack()
        self._streams: dict[str, IO[bytes]] = {}
        self.planted: list[Planted] = []
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def append(self, path: str, data: bytes) -> None:
        """Append `data` to the file `path`, which is made with its folders when it is new."""
        if path not in self._streams:
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._streams[path] = self._open.enter_context(target.open("xb"))
        self._streams[path].write(data)

    def file(self, path: str, data: bytes) -> None:
        """Write the whole file `path`."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def resource(self, resource: Resource) -> str:
        """Append a FHIR resource to the file of its type, count it, and return that file's path."""
        kind = resource["resourceType"]
        self.counts[kind] += 1
        path = f"fhir/{kind}.ndjson"
        self.append(path, orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        return path

    def row(self, path: str, row: Mapping[str, object]) -> None:
        """Append a row to the CSV file `path`; the first one writes the header."""
        line = io.StringIO(newline="")
        writer = csv.DictWriter(line, fieldnames=row.keys(), lineterminator="\n")
        if path not in self._streams:
            writer.writeheader()
        writer.writerow(row)
        self.append(path, line.getvalue().encode())
        if path.startswith("csv/"):
            self.counts[path.removesuffix(".csv")] += 1

    def tie(self, path: str, patient: str, encounter: str, day: date) -> None:
        """Name the file `path` in ``files.csv`` as one about `patient`, made in `encounter` on `day`."""
        self.row("files.csv", {"path": path, "patient": patient, "encounter": encounter, "date": day.isoformat()})

    def plant(self, path: str, plants: Iterable[Plant]) -> None:
        """Note that the file `path` holds `plants`."""
        self.planted.extend(Planted(kind, value, path, where) for kind, value, where in plants)
