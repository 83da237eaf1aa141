"""Terms of medicine that hold a name: an eponym in front of what it names, and terms of several words."""

from __future__ import annotations

import re

from .words import WORD, Lexicon

NAMED = re.compile(
    r"(?:'s?)?(?:[ -](?:sign|test|disease|syndrome|catheter|fracture|man(?:o?eu|eu)ver|palsy|lymphoma|contracture|"
    r"lesion|"
    r"repair|esophagus|cyst|procedure|phenomenon|reflex|criteria|criterion|class|classification|score|scale|stage|"
    r"staging|"
    r"grade|level|neuroma|monitor|body|bodies|tumou?r|sarcoma|stain|line|point|drain|clamp|approach|thyroiditis|cell|"
    r"diverticulum|node|nodule|position|formula|chorea|waves?|panel|recs?|recommendation|guideline|murmur|bowel|"
    r"fall|ring|"
    r"index|indices|angle|ratio|rule|risk|gland|duct|pupil|tremor|ulcer|an(?:a?)emia|encephalopathy|dystrophy|"
    r"ataxia|hernia|"
    r"splint|brace|protocol|method|equation|regimen|antigen|antibod(?:y|ies)|virus|fever|triad|tetrad|rash|spots?|"
    r"pouch|valve|"
    r"shunt|flap|graft|incision|osteotomy|amputation|assessment|questionnaire|inventory|exam|deformity|malformation|"
    r"anomaly|dysplasia|retinopathy|orbitopathy|ophthalmopathy|nephropathy|carcinoma|pneumonia|arteritis|vasculitis|"
    r"granulomatosis|insufficiency|crisis|type|variant|technique|operation|sponge|tube|needle|forceps|bottle|agar|"
    r"lamp)s?\b|"
    r"[ -](?:[IV]{1,3}[A-Ca-c]?\b|\d{1,2}(?![\d/]| ?-?(?:y|yr|yo|m|f|male|female|mo|wk)\b))|[ ]?(?:vs\.?|versus)\b)",
    re.IGNORECASE,
)
"""What an eponym names: behind it a common surname is a term."""


def in_phrase(text: str, start: int, end: int, words: Lexicon) -> bool:
    """Tell whether a range is part of a term of several words: "Ann Arbor", "Mallory-Weiss", "Duke criteria"."""
    before = [match[0] for match in WORD.finditer(text, max(0, start - 40), start)][-2:]
    own = [match[0] for match in WORD.finditer(text, start, end)]
    after = [match[0] for match in WORD.finditer(text, end, end + 40)][:2]
    near = [word.lower().removesuffix("'s") for word in (*before, *own, *after)]
    first, last = len(before), len(before) + len(own)
    return any(
        "-".join(near[left:right]) in words.phrases
        for left in range(first + 1)
        for right in range(max(last, left + 2), len(near) + 1)
    )
