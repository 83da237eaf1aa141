"""Who an object says it is about: the identifiers of its own header, for its free text to be searched for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydicom.dataset import Dataset

from veil.contracts import Kind, KnownIdentifier

_KINDS: dict[str, Kind] = {
    "PatientID": "MRN",
    "OtherPatientIDs": "MRN",
    "MedicalRecordLocator": "MRN",
    "AdmissionID": "ID",
    "AccessionNumber": "ID",
    "RequestedProcedureID": "ID",
    "PatientTelephoneNumbers": "PHONE",
    "ReferringPhysicianTelephoneNumbers": "PHONE",
    "PatientAddress": "LOCATION",
    "InstitutionAddress": "LOCATION",
    "InstitutionName": "ORGANIZATION",
    "ResponsibleOrganization": "ORGANIZATION",
    "IssuerOfPatientID": "ORGANIZATION",
}
_OF_SUBJECT = frozenset({"PatientName", "OtherPatientNames", "PatientBirthName"})
_OF_RELATIVES = frozenset({"PatientMotherBirthName", "ResponsiblePerson"})
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_SHORTEST = 3


def identifiers(dataset: Dataset) -> tuple[KnownIdentifier, ...]:
    """Give every name and number of the header that may stand in a description, a comment or a report."""
    found: dict[KnownIdentifier, None] = {}
    for element in dataset:
        if element.VR == "PN":
            role = "subject" if element.keyword in _OF_SUBJECT else "practitioner"
            role = "relative" if element.keyword in _OF_RELATIVES else role
            for name in _texts(element.value):
                for written in _natural(name):
                    found[KnownIdentifier("NAME", written, role)] = None
        elif element.keyword == "PatientBirthDate":
            born = _DATE.fullmatch(str(element.value or ""))
            if born:
                found[KnownIdentifier("DATE", "-".join(born.groups()))] = None
        elif element.keyword in _KINDS:
            kind = _KINDS[element.keyword]
            role = "organization" if kind == "ORGANIZATION" else "subject"
            for text in _texts(element.value):
                found[KnownIdentifier(kind, text, role)] = None
    return tuple(found)


def words(known: tuple[KnownIdentifier, ...]) -> frozenset[str]:
    """Give the words of names and the numbers, in capitals, that no code of an object may be."""
    found = {
        word
        for one in known
        if one.kind != "DATE" and one.role != "organization"
        for word in re.findall(r"[^\W_]+", one.value.upper())
        if len(word) >= _SHORTEST
    }
    return frozenset(found)


def _texts(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]:  # type: ignore[attr-defined]
        text = str(one or "").strip()
        if len(text) >= _SHORTEST:
            yield text


def _natural(name: str) -> Iterator[str]:
    """Write each group of a PN (PS3.5, 6.2.1: family^given^middle^prefix^suffix) as people write it."""
    for group in name.split("="):
        family, given, middle, *_ = [*(part.strip() for part in group.split("^")), "", "", ""]
        written = " ".join(part for part in (given, middle, family) if part)
        if len(written) >= _SHORTEST:
            yield written
