"""Private elements: numbers that are safe by their creator stay (PS3.15 E.3.10), and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydicom.datadict import private_dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from . import values

_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "DS", "IS"})
_STRINGS = frozenset({"DS", "IS"})


def clean_private(
    dataset: Dataset,
    tags: Sequence[BaseTag],
    safe: Mapping[str, frozenset[int]],
    drop: Callable[[Dataset, BaseTag, str], None],
) -> None:
    """Drop private elements but those that are safe, and the creators (PS3.5, 7.8.1) of blocks that hold none.

    Parameters
    ----------
    dataset
        Cleaned in place.
    tags
        Its private elements.
    safe
        Of each creator the elements that are safe, without their block.
    drop
        Drops an element and counts it.
    """
    creators = {
        (tag.group, tag.element): str(dataset[tag].value or "").strip()
        for tag in tags
        if 0x10 <= tag.element <= 0xFF and dataset[tag].VR in {"LO", "UN"}
    }
    kept: set[tuple[int, int]] = set()
    for tag in tags:
        block = (tag.group, tag.element >> 8)
        creator = creators.get(block, "")
        if tag.element > 0xFF and tag.element & 0xFF in safe.get(creator, ()) and _is_number(dataset, tag, creator):
            kept.add(block)
        elif (tag.group, tag.element) not in creators:
            drop(dataset, tag, "private")
    for group, element in creators.keys() - kept:
        drop(dataset, BaseTag(group << 16 | element), "private")


def _is_number(dataset: Dataset, tag: BaseTag, creator: str) -> bool:
    try:
        vr = dataset[tag].VR
        if vr == "UN":
            vr = private_dictionary_VR(tag, creator)
        written = values.texts(dataset, tag, vr) if vr in _STRINGS else ()
        return vr in _NUMBERS and all(values.is_number(text, vr) for text in written)
    except Exception:  # noqa: BLE001 - what cannot be read is no number
        return False
