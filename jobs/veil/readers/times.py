"""Times as sources write them, made comparable."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_PARTIAL = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_FULL = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?")


def utc(value: object) -> str | None:
    """Normalise a FHIR `date`, `dateTime` or `instant` (FHIR R4, 2.24.0.1) to UTC.

    Parameters
    ----------
    value
        Whatever stands where a time is expected.

    Returns
    -------
    str or None
        ``YYYY-MM-DDThh:mm:ss.ffffffZ`` for a time, so that texts compare as times do; a year, month or day as it is,
        since nothing says in which zone it began; None for anything else. A time without a zone, which FHIR forbids
        and CSV exports are full of, is read as UTC.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _PARTIAL.fullmatch(text):
        return text
    if not _FULL.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
