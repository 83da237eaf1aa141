"""What a worker does with one record of bronze: derive its published ids, run the transform, note the findings."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from veil import modalities
from veil.anonymize.staged import to_batch
from veil.anonymize.wholes import Wholes
from veil.contracts import Finding, Item, KnownIdentifier, Malformed, Outcome, SurrogateSeed, Unpublishable
from veil.identity import Scope
from veil.keys import FileKey
from veil.objects import ObjectStore
from veil.policy import Policy

_BATCH = 512
_TOGETHER = 8 << 20
"""Characters of one subject's items that are read together; what comes after them is read by itself."""

_ENTITIES = 100_000
Row = Mapping[str, Any]
Known = tuple[KnownIdentifier, ...]


@dataclass(frozen=True, slots=True)
class Anonymizer:
    """Makes the staged rows of one product and modality; it travels to the workers as plain data.

    Rows come by subject, as `inputs.rows` gives them: a row with `wrapped`, the subject's secret, tells what the rows
    behind it need; one without `row_uid` tells nothing else. A row that is `retired`, `deleted` or `withheld`, or whose
    subject has `denied`, only gets its published id, so that publishing can remove it. `taken` are words
    that name somebody in the vault and are no surrogate for anybody.
    """

    policy: str
    modality: str
    reference_year: int
    key_file: Path
    bronze_objects: str
    staged_objects: str
    withheld: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give a staged row for each current row of bronze, in batches of bounded length."""
        work = _Work(self)
        staged: list[dict[str, Any]] = []
        for batch in batches:
            for row in batch.to_pylist():
                staged.extend(work.take(row))
                if len(staged) >= _BATCH:
                    yield to_batch(staged)
                    staged = []
        staged.extend(work.finish())
        yield to_batch(staged)


class _Links(Mapping[str, str]):
    """The published ids of what a subject's records refer to, each derived when it is first asked for."""

    def __init__(self, links: Sequence[Row], resolve: Callable[[Row], str]) -> None:
        self._links = {link["ref"]: link for link in links}
        self._resolve = resolve
        self._ids: dict[str, str] = {}

    def __getitem__(self, reference: str) -> str:
        if reference not in self._ids:
            self._ids[reference] = self._resolve(self._links[reference])
        return self._ids[reference]

    def __contains__(self, reference: object) -> bool:
        return reference in self._links

    def get(self, reference: str, default: Any = None) -> Any:
        return self[reference] if reference in self._links else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose rows follow."""

    uid: str
    secret: bytes = field(repr=False)
    pseudonym: str
    offset_days: int
    known: Sequence[KnownIdentifier] = field(repr=False)
    links: _Links = field(repr=False)
    current: frozenset[str] | None
    denied: bool
    surrogates: SurrogateSeed | None = field(repr=False)
    uid_key: bytes = field(repr=False)


class _Work:
    """The state of one worker process: policy compiled, keys read, models loaded at the first need."""

    def __init__(self, job: Anonymizer) -> None:
        policy = Policy.from_canonical(job.policy)
        modality = modalities.get(job.modality)
        if modality.anonymizer is None:
            raise ValueError(f"{job.modality} has no anonymizer")
        self._transform = modality.anonymizer(policy, job.reference_year)
        self._mentions = modality.mentions
        self._wholes = Wholes() if modality.whole else None
        self._scope = Scope(policy.product, policy.epoch, policy.group_of(job.modality))
        self._shifts = policy.profile == "expert"
        self._binary = modality.binary
        self._withheld = job.withheld
        self._invents, self._taken = policy.surrogates, job.taken
        self._key = FileKey(job.key_file)
        self._fingerprint = self._key.fingerprint_key()
        self._bronze = ObjectStore(job.bronze_objects)
        self._staged = ObjectStore(job.staged_objects)
        self._subject: _Subject | None = None
        self._waiting: list[tuple[dict[str, Any], Row]] = []
        self._characters = 0
        self._entities: dict[str, bytes] = {}

    def take(self, row: Row) -> Iterator[dict[str, Any]]:
        """Take the next row; yield what is ready."""
        if row["wrapped"] is not None:
            yield from self.finish()
            self._subject = self._of(row)
        whose = self._subject
        if row["row_uid"] is None or whose is None or row["subject_uid"] != whose.uid:
            return
        gone = row["retired"] or row.get("deleted") or whose.denied or row["row_uid"] in self._withheld
        # what is superseded, deleted or not, is the matter of the unit that holds the current version
        if not row["retired"] and whose.current is not None and row["row_uid"] not in whose.current:
            return
        staged = self._ids(row, whose, bool(gone))
        if self._wholes is not None and not (row["retired"] or row.get("deleted")):
            part = staged if gone else self._clean(staged, row, whose, ())
            self._wholes.add(row.get("part_of"), part, is_held=bool(gone or part.get("rule")))
        elif gone:
            yield staged
        elif self._mentions is None:
            yield self._clean(staged, row, whose, ())
        else:
            self._waiting.append((staged, row))
            self._characters += len(row["content"] or "")
            if self._characters > _TOGETHER:
                yield from self.finish()

    def finish(self) -> Iterator[dict[str, Any]]:
        """Give the rows that waited for the others of their subject.

        Of notes, what one tells the others are searched for; of parts, how many of their whole are held.
        """
        if self._wholes is not None:
            yield from self._wholes.take()
        waiting, self._waiting, self._characters = self._waiting, [], 0
        whose, mentions = self._subject, self._mentions
        if not waiting or whose is None or mentions is None:
            return
        told: dict[KnownIdentifier, None] = {}
        for _, row in waiting if len(waiting) > 1 else ():
            # what fails here fails again below, where it is dealt with
            with suppress(Exception):
                told.update(dict.fromkeys(mentions(self._item(row, "", whose, ()))))
        for staged, row in waiting:
            yield self._clean(staged, row, whose, tuple(told))

    def _of(self, row: Row) -> _Subject:
        uid = row["subject_uid"]
        secret = self._key.unwrap(row["wrapped"], uid)
        current = row.get("current")
        return _Subject(
            uid=uid,
            secret=secret,
            pseudonym=self._scope.subject(secret, uid),
            offset_days=self._scope.offset_days(secret, uid) if self._shifts else 0,
            known=[KnownIdentifier(known["kind"], known["value"], known["role"]) for known in row["known"] or ()],
            links=_Links(row["links"] or (), self._target),
            current=None if current is None else frozenset(current),
            denied=bool(row.get("denied")),
            surrogates=SurrogateSeed(self._scope.surrogate_key(secret, uid), self._taken) if self._invents else None,
            uid_key=self._scope.uid_key(secret, uid) if self._binary else b"",
        )

    def _target(self, link: Row) -> str:
        """Derive the published id of a target; the secrets of staff and sites recur from subject to subject."""
        uid = link["subject_uid"]
        if uid not in self._entities:
            if len(self._entities) >= _ENTITIES:
                self._entities.clear()
            self._entities[uid] = self._key.unwrap(link["wrapped"], uid)
        return self._scope.row(self._entities[uid], link["row_uid"])

    def _ids(self, row: Row, whose: _Subject, retired: bool) -> dict[str, Any]:
        return {
            "row_uid": row["row_uid"],
            "subject_uid": whose.uid,
            "row_id": self._scope.row(whose.secret, row["row_uid"]),
            "subject": whose.pseudonym,
            "type": row["type"],
            "retired": retired,
            "findings": (),
            "dropped": "{}",
        }

    def _clean(self, staged: dict[str, Any], row: Row, whose: _Subject, told: Known) -> dict[str, Any]:
        try:
            item = self._item(row, staged["row_id"], whose, told)
            outcome = self._transform(item)
        except (Unpublishable, Malformed) as error:
            return {**staged, "rule": "unpublishable", "reason": str(error)}
        except Exception as error:  # noqa: BLE001 - one poisonous item must not stop the others, nor show its value
            return {**staged, "rule": "failed-anonymizer", "reason": f"the anonymizer failed: {type(error).__name__}"}
        staged.update(self._published(item, outcome, whose.secret, row))
        return staged

    def _item(self, row: Row, row_id: str, whose: _Subject, told: Known) -> Item:
        return Item(
            type=row["type"],
            row_id=row_id,
            subject=whose.pseudonym,
            content=row["content"],
            payload=self._bronze.get(row["object_id"]) if row["object_id"] else None,
            known=[*whose.known, *told] if told else whose.known,
            references=whose.links,
            columns=json.loads(row["columns"]) if row["columns"] else None,
            offset_days=whose.offset_days,
            surrogates=whose.surrogates,
            uid_key=whose.uid_key,
        )

    def _published(self, item: Item, outcome: Outcome, secret: bytes, row: Row) -> dict[str, Any]:
        published: dict[str, Any] = {
            "content": outcome.content,
            "record_id": item.references.get(row["parent"]) if row["parent"] != row["key"] else None,
            "findings": [self._finding(finding) for finding in outcome.findings],
            "dropped": _as_json(tuple(outcome.dropped.items())),
        }
        if self._binary:
            if outcome.payload is None:
                return {"rule": "failed-anonymizer", "reason": "the anonymizer gave no payload"}
            object_id = self._scope.object(secret, row["row_uid"])
            published |= {"object_id": object_id, "sha256": self._staged.put(object_id, outcome.payload)}
        else:
            published["sha256"] = hashlib.sha256((outcome.content or "").encode()).hexdigest()
        return published

    def _finding(self, finding: Finding) -> dict[str, Any]:
        span = finding.span
        value = hmac.digest(self._fingerprint, finding.value.encode("utf-8", "surrogatepass"), "sha256")
        return {
            "path": finding.path,
            "start": span.start,
            "end": span.end,
            "kind": span.kind,
            "detector": span.detector,
            "rule": span.rule,
            "score": span.score,
            "value_hmac": value[:16].hex(),
        }


@lru_cache(maxsize=4096)
def _as_json(dropped: tuple[tuple[str, int], ...]) -> str:
    """Write counts by path; records of one kind mostly have the same."""
    return json.dumps(dict(sorted(dropped)))
