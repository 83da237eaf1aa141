"""Cleans a header in place: every attribute, in every sequence, by its rule or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VM, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from veil.contracts import Profile, Unpublishable
from veil.policy.dicom import DicomPlan
from veil.policy.treatments import Treatment
from veil.transforms.control import CONTROL

from . import values
from .known import Words
from .private import clean_private

Read = Callable[[str, str], str]
"""Cleans a free text: its path in the policy and the text itself, in; the clean text, out."""

_DEEPEST = 32
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "OB", "OW", "OF", "OD", "OL", "OV"})
_SIZES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "AT": 4, "FD": 8, "UV": 8, "SV": 8}
_WORDS = re.compile(rb"[A-Za-z^ ]{10,}|(?:[A-Za-z^ ]\0){10,}")
_PIXEL_DATA = 0x7FE00010
_TEXT = values.FREE_TEXT
_PUBLIC_CODES = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "LN", "UCUM", "RADLEX", "FMA", "NCIt", "UMLS", "BI", "I10", "I10P"}
)
"""Coding schemes whose meanings are public knowledge (PS3.16, 8)."""
_DUMMY = "REMOVED"
_META_GROUPS = (0x0000, 0x0002, 0x0004)
_REPEATING = (0x50, 0x60)
"""Curves and overlays (50xx, 60xx): graphics that can draw a name, dropped whole."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an object is about: what is published of them, and the `words` that no code or number may be."""

    pseudonym: str
    offset_days: int
    uid_key: bytes = field(repr=False)
    words: Words = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Rule:
    treatment: Treatment
    vr: tuple[str, ...]
    keyword: str
    most: int | None = None
    """How many numbers it may hold, where the standard bounds that."""


class HeaderCleaner:
    """Applies a plan to headers (PS3.15 E.2). What was dropped is counted by keyword; a name of no value is in it."""

    def __init__(self, plan: DicomPlan, profile: Profile) -> None:
        self._plan, self._profile = plan, profile
        self._rules: dict[int, _Rule] = {}

    def clean(self, dataset: Dataset, subject: Subject, read: Read) -> dict[str, int]:
        """Clean a header in place; give the counts of what was dropped.

        Raises
        ------
        Unpublishable
            Sequences are nested more than 32 deep, or the subject lacks the offset that the profile needs.
        """
        if self._profile == "expert" and subject.offset_days == 0:
            raise Unpublishable("the subject has no date offset, which the expert profile needs")
        work = _Work(self._plan, self._profile, self._rule, subject, read)
        work.dataset(dataset, 0)
        return work.dropped

    def _rule(self, tag: int) -> _Rule:
        rule = self._rules.get(tag)
        if rule is None:
            rule = self._rules[tag] = self._made(tag)
        return rule

    def _made(self, tag: int) -> _Rule:
        group = tag >> 16
        if group in _META_GROUPS or group >> 8 in _REPEATING or not dictionary_has_tag(tag):
            return _Rule("drop", (), "?")
        vr = tuple(dictionary_VR(tag).split(" or "))
        treatment = self._plan.attributes.get(tag) or self._plan.vr.get(vr[0], "drop")
        most = dictionary_VM(tag).rpartition("-")[2]
        return _Rule(treatment, vr, dictionary_keyword(tag), int(most) if most.isdecimal() else None)


