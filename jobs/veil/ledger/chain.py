"""The chain of events: append-only, each naming the hash of the one before, and enough to add the tables up again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from veil.control import Store
from veil.control import schema as s
from veil.control.store import now

_GENESIS = "0" * 64
_CHAINED = ("seq", "kind", "key", "body", "at", "previous")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: ``opened``, ``reserved``, ``drawn``, ``published``, ``denied``, ``approved`` or ``raised``."""

    seq: int
    kind: str
    key: str
    at: str
    body: Mapping[str, Any]
    hash: str


def append(connection: Connection, kind: str, key: str, **body: Any) -> None:
    """Append an event, in the transaction of what it tells of."""
    head = connection.execute(select(s.event.c.seq, s.event.c.hash).order_by(s.event.c.seq.desc()).limit(1)).first()
    seq, previous = (1, _GENESIS) if head is None else (head.seq + 1, head.hash)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    values = {"seq": seq, "kind": kind, "key": key, "body": text, "at": now(), "previous": previous}
    connection.execute(insert(s.event).values(**values, hash=_digest(values)))


def events(store: Store, after: int = 0) -> list[Event]:
    """List the events after a number, oldest first."""
    with store.transaction() as connection:
        found = connection.execute(select(s.event).where(s.event.c.seq > after).order_by(s.event.c.seq)).mappings()
        return [
            Event(row["seq"], row["kind"], row["key"], row["at"], json.loads(row["body"]), row["hash"]) for row in found
        ]


def verify(store: Store) -> list[str]:
    """Recompute the chain and add it up again; give what does not fit, in words, nothing where all of it fits."""
    with store.transaction() as connection:
        found = list(connection.execute(select(s.event).order_by(s.event.c.seq)).mappings())
        if broken := _broken(found):
            return broken  # what such a chain adds up to says nothing
        sums = _Sums()
        for row in found:
            sums.add(row["kind"], row["key"], json.loads(row["body"]))
        return sums.differences(connection)


def _broken(found: list[RowMapping]) -> list[str]:
    previous = _GENESIS
    for expected, row in enumerate(found, start=1):
        if (row["seq"], row["previous"], row["hash"]) != (expected, previous, _digest(row)):
            return [f"event {expected}: the chain is broken here: an event was changed, removed or put in"]
        previous = row["hash"]
    return []


class _Sums:
    """What the events add up to."""

    def __init__(self) -> None:
        self._caps: dict[str, tuple[int, int]] = {}
        self._spent: Counter[str] = Counter()
        self._spent_delta: Counter[str] = Counter()
        self._states: dict[str, str] = {}
        self._digests: dict[str, str] = {}

    def add(self, kind: str, key: str, body: dict[str, Any]) -> None:
        if kind == "opened":
            self._caps[key] = (body["cap"], body["cap_delta"])
        elif kind == "raised":
            self._caps[key] = (body["new_cap"], self._caps.get(key, (0, 0))[1])
        elif kind == "reserved":
            self._states[key] = "RESERVED"
            for block in body["blocks"]:
                self._spent[block] += body["cost_rho"]
                self._spent_delta[block] += body["cost_delta"]
        elif kind == "drawn":
            self._states[key], self._digests[key] = "DRAWN", body["sha256"]
        elif kind == "published":
            self._states[key] = "PUBLISHED"

    def differences(self, connection: Connection) -> list[str]:
        problems = []
        stored = {row["block_id"]: row for row in connection.execute(select(s.block)).mappings()}
        for block in sorted(stored.keys() | self._caps.keys()):
            row = stored.get(block)
            told = (*self._caps.get(block, (0, 0)), self._spent[block], self._spent_delta[block])
            if row is None or (row["cap"], row["cap_delta"], row["spent"], row["spent_delta"]) != told:
                problems.append(f"block {block}: its cap or what is spent is not what the events add up to")
        kept = {row["key"]: row for row in connection.execute(select(s.release)).mappings()}
        for key in sorted(kept.keys() | self._states.keys()):
            release = kept.get(key)
            if release is None or release["state"] != self._states.get(key):
                problems.append(f"release {key[:12]}: its state is not that of its last event")
            elif release["payload"] is not None and not (
                hashlib.sha256(release["payload"]).hexdigest() == release["sha256"] == self._digests.get(key)
            ):
                problems.append(f"release {key[:12]}: its numbers are not those that were drawn")
        return problems


def _digest(row: Mapping[str, Any] | RowMapping) -> str:
    return hashlib.sha256(json.dumps([row[name] for name in _CHAINED], separators=(",", ":")).encode()).hexdigest()
