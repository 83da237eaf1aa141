"""Tables of the control store. It is as restricted as the lake's restricted zone: file paths may identify people."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

drop = Table(
    "drop_folder",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("drop_id", String(32), nullable=False, unique=True),
    Column("source", String(32), nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("drop_date", String(10), nullable=False, index=True),
    Column("state", String(10), nullable=False),  # pending, taken, refused
    Column("reason", Text),
)

run = Table(
    "run",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("run_key", String(250), nullable=False, unique=True),
    Column("started", String(32), nullable=False),
    Column("finished", String(32)),
    Column("leaks", Text),  # what the closing scan found, as a JSON list of places; null until it has run
)

unit = Table(
    "unit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("unit_id", String(32), nullable=False, unique=True),
    Column("intake_id", String(32), nullable=False, index=True),
    Column("modality", String(32), nullable=False),
    Column("again", Integer, nullable=False, default=0),  # a person asked for it to be processed again
    UniqueConstraint("intake_id", "modality"),
)
"""`intake_id` names the set of drops that a unit was frozen over: the units of one intake differ in modality only."""

unit_drop = Table(
    "unit_drop",
    metadata,
    Column("intake_id", String(32), primary_key=True),
    Column("drop_id", ForeignKey("drop_folder.drop_id"), primary_key=True),
)

run_intake = Table(
    "run_intake",
    metadata,
    Column("run_key", ForeignKey("run.run_key"), primary_key=True),
    Column("intake_id", String(32), primary_key=True),
)

attempt = Table(
    "attempt",
    metadata,
    Column("stage", String(16), primary_key=True),
    Column("unit_id", String(64), primary_key=True),  # or the name of a release
    Column("product", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run_key", String(250), nullable=False),
    Column("state", String(10), nullable=False),  # running, done, failed, fenced
    Column("started", String(32), nullable=False),
    Column("ended", String(32)),
    Column("detail", Text),
)

lock = Table(
    "lock",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("holder", String(300), nullable=False),
    Column("beat", BigInteger, nullable=False),  # seconds since the epoch
)

receipt = Table(
    "receipt",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("receipt_id", String(32), nullable=False, unique=True),
    Column("stage", String(16), nullable=False),
    Column("unit_id", String(64), nullable=False),
    Column("product", String(64), nullable=False),
    Column("run_key", String(250), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("receipt_by_unit", "unit_id", "product", "stage"),
)

withheld = Table(
    "withheld",
    metadata,
    Column("row_uid", String(32), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

resolution = Table(
    "quarantine_resolution",
    metadata,
    Column("item_id", String(32), primary_key=True),
    Column("action", String(16), nullable=False),
    Column("at", String(32), nullable=False),
)

block = Table(
    "ledger_block",
    metadata,
    Column("block_id", String(200), primary_key=True),
    Column("unit", String(32), nullable=False),  # the privacy unit
    Column("cap", BigInteger, nullable=False),  # nano-rho, rounded down
    Column("spent", BigInteger, nullable=False, default=0),
    Column("cap_delta", BigInteger, nullable=False, default=0),  # in 1e-15, rounded down
    Column("spent_delta", BigInteger, nullable=False, default=0),
    CheckConstraint("spent <= cap", name="never_overspent"),
    CheckConstraint("spent >= 0", name="never_refunded"),
    CheckConstraint("spent_delta <= cap_delta", name="delta_never_overspent"),
    CheckConstraint("spent_delta >= 0", name="delta_never_refunded"),
)

release = Table(
    "ledger_release",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("state", String(10), nullable=False),  # RESERVED, DRAWN, PUBLISHED
    Column("attempt", Integer, nullable=False, default=1),
    Column("spec", Text, nullable=False),
    Column("inputs", String(80), nullable=False),
    Column("redraw", Integer, nullable=False, default=0),
    Column("blocks", Text, nullable=False),
    Column("cost_rho", BigInteger, nullable=False),
    Column("cost_delta", BigInteger, nullable=False, default=0),
    Column("draws", Text, nullable=False),  # (scale, l0, l_infinity) of every mechanism, as JSON
    Column("payload", LargeBinary),
    Column("sha256", String(64)),
    Column("at", String(32), nullable=False),
)

denial = Table(
    "ledger_denial",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("block_id", String(200), nullable=False),
    Column("cost_rho", BigInteger, nullable=False),
    Column("cost_delta", BigInteger, nullable=False, default=0),
    Column("at", String(32), nullable=False),
)

approval = Table(
    "ledger_approval",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("spec_hash", String(64), nullable=False),
    Column("who", String(200), nullable=False),
    Column("ticket", String(300), nullable=False, unique=True),  # the waiting task that was answered
    Column("used_by", String(64)),
    Column("at", String(32), nullable=False),
)
"""Consent of a named person to one large draw; `used_by` is the key that it has paid for."""

authority = Table(
    "ledger_authority",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("block_id", String(200), nullable=False),
    Column("old_cap", BigInteger, nullable=False),
    Column("new_cap", BigInteger, nullable=False),
    Column("who", String(200), nullable=False),
    Column("second_person", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ticket", String(300), nullable=False, unique=True),
    Column("at", String(32), nullable=False),
)

event = Table(
    "ledger_event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(12), nullable=False),
    Column("key", String(200), nullable=False),  # of a release, or the id of a block
    Column("body", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Everything that ever happened to the ledger, hash-chained; the other tables are what it adds up to."""
