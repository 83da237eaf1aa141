"""DICOM objects."""

from __future__ import annotations

from collections.abc import Iterator

from veil.contracts import Profile
from veil.detect import dicom as detect
from veil.detect.dicom_canaries import dicom_canaries
from veil.modalities.base import Candidate, Gate, Modality, SearchToken, Transform
from veil.modalities.text import engine
from veil.policy import Policy
from veil.readers.dicom import STUDY, described
from veil.readers.formats import dicom_format
from veil.transforms.dicom import DicomAnonymizer


def transform(policy: Policy, reference_year: int) -> Transform:
    """Make the transform of a policy."""
    return DicomAnonymizer(policy, reference_year, lambda text, known: engine().find(text, known))


def _detect(candidate: Candidate, profile: Profile) -> list[str]:
    return ["no-payload"] if candidate.payload is None else detect.leaks(candidate.payload, profile=profile)


def _canaries(profile: Profile) -> list[Candidate]:
    return [Candidate("{}", payload) for payload in dicom_canaries(profile)]


def _tokens(candidate: Candidate) -> Iterator[SearchToken]:
    for token in detect.search_tokens(candidate.payload or b""):
        yield SearchToken(token)


MODALITY = Modality(
    name="dicom",
    title="DICOM objects",
    recognise=dicom_format,
    anonymizer=transform,
    gate=Gate(_detect, _canaries, _tokens),
    binary=True,
    describe=described,
    whole=STUDY,
)
