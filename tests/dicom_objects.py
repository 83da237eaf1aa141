"""DICOM objects for tests: the demo's, and the ways to anonymize them."""

from __future__ import annotations

import io
from datetime import date
from random import Random

import pydicom
from pydicom.dataset import Dataset

from veil.contracts import Item, Outcome
from veil.demo.dicom import study
from veil.demo.people import make_person
from veil.files import policy_of
from veil.modalities.base import Transform
from veil.modalities.dicom import transform

KEY = bytes(range(32))
PSEUDONYM = "5" * 32
_TRANSFORMS: dict[str, Transform] = {}


def objects(seed: int = 7, index: int = 2) -> list[tuple[bytes, list[str]]]:
    """Two slices of an MR and an ultrasound image of a demo patient, each with what was planted in it."""
    person = make_person(seed, index)
    return [
        (payload, [value for _, value, _ in plants])
        for _, payload, plants in study(Random(seed), person, date(2025, 3, 4))
    ]


def anonymized(payload: bytes, profile: str = "safe_harbor", key: bytes = KEY, offset_days: int = 77) -> Outcome:
    if profile not in _TRANSFORMS:
        _TRANSFORMS[profile] = transform(policy_of(profile), 2026)
    days = offset_days if profile == "expert" else 0
    return _TRANSFORMS[profile](Item("dicom", "a" * 32, PSEUDONYM, payload=payload, offset_days=days, uid_key=key))


def read(outcome: Outcome) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(outcome.payload or b""))


def changed(payload: bytes, **values: object) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(payload))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