@dataclass(slots=True)
class _Work:
    """One header under way."""

    plan: DicomPlan
    profile: Profile
    rule: Callable[[int], _Rule]
    subject: Subject
    read: Read
    dropped: dict[str, int] = field(default_factory=dict)

    def dataset(self, dataset: Dataset, depth: int) -> None:
        if depth > _DEEPEST:
            raise Unpublishable(
                f"sequences are nested more than {_DEEPEST} deep: have it looked at before it is sent again"
            )
        tags = list(dataset.keys())  # iterating over the data set itself would convert every value
        private = [tag for tag in tags if tag.is_private]
        for tag in tags:
            if not tag.is_private:
                self._attribute(dataset, tag, depth)
        if private:
            clean_private(dataset, private, self.plan.private, self.drop)

    def drop(self, dataset: Dataset, tag: BaseTag, name: str) -> None:
        del dataset[tag]
        self.dropped[name] = self.dropped.get(name, 0) + 1

    def _attribute(self, dataset: Dataset, tag: BaseTag, depth: int) -> None:
        rule = self.rule(int(tag))
        if tag.element == 0:  # group lengths are retired (PS3.5, 7.2)
            del dataset[tag]
        elif rule.treatment == "drop":
            self.drop(dataset, tag, rule.keyword)
        elif rule.treatment == "empty":
            dataset[tag] = DataElement(tag, rule.vr[0], [] if rule.vr[0] == "SQ" else None)
        elif rule.treatment == "subject":
            dataset[tag] = DataElement(tag, rule.vr[0], self.subject.pseudonym)
        else:
            try:
                self._value(dataset, tag, rule, depth)
            except Unpublishable:
                raise
            except Exception:  # noqa: BLE001 - a value that cannot be read is none
                self.drop(dataset, tag, f"{rule.keyword}.unreadable")

    def _value(self, dataset: Dataset, tag: BaseTag, rule: _Rule, depth: int) -> None:
        written = dataset.get_item(tag).VR
        if written == "UN":
            written = dataset[tag].VR
        vr = (rule.vr[0] if written is None else written).partition(" or ")[0]
        if not _fits(vr, rule.vr):
            self.drop(dataset, tag, f"{rule.keyword}.wrong-vr")
        elif vr == "SQ":
            for item in dataset[tag].value:
                self.dataset(item, depth + 1)
        elif vr in _NUMBERS:
            if rule.treatment != "keep":
                self.drop(dataset, tag, rule.keyword)
            elif int(tag) == _PIXEL_DATA:
                if depth:  # nothing looks for text in pixels within a sequence
                    self.drop(dataset, tag, rule.keyword)
            elif not _is_plausible(dataset.get_item(tag).value, vr, rule.most):
                self.drop(dataset, tag, f"{rule.keyword}.no-number")
        elif rule.treatment == "dummy":
            self._dummy(dataset, tag, rule.vr[0])
        else:
            self._strings(dataset, tag, rule, vr)

    def _dummy(self, dataset: Dataset, tag: BaseTag, vr: str) -> None:
        if vr in _TEXT or vr in {"PN", "CS", "AE"}:
            dataset[tag] = DataElement(tag, vr, _DUMMY)
        else:
            self.drop(dataset, tag, self.rule(int(tag)).keyword)

    def _strings(self, dataset: Dataset, tag: BaseTag, rule: _Rule, vr: str) -> None:
        old = values.texts(dataset, tag, vr)
        new = [self._string(value, rule, vr, dataset) for value in old]
        if rule.treatment == "keep" and any(old) and not any(new):
            self.drop(dataset, tag, f"{rule.keyword}.unfit")
        elif new != old or vr in _TEXT:
            dataset[tag] = DataElement(tag, rule.vr[0], (new if len(new) > 1 else new[0]) if any(new) else None)

    def _string(self, value: str, rule: _Rule, vr: str, parent: Dataset) -> str:
        if not value:
            return value
        match vr:
            case "UI":
                return value if rule.treatment == "keep" else values.new_uid(value, self.subject.uid_key)
            case "DA":
                return values.moved_date(value, self.profile, self.subject.offset_days)
            case "DT":
                return values.moved_datetime(value, self.profile, self.subject.offset_days)
            case "TM":
                return values.kept_time(value, self.profile)
            case "AS":
                return values.capped_age(value)
            case "DS" | "IS":
                return value if values.is_number(value, vr) and not self.subject.words.are_within(value) else ""
            case "CS":
                return value if values.is_code(value) and not self.subject.words.are_in(value) else ""
            case _ if vr in _TEXT:
                return self._text(value, rule, vr, parent)
        return ""

    def _text(self, value: str, rule: _Rule, vr: str, parent: Dataset) -> str:
        if CONTROL.search(value):
            return ""
        public = rule.keyword in {"CodeValue", "CodeMeaning"} and parent.get("CodingSchemeDesignator") in _PUBLIC_CODES
        if public or rule.treatment == "keep":
            return "" if self.subject.words.are_in(value) else value
        return self.read(rule.keyword, value)[: values.LONGEST.get(vr)]


def _fits(written: str, allowed: Sequence[str]) -> bool:
    """Whether the file's VR is one that the standard gives, or a text for a text, a number for a number."""
    if written in allowed:
        return True
    return any({written, vr} <= kinds for vr in allowed for kinds in (_TEXT, {"DS", "IS"}, {"OB", "OW"}))


def _is_plausible(value: object, vr: str, most: int | None) -> bool:
    """Whether bytes are numbers, as many as there may be: a damaged length makes one of all that follows it."""
    if not isinstance(value, bytes):  # converted before, to learn what other values mean
        return most is None or len(values.many(value)) <= most
    if vr in _SIZES and most is not None:
        return len(value) <= _SIZES[vr] * most
    return _WORDS.search(value) is None
