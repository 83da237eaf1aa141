"""The chain of events: append-only, each naming the hash of the one before, and enough to add the tables up again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from veil.control import Store, hashing
from veil.control import schema as s
from veil.control.store import now

_APPEND = insert(s.event)
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
    last, previous = hashing.head(connection, s.event)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    values = {"seq": last + 1, "kind": kind, "key": key, "body": text, "at": now(), "previous": previous}
    connection.execute(_APPEND, {**values, "hash": hashing.digest(values, _CHAINED)})


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
    previous = hashing.GENESIS
    for expected, row in enumerate(found, start=1):
        if (row["seq"], row["previous"], row["hash"]) != (expected, previous, hashing.digest(row, _CHAINED)):
            return [f"event {expected}: the chain is broken here: an event was changed, removed or put in"]
        previous = row["hash"]
    return []


class _Sums:
    """What the events add up to, to be compared with the tables column by column."""

    def __init__(self) -> None:
        self._blocks: dict[str, dict[str, Any]] = {}
        self._releases: dict[str, dict[str, Any]] = {}
        self._approvals: dict[str, dict[str, Any]] = {}
        self._decisions: Counter[str] = Counter()

    def add(self, kind: str, key: str, body: dict[str, Any]) -> None:
        if kind == "opened":
            self._blocks[key] = {**body, "spent": 0, "spent_delta": 0}
        elif kind == "raised":
            self._blocks[key]["cap"] = body["new_cap"]
        elif kind == "reserved":
            self._reserved(key, body)
        elif kind == "drawn":
            self._releases[key].update(state="DRAWN", sha256=body["sha256"])
        elif kind == "published":
            self._releases[key]["state"] = "PUBLISHED"
        elif kind == "approved":
            self._approvals[body["ticket"]] = {"name": key, **body, "used_by": None}
        self._decisions[kind] += 1

    def _reserved(self, key: str, body: dict[str, Any]) -> None:
        ticket = body["ticket"]
        self._releases[key] = {**body, "state": "RESERVED", "sha256": None}
        if ticket is not None and ticket in self._approvals:
            self._approvals[ticket]["used_by"] = key
        for block in body["blocks"]:
            self._blocks[block]["spent"] += body["cost_rho"]
            self._blocks[block]["spent_delta"] += body["cost_delta"]

    def differences(self, connection: Connection) -> list[str]:
        """Name every row of the tables that is not what its events say."""
        blocks = {row["block_id"]: dict(row) for row in connection.execute(select(s.block)).mappings()}
        problems = [
            f"block {block}: its cap or what is spent is not what the events add up to"
            for block in _differing(blocks, self._blocks)
        ]
        kept = {row["key"]: _told(row) for row in connection.execute(select(s.release)).mappings()}
        problems += [
            f"release {key[:12]}: its cost, its state or its numbers are not those of its events"
            for key in _differing(kept, self._releases)
        ]
        approvals = {row["ticket"]: dict(row) for row in connection.execute(select(s.approval)).mappings()}
        problems += [
            f"approval {ticket}: it is not the one that was entered, or was used for another draw"
            for ticket in _differing(approvals, self._approvals)
        ]
        for table, kind in ((s.denial, "denied"), (s.authority, "raised")):
            if connection.scalar(select(func.count()).select_from(table)) != self._decisions[kind]:
                problems.append(f"{table.name}: its rows are not as many as were {kind}")
        return problems


def _differing(kept: Mapping[str, Mapping[str, Any]], told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Give the keys of which a column that events tell has another value in the table, or no row."""
    return [
        key
        for key in sorted(kept.keys() | told.keys())
        if key not in kept
        or key not in told
        or any(kept[key][name] != value for name, value in told[key].items() if name in kept[key])
    ]


def _told(row: RowMapping) -> dict[str, Any]:
    """Give a row of a release in the words of its events; a payload by its own digest."""
    told = dict(row)
    told["spec_hash"] = hashlib.sha256(row["spec"].encode()).hexdigest()
    told["blocks"], told["draws"] = json.loads(row["blocks"]), json.loads(row["draws"])
    payload = row["payload"]
    own = None if payload is None else hashlib.sha256(payload).hexdigest()
    if own != row["sha256"]:
        told["sha256"] = f"of other numbers: {own}"
    return told
