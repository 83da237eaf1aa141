"""Anonymizes one row of a CSV table by the roles of its columns."""

from __future__ import annotations

from collections.abc import Mapping

from veil.contracts import Item, Malformed
from veil.policy.plan import Leaf, Plan
from veil.transforms.records.dates import is_over_89, year_of
from veil.transforms.records.values import OPERATIONS, Text, Work, identifies, is_number
from veil.transforms.records.values import text as as_text


def _declared(row: Mapping[str, object], roles: Mapping[str, str]) -> dict[str, str]:
    """The declared column for every column of the row that has one: the same name, or the same but for case."""
    if row.keys() <= roles.keys():
        return {column: column for column in row}
    folded = {column.casefold(): column for column in roles}
    names = {column: folded.get(column.casefold()) for column in row if isinstance(column, str)}
    return {column: name for column, name in names.items() if name is not None}


def _cell(value: str, leaf: Leaf, role: str, work: Work) -> object:
    if leaf.treatment == "reference":
        target = work.item.references.get(f"{role.partition(':')[2]}/{value}")
        return work.drop(leaf.path) if target is None else target
    if leaf.treatment in {"measure", "age"}:
        return _number(value, leaf, work)
    return OPERATIONS[leaf.treatment](leaf, value, {}, work)


def _number(value: str, leaf: Leaf, work: Work) -> object:
    if not is_number(value):
        return as_text(leaf, value, {}, work)
    if leaf.treatment == "measure":
        return work.drop(leaf.path) if value.isdecimal() and identifies(int(value)) else value
    if not value.isdecimal():
        return work.drop(leaf.path)
    return str(OPERATIONS["age"](leaf, int(value), {}, work))


def anonymize_row(
    row: Mapping[str, object],
    roles: Mapping[str, str],
    plan: Plan,
    item: Item,
    text: Text,
    *,
    reference_year: int,
) -> tuple[dict[str, str], dict[str, int]]:
    """Anonymize one row.

    A column that holds the row's own id gets the published id, the subject's column the pseudonym, and a
    ``reference:<Type>`` column the published id of ``<Type>/<value>``, so that published tables still join.

    Parameters
    ----------
    row
        Value by column, as read.
    roles
        Role by column; matched without regard to case.
    plan
        The policy's plan.
    item
        Published ids and the offset of the subject; `type` is the table's name.
    text
        Cleans a free text, given ``<table>.<column>``.
    reference_year
        The year in which ages are reckoned, as for `anonymize_fhir`. A row does not say which of its dates is a
        death, so that everybody born 90 years before counts as over 89 (45 CFR 164.514(b)(2)(i)(C)).

    Returns
    -------
    tuple of dict and dict of str to int
        The published row with column names as the roles write them, and counts of what was dropped by
        ``<table>.<column>``, ``<table>.?`` for columns without a role.

    Raises
    ------
    Malformed
        It is not a row.
    Unpublishable
        Its subject lacks the offset that the profile needs.
    """
    if not isinstance(row, dict):
        raise Malformed("the record is not a row: no object of columns")
    work = Work(plan, item, text, reference_year)
    declared = _declared(row, roles)
    for column, name in declared.items():
        if roles[name] == "birth_date" and (born := year_of(row[column])) is not None:
            work.born = born
            work.over_89 = work.over_89 or is_over_89(born, None, reference_year)
    published: dict[str, str] = {}
    for column, value in row.items():
        if column not in declared:
            work.drop(f"{item.type}.?")
            continue
        name = declared[column]
        role = roles[name]
        rule = plan.roles.get(role.partition(":")[0])
        leaf = Leaf(f"{item.type}.{name}", rule.treatment if rule else "drop")
        if name in published or not isinstance(value, str):
            work.drop(leaf.path)
        elif value:
            result = _cell(value, leaf, role, work)
            if isinstance(result, str):
                published[name] = result
    return published, work.dropped
