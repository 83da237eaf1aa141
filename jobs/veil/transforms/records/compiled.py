"""Compiles a plan to closures: the tree of rules is walked once, not again for each record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

import orjson

from veil.contracts import Unpublishable
from veil.policy.plan import Branch, Extensions, Leaf, Node
from veil.transforms.records.values import DROPPED, OPERATIONS, Parent, Work

Rule: TypeAlias = Callable[[object, Parent, Work], object]
"""Gives what is published of a value, or `DROPPED`: the value itself, the object it stands in, the record's work."""

_CONSTANT = frozenset({"keep", "code", "display", "drop"})
"""Treatments that depend on nothing but the object that the value stands in, unless they ask the text engine."""

_MODIFIER = "modifierExtension"
_MODIFIED = (
    "a modifierExtension changes what the record means, and the policy does not name it: it may say the opposite. "
    "Send the record without it, or have the policy name it"
)
"""FHIR R4, 2.4.0.1: who does not understand one must not process what it stands in."""
_LONGEST_KEY = 1024
_MOST_KEYS = 16_384


class Compiler:
    """Compiles the nodes of one plan; what they remember of concepts is bounded, and shared by all of them.

    The concepts of a hospital are few and its records repeat them: what is published of one is worked out once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], tuple[object, dict[str, int]]] = {}

    def fields(self, branch: Branch) -> Callable[[Mapping[str, Any], Work], dict[str, Any]]:
        """Compile the rules of an object: what they do not name is dropped and counted."""
        rules = {key: self._field(node) for key, node in branch.fields.items()}
        unknown = branch.unknown

        def publish(value: Mapping[str, Any], work: Work) -> dict[str, Any]:
            published: dict[str, Any] = {}
            for key, below in value.items():
                rule = rules.get(key)
                if rule is None:
                    if key == _MODIFIER and below:
                        raise Unpublishable(_MODIFIED)
                    work.drop(unknown)
                    continue
                result = rule(below, value, work)
                if result is not DROPPED:
                    published[key] = result
            return published

        return publish

    def _field(self, node: Node) -> Rule:
        """Compile the rule of a field that may repeat. A list within a list is no value: never deeper than the plan."""
        if isinstance(node, Leaf) and node.treatment == "drop":
            return _dropped(node)
        one = self._single(node)

        def publish(value: object, parent: Parent, work: Work) -> object:
            if not isinstance(value, list):
                return one(value, parent, work)
            kept = [one(each, parent, work) for each in value]
            return [each for each in kept if each is not DROPPED] or DROPPED

        return publish

    def _single(self, node: Node) -> Rule:
        if isinstance(node, Leaf):
            return _leaf(node)
        return self._extension(node) if isinstance(node, Extensions) else self._branch(node)

    def _branch(self, branch: Branch) -> Rule:
        fields, path = self.fields(branch), branch.path

        def publish(value: object, parent: Parent, work: Work) -> object:
            return (fields(value, work) or DROPPED) if isinstance(value, dict) else work.drop(path)

        return self._remembering(path, publish) if _is_concept(branch) else publish

    def _remembering(self, path: str, rule: Rule) -> Rule:
        known = self._known

        def publish(value: object, parent: Parent, work: Work) -> object:
            key = path, _written(value)
            before = known.get(key)
            if before is None:
                alone = Work(work.plan, work.item, work.text, work.reference_year)
                before = rule(value, parent, alone), alone.dropped
                # the concept that a coding stands in has been read as well
                work.has_read = work.has_read or alone.has_read
                if key[1] and not alone.has_read:
                    if len(known) >= _MOST_KEYS:
                        known.clear()
                    known[key] = before
            result, dropped = before
            for what, times in dropped.items():
                work.dropped[what] = work.dropped.get(what, 0) + times
            return result

        return publish

    def _extension(self, extensions: Extensions) -> Rule:
        unknown, path = extensions.unknown, extensions.path
        urls = {
            url: self.fields(below) if isinstance(below, Branch) else below.path
            for url, below in extensions.urls.items()
        }

        def publish(value: object, parent: Parent, work: Work) -> object:
            if not isinstance(value, dict):
                return work.drop(path)
            url = value.get("url")
            below = urls.get(url) if isinstance(url, str) else None
            if below is None:
                return work.drop(unknown)
            if isinstance(below, str):
                return work.drop(below)
            published = below({key: each for key, each in value.items() if key != "url"}, work)
            return {"url": url, **published} if published else DROPPED

        return publish


def _written(value: object) -> bytes:
    """Write a concept down to compare it; empty for one that is long, or cannot be told from another by its JSON."""
    try:
        written = orjson.dumps(value)
    except TypeError:
        return b""
    # a number that JSON has not is written as null
    return b"" if len(written) > _LONGEST_KEY or b"null" in written else written


def _is_concept(branch: Branch) -> bool:
    leaves = list(_leaves(branch))
    return any(leaf.treatment == "code" for leaf in leaves) and all(leaf.treatment in _CONSTANT for leaf in leaves)


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
        return
    for below in (node.urls if isinstance(node, Extensions) else node.fields).values():
        yield from _leaves(below)


def _dropped(leaf: Leaf) -> Rule:
    path = leaf.path

    def publish(value: object, parent: Parent, work: Work) -> object:
        return DROPPED if value is None else work.drop(path)

    return publish


def _leaf(leaf: Leaf) -> Rule:
    one = partial(OPERATIONS[leaf.treatment], leaf)

    def publish(value: object, parent: Parent, work: Work) -> object:
        return DROPPED if value is None else one(value, parent, work)

    return publish
