"""What a FHIR R4 Consent decides about the use of its subject's data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from veil.contracts import Consent
from veil.readers.times import utc

_SHARING = {"research", "patient-privacy"}
_OPT_OUT = {"OPTOUT", "OPTOUTE"}
_UNQUALIFIED = {"id", "extension", "type"}
"""The keys of a provision that do not narrow it (FHIR R4, 6.1.8: Consent.provision)."""


def consent(resource: dict[str, Any]) -> Consent | None:
    """Read a Consent so that whatever is not understood never permits.

    Parameters
    ----------
    resource
        A resource of type Consent.

    Returns
    -------
    Consent or None
        ``deny`` if any rule of an active consent denies, or its policy is an opt-out, whatever else qualifies it;
        ``permit`` if an active consent permits without any qualifier (actor, purpose, class, code, period, data,
        nested rule, modifier extension, other scope) and says when it was made; None when it decides nothing here.
    """
    if resource.get("status") != "active":
        return None
    when = utc(resource.get("dateTime"))
    if when is None:
        meta = resource.get("meta")
        when = (utc(meta.get("lastUpdated")) if isinstance(meta, dict) else None) or ""
    policy = set(_codes(resource.get("policyRule")))
    provision = resource.get("provision")
    if policy & _OPT_OUT or _denies(provision):
        return Consent("deny", when)
    return Consent("permit", when) if when and _permits(resource, provision, policy) else None


def _denies(provision: Any) -> bool:
    pending = [provision]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            if node.get("type") == "deny":
                return True
            pending.append(node.get("provision"))
    return False


def _permits(resource: dict[str, Any], provision: Any, policy: set[str]) -> bool:
    scope = set(_codes(resource.get("scope")))
    if "modifierExtension" in resource or "implicitRules" in resource or (scope and not scope & _SHARING):
        return False
    if provision is None:
        return policy == {"OPTIN"}
    if not isinstance(provision, dict) or provision.keys() - _UNQUALIFIED or "OPTINR" in policy:
        return False
    return provision.get("type") == "permit" or ("type" not in provision and policy == {"OPTIN"})


def _codes(concept: Any) -> Iterator[str]:
    coding = concept.get("coding") if isinstance(concept, dict) else None
    for entry in coding if isinstance(coding, list) else ():
        code = entry.get("code") if isinstance(entry, dict) else None
        if isinstance(code, str):
            yield code
