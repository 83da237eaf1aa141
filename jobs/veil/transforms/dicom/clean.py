"""Anonymizes a DICOM object: header, text in its pixels, and what it says of having been anonymized."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from veil.contracts import Finding, Item, KnownIdentifier, Outcome, Span, Unpublishable
from veil.policy import Policy
from veil.readers.dicom import AGAIN
from veil.transforms.text import redact

from . import files, known
from .header import HeaderCleaner, Subject
from .heads import check_head
from .ocr import Box, TextFinder
from .pixels import mask

Find = Callable[[str, Sequence[KnownIdentifier]], list[Span]]

_MOST_PEOPLE, _MOST_TEXTS = 100, 1000
_METHODS = {
    "": ("113100", "Basic Application Confidentiality Profile"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "structured_content": ("113104", "Clean Structured Content Option"),
    "modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "device_identity": ("113109", "Retain Device Identity Option"),
    "private": ("113111", "Retain Safe Private Option"),
    "pixels": ("113101", "Clean Pixel Data Option"),
}
"""Codes of context group 7050 (PS3.16)."""
_HELD = {
    "1.2.840.10008.5.1.4.1.1.104.": "a document inside DICOM (PDF, CDA, a model) cannot be cleaned: send it by itself",
    "1.2.840.10008.5.1.4.1.1.9.4.": "a recorded voice identifies who speaks and who is spoken of: leave it out",
    "1.2.840.10008.5.1.4.1.1.66": "raw data, whose content only its maker knows, cannot be cleaned: send its images",
}
_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66."
_VIDEO = ("1.2.840.10008.1.2.4.10", "1.2.840.10008.1.2.7.")


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody by what is known of them, and what the texts of their objects became, by path and text."""

    words: known.Words = field(repr=False)
    read: dict[tuple[str, str], tuple[str, list[Finding]]] = field(default_factory=dict, repr=False)


class DicomAnonymizer:
    """Anonymizes DICOM objects by a policy; `find` finds identifiers in text."""

    def __init__(self, policy: Policy, reference_year: int, find: Find) -> None:
        self._policy, self._reference_year, self._find = policy, reference_year, find
        self._plan = policy.plan.dicom
        self._header = HeaderCleaner(self._plan, policy.profile)
        self._finder = TextFinder(self._plan.allowed_text)
        self._people: dict[tuple[Any, ...], _Person] = {}

    def __call__(self, item: Item) -> Outcome:
        """Anonymize one object.

        Raises
        ------
        Unpublishable
            It cannot be read, or nothing here can make what it holds safe.
        """
        if item.payload is None:
            raise Unpublishable("the object's file is missing")
        dataset = files.read(item.payload)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they quote values
                return self._anonymized(dataset, item)
        except Unpublishable:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged value makes the library raise anything, and quote it
            raise Unpublishable(f"damaged DICOM object ({type(error).__name__}): {AGAIN}") from None

    def _anonymized(self, dataset: Dataset, item: Item) -> Outcome:
        _check_class(dataset)
        for heads in self._plan.heads:
            check_head(dataset, heads)
        own = (*item.known, *known.identifiers(dataset))
        person = self._person(own, item.offset_days)
        subject = Subject(item.subject, item.offset_days, item.uid_key, person.words)
        findings: list[Finding] = []

        def read(path: str, text: str) -> str:
            key = path, text
            if key not in person.read:
                if len(person.read) >= _MOST_TEXTS:
                    person.read.clear()
                person.read[key] = self._cleaned(path, text, own, item.offset_days)
            cleaned, found = person.read[key]
            findings.extend(found)
            return cleaned

        # before anything converts the bytes of an attribute: what is no number is seen by its bytes
        dropped = self._header.clean(dataset, subject, read)
        masked = mask(dataset, self._finder, self._plan.layouts)
        self._mark(dataset)
        return Outcome(json.dumps(_facts(dataset, masked)), files.write(dataset), findings, dropped)

    def _person(self, own: tuple[KnownIdentifier, ...], offset_days: int) -> _Person:
        """Give what is remembered of somebody: the objects of a study say the same of whom they are about."""
        key = own, offset_days
        if key not in self._people:
            if len(self._people) >= _MOST_PEOPLE:
                self._people.clear()
            self._people[key] = _Person(known.Words(own))
        return self._people[key]

    def _cleaned(
        self, path: str, text: str, own: Sequence[KnownIdentifier], offset_days: int
    ) -> tuple[str, list[Finding]]:
        spans = self._find(text, own)
        cleaned = redact(
            text, spans, profile=self._policy.profile, offset_days=offset_days, reference_year=self._reference_year
        )
        return cleaned, [Finding(path, span, text[span.start : span.end]) for span in spans]

    def _mark(self, dataset: Dataset) -> None:
        """Say what was done (PS3.15 E.1.1, step 6)."""
        taken = ["", "pixels", *sorted(self._plan.options), *(["private"] if self._plan.private else [])]
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = f"Veil, policy {self._policy.hash[:16]}"
        dataset.DeidentificationMethodCodeSequence = DicomSequence([_code(*_METHODS[option]) for option in taken])
        dataset.LongitudinalTemporalInformationModified = (
            "MODIFIED" if "modified_dates" in self._plan.options else "REMOVED"
        )


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _check_class(dataset: Dataset) -> None:
    kind = str(dataset.SOPClassUID)
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    for root, reason in _HELD.items():
        if kind.startswith(root) and not kind.startswith(_REGISTRATION):
            raise Unpublishable(reason)
    if syntax.startswith(_VIDEO):
        raise Unpublishable("video inside DICOM is not read, nor text in its frames: send it as uncompressed frames")


def _facts(dataset: Dataset, masked: tuple[Box, ...]) -> dict[str, object]:
    """Give what a table of objects is searched by, which stands in the clean header, and which boxes were masked."""
    names = {
        "study": "StudyInstanceUID",
        "series": "SeriesInstanceUID",
        "instance": "SOPInstanceUID",
        "class": "SOPClassUID",
        "modality": "Modality",
        "date": "StudyDate",
    }
    found = {name: str(value) for name, keyword in names.items() if (value := dataset.get(keyword))}
    return {**found, "masked": masked}
