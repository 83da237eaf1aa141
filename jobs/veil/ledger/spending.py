"""Paying for draws, and keeping what was drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from veil.control import Store
from veil.control import schema as s
from veil.control.store import now
from veil.errors import Refused
from veil.ledger import chain

# made once: a release takes fifteen statements, and putting one together takes as long as running it
_KEY: BindParameter[str] = bindparam("the_key")
_BLOCK: BindParameter[str] = bindparam("the_block")
_PAYLOAD = select(s.release.c.payload).where(s.release.c.key == _KEY)
_PAID = select(s.release.c.payload, s.release.c.cost_rho, s.release.c.cost_delta).where(s.release.c.key == _KEY)
_AGAIN = update(s.release).where(s.release.c.key == _KEY).values(attempt=s.release.c.attempt + 1)
_FIND_BLOCK = select(s.block).where(s.block.c.block_id == _BLOCK)
_SPEND = (
    update(s.block)
    .where(s.block.c.block_id == _BLOCK)
    .values(spent=s.block.c.spent + bindparam("rho"), spent_delta=s.block.c.spent_delta + bindparam("delta"))
)
_RESERVE = insert(s.release)
_KEEP = (
    update(s.release)
    .where((s.release.c.key == _KEY) & (s.release.c.state == "RESERVED"))
    .values(state="DRAWN", payload=bindparam("numbers"), sha256=bindparam("digest"))
)
_PUBLISH = update(s.release).where((s.release.c.key == _KEY) & (s.release.c.state == "DRAWN")).values(state="PUBLISHED")


@dataclass(frozen=True, slots=True)
class Charge:
    """What a release costs, and the blocks that pay it.

    `cost` is in nano-rho, `cost_delta` in 1e-15. `caps` are the (rho, delta) caps of each block when it is first
    opened. `draws` are (scale, l0, l_infinity) of its mechanisms. With `approval`, a declaration's hash and a ticket,
    a named person must have agreed to it under that ticket.
    """

    key: str
    name: str
    spec: str
    privacy_unit: str
    cost: int
    caps: Mapping[str, tuple[int, int]]
    inputs: str = ""
    redraw: int = 0
    cost_delta: int = 0
    draws: list[tuple[float, int, int]] = field(default_factory=list)
    approval: tuple[str, str] | None = None


def release_key(spec: str, inputs: str, redraw: int = 0) -> str:
    """Give the key of a release: what a retry, a backfill, new code or a reorganised table changes is not in it."""
    return hashlib.sha256("\x1f".join((spec, inputs, str(redraw))).encode()).hexdigest()


def drawn(store: Store, key: str) -> bytes | None:
    """Give the numbers of a key, if they have been drawn: from then on nothing changes them."""
    with store.reading() as connection:
        found = connection.scalar(_PAYLOAD, {"the_key": key})
    return None if found is None else bytes(found)


def reserve(store: Store, charge: Charge) -> bytes | None:
    """Pay for a release, once for its key; give the numbers if they have been drawn already.

    Raises
    ------
    Refused
        When a block cannot pay, or a large draw has no approval. Nothing is charged to any block, and the refusal is
        recorded. A release that costs nothing, or that no block pays for, is refused too: it would have no guarantee.
    """
    if charge.cost <= 0 or charge.cost_delta < 0 or not charge.caps:
        raise Refused(f"{charge.name} would be released for free", "Give it a cost above 0 and a budget to pay")
    with store.transaction() as connection:
        row = connection.execute(_PAID, {"the_key": charge.key}).first()
        if row is not None and row.payload is not None:
            return bytes(row.payload)
        if row is not None:
            _again(connection, charge, row.cost_rho, row.cost_delta)
            return None
        short = _first_that_cannot_pay(connection, charge)
        if short is None and _is_approved(connection, charge):
            _pay(connection, charge)
            return None
        _deny(connection, charge, short or "approval")
    if short is not None:
        raise Refused(
            f"The privacy budget {short} cannot pay for {charge.name}",
            "See `veil budget show`; a cap is raised by two people, never by running again",
        )
    raise Refused(
        f"{charge.name} is a large draw that nobody has approved",
        f"Start the DAG release_{charge.name}: its task approve waits for one of the approvers of budgets.toml",
    )


def _again(connection: Connection, charge: Charge, cost: int, cost_delta: int) -> None:
    """Go on where an attempt died before it drew: nobody saw its noise, so this one draws for what that one paid."""
    if charge.cost > cost or charge.cost_delta > cost_delta:
        raise Refused(
            f"{charge.name} has been paid for with less than it costs now",
            "The code that works out its cost has changed since: raise `redraw`, which pays anew",
        )
    connection.execute(_AGAIN, {"the_key": charge.key})


def _first_that_cannot_pay(connection: Connection, charge: Charge) -> str | None:
    """Open the blocks that are new, and give the first, by name, that cannot pay."""
    short = None
    for block_id in sorted(charge.caps):
        block = connection.execute(_FIND_BLOCK, {"the_block": block_id}).first()
        cap, cap_delta = charge.caps[block_id]
        spent = spent_delta = 0
        if block is None:
            values = {"unit": charge.privacy_unit, "cap": cap, "cap_delta": cap_delta}
            connection.execute(insert(s.block).values(block_id=block_id, spent=0, spent_delta=0, **values))
            chain.append(connection, "opened", block_id, **values)
        else:
            cap, cap_delta, spent, spent_delta = block.cap, block.cap_delta, block.spent, block.spent_delta
            if block.unit != charge.privacy_unit:
                raise Refused(
                    f"The budget {block_id} is kept for another privacy unit than {charge.name} has",
                    "Give the release a period of its own",
                )
        if spent + charge.cost > cap or spent_delta + charge.cost_delta > cap_delta:
            short = short or block_id
    return short


def _is_approved(connection: Connection, charge: Charge) -> bool:
    if charge.approval is None:
        return True
    table, (spec_hash, ticket) = s.approval.c, charge.approval
    wanted = (table.name == charge.name) & (table.spec_hash == spec_hash) & (table.ticket == ticket)
    found = connection.scalar(select(table.seq).where(wanted & table.used_by.is_(None)))
    if found is not None:
        connection.execute(update(s.approval).where(table.seq == found).values(used_by=charge.key))
    return found is not None


def _pay(connection: Connection, charge: Charge) -> None:
    listed = sorted(charge.caps)
    for block_id in listed:
        connection.execute(_SPEND, {"the_block": block_id, "rho": charge.cost, "delta": charge.cost_delta})
    connection.execute(
        _RESERVE,
        {
            "key": charge.key,
            "name": charge.name,
            "state": "RESERVED",
            "attempt": 1,
            "spec": charge.spec,
            "inputs": charge.inputs,
            "redraw": charge.redraw,
            "blocks": json.dumps(listed),
            "cost_rho": charge.cost,
            "cost_delta": charge.cost_delta,
            "draws": json.dumps(charge.draws),
            "at": now(),
        },
    )
    chain.append(
        connection,
        "reserved",
        charge.key,
        name=charge.name,
        spec_hash=hashlib.sha256(charge.spec.encode()).hexdigest(),
        inputs=charge.inputs,
        redraw=charge.redraw,
        blocks=listed,
        cost_rho=charge.cost,
        cost_delta=charge.cost_delta,
        draws=[list(draw) for draw in charge.draws],
        ticket=None if charge.approval is None else charge.approval[1],
    )


def _deny(connection: Connection, charge: Charge, block_id: str) -> None:
    costs = {"cost_rho": charge.cost, "cost_delta": charge.cost_delta}
    connection.execute(insert(s.denial).values(key=charge.key, name=charge.name, block_id=block_id, at=now(), **costs))
    chain.append(connection, "denied", charge.key, name=charge.name, block=block_id, **costs)


def keep_drawn(store: Store, key: str, payload: bytes) -> bytes:
    """Store the numbers of a paid release and give those that count: the first that were stored.

    Raises
    ------
    Refused
        No ledger entry has paid for them.
    """
    digest = hashlib.sha256(payload).hexdigest()
    with store.transaction() as connection:
        stored = connection.execute(_KEEP, {"the_key": key, "numbers": payload, "digest": digest})
        if stored.rowcount:
            chain.append(connection, "drawn", key, sha256=digest)
            return payload
        kept = connection.scalar(_PAYLOAD, {"the_key": key})
    if kept is None:
        raise Refused("Numbers were drawn that nobody paid for; they are discarded", "This is a defect: report it")
    return bytes(kept)


def mark_published(store: Store, key: str) -> None:
    """Note that the numbers of a release are out."""
    with store.transaction() as connection:
        marked = connection.execute(_PUBLISH, {"the_key": key})
        if marked.rowcount:
            chain.append(connection, "published", key)


def is_paid(store: Store, key: str) -> bool:
    """Tell whether a release's numbers are those that a ledger entry has paid for."""
    with store.transaction() as connection:
        row = connection.execute(select(s.release.c.payload, s.release.c.sha256).where(s.release.c.key == key)).first()
    return row is not None and row.payload is not None and hashlib.sha256(row.payload).hexdigest() == row.sha256
