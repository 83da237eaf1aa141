"""Decisions of people: one agrees to a large draw, two raise a cap. Each decision is entered once."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from veil.control import Store
from veil.control import schema as s
from veil.control.store import now
from veil.errors import Refused
from veil.ledger import chain


def approve(store: Store, name: str, spec_hash: str, who: str, ticket: str) -> None:
    """Enter that a named person agrees to one large draw of a declaration.

    `ticket` names the task that was answered: entering one answer twice changes nothing.

    Raises
    ------
    Refused
        Nobody is named.
    """
    if not who.strip():
        raise Refused(f"Nobody is named who approved {name}", "Have the waiting task answered by a user of Airflow")
    with store.transaction() as connection:
        if connection.scalar(select(s.approval.c.seq).where(s.approval.c.ticket == ticket)) is not None:
            return
        connection.execute(insert(s.approval).values(name=name, spec_hash=spec_hash, who=who, ticket=ticket, at=now()))
        chain.append(connection, "approved", name, spec_hash=spec_hash, who=who, ticket=ticket)


def raise_cap(store: Store, block_id: str, cap: int, people: tuple[str, str], reason: str, ticket: str) -> None:
    """Raise the cap of a block to `cap` nano-rho, by two people and for a reason.

    `ticket` names the tasks that were answered: entering one decision twice changes nothing.

    Raises
    ------
    Refused
        The two are one, a name or the reason is missing, the block does not exist, or the cap would not rise.
    """
    who, second = (person.strip() for person in people)
    if not who or not second or who.casefold() == second.casefold():
        raise Refused("A cap is raised by two people", "Have each of the two tasks answered by another user of Airflow")
    if not reason.strip():
        raise Refused("A cap is raised for a reason", "Write it down: it is kept in the ledger")
    with store.transaction() as connection:
        if connection.scalar(select(s.authority.c.seq).where(s.authority.c.ticket == ticket)) is not None:
            return
        old = connection.scalar(select(s.block.c.cap).where(s.block.c.block_id == block_id))
        if old is None:
            raise Refused(f"There is no budget {block_id}", "`veil budget show` lists them")
        if cap <= old:
            raise Refused(f"The cap of {block_id} is {old / 1e9:g} already", "Give one that is higher")
        told = {"old_cap": old, "new_cap": cap, "who": who, "second_person": second, "reason": reason.strip()}
        connection.execute(insert(s.authority).values(block_id=block_id, ticket=ticket, at=now(), **told))
        connection.execute(update(s.block).where(s.block.c.block_id == block_id).values(cap=cap))
        chain.append(connection, "raised", block_id, ticket=ticket, **told)
