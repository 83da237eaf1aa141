"""Holds volumes of heads: a face can be rendered from thin slices (Schwarz et al., NEJM 2019, 381:1684-1686)."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from veil.contracts import Unpublishable
from veil.policy.dicom import Heads

_VOLUMES = frozenset({"CT", "MR", "PT"})
_DESCRIBED = (
    "BodyPartExamined",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
)


def check_head(dataset: Dataset, heads: Heads) -> None:
    """Hold a slice, or a multi-frame object, of which a face can be rendered.

    Raises
    ------
    Unpublishable
        The header says that it shows a head, and its slices lie as near to each other as `heads` allows none to, or it
        does not say how near.
    """
    if dataset.get("Modality") not in _VOLUMES:
        return
    described = " ".join(str(dataset.get(keyword) or "") for keyword in _DESCRIBED)
    if not re.search(rf"\b(?:{'|'.join(heads.words)})\b", described, re.IGNORECASE):
        return
    spacing = dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > heads.most_frames or spacing is None or float(spacing) <= heads.nearest_mm:
        raise Unpublishable(
            "slices of a head, of which a face can be rendered: have them defaced before they are sent, or let the "
            'product publish them (heads = "publish")'
        )
