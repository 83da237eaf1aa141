"""The zone key and what it wraps: every subject's secret is encrypted at rest under a key that is not in the lake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from veil.errors import VeilError

SECRET_BYTES = 32
_NONCE_BYTES = 12


class KeyProvider(Protocol):
    """Wraps and unwraps subject secrets (32 bytes each); `uid` is bound to the ciphertext as associated data."""

    def wrap(self, secret: bytes, uid: str) -> bytes:
        """Encrypt a secret."""

    def unwrap(self, wrapped: bytes, uid: str) -> bytes:
        """Decrypt a secret."""


class FileKey:
    """A 256-bit AES-GCM key in a file that only its owner can read (NIST SP 800-38D)."""

    def __init__(self, path: Path) -> None:
        try:
            key = path.read_bytes()
        except OSError as error:
            raise VeilError(f"The zone key {path} cannot be read", "Run `veil init`, or restore it") from error
        if len(key) != SECRET_BYTES:
            raise VeilError(f"The zone key {path} is not 32 bytes long", "Restore it from its backup")
        self._key = key
        self._aead = AESGCM(key)

    @classmethod
    def create(cls, path: Path) -> FileKey:
        """Make the key if there is none; an existing key is never replaced, since that would lose every link."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(SECRET_BYTES))
        return cls(path)

    def wrap(self, secret: bytes, uid: str) -> bytes:
        """Encrypt a secret under a fresh nonce, which comes first in what is returned."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, uid.encode())

    def unwrap(self, wrapped: bytes, uid: str) -> bytes:
        """Decrypt a secret; one that was wrapped for another `uid` does not open."""
        return self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], uid.encode())

    def fingerprint_key(self) -> bytes:
        """Give the key under which findings and inputs are hashed, so that no hash can be guessed outside."""
        import hmac

        return hmac.digest(self._key, b"veil/fingerprint", "sha256")
