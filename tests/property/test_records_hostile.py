"""Invariants of the record anonymizer over records that nobody would write."""

from __future__ import annotations

import re
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veil.contracts import Item
from veil.errors import Refused
from veil.policy import Policy, load_policy
from veil.policy.models import Canonical
from veil.policy.plan import Branch, Extensions, Leaf, Node
from veil.policy.rules import intersect, rules_of, tighten
from veil.policy.treatments import LEVELS, TREATMENTS, level
from veil.transforms.records import FhirAnonymizer, anonymize_row
from veil.transforms.records.dates import shifted

PRODUCT = Path(__file__).parents[2] / "dags" / "config" / "products" / "research.toml"
SAFE_HARBOR = load_policy(PRODUCT)
EXPERT = Policy.from_canonical(SAFE_HARBOR.canonical.replace('"safe_harbor","purpose"', '"expert","purpose"'))
PACKS = Canonical.model_validate_json(SAFE_HARBOR.canonical).packs
RULES = rules_of("hipaa_safe_harbor", PACKS, "safe_harbor")
TYPES = sorted(SAFE_HARBOR.plan.types)
MARK = "zqxunknown"


def keys_of(node: Node) -> set[str]:
    if isinstance(node, Leaf):
        return set()
    below = node.urls if isinstance(node, Extensions) else node.fields
    return set(below).union(*(keys_of(child) for child in below.values()))


KEYS = sorted(set.union(*(keys_of(branch) for branch in SAFE_HARBOR.plan.types.values())) | {"extension", "url"})
DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=20),
    DATES,
    DATES.map(lambda day: f"{day}T10:11:12Z"),
    st.sampled_from(["http://snomed.info/sct", "Patient/1", "2021-05-06 seen", "\ud800", "02139", *KEYS]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, MARK]), inner, max_size=5),
    max_leaves=30,
)
RESOURCES = st.builds(
    lambda kind, body: {**body, "resourceType": kind},
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from([*KEYS, MARK]), JSON, max_size=8),
)


def with_key(objects: st.SearchStrategy[dict[str, Any]], key: str, value: str) -> st.SearchStrategy[dict[str, Any]]:
    return objects.map(lambda body: {**body, key: value})


def shaped(node: Node) -> st.SearchStrategy[Any]:
    """Values of the shape the plan expects, so that the deep rules are reached."""
    if isinstance(node, Leaf):
        return SCALARS
    if isinstance(node, Extensions):
        one = [with_key(shaped(below), "url", url) for url, below in node.urls.items() if isinstance(below, Branch)]
        return st.lists(st.one_of(one), max_size=2)
    fields = {key: shaped(below) for key, below in node.fields.items()}
    some = st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True) if fields else st.just([])
    return some.flatmap(
        lambda keys: st.fixed_dictionaries({**{key: fields[key] for key in keys}}, optional={MARK: SCALARS})
    )


SHAPED = st.one_of([with_key(shaped(branch), "resourceType", kind) for kind, branch in SAFE_HARBOR.plan.types.items()])


ITEM = Item("x", "f" * 32, "e" * 32, references={"Patient/1": "a" * 32}, offset_days=17)


def run(resource: object, policy: Policy = SAFE_HARBOR) -> tuple[dict[str, Any], dict[str, int]]:
    return FhirAnonymizer(policy.plan, 2025)(resource, ITEM, lambda _, text: "[TEXT]")


def unruled(value: Any, node: Node | None, path: str = "") -> list[str]:
    """Where the output holds something for which the plan has no rule, or a rule that says drop."""
    if node is None or (isinstance(node, Leaf) and (node.treatment == "drop" or isinstance(value, dict))):
        return [path]
    if isinstance(value, list):
        return [place for one in value for place in (unruled(one, node, path) if not isinstance(one, list) else [path])]
    if isinstance(node, Extensions):
        below = node.urls.get(value["url"])
        return unruled({key: one for key, one in value.items() if key != "url"}, below, path)
    if isinstance(node, Branch):
        return [place for key, one in value.items() for place in unruled(one, node.fields.get(key), f"{path}.{key}")]
    return []


@given(RESOURCES | SHAPED)
@settings(max_examples=150, deadline=None)
def test_no_leaf_of_the_output_lacks_a_rule_and_no_unknown_key_survives(resource: dict[str, Any]) -> None:
    out, dropped = run(resource)
    kind = out.pop("resourceType")
    assert unruled(out, SAFE_HARBOR.plan.types[kind]) == []
    assert MARK not in repr(out)
    assert not any(MARK in path for path in dropped)


@given(RESOURCES | SHAPED)
@settings(max_examples=150, deadline=None)
def test_no_date_is_finer_than_a_year_under_safe_harbor(resource: dict[str, Any]) -> None:
    out, _ = run(resource)
    assert not re.search(r"\d{4}-\d\d-\d\d", repr(out))


