"""CSV tables as records, by the roles of their columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

import orjson

from veil.contracts import Kind, KnownIdentifier, Malformed, Record
from veil.policy.tables import TableRoles
from veil.readers.csv_rows import MAX_ROW, Row, read_rows
from veil.readers.known import is_title
from veil.readers.problem import Problem
from veil.readers.times import utc

_DIRECT = "direct:"
_REFERENCE = "reference:"
_ROLE_OF = {
    "RelatedPerson": "relative",
    "Practitioner": "practitioner",
    "Organization": "organization",
    "Location": "organization",
}
_DAY = 10


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a file keeps what its role table names, by index of the column."""

    table: str
    header: list[str] = field(repr=False)
    roles: list[str]
    id: list[int]
    subject: int | None
    subject_type: str
    subject_system: str | None
    start: int | None
    code: int | None
    code_system: str | int | None
    is_own_subject: bool


def rows(stream: BinaryIO, roles: TableRoles, *, max_row: int = MAX_ROW) -> Iterator[Record | Problem]:
    """Read a CSV table.

    Parameters
    ----------
    stream
        The file, from its start: UTF-8, comma-separated, with a header (RFC 4180).
    roles
        What its columns mean; names match without regard to case.
    max_row
        The longest row, in bytes.

    Yields
    ------
    Record or Problem
        `type` is the table's name and `id` the id columns joined by ``|``, or the SHA-256 of the row where there are
        none. A table of people or places whose subject is its own id has ``<subject_type>/<id>`` as an alias, so that
        references from other tables and from FHIR resolve. A Problem's position is the offset of the row in bytes.

    Raises
    ------
    Malformed
        The header is missing, unreadable, repeats a name or lacks a column that the roles need.
    """
    found = read_rows(stream, max_row=max_row)
    header = next(found, None)
    if not isinstance(header, Row):
        raise Malformed("the header is missing or cannot be read")
    layout = _layout([name.strip() for name in header.values], roles)
    for row in found:
        if isinstance(row, Row):
            yield _record(row, layout)
        else:
            yield row


def _layout(header: list[str], roles: TableRoles) -> _Layout:
    index = {name.casefold(): position for position, name in enumerate(header)}
    if len(index) < len(header) or "" in index:
        raise Malformed("a column of the header has no name or the name of another")
    needed = [name for name in (*roles.id, roles.subject, roles.start, roles.code) if name is not None]
    missing = [name for name in needed if name.casefold() not in index]
    if missing:
        raise Malformed(f"the header lacks columns that the role file names: {', '.join(sorted(set(missing)))}")
    meaning = {name.casefold(): role for name, role in roles.columns.items()}
    at = {name: index[name.casefold()] for name in needed}
    system = roles.code_system
    return _Layout(
        table=roles.table,
        header=header,
        roles=[meaning.get(name.casefold(), "") for name in header],
        id=[at[name] for name in roles.id],
        subject=at[roles.subject] if roles.subject else None,
        subject_type=roles.subject_type or "Patient",
        subject_system=roles.subject_system,
        start=at[roles.start] if roles.start else None,
        code=at[roles.code] if roles.code else None,
        code_system=index.get(system.casefold(), system) if system else None,
        is_own_subject=roles.subject is not None and [at[roles.subject]] == [at[name] for name in roles.id],
    )


def _record(row: Row, layout: _Layout) -> Record | Problem:
    values = row.values
    if len(values) != len(layout.header):
        return Problem(row.offset, f"the row has {len(values)} values, the header {len(layout.header)}")
    content = orjson.dumps(dict(zip(layout.header, values, strict=True)))
    name = _id(values, layout, content)
    if name is None:
        return Problem(row.offset, "the row has no id")
    system = layout.code_system
    code = values[layout.code].strip() if layout.code is not None else ""
    return Record(
        type=layout.table,
        id=name,
        subject=_subject(values, layout),
        content=content.decode(),
        start=utc(values[layout.start]) if layout.start is not None else None,
        code_system=(values[system].strip() or None if isinstance(system, int) else system) if code else None,
        code=code or None,
        references=tuple(dict.fromkeys(_references(values, layout))),
        aliases=(f"{layout.subject_type}/{values[layout.id[0]].strip()}",) if layout.is_own_subject else (),
        known=tuple(dict.fromkeys(_known(values, layout))),
    )


def _id(values: list[str], layout: _Layout, content: bytes) -> str | None:
    if not layout.id:
        return hashlib.sha256(content).hexdigest()
    parts = [values[position].strip() for position in layout.id]
    # Escaped, so that two rows never join to one id.
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts) if any(parts) else None


def _subject(values: list[str], layout: _Layout) -> str | None:
    value = values[layout.subject].strip() if layout.subject is not None else ""
    if not value:
        return None
    return f"identifier:{layout.subject_system}|{value}" if layout.subject_system else f"{layout.subject_type}/{value}"


def _references(values: list[str], layout: _Layout) -> Iterator[str]:
    for role, value in zip(layout.roles, values, strict=True):
        if role.startswith(_REFERENCE) and value.strip():
            yield f"{role.removeprefix(_REFERENCE)}/{value.strip()}"


def _known(values: list[str], layout: _Layout) -> Iterator[KnownIdentifier]:
    """The row's direct identifiers, and its subject's birth date and postal code where the table is one of subjects."""
    who = _ROLE_OF.get(layout.subject_type, "subject") if layout.is_own_subject else "subject"
    names: list[str] = []
    for role, value in zip(layout.roles, values, strict=True):
        value = value.strip()
        if not value:
            continue
        if role == "direct:NAME":
            names += [] if is_title(value) else [value]
        elif role.startswith(_DIRECT):
            yield KnownIdentifier(cast(Kind, role.removeprefix(_DIRECT)), value, who)
        elif role == "zip" and layout.is_own_subject:
            yield KnownIdentifier("LOCATION", value, who)
        elif role == "birth_date" and layout.is_own_subject and len(day := utc(value) or "") >= _DAY:
            yield KnownIdentifier("DATE", day[:_DAY], who)
    for name in (" ".join(names), *names) if names else ():
        yield KnownIdentifier("NAME", name, who)
