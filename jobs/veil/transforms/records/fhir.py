"""Anonymizes FHIR resources by a plan: what the plan does not name does not come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from veil.contracts import Item, Malformed, Unpublishable
from veil.policy.plan import Branch, Leaf, Plan
from veil.transforms.records.ages import is_of_age
from veil.transforms.records.compiled import Compiler
from veil.transforms.records.dates import is_over_89, year_of
from veil.transforms.records.values import Text, Work


@dataclass(frozen=True, slots=True)
class _Type:
    """The compiled rules of one type of resource, and the fields that tell when somebody was born and died."""

    publish: Callable[[Mapping[str, Any], Work], dict[str, Any]]
    born: tuple[str, ...]
    died: tuple[str, ...]


class FhirAnonymizer:
    """Anonymizes FHIR R4 resources.

    Parameters
    ----------
    plan
        The policy's plan.
    reference_year
        The year in which ages are reckoned: who turns 90 in it, or has, and is not known to have died before 90,
        has no published birth year (45 CFR 164.514(b)(2)(i)(C)).
    """

    def __init__(self, plan: Plan, reference_year: int) -> None:
        self._plan, self._reference_year = plan, reference_year
        self._compiler = Compiler()
        self._types: dict[str, _Type] = {}

    def __call__(self, resource: object, item: Item, text: Text) -> tuple[dict[str, Any], dict[str, int]]:
        """Anonymize one resource.

        Parameters
        ----------
        resource
            The resource as parsed from JSON; anything that JSON can hold is allowed to come in.
        item
            Published ids and the offset of the subject; `references` is keyed as the record writes them.
        text
            Cleans a free text, given its path in the policy.

        Returns
        -------
        tuple of dict and dict of str to int
            The published resource, parts of which other resources may share, and what was dropped: counts by the
            policy's own path, ``<path>.?`` for keys that the policy does not name. No path holds anything of it.

        Raises
        ------
        Malformed
            It is not a resource.
        Unpublishable
            No policy allows its type, or its subject lacks the offset that the profile needs.
        """
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise Malformed("the record is not a FHIR resource: no object with a resourceType")
        body = dict(resource)
        kind = body.pop("resourceType")
        rules = self._types.get(kind) or self._compile(kind)
        work = Work(self._plan, item, text, self._reference_year, is_age=is_of_age(resource))
        born = _years(resource, rules.born)
        if born:
            # an overlay may treat several dates as one of birth: the earliest is it
            work.born = min(born)
            died = max(_years(resource, rules.died), default=None)
            work.over_89 = is_over_89(work.born, died, self._reference_year)
        return {"resourceType": kind, **rules.publish(body, work)}, work.dropped

    def _compile(self, kind: str) -> _Type:
        branch = self._plan.types.get(kind)
        if branch is None:
            raise Unpublishable("the policy allows no resource of this type")
        rules = _Type(self._compiler.fields(branch), _treated(branch, "birth_date"), _treated(branch, "death_date"))
        self._types[kind] = rules
        return rules


def _treated(branch: Branch, treatment: str) -> tuple[str, ...]:
    return tuple(key for key, node in branch.fields.items() if isinstance(node, Leaf) and node.treatment == treatment)


def _years(resource: Mapping[str, Any], keys: tuple[str, ...]) -> list[int]:
    return [year for key in keys if (year := year_of(resource.get(key))) is not None]
