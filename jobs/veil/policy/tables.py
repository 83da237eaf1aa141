"""What the columns of a CSV table mean: role files of a site, and the built-in tables of a well-known exporter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from veil.contracts import Kind
from veil.policy.files import read_toml, validated

_PLAIN_ROLES = frozenset({"subject", "id", "date", "birth_date", "age", "zip", "code", "measure", "text"})
_TARGET = re.compile(r"[A-Za-z][A-Za-z_]{0,63}")
ROLE_SUFFIX = ".columns.toml"
"""What stands in the name of a table's role file in place of ``.csv``."""
_BUILT_IN = Path(__file__).parents[1] / "packs" / "tables" / "synthea.toml"


@dataclass(frozen=True, slots=True)
class TableRoles:
    """The meaning of one table's columns.

    Column names are matched without regard to case; they are kept here as the file wrote them. `id` holds the
    columns that together name a row, `subject` the column that says whom the row is about (an id of a
    `subject_type`, or an identifier of `subject_system` where that is given), `start` when the event began,
    `code` its first clinical code, of `code_system`. `columns` maps a column to its role; a column that it does
    not name is never published.
    """

    table: str
    id: tuple[str, ...]
    subject: str | None
    subject_type: str | None
    subject_system: str | None
    start: str | None
    code: str | None
    code_system: str | None
    columns: Mapping[str, str]


def _role(value: str) -> str:
    name, _, target = value.partition(":")
    if value in _PLAIN_ROLES:
        return value
    if name == "reference" and _TARGET.fullmatch(target):
        return value
    if name == "direct" and target in get_args(Kind):
        return value
    plain = ", ".join(sorted(_PLAIN_ROLES))
    raise ValueError(f"a role is one of {plain}, reference:<Type> or direct:<KIND>")


class _Columns(BaseModel):
    """The part that a built-in table and a site's role file share."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: list[str] = Field(default_factory=list)
    subject: str | None = None
    subject_system: str | None = None
    type: str | None = Field(default=None, pattern=r"^[A-Z][A-Za-z]{0,63}$")
    start: str | None = None
    code: str | None = None
    code_system: str | None = None
    columns: dict[str, Annotated[str, AfterValidator(_role)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_columns_exist(self) -> _Columns:
        known = [column.casefold() for column in self.columns]
        if len(set(known)) < len(known):
            raise ValueError("two columns differ only in case")
        for key, column in (("subject", self.subject), ("start", self.start), ("code", self.code)):
            if column is not None and column.casefold() not in known:
                raise ValueError(f"{key} names a column that [columns] lacks")
        if any(column.casefold() not in known for column in self.id):
            raise ValueError("id names a column that [columns] lacks")
        return self

    def roles(self, table: str) -> TableRoles:
        """The same as the shared dataclass; a subject is a Patient unless the file says otherwise."""
        return TableRoles(
            table=table,
            id=tuple(self.id),
            subject=self.subject,
            subject_type=self.type or "Patient" if self.subject else None,
            subject_system=self.subject_system,
            start=self.start,
            code=self.code,
            code_system=self.code_system,
            columns=dict(self.columns),
        )


class _RoleFile(_Columns):
    table: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")


class _TablesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    tables: dict[str, _Columns]


def load_tables(path: Path) -> dict[str, TableRoles]:
    """Read built-in tables, ``[tables.<name>]`` each.

    Parameters
    ----------
    path
        A TOML file such as ``packs/tables/synthea.toml``.

    Returns
    -------
    dict of str to TableRoles
        By table name, as the file writes it.

    Raises
    ------
    VeilError
        The file cannot be read, or a key or role in it is unknown; file, key and line are named.
    """
    document = validated(_TablesFile, *read_toml(path))
    return {name: table.roles(name) for name, table in document.tables.items()}


@cache
def built_in_tables() -> dict[str, TableRoles]:
    """Give the roles of the tables that need no role file, by table name."""
    return load_tables(_BUILT_IN)


def load_role_file(path_or_text: Path | str) -> TableRoles:
    """Read one site's role file (``<name>.columns.toml``), from its path or from its text.

    Parameters
    ----------
    path_or_text
        A path, or the text of the file where it came inside a drop.

    Returns
    -------
    TableRoles
        The meaning of the table's columns.

    Raises
    ------
    VeilError
        The file cannot be read, or a key or role in it is unknown; file, key and line are named.
    """
    document = validated(_RoleFile, *read_toml(path_or_text))
    return document.roles(document.table)
