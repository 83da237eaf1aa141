"""Pseudonyms, offsets and published ids: all from a subject's random secret, none from an identifier.

45 CFR 164.514(c) forbids a re-identification code that is derived from information about the individual, which a
hash of a medical record number is.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

_SEPARATOR = "\x1f"
_MAX_OFFSET_DAYS = 365


@dataclass(frozen=True, slots=True)
class Scope:
    """Where pseudonyms are comparable: one product, one epoch, one linkage group."""

    product: str
    epoch: int
    group: str

    def derive(self, secret: bytes, kind: str, uid: str) -> bytes:
        """Give 32 bytes that are the same only for the same secret, scope, kind and uid (HMAC-SHA-256, RFC 2104)."""
        message = _SEPARATOR.join((self.product, str(self.epoch), self.group, kind, uid))
        return hmac.digest(secret, message.encode("utf-8", "surrogateescape"), "sha256")

    def subject(self, secret: bytes, subject_uid: str) -> str:
        """Give the pseudonym of a subject: 32 hexadecimal digits."""
        return self.derive(secret, "subject", subject_uid)[:16].hex()

    def row(self, secret: bytes, row_uid: str) -> str:
        """Give the published id of a record: 32 hexadecimal digits."""
        return self.derive(secret, "row", row_uid)[:16].hex()

    def object(self, secret: bytes, row_uid: str) -> str:
        """Give the published id of a payload: 32 hexadecimal digits."""
        return self.derive(secret, "object", row_uid)[:16].hex()

    def surrogate_key(self, secret: bytes, subject_uid: str) -> bytes:
        """Give the key that the surrogates of a subject's names are drawn with: 32 bytes."""
        return self.derive(secret, "surrogate", subject_uid)

    def uid_key(self, secret: bytes, subject_uid: str) -> bytes:
        """Give the key that the subject's new DICOM UIDs are made with: 32 bytes."""
        return self.derive(secret, "uid", subject_uid)

    def offset_days(self, secret: bytes, subject_uid: str) -> int:
        """Give the subject's date shift: -365 to -1 or 1 to 365 days, all equally likely up to 2**-55."""
        number = int.from_bytes(self.derive(secret, "offset", subject_uid)[:8], "big") % (2 * _MAX_OFFSET_DAYS)
        return number - _MAX_OFFSET_DAYS if number < _MAX_OFFSET_DAYS else number - _MAX_OFFSET_DAYS + 1
