"""Which modality takes a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from veil.readers import formats

UNKNOWN = "unknown"
Recogniser = Callable[[str, bytes], str | None]
"""Given a file's name in the drop and its first `formats.HEAD` bytes: the format, or None for another's file."""

_PROOFS: tuple[tuple[str, Recogniser], ...] = (
    ("file.ndjson", formats.tabular_format),
    ("deleted/file.ndjson", formats.tabular_format),
    ("file.json", formats.tabular_format),
    ("file.csv", formats.tabular_format),
    ("file.columns.toml", formats.tabular_format),
    ("file.txt", formats.text_format),
    ("file.dcm", formats.dicom_format),
    ("file.zip", formats.dicom_format),
    ("file.geojson", formats.location_format),
)


def sniff(name: str, head: bytes, recognisers: Sequence[tuple[str, Recogniser]]) -> tuple[str, str]:
    """Tell what a file is.

    Parameters
    ----------
    name
        Its path in the drop.
    head
        Its first `formats.HEAD` bytes; all of a shorter file.
    recognisers
        Each modality and its recogniser.

    Returns
    -------
    (str, str)
        Modality and format: the first that claims the file, or ``("unknown", "unknown")``.
    """
    for modality, recognise in recognisers:
        found = recognise(name, head)
        if found is not None:
            return modality, found
    return UNKNOWN, UNKNOWN


def matches(format: str, head: bytes) -> bool:
    """Whether a file can be what a manifest says it is.

    Parameters
    ----------
    format
        A format as a recogniser names it.
    head
        The file's first `formats.HEAD` bytes.

    Returns
    -------
    bool
        True if its first bytes are of that format under some name.
    """
    return formats.signature(head) == format or any(recognise(name, head) == format for name, recognise in _PROOFS)
