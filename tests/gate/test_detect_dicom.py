"""The gate's own look at DICOM: it passes what was cleaned, and sees each thing that was not."""

from __future__ import annotations

import pytest

from tests.dicom_objects import anonymized, objects
from veil.contracts import Profile
from veil.detect import dicom
from veil.detect.dicom_canaries import _DAMAGES, _SAFE_HARBOR, clean_object, dicom_canaries
from veil.detect.tokens import known_tokens

PROFILES: tuple[Profile, ...] = ("safe_harbor", "expert")


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_anonymizer_made_passes_and_what_it_was_given_does_not(profile: Profile) -> None:
    for payload, _ in objects():
        assert dicom.leaks(anonymized(payload, profile).payload or b"", profile=profile) == []
        assert {"person-name", "patient-id", "private", "place"} <= set(dicom.leaks(payload, profile=profile))


@pytest.mark.parametrize("profile", PROFILES)
def test_each_canary_breaks_the_rule_it_was_made_for(profile: Profile) -> None:
    assert dicom.leaks(clean_object(), profile=profile) == []
    rules = [*_DAMAGES, *(_SAFE_HARBOR if profile == "safe_harbor" else ()), "preamble", "unreadable", "file-meta"]
    found = [dicom.leaks(canary, profile=profile) for canary in dicom_canaries(profile)]
    assert [rule in broken for rule, broken in zip(rules, found, strict=True)] == [True] * len(rules)
    assert set(rules) | {"date", "device"} == set(dicom.RULES)


@pytest.mark.parametrize("where", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_known_identifier_anywhere_in_the_bytes_is_among_the_tokens(where: str) -> None:
    payload = _with_text(clean_object(), "Quillona Vasterby".encode(where))
    assert known_tokens("NAME", "Quillona Vasterby") & set(dicom.search_tokens(payload))


def _with_text(payload: bytes, hidden: bytes) -> bytes:
    """Put bytes into the pixels, where only a search of all bytes finds them."""
    at = len(payload) - 512
    return payload[:at] + b"\x01" + hidden + b"\x01" + payload[at + len(hidden) + 2 :]


@pytest.mark.parametrize("cut", [1, 200, 400, 1000])
def test_a_file_that_is_cut_off_is_unreadable(cut: int) -> None:
    assert dicom.leaks(clean_object()[:-cut], profile="expert") == ["unreadable"]
