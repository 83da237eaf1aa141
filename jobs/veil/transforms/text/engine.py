"""Known identifiers, rules and two models read a note together; what any of them finds is covered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from veil.contracts import KnownIdentifier, Span

from . import beside, languages, rules
from . import known as known_identifiers
from .arbitrate import arbitrate
from .folding import Folded, fold
from .ner import People, Rampart, voters
from .redact import TAG
from .resolve import resolve
from .rules.rule import apply
from .surrogates import names_nobody
from .windows import windows
from .words import WORD, Lexicon, lexicon

_SHORTEST_REPEAT = 3
_CERTAIN = 0.8
_NEUTRAL = "\N{BLACK SQUARE}"
_KEPT = 8 << 20
"""Characters of notes whose reading is kept."""
_NAMED = ("NAME", "LOCATION", "ORGANIZATION")
"""What an invented name of an earlier pass may be taken for."""
MENTION = "mention"
"""The role of a name that another note of the same subject holds."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What rules and models find in a note, whoever it is about."""

    folded: Folded = field(repr=False)
    ruled: tuple[Span, ...]
    voted: tuple[Span, ...]


class TextEngine:
    """Finds identifiers in clinical text.

    Parameters
    ----------
    models
        The models that vote; none leaves known identifiers and rules.
    language
        ISO 639-1 code of the language that texts are written in, one of `languages.available`.
    """

    def __init__(self, models: Sequence[Rampart | People] = (), language: str = "en") -> None:
        self._language = languages.load(language)
        self._models = tuple(models)
        self._readings: dict[str, _Reading] = {}
        self._kept = 0
        self._words: Lexicon = lexicon()

    @classmethod
    def load(cls, language: str = "en") -> TextEngine:
        """Make an engine of both models, which are loaded once per process (about 4 s) with one thread each."""
        return cls(voters(), language)

    def find(self, text: str, known: Sequence[KnownIdentifier] = ()) -> list[Span]:
        """Find the identifiers of 45 CFR 164.514(b)(2)(i) in a note.

        Parameters
        ----------
        text
            The note as it was received.
        known
            Identifiers of the subject, of relatives, practitioners and organizations of the encounter.

        Returns
        -------
        list of Span
            Sorted, not overlapping, without surrounding white space; offsets index `text`.
        """
        reading = self._read(text)
        folded = reading.folded
        own = [item for item in known if item.role != MENTION]
        certain = [*known_identifiers.find(folded.text, own), *reading.ruled]
        names = resolve(folded.text, (span for span in (*certain, *reading.voted) if span.kind == "NAME"))
        told = frozenset(item.value for item in known if item.role == MENTION)
        spans = [
            *certain,
            *reading.voted,
            *beside.find(folded.text, names),
            *self._repeats(folded.text, self._keys(folded.text, names) | told),
        ]
        outside = [
            span
            for span in _outside_tags(folded.text, spans)
            if span.kind not in _NAMED
            or span.detector == "known"
            or not names_nobody(folded.text[span.start : span.end])
        ]
        return _to_original(text, folded, resolve(folded.text, outside))

    def mentions(self, text: str, known: Sequence[KnownIdentifier] = ()) -> list[KnownIdentifier]:
        """Give the words that name somebody in a note, for the subject's other notes to be searched for.

        A word that is ordinary English or medicine is not among them, nor what only one model suspects.
        """
        spans = [span for span in self.find(text, known) if span.kind == "NAME" and span.score >= _CERTAIN]
        keys = self._keys(text, spans)
        return [KnownIdentifier("NAME", key, MENTION) for key in sorted(keys)]

    def _read(self, text: str) -> _Reading:
        """Read a note by rules and models; what was read last is kept, since a subject's notes are read twice."""
        if text in self._readings:
            return self._readings[text]
        folded = fold(text)
        # a tag is no label: "[PHONE]" does not make a number behind it a telephone
        untagged = TAG.sub(lambda tag: _NEUTRAL * len(tag[0]), folded.text)
        own = chain.from_iterable(apply(rule, untagged) for rule in self._language.rules)
        ruled = tuple(self._in_language(untagged, chain(rules.find(untagged), own)))
        reading = _Reading(folded, ruled, tuple(self._vote(folded.text, ruled)))
        self._kept += len(text)
        if self._kept > _KEPT:
            self._readings.clear()
            self._kept = len(text)
        self._readings[text] = reading
        return reading

    def find_many(self, texts: Sequence[str], knowns: Sequence[Sequence[KnownIdentifier]] = ()) -> list[list[Span]]:
        """Find the identifiers of several notes; no result depends on the other notes.

        Parameters
        ----------
        texts
            Notes.
        knowns
            For each note what is known about its subject; empty when nothing is known about any.

        Raises
        ------
        ValueError
            `texts` and `knowns` differ in length.
        """
        each = knowns or [()] * len(texts)
        return [self.find(text, known) for text, known in zip(texts, each, strict=True)]

    def _vote(self, text: str, ruled: Sequence[Span]) -> Iterator[Span]:
        if self._models:
            chosen = windows(text, self._words, ruled)
            for model in self._models:
                yield from self._in_language(text, arbitrate(text, model.find(text, chosen)))

    def _in_language(self, text: str, spans: Iterable[Span]) -> Iterator[Span]:
        """Leave out names of ordinary words alone, of a language whose words the lists of English do not hold."""
        ordinary = self._language.words
        for span in spans:
            words = text[span.start : span.end].lower().split() if ordinary and span.kind == "NAME" else ()
            if not words or any(word.strip(".,") not in ordinary for word in words):
                yield span

    def _keys(self, text: str, names: Sequence[Span]) -> frozenset[str]:
        """Give the words of names by which their other places are found."""
        keys = {
            match[0].lower().removesuffix("'s")
            for span in names
            for match in WORD.finditer(text, span.start, span.end)
            if len(match[0]) >= _SHORTEST_REPEAT and not self._words.common(match[0].removesuffix("'s"))
        }
        return frozenset(keys - self._words.eponyms)

    def _repeats(self, text: str, keys: frozenset[str]) -> Iterator[Span]:
        """Yield the other places of a name that was found once: models see it in some sentences and not in others."""
        if not keys:
            return
        for match in WORD.finditer(text):
            word = match[0].lower()
            if word.removesuffix("'s") in keys:
                end = match.end() - 2 if word.endswith("'s") else match.end()
                yield Span(match.start(), end, "NAME", "repeats", "repeated_name")


def _outside_tags(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Cut out of the spans the tags that an earlier pass has written."""
    tags = [match.span() for match in TAG.finditer(text)]
    ends = [end for _, end in tags]
    for span in spans:
        pieces = [(span.start, span.end)]
        for start, end in tags[bisect_right(ends, span.start) :]:
            if start >= span.end:
                break
            pieces = [
                piece
                for left, right in pieces
                for piece in ((left, min(right, start)), (max(left, end), right))
                if piece[0] < piece[1]
            ]
        for start, end in pieces:
            if pieces == [(span.start, span.end)] or any(char.isalnum() for char in text[start:end]):
                yield replace(span, start=start, end=end)


def _to_original(text: str, folded: Folded, spans: Sequence[Span]) -> list[Span]:
    if folded.at is None:
        return list(spans)
    moved = [
        replace(span, start=start, end=end) for span in spans for start, end in [folded.original(span.start, span.end)]
    ]
    return resolve(text, moved)
