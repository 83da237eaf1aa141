"""Clean a folder of files into another folder."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from veil import modalities
from veil.contracts import KnownIdentifier, Malformed, Outcome, Unpublishable
from veil.errors import VeilError
from veil.identity import Scope
from veil.policy import Policy, load_policy

from .known import Known
from .people import People
from .sources import Entry, Skipped, Source, entries, sources
from .summary import Summary

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MAP = ("file", "position", "output", "path", "start", "end", "kind", "value")


def anonymize_folder(
    source: Path,
    target: Path,
    modality: str,
    profile: str,
    known: Known,
    mapping: Path | None = None,
    *,
    surrogates: bool = False,
    heads: str = "hold",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Clean every file of a modality in `source` and write the results under random names into `target`.

    Notes become ``<subject>/<id>.txt``, DICOM objects ``<subject>/<id>.dcm``, records lines of ``<type>.ndjson``.
    Pseudonyms, ids and date offsets are drawn for this call alone. `mapping` is a CSV that leads back from each output
    to its source, with the values that were found: it is as restricted as the source. With `surrogates` names become
    invented ones, not tags; with `heads` as "publish" slices of which a face can be rendered are not held. `progress`
    is told the number of files read, and of all.

    Raises
    ------
    VeilError
        A folder or file is where it must not be. What is wrong with single files is in the summary.
    """
    _check(source, target, mapping)
    policy = policy_of(profile, heads=heads)
    transform = modalities.get(modality).anonymizer
    if transform is None:
        raise VeilError(f"{modality} has no anonymizer", "It is held wherever it comes")
    found = list(sources(source))
    files = [each for each in found if isinstance(each, Source)]
    _check_places(known, files)
    summary = Summary(skipped=[each for each in found if isinstance(each, Skipped)])
    scope = Scope(policy.product, policy.epoch, policy.group_of(modality))
    readable = (entry for file in files for entry in entries(file, modality) if isinstance(entry, Entry))
    people = People.of(readable, scope, known, shifts=profile == "expert", invents=surrogates)
    with ExitStack() as opened:
        writer = _Writer(target, opened, mapping)
        clean = transform(policy, datetime.now(UTC).year)
        done = 0
        for _, group in groupby(files, key=lambda file: file.place):
            together = list(group)
            told = _told(together, modality, people)
            for file in together:
                for entry in entries(file, modality):
                    _clean(entry, people, told, clean, writer, summary)
                done += 1
                progress(done, len(files))
    return summary


def _check_places(known: Known, files: Sequence[Source]) -> None:
    """Refuse a place that is not there: what is known would protect nobody, and nobody would notice."""
    places = {file.place for file in files}
    wrong = sorted(known.by_place.keys() - places - {""})
    if wrong:
        raise VeilError(
            f"The known identifiers name {len(wrong)} places that are not in the folder, the first of them {wrong[0]}",
            "A place is the name of a file or folder directly in it; empty for all",
        )


def policy_of(profile: str, *, heads: str = "hold") -> Policy:
    """Give the policy by which files are cleaned under a profile; `heads` is as in a product file."""
    policy = load_policy(Path(__file__).with_name(f"{profile}.toml"))
    return Policy.from_canonical(policy.canonical.replace('"heads":"hold"', f'"heads":"{heads}"'))


def _told(files: Sequence[Source], modality: str, people: People) -> tuple[KnownIdentifier, ...]:
    """Give what each of a subject's files tells, for the others to be searched for it."""
    mentions = modalities.get(modality).mentions
    if mentions is None or len(files) == 1:
        return ()
    told: dict[KnownIdentifier, None] = {}
    for file in files:
        for entry in entries(file, modality):
            # what cannot be read is reported when it is cleaned
            with suppress(Exception):
                told.update(dict.fromkeys(mentions(people.item(entry)) if isinstance(entry, Entry) else ()))
    return tuple(told)


def _clean(
    entry: Entry | Skipped,
    people: People,
    told: tuple[KnownIdentifier, ...],
    clean: Callable[[Any], Outcome],
    writer: _Writer,
    summary: Summary,
) -> None:
    if isinstance(entry, Skipped):
        summary.skipped.append(entry)
        return
    if (
        entry.type == "Consent" and entry.columns is None
    ):  # it decides what is done with the others, and is nothing to pass on
        return
    try:
        if people.is_denied(entry):
            raise Unpublishable("the subject's consent statement denies use")
        item = people.item(entry)
        outcome = clean(replace(item, known=[*item.known, *told]))
        output = writer.write(entry, item.subject, item.row_id, outcome)
    except (Unpublishable, Malformed) as error:
        summary.hold(entry, str(error))
    except Exception as error:  # noqa: BLE001 - one poisonous entry must not stop the others, nor show its value
        summary.hold(entry, f"the anonymizer failed: {type(error).__name__}")
    else:
        summary.add(entry, item, outcome)
        writer.map(entry, output, outcome)


class _Writer:
    """Writes what was cleaned, under names that tell nothing, and the mapping that leads back."""

    def __init__(self, target: Path, opened: ExitStack, mapping: Path | None) -> None:
        self._target = target
        self._opened = opened
        self._tables: dict[str, Any] = {}
        self._map: Any = None
        target.mkdir(parents=True, exist_ok=True)
        if mapping is not None:
            mapping.touch(mode=0o600, exist_ok=False)
            self._map = csv.writer(
                # the name of a file need not be text
                opened.enter_context(mapping.open("w", encoding="utf-8", newline="", errors="backslashreplace"))
            )
            self._map.writerow(_MAP)

    def write(self, entry: Entry, subject: str, row_id: str, outcome: Outcome) -> str:
        """Write an outcome; give the name of its file."""
        content = outcome.content or ""
        if entry.columns is None and entry.type in {"text", "dicom"}:
            name = f"{subject}/{row_id}.{'txt' if entry.type == 'text' else 'dcm'}"
            (self._target / subject).mkdir(exist_ok=True)
            payload = outcome.payload if entry.type == "dicom" else content.encode()
            (self._target / name).write_bytes(payload or b"")
            return name
        if not _TYPE.fullmatch(entry.type):
            raise Unpublishable("the name of its type is no plain word")
        name = f"{entry.type}.ndjson"
        if name not in self._tables:
            self._tables[name] = self._opened.enter_context((self._target / name).open("w", encoding="utf-8"))
        self._tables[name].write(f"{content}\n")
        return name

    def map(self, entry: Entry, output: str, outcome: Outcome) -> None:
        """Note where an output came from, and each value that was found in it."""
        if self._map is not None:
            origin = (entry.source.name, entry.position, output)
            self._map.writerow((*origin, "", "", "", "", ""))
            for finding in outcome.findings:
                span = finding.span
                self._map.writerow((*origin, finding.path, span.start, span.end, span.kind, finding.value))


def _check(source: Path, target: Path, mapping: Path | None) -> None:
    if not source.is_dir():
        raise VeilError(f"{source} is no folder", "Give the folder that holds the files")
    inside, outside = source.resolve(), target.resolve()
    if outside.is_relative_to(inside) or inside.is_relative_to(outside):
        raise VeilError("One of the two folders lies in the other", "Write to a folder of its own")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise VeilError(f"{target} is not empty", "Write to a new folder: what was there could be taken for clean")
    if mapping is not None:
        if mapping.resolve().is_relative_to(outside):
            raise VeilError("The mapping would lie among what it maps", "Keep it where the sources are kept")
        if mapping.exists():
            raise VeilError(f"{mapping} exists", "A mapping is never written over: name another file")
