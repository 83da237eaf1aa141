"""What people decided about quarantined items."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from veil.control import schema as s
from veil.control.store import Store, now


def resolve(store: Store, item_id: str, action: str) -> None:
    """Note that somebody has dealt with an item; it is no longer listed."""
    with store.transaction() as connection:
        connection.execute(delete(s.resolution).where(s.resolution.c.item_id == item_id))
        connection.execute(insert(s.resolution).values(item_id=item_id, action=action, at=now()))


def exclude(store: Store, item_id: str, row_uid: str, reason: str) -> None:
    """Withhold a row from every publication from now on."""
    with store.transaction() as connection:
        connection.execute(delete(s.withheld).where(s.withheld.c.row_uid == row_uid))
        connection.execute(insert(s.withheld).values(row_uid=row_uid, reason=reason, at=now()))
    resolve(store, item_id, "withheld")


def resolved(store: Store) -> set[str]:
    """Give the ids of the items that somebody has dealt with."""
    with store.transaction() as connection:
        return set(connection.scalars(select(s.resolution.c.item_id)))
