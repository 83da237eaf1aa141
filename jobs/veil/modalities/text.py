"""Clinical notes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from veil.contracts import Finding, Item, KnownIdentifier, Outcome, Profile, Unpublishable
from veil.detect import canaries
from veil.detect import text as detect
from veil.detect.tokens import tokens
from veil.modalities.base import Candidate, Gate, Modality, SearchToken, Transform
from veil.policy import Policy
from veil.readers.formats import text_format
from veil.transforms.control import CONTROL
from veil.transforms.text import TextEngine, language, redact
from veil.transforms.text.languages import available


@cache
def engine(language: str = "en") -> TextEngine:
    """Give the text engine of this process for a language; its models load at the first use."""
    return TextEngine.load(language)


def _anonymizer(policy: Policy, reference_year: int) -> Transform:
    def anonymize(item: Item) -> Outcome:
        note = item.content or ""
        if not note.strip():
            raise Unpublishable("the note is empty")
        if CONTROL.search(note):
            raise Unpublishable("the note holds control characters: send it as plain text in UTF-8")
        written = language(note)
        if written not in policy.languages:
            listed = ", ".join(policy.languages)
            raise Unpublishable(f"the note is not in a language that the product lists ({listed})")
        spans = engine(written).find(note, item.known)
        findings = [Finding("text", span, note[span.start : span.end]) for span in spans]
        cleaned = redact(
            note,
            spans,
            profile=policy.profile,
            offset_days=item.offset_days,
            reference_year=reference_year,
            surrogates=item.surrogates,
        )
        return Outcome(cleaned, findings=findings)

    return anonymize


def _mentions(item: Item) -> list[KnownIdentifier]:
    note = item.content or ""
    written = language(note)
    return engine(written).mentions(note, item.known) if written in available() else []


def _detect(candidate: Candidate, profile: Profile) -> list[str]:
    found = detect.leaks(candidate.content or "", profile=profile)
    return [rule for rule in found if detect.RULES[rule].severity == "critical"]


def _canaries(profile: Profile) -> list[Candidate]:
    return [Candidate(content) for content in canaries.text_canaries(profile)]


def _tokens(candidate: Candidate) -> Iterator[SearchToken]:
    for token in tokens(candidate.content or ""):
        yield SearchToken(token)


MODALITY = Modality(
    name="text",
    title="Clinical notes",
    recognise=text_format,
    anonymizer=_anonymizer,
    mentions=_mentions,
    gate=Gate(_detect, _canaries, _tokens),
)