@given(RESOURCES | SHAPED)
@settings(max_examples=150, deadline=None)
def test_years_are_published_the_same_when_read_again(resource: dict[str, Any]) -> None:
    once, _ = run(resource)
    dates = {key: one for key, one in once.items() if "Date" in key or key == "resourceType"}
    assert run(dates)[0] == dates


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 9000), st.integers(-400, 400).filter(bool))
def test_intervals_survive_under_expert(start: date, length: int, offset: int) -> None:
    end = start + timedelta(days=length)
    moved = [date.fromisoformat(str(shifted(day.isoformat(), offset))) for day in (start, end)]
    assert moved[1] - moved[0] == end - start
    assert moved[0] != start


@given(st.dictionaries(st.none() | st.sampled_from(["A", "a", "B", MARK]), JSON, max_size=4), st.data())
def test_rows_publish_declared_columns_only(values: dict[Any, Any], data: st.DataObject) -> None:
    role = st.sampled_from(
        ["id", "subject", "date", "birth_date", "age", "zip", "code", "measure", "text", "direct:SSN"]
    )
    roles = {"A": data.draw(role), "B": data.draw(role)}
    item = Item("t", "f" * 32, "e" * 32)
    out, _ = anonymize_row(values, roles, SAFE_HARBOR.plan, item, lambda _, text: "[TEXT]", reference_year=2025)
    assert set(out) <= set(roles)
    assert all(isinstance(value, str) for value in out.values())
    assert not re.search(r"\d{4}-\d\d-\d\d", repr(out))


def test_depth_does_not_matter() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = {"extension": [deep]}
    deeper: Any = "x"
    for _ in range(10_000):
        deeper = [deeper]
    for field in ("extension", "gender", "name", "contained", "maritalStatus"):
        assert set(run({"resourceType": "Patient", field: deep})[0]) == {"resourceType"}
        assert set(run({"resourceType": "Patient", field: deeper})[0]) == {"resourceType"}
    assert sys.getrecursionlimit() < 10_000


@given(st.lists(RESOURCES | SHAPED, min_size=2, max_size=6), st.data())
@settings(max_examples=150, deadline=None)
def test_a_record_is_published_the_same_whatever_came_before_it(resources: list[Any], data: st.DataObject) -> None:
    anonymize = FhirAnonymizer(SAFE_HARBOR.plan, 2025)
    for resource in data.draw(st.permutations([*resources, *resources])):
        # nan is not equal to itself
        assert repr(anonymize(resource, ITEM, lambda _, text: "[TEXT]")) == repr(run(resource))


def test_what_the_text_engine_made_of_a_label_for_one_is_not_published_of_another() -> None:
    anonymize = FhirAnonymizer(SAFE_HARBOR.plan, 2025)
    concept = {"coding": [{"system": "urn:local", "code": "x", "display": "seen by Ortiz"}]}
    resource = {"resourceType": "Condition", "code": concept}
    read = [anonymize(resource, ITEM, lambda _, text, tag=tag: tag)[0] for tag in ("[NAME]", "[LOCATION]")]
    assert [one["code"]["coding"][0]["display"] for one in read] == ["[NAME]", "[LOCATION]"]


@pytest.mark.parametrize("policy", [SAFE_HARBOR, EXPERT])
@given(resource=RESOURCES)
@settings(max_examples=100, deadline=None)
def test_nothing_hostile_raises(policy: Policy, resource: dict[str, Any]) -> None:
    run(resource, policy)


@given(st.sampled_from(sorted(RULES)), st.sampled_from(sorted(TREATMENTS)))
@settings(max_examples=300, deadline=None)
def test_every_loosening_of_an_overlay_is_refused(path: str, treatment: str) -> None:
    before = RULES[path].partition(":")[0]
    try:
        after = tighten(RULES, {path: treatment}, "site.toml").get(path, "drop").partition(":")[0]
    except Refused:
        return
    assert LEVELS.index(level(after)) >= LEVELS.index(level(before))
    assert (
        after == before
        or level(after) != level(before)
        or (before, after)
        in {
            ("label", "keep"),
            ("label", "display"),
            ("measure", "age"),
            ("date", "birth_date"),
            ("date", "death_date"),
            ("death_date", "birth_date"),
            ("dummy", "empty"),
            ("dummy", "drop"),
            ("empty", "drop"),
        }
    )


@given(st.sampled_from(sorted(RULES)), st.sampled_from(sorted(TREATMENTS - {"drop"})))
@settings(deadline=None)
def test_an_overlay_opens_nothing_that_no_pack_names(path: str, treatment: str) -> None:
    with pytest.raises(Refused):
        tighten(RULES, {f"{path}.{MARK}": treatment}, "site.toml")


@given(st.lists(st.sampled_from(sorted(RULES)), max_size=30), st.lists(st.sampled_from(sorted(RULES)), max_size=30))
def test_two_packs_publish_no_more_than_either(unknown: list[str], dropped: list[str]) -> None:
    other = {path: "drop" if path in dropped else rule for path, rule in RULES.items() if path not in unknown}
    for both in (intersect(RULES, other), intersect(other, RULES)):
        published = {path for path, rule in both.items() if rule != "drop"}
        assert published == {path for path, rule in other.items() if rule != "drop"}
