"""Encryption of credentials at rest: AES-256-GCM, bound to the row and field it belongs to.

A token reads ``v1.<key id>.<nonce+ciphertext>`` (base64url). The associated data names
``model:pk:field``, so that a ciphertext copied to another row does not decrypt.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_NONCE_BYTES = 12


class DecryptionError(Exception):
    """The stored secret cannot be read: its key is missing or it belongs to another row."""


def _derive(key: str) -> tuple[str, bytes]:
    """The public id (8 hex digits) and the 256-bit key made from one configured key text."""
    material = hashlib.sha256(b"siit-field-encryption:" + key.encode()).digest()
    return hashlib.sha256(b"id:" + material).hexdigest()[:8], material


def encrypt(value: dict[str, Any], *, keys: list[str], bound_to: str) -> str:
    """Encrypt a JSON object under the first (newest) of ``keys``."""
    key_id, material = _derive(keys[0])
    nonce = os.urandom(_NONCE_BYTES)
    body = AESGCM(material).encrypt(nonce, json.dumps(value).encode(), bound_to.encode())
    return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(nonce + body).decode()}"


def decrypt(token: str, *, keys: list[str], bound_to: str) -> dict[str, Any]:
    """Read a token made by :func:`encrypt` under any of ``keys``.

    Raises :class:`DecryptionError` with the remedy when no key fits or the row is another one.
    """
    try:
        version, key_id, text = token.split(".", 2)
        raw = base64.urlsafe_b64decode(text)
    except ValueError as error:
        raise DecryptionError("The stored secret is damaged; enter it again.") from error
    material = dict(map(_derive, keys)).get(key_id)
    if version != _VERSION or material is None:
        raise DecryptionError(
            f"The stored secret was encrypted with key {key_id}, which is not in "
            "FIELD_ENCRYPTION_KEYS. Add that key back or enter the secret again."
        )
    try:
        plain = AESGCM(material).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode())
    except InvalidTag as error:
        raise DecryptionError(
            "The stored secret does not belong to this row; enter it again."
        ) from error
    value: dict[str, Any] = json.loads(plain)
    return value


def needs_rotation(token: str, *, keys: list[str]) -> bool:
    """Whether ``token`` was made with a key other than the newest."""
    return token.split(".", 2)[1] != _derive(keys[0])[0]
