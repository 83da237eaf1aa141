"""Finds text in a picture with PP-OCRv6 (PaddleOCR, Apache-2.0), whose weights come with the package `rapidocr`."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

Picture = np.ndarray[Any, Any]
"""Rows x columns x 3 of 8 bits."""

_MARGIN = 0.25
_SMALLEST_MARGIN = 2
_LONGEST_DOUBLED = 800
_LONGEST_VIEW = 1280
"""Pixels of the longer side of a view that is looked at in addition: memory and time grow with its square."""

_CERTAIN = 0.9
"""How sure the reader has to be of a text that may stay."""

_SURE = 0.6
"""How sure the detector has to be in a view that makes edges of anatomy look like strokes."""

_STROKE = 13
"""Pixels: what is thinner stands out in a top-hat view, whatever lies under it."""

_LETTERS = 2
_LARGE, _TALL = 0.015, 0.1
"""Share of a picture from which on a box is read: an organ is round like an O, and a text says more than one letter."""


class Box(NamedTuple):
    """A half-open rectangle of pixels."""

    left: int
    top: int
    right: int
    bottom: int


class TextFinder:
    """Finds text in pictures; `allowed` are regular expressions of whole texts that may stay (laterality, scales)."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = re.compile("|".join(f"(?:{each})" for each in allowed) or r"(?!)", re.IGNORECASE)

    def find(self, picture: Picture, *, thorough: bool) -> set[Box]:
        """Give the boxes of all text but what is allowed, with a margin.

        Parameters
        ----------
        picture
            Rows x columns x 3, 8 bits.
        thorough
            Look in every view: at twice the size and turned by 90 degrees as well.
        """
        boxes = {
            back(box)
            for seen, back, surely in _views(picture, thorough=thorough)
            for box in _boxes(seen, _SURE if surely else 0)
        }
        # a box that is none may lie around one that is
        texts = _merged(box for box in boxes if self._is_plausible(picture, box))
        return {_wider(box, picture) for box in texts if not self._may_stay(picture, box)}

    def _is_plausible(self, picture: Picture, box: Box) -> bool:
        height, width = picture.shape[:2]
        wide, tall = box.right - box.left, box.bottom - box.top
        if wide * tall < _LARGE * width * height and min(wide, tall) < _TALL * min(width, height):
            return True
        cut = picture[box.top : box.bottom, box.left : box.right]
        turns = (cut,) if wide >= tall else (cut, np.rot90(cut), np.rot90(cut, 3))
        read = [self._read(turn) for turn in turns]
        return any(sure >= _SURE and len(re.sub(r"\W", "", "".join(texts))) > _LETTERS for texts, sure in read)

    def _read(self, picture: Picture) -> tuple[tuple[str, ...], float]:
        """Read a line of text; give what it says and how sure that is."""
        found = _reader()(np.ascontiguousarray(picture), use_det=False, use_cls=False, use_rec=True)
        return (tuple(found.txts), float(min(found.scores))) if found.txts else ((), 0.0)

    def _may_stay(self, picture: Picture, box: Box) -> bool:
        texts, sure = self._read(picture[box.top : box.bottom, box.left : box.right])
        return sure >= _CERTAIN and self._allowed.fullmatch(" ".join(texts).strip()) is not None


@cache
def _reader() -> Any:
    """Load the models, once per process, with one thread each."""
    from rapidocr import RapidOCR

    one_thread = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    reader = RapidOCR(params={"Global.log_level": "critical", "Det.box_thresh": 0.3, "Det.thresh": 0.2, **one_thread})
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)  # it logs a warning for every picture without text
    return reader


def _boxes(picture: Picture, least: float) -> Iterator[Box]:
    found = _reader()(picture, use_det=True, use_cls=False, use_rec=False)
    height, width = picture.shape[:2]
    for corners, score in zip(found.boxes, found.scores, strict=True) if found.boxes is not None else ():
        left, top = (int(value) for value in np.floor(corners.min(axis=0)))
        right, bottom = (int(value) for value in np.ceil(corners.max(axis=0)))
        box = Box(max(0, left), max(0, top), min(width, right), min(height, bottom))
        if score >= least and box.left < box.right and box.top < box.bottom:
            yield box


def _views(picture: Picture, *, thorough: bool) -> Iterator[tuple[Picture, Callable[[Box], Box], bool]]:
    """Give views of a picture, the way back from each to its pixels, and whether the detector has to be sure in it."""
    import cv2

    yield picture, _same, False
    yield _strokes(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.MORPH_TOPHAT), _same, False
    if not thorough:
        return
    height, width = picture.shape[:2]
    share = min(1.0, _LONGEST_VIEW / max(height, width))
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else picture
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    across = small.shape[1]

    def back(box: Box) -> Box:
        return _scaled(box, 1 / share)

    def turned_back(box: Box) -> Box:
        return back(Box(across - box.bottom, box.left, across - box.top, box.right))

    yield _strokes(grey, cv2.MORPH_BLACKHAT), back, True
    yield np.repeat(cv2.createCLAHE(clipLimit=4.0).apply(grey)[..., None], 3, axis=2), back, False
    yield np.ascontiguousarray(np.rot90(small)), turned_back, False
    yield np.ascontiguousarray(np.rot90(_strokes(grey, cv2.MORPH_TOPHAT))), turned_back, False
    if max(height, width) <= _LONGEST_DOUBLED:
        double = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        yield double, lambda box: _scaled(box, 0.5), True


def _same(box: Box) -> Box:
    return box


def _scaled(box: Box, share: float) -> Box:
    return Box(
        math.floor(box.left * share),
        math.floor(box.top * share),
        math.ceil(box.right * share),
        math.ceil(box.bottom * share),
    )


def _strokes(grey: Picture, kind: int) -> Picture:
    """Give what is thin and lighter (darker) than what is around it, spread over 8 bits."""
    import cv2

    hat = cv2.morphologyEx(grey, kind, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_STROKE, _STROKE)))
    return np.repeat(cv2.normalize(hat, None, 0, 255, cv2.NORM_MINMAX)[..., None], 3, axis=2)


def _merged(boxes: Iterable[Box]) -> set[Box]:
    """Leave out boxes that lie within another."""
    boxes = set(boxes)
    return {box for box in boxes if not any(other != box and _within(box, other) for other in boxes)}


def _within(box: Box, other: Box) -> bool:
    return other.left <= box.left and other.top <= box.top and other.right >= box.right and other.bottom >= box.bottom


def _wider(box: Box, picture: Picture) -> Box:
    """Add a margin: a detector cuts off ascenders, and anti-aliasing reaches further than ink."""
    height, width = picture.shape[:2]
    margin = max(_SMALLEST_MARGIN, round(_MARGIN * min(box.bottom - box.top, box.right - box.left)))
    # a detector rather loses a letter at the end of a line than the lower half of all
    along = 2 * margin
    across, down = (along, margin) if box.right - box.left >= box.bottom - box.top else (margin, along)
    return Box(
        max(0, box.left - across),
        max(0, box.top - down),
        min(width, box.right + across),
        min(height, box.bottom + down),
    )
