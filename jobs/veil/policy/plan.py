"""A policy compiled for execution: one nested tree of rules per resource type, one rule per role of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from veil.contracts import Profile
from veil.errors import VeilError
from veil.policy.dicom import DicomPlan
from veil.policy.models import Terminology
from veil.policy.rules import Rules
from veil.policy.treatments import DICOM_ONLY, Treatment, split


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value's rule. `path` is the policy's own name for it; `target` the type that a reference points to."""

    path: str
    treatment: Treatment
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """An object's rules by key. What is not in `fields` is dropped and counted under `unknown`."""

    path: str
    unknown: str
    fields: Mapping[str, Leaf | Branch | Extensions]


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions that may stand in one place, by url."""

    path: str
    unknown: str
    urls: Mapping[str, Branch | Leaf]


Node: TypeAlias = Leaf | Branch | Extensions


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an executor needs: plain data, without a file behind it."""

    profile: Profile
    types: Mapping[str, Branch]
    roles: Mapping[str, Leaf]
    terminology_systems: frozenset[str]
    terminology_prefixes: tuple[str, ...]
    restricted_zip3: frozenset[str] = field(repr=False)
    dicom: DicomPlan = field(default_factory=DicomPlan)

    def is_terminology(self, system: object) -> bool:
        """Whether the codes and labels of a code system are public knowledge."""
        return isinstance(system, str) and (
            system in self.terminology_systems or system.startswith(self.terminology_prefixes)
        )


def _leaf(path: str, treatment: str) -> Leaf:
    name, target = split(treatment)
    if name in DICOM_ONLY:
        raise VeilError(f"{path}: {name} is an action on attributes of DICOM", "Write drop, or what a record can be.")
    return Leaf(path, name, target)


def _branch(path: str, rules: Mapping[tuple[str, ...], str], extensions: Extensions | None = None) -> Branch:
    children: dict[str, dict[tuple[str, ...], str]] = {}
    for keys, treatment in rules.items():
        children.setdefault(keys[0], {})[keys[1:]] = treatment
    fields: dict[str, Node] = {}
    for key, below in children.items():
        if () in below and len(below) > 1:
            raise VeilError(f"{path}.{key} has a rule and so has a field below it", "Leave one of them.")
        fields[key] = _leaf(f"{path}.{key}", below[()]) if () in below else _branch(f"{path}.{key}", below)
    if extensions is not None:
        fields["extension"] = extensions
    return Branch(path, f"{path}.?", fields)


def _extension(path: str, rules: Mapping[tuple[str, ...], str]) -> Branch | Leaf:
    """The rules of one extension: its ``value[x]``, or those of the extensions within it."""
    if () in rules:
        return _leaf(path, rules[()])
    values = {keys: treatment for keys, treatment in rules.items() if keys[0].startswith("value")}
    nested: dict[str, dict[tuple[str, ...], str]] = {}
    for keys, treatment in rules.items():
        if not keys[0].startswith("value"):
            nested.setdefault(keys[0], {})[keys[1:]] = treatment
    inner = {url: _extension(f"{path}.{url}", below) for url, below in nested.items()}
    return _branch(path, values, Extensions(f"{path}.extension", f"{path}.extension.?", inner) if inner else None)


def _extensions(resource_type: str, rules: Rules) -> Extensions | None:
    prefix = f"extension.{resource_type}."
    by_url: dict[str, dict[tuple[str, ...], str]] = {}
    for path, treatment in rules.items():
        if path.startswith(prefix):
            url, keys = _url_and_keys(path.removeprefix(prefix))
            by_url.setdefault(url, {})[keys] = treatment
    if not by_url:
        return None
    place = f"{resource_type}.extension"
    urls = {url: _extension(f"{place}.{url}", below) for url, below in by_url.items()}
    return Extensions(place, f"{place}.?", urls)


def _url_and_keys(path: str) -> tuple[str, tuple[str, ...]]:
    """Take ``http://host.org/a/b.c.valueCode`` apart: the fields begin after the url's last path segment."""
    head, slash, tail = path.rpartition("/")
    last, *keys = tail.split(".")
    return f"{head}{slash}{last}", tuple(keys)


def compile_plan(
    rules: Rules, terminology: Terminology, restricted_zip3: frozenset[str], dicom: DicomPlan, profile: Profile
) -> Plan:
    """Compile rules to a plan.

    Parameters
    ----------
    rules
        A treatment for every path that is known.
    terminology
        The code systems whose codes and labels are public.
    restricted_zip3
        The ZIP3 areas that are published as 000.
    dicom
        The rules of DICOM, compiled.
    profile
        How dates are treated.

    Returns
    -------
    Plan
        What the executors run.

    Raises
    ------
    VeilError
        Two rules contradict each other.
    """
    by_type: dict[str, dict[tuple[str, ...], str]] = {}
    for path, treatment in rules.items():
        area, name, *keys = path.split(".")
        if area == "fhir" and keys:
            by_type.setdefault(name, {})[tuple(keys)] = treatment
    return Plan(
        profile=profile,
        types={name: _branch(name, fields, _extensions(name, rules)) for name, fields in by_type.items()},
        roles={
            path.removeprefix("roles."): _leaf(path, treatment)
            for path, treatment in rules.items()
            if path.startswith("roles.")
        },
        terminology_systems=frozenset(terminology.systems),
        terminology_prefixes=tuple(terminology.prefixes),
        restricted_zip3=restricted_zip3,
        dicom=dicom,
    )
