"""What models find and medicine needs: ordinary words, eponyms, measurements. Known identifiers never come here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

from veil.contracts import Span

from .rules.rule import is_code
from .terms import NAMED, in_phrase
from .words import WORD, Lexicon, lexicon, lines, word_set

_TITLE = re.compile(r"\b(?:dr|mr|mrs|ms|mx|miss|prof|professor|doctor|nurse|rev) ?\.?\s{1,2}$", re.IGNORECASE)
_UNIT = re.compile(
    r"\s?(?:mg|mcg|ug|g|kg|ml|dl|l|cc|mm|cm|mmhg|bpm|%|iu|units?|meq|mmol|ng|pg|x ?10|k/|u/|"
    r"/min|/hpf|°|degrees|lbs?|pounds|"
    r"days?|weeks?|months?|hours?|hrs?|minutes?|tablets?|tabs?|cells?|copies)(?![a-z])",
    re.IGNORECASE,
)
_LAB = re.compile(
    r"\b(?:wbc|rbc|hgb|hct|plt|platelets?|sodium|potassium|glucose|creatinine|bun|inr|ptt?|ast|"
    r"alt|tsh|a1c|ldl|hdl|psa|bp|hr|rr|"
    r"spo2|ef|troponin|lactate|ferritin|viral load|count|titer|level|score|grade|stage|gleason)\b[^\d\n]{0,12}$",
    re.IGNORECASE,
)
_GENE = re.compile(r"\d(?:del|ins|dup)|\d[ACGT]>[ACGT]|\bp\.[A-Z]|\brs\d{3,10}\Z", re.IGNORECASE)
_SURNAME = re.compile(r" ([A-Z][a-z]{2,24})(?![\w'])")
_TAIL = re.compile(r"-[^\W\d_]{2,12}(?!\w)")
_SENTENCE = re.compile(r"(?:^|(?<!\b[A-Z])\.|[!?:;\n•\]-])\s*$")
_FEWEST_DIGITS = 5
_LONGEST_ACRONYM = 6
_AROUND = 60
_MIXED = re.compile(r"[a-z][A-Z]")
_HUMP = re.compile(r"[A-Z][a-z]+(?=[A-Z][a-z])")
_PREFIX = re.compile(
    r"(?:mac|mc|de|di|da|du|la|le|li|fitz|van|von|ver|vander|o'|d'|l'|al|el|ben|abu|st|saint)[A-Z]", re.IGNORECASE
)
_DOUBT = 0.5
"""A score that an unheard word in lower case has to reach."""
_SURE_POSTCODE = 0.9
_ADDRESS = re.compile(
    r"(?:^|[ ,\n])\d{1,6}[a-z]?(?:-\d{1,5})?,? +[a-z]{3}|\b(?:apt|suite|ste|unit|room|rm|floor|box|route|hwy|"
    r"highway|no|#)\b|"
    r"\b(?:calle|avenida|av|rue|via|viale|piazza|plaza|rua|ulica|ul|platz|\w*(?:stra(?:ss|ß)e|str|weg|gasse|gatan|"
    r"laan|straat|vej))"
    r"\b|\d{5}|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}\b",
    re.IGNORECASE,
)
"""A place with a number in it: the house before its street, a unit, a street by its foreign name, or a postal code."""
_COLOURS = frozenset({"white", "black", "brown", "green", "gray", "grey", "red", "blue"})
"""Surnames that alone and in small letters are what they say, a race among it."""
_PARTICLE = "de del la las los da das dos di du van von der den ten bin al el y san st"
_PARTICLES = frozenset(_PARTICLE.split())


@cache
def _states() -> frozenset[str]:
    parts = (part.lower() for line in lines("states.txt") for part in line.split(maxsplit=1))
    return frozenset(parts) | word_set("countries.txt")


def arbitrate(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield what is left of the models' findings.

    Parameters
    ----------
    text
        The folded text.
    spans
        Findings of the models in any order.

    Yields
    ------
    Span
        Names without the ordinary words at their ends, and none that consists of ordinary words or of an eponym;
        places without states; numbers that are no measurement.
    """
    words = lexicon()
    for span in spans:
        if span.kind == "NAME":
            yield from _names(text, span, words)
        elif span.kind == "LOCATION":
            if _is_place(text, span, words):
                yield span
        elif not _measurement(text, span):
            yield span


def _names(text: str, span: Span, words: Lexicon) -> Iterator[Span]:
    """Yield the runs of words of a span that can be names; ordinary words separate them."""
    run: list[re.Match[str]] = []
    for match in WORD.finditer(text, span.start, span.end):
        if _ordinary(text, match, words):
            yield from _named(text, span, run, words)
            run = []
        else:
            run.append(match)
    yield from _named(text, span, run, words)


def _ordinary(text: str, match: re.Match[str], words: Lexicon) -> bool:
    """An ordinary word, unless its capital inside a sentence makes it part of the name it stands in."""
    word = match[0]
    if _acronym(text, match, words):
        return True
    if not _plain(word, words) or word.lower() in _PARTICLES:
        return False
    capital = len(word) > 1 and word[0].isupper() and not word.isupper() and word.lower() not in words.everyday
    return not capital or bool(_SENTENCE.search(text[max(0, match.start() - 12) : match.start()]))


