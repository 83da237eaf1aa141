"""The control store: the only truth about state. One SQL database, SQLite embedded, Postgres when deployed."""

from veil.control.store import Store

__all__ = ["Store"]
