"""Who an object says it is about: the identifiers of its own header, for its free text to be searched for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR
from pydicom.dataset import Dataset

from veil.contracts import Kind, KnownIdentifier

from .values import many

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
_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
_LONG = 6
_DEEPEST = 8


def identifiers(dataset: Dataset, depth: int = 0) -> tuple[KnownIdentifier, ...]:
    """Give every name and number of the header, its sequences included, that may stand in a description or a report."""
    found: dict[KnownIdentifier, None] = {}
    for tag in list(dataset.keys()):
        # only these are converted: what is converted has lost the bytes that it is later judged by
        if tag.is_private or not dictionary_has_tag(tag):
            continue
        keyword = dictionary_keyword(tag)
        if keyword in _KINDS or keyword == "PatientBirthDate" or dictionary_VR(tag) == "PN":
            found.update(dict.fromkeys(_told(keyword, dataset[tag].value)))
        elif dictionary_VR(tag) == "SQ" and dataset[tag].VR == "SQ" and depth < _DEEPEST:
            for item in dataset[tag].value:
                found.update(dict.fromkeys(identifiers(item, depth + 1)))
    return tuple(found)


def _told(keyword: str, value: object) -> Iterator[KnownIdentifier]:
    if keyword in _KINDS:
        kind = _KINDS[keyword]
        for text in _texts(value):
            yield KnownIdentifier(kind, text, "organization" if kind == "ORGANIZATION" else "subject")
    elif keyword == "PatientBirthDate":
        born = _DATE.fullmatch(str(value or ""))
        if born:
            yield KnownIdentifier("DATE", "-".join(born.groups()))
    else:
        role = "subject" if keyword in _OF_SUBJECT else "practitioner"
        role = "relative" if keyword in _OF_RELATIVES else role
        for name in _texts(value):
            for written in _natural(name):
                yield KnownIdentifier("NAME", written, role)


class Words:
    """The words of known names, and the known numbers, that no code or number of an object may be."""

    def __init__(self, known: Sequence[KnownIdentifier]) -> None:
        self._words = frozenset(
            word
            for one in known
            if one.kind != "DATE" and one.role != "organization"
            for word in _WORD.findall(one.value.upper())
            if len(word) >= _SHORTEST
        )
        self._long = tuple(word for word in self._words if len(word) >= _LONG)

    def are_in(self, value: str) -> bool:
        """Whether a value holds one of them; a long one also within another word."""
        return not self._words.isdisjoint(_WORD.findall(value.upper())) or self.are_within(value)

    def are_within(self, value: str) -> bool:
        """Whether a value holds a long one of them, whatever stands around it or between its letters."""
        together = "".join(_WORD.findall(value.upper()))
        return len(together) >= _LONG and any(word in together for word in self._long)


def _texts(value: object) -> Iterator[str]:
    for one in many(value):
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
        if not family.isascii() and given:  # 王小明: family name first, and no blank
            yield f"{family}{given}"