def _acronym(text: str, match: re.Match[str], words: Lexicon) -> bool:
    """An abbreviation or a coded term: "NYHA", "HoLEP", the letters of "CHA2DS2"; amid capitals none is told."""
    word = match[0]
    if _MIXED.search(word):
        first = _HUMP.match(word)
        return not _PREFIX.match(word) and not (first and first[0].lower() in words.given)
    if len(word) < 2 or not word.isupper() or not _mixed_case(text, match):
        return False
    lower = word.lower()
    beside = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
    if any(char.isdigit() for char in beside):
        return True
    return len(word) <= _LONGEST_ACRONYM and lower not in words.given and lower not in words.family


def _mixed_case(text: str, match: re.Match[str]) -> bool:
    """Tell whether most letters around a word are small."""
    around = text[max(0, match.start() - _AROUND) : match.start()] + text[match.end() : match.end() + _AROUND]
    return sum(char.islower() for char in around) > sum(char.isupper() for char in around)


def _named(text: str, span: Span, run: list[re.Match[str]], words: Lexicon) -> Iterator[Span]:
    if all(match[0].lower() in _PARTICLES for match in run):
        return
    before = text[max(0, run[0].start() - 12) : run[0].start()]
    if not _TITLE.search(before):
        if all(_eponym(match[0], words) for match in run) or _term(text, run, words):
            return
        if len(run) == 1 and run[0][0].isupper() and run[0][0].lower() in words.acronyms and _mixed_case(text, run[0]):
            return
        initial = bool(_SENTENCE.search(before))
        pair = any(words.full_name(a[0], b[0]) for a, b in pairwise(run))
        if not pair and not any(words.suspect(m[0], initial=initial and m is run[0]) for m in run):
            return
        if len(run) == 1 and (run[0][0] in _COLOURS or run[0][0] in words.lowercase):
            return
        if span.score < _DOUBT and all(_unheard(match[0], words) for match in run):
            return
    yield replace(span, start=run[0].start(), end=_surname_end(text, run[-1], words))


def _unheard(word: str, words: Lexicon) -> bool:
    """A word in lower case that no list of names holds."""
    return word.islower() and word not in words.given and word not in words.family


def _term(text: str, run: list[re.Match[str]], words: Lexicon) -> bool:
    """Tell whether one surname, or two of a double eponym, stand in front of the finding that they name."""
    plain = [match[0].lower().removesuffix("'s") for match in run]
    if in_phrase(text, run[0].start(), run[-1].end(), words):
        return True
    return all(w in words.surname_eponyms or w in words.eponyms for w in plain) and bool(
        NAMED.match(text, run[-1].end())
    )


def _surname_end(text: str, last: re.Match[str], words: Lexicon) -> int:
    """Take a capitalised word right behind a name into it: models miss surnames that are words."""
    if hyphenated := _TAIL.match(text, last.end()):
        return hyphenated.end()
    following = _SURNAME.match(text, last.end())
    if following and following[1].lower() not in words.everyday and not last[0].endswith("'s"):
        return following.end()
    return _end(last)


def _end(last: re.Match[str]) -> int:
    possessive = last[0].lower().endswith("'s")
    return last.end() - 2 if possessive else last.end()


def _plain(word: str, words: Lexicon) -> bool:
    """An ordinary word that no name list holds, or one letter that is not an initial."""
    lower = word.lower().removesuffix("'s")
    if len(lower) == 1:
        return word.islower()
    if lower in words.everyday:
        return not word[0].isupper() or lower not in words.given
    return lower in words.safe and lower not in words.given and lower not in words.family


def _eponym(word: str, words: Lexicon) -> bool:
    return word.lower().removesuffix("'s").replace("'", "") in words.eponyms


def _is_place(text: str, span: Span, words: Lexicon) -> bool:
    value = text[span.start : span.end]
    if value.lower().strip(" .,") in _states():
        return False
    if re.fullmatch(r"\d{5}(?:-\d{4})?", value):
        return span.score > _SURE_POSTCODE and not _measurement(text, span)
    if re.search(r"\d[/.]\d", value):
        return False
    found = list(WORD.finditer(text, span.start, span.end))
    letters = [match[0] for match in found]
    if any(char.isdigit() for char in value) and not _ADDRESS.search(value):
        return False
    if all(_eponym(word, words) or _plain(word, words) or len(word) < 3 for word in letters):
        return False
    if any(_acronym(text, match, words) for match in found) or _term(text, found, words):
        return False
    if value.islower() and all(words.ambiguous(word) or words.common(word) for word in letters):
        return False
    return any(word.lower() not in words.safe or word[0].isupper() for word in letters)


def _measurement(text: str, span: Span) -> bool:
    value = text[span.start : span.end]
    if span.kind in ("EMAIL", "URL"):
        return "@" not in value and "." not in value and " at " not in value
    digits = sum(char.isdigit() for char in value)
    before = text[max(0, span.start - 30) : span.start]
    if span.kind in ("LICENSE", "ID") and not re.search(r"\d{3}", value):
        return True
    if _GENE.search(value) or is_code(text, span.start):
        return True
    return digits < _FEWEST_DIGITS or bool(_UNIT.match(text, span.end) or _LAB.search(before))
