"""Anonymizes one FHIR resource by a plan: what the plan does not name does not come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veil.contracts import Item, Malformed, Unpublishable
from veil.policy.plan import Branch, Extensions, Leaf, Node, Plan
from veil.transforms.records.dates import is_over_89, year_of
from veil.transforms.records.values import DROPPED, OPERATIONS, Text, Work


def _list(values: list[Any], parent: Mapping[str, Any], node: Node, work: Work) -> object:
    """Treat the values of a repeated field; a list within it is no value. Never deeper than the plan goes."""
    if isinstance(node, Leaf) and node.treatment == "drop":
        return work.drop(node.path)
    kept = [_single(one, parent, node, work) for one in values]
    return [one for one in kept if one is not DROPPED] or DROPPED


def _single(value: object, parent: Mapping[str, Any], node: Node, work: Work) -> object:
    if isinstance(node, Leaf):
        return DROPPED if value is None else OPERATIONS[node.treatment](value, parent, node, work)
    if not isinstance(value, dict):
        return work.drop(node.path)
    if isinstance(node, Branch):
        return _object(value, node, work) or DROPPED
    return _extension(value, node, work)


def _object(value: Mapping[str, Any], branch: Branch, work: Work) -> dict[str, Any]:
    published: dict[str, Any] = {}
    fields = branch.fields
    for key, below in value.items():
        node = fields.get(key)
        if node is None:
            work.drop(branch.unknown)
            continue
        result = _list(below, value, node, work) if isinstance(below, list) else _single(below, value, node, work)
        if result is not DROPPED:
            published[key] = result
    return published


def _extension(value: Mapping[str, Any], extensions: Extensions, work: Work) -> object:
    url = value.get("url")
    node = extensions.urls.get(url) if isinstance(url, str) else None
    if node is None:
        return work.drop(extensions.unknown)
    if isinstance(node, Leaf):
        return work.drop(node.path)
    rest = {key: below for key, below in value.items() if key != "url"}
    published = _object(rest, node, work)
    return {"url": url, **published} if published else DROPPED


def _years(resource: Mapping[str, Any], branch: Branch, treatment: str) -> list[int]:
    found = (
        year_of(resource.get(key))
        for key, node in branch.fields.items()
        if isinstance(node, Leaf) and node.treatment == treatment
    )
    return [year for year in found if year is not None]


def anonymize_fhir(
    resource: object, plan: Plan, item: Item, text: Text, *, reference_year: int
) -> tuple[dict[str, Any], dict[str, int]]:
    """Anonymize one FHIR R4 resource.

    Parameters
    ----------
    resource
        The resource as parsed from JSON; anything that JSON can hold is allowed to come in.
    plan
        The policy's plan.
    item
        Published ids and the offset of the subject; `references` is keyed as the record writes them.
    text
        Cleans a free text, given its path in the policy.
    reference_year
        The year in which ages are reckoned: who turns 90 in it, or has, and is not known to have died before 90,
        has no published birth year (45 CFR 164.514(b)(2)(i)(C)).

    Returns
    -------
    tuple of dict and dict of str to int
        The published resource, and what was dropped: counts by the policy's own path, ``<path>.?`` for keys that
        the policy does not name. No path holds anything of the record.

    Raises
    ------
    Malformed
        It is not a resource.
    Unpublishable
        No policy allows its type, or its subject lacks the offset that the profile needs.
    """
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise Malformed("the record is not a FHIR resource: no object with a resourceType")
    branch = plan.types.get(resource["resourceType"])
    if branch is None:
        raise Unpublishable("the policy allows no resource of this type")
    work = Work(plan, item, text)
    born = _years(resource, branch, "birth_date")
    if born:
        # an overlay may treat several dates as one of birth: the earliest is it
        died = _years(resource, branch, "death_date")
        work.born = min(born)
        work.over_89 = is_over_89(work.born, max(died, default=None), reference_year)
    body = {key: value for key, value in resource.items() if key != "resourceType"}
    return {"resourceType": resource["resourceType"], **_object(body, branch, work)}, work.dropped
