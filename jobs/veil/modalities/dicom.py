"""DICOM objects."""

from __future__ import annotations

from veil.modalities.base import Modality, Transform
from veil.modalities.text import engine
from veil.policy import Policy
from veil.readers.formats import dicom_format
from veil.transforms.dicom import DicomAnonymizer


def _anonymizer(policy: Policy, reference_year: int) -> Transform:
    return DicomAnonymizer(policy, reference_year, lambda text, known: engine().find(text, known))


MODALITY = Modality(
    name="dicom",
    title="DICOM objects",
    recognise=dicom_format,
    anonymizer=_anonymizer,
    binary=True,
)
