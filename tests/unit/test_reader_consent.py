from __future__ import annotations

from typing import Any

import pytest

from veil.readers.consent import consent

_PERMIT: dict[str, Any] = {"type": "permit"}


def _decision(**more: Any) -> str | None:
    found = consent({"resourceType": "Consent", "status": "active", "dateTime": "2025-01-01", **more})
    return found.decision if found else None


def _policy(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def test_a_plain_permit_and_a_plain_deny() -> None:
    assert _decision(provision=_PERMIT) == "permit"
    assert _decision(provision={"type": "deny"}) == "deny"


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error", None])
def test_only_an_active_consent_decides(status: str | None) -> None:
    assert _decision(status=status, provision=_PERMIT) is None
    assert _decision(status=status, provision={"type": "deny"}) is None


@pytest.mark.parametrize(
    "qualifier",
    [
        "period",
        "actor",
        "action",
        "securityLabel",
        "purpose",
        "class",
        "code",
        "dataPeriod",
        "data",
        "provision",
        "modifierExtension",
        "somethingNew",
    ],
)
def test_a_qualifier_voids_a_permit_and_keeps_a_deny(qualifier: str) -> None:
    assert _decision(provision={"type": "permit", qualifier: [{"x": 1}]}) is None
    assert _decision(provision={"type": "deny", qualifier: [{"x": 1}]}) == "deny"


def test_any_nested_deny_denies() -> None:
    assert (
        _decision(provision={"type": "permit", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]})
        == "deny"
    )


def test_the_policy_rule_is_the_base() -> None:
    assert _decision(policyRule=_policy("OPTIN")) == "permit"
    assert _decision(policyRule=_policy("OPTOUT")) == "deny"
    assert _decision(policyRule=_policy("OPTOUTE"), provision=_PERMIT) == "deny"
    assert _decision(policyRule=_policy("OPTINR"), provision=_PERMIT) is None
    assert _decision() is None


def test_what_permits_treatment_does_not_permit_research() -> None:
    assert _decision(scope=_policy("treatment"), provision=_PERMIT) is None
    assert _decision(scope=_policy("research"), provision=_PERMIT) == "permit"
    assert _decision(scope=_policy("adr"), provision={"type": "deny"}) == "deny"


def test_a_permit_that_does_not_say_when_is_none_and_a_deny_stays() -> None:
    assert _decision(dateTime=None, provision=_PERMIT) is None
    assert _decision(dateTime=None, provision={"type": "deny"}) == "deny"
    assert _decision(dateTime=None, meta={"lastUpdated": "2025-01-01T00:00:00Z"}, provision=_PERMIT) == "permit"


@pytest.mark.parametrize("provision", [[], "permit", 1, [_PERMIT], {"type": ["permit"]}])
def test_a_misshapen_provision_permits_nothing(provision: object) -> None:
    assert _decision(provision=provision) is None
