"""Signing inside, encrypting outside: Ed25519 over the manifest, then age for who may read it.

age (age-encryption.org/v1) does not say who encrypted; the signature in the bundle does. Both keys
are this installation's own, in :mod:`simdiag.bundle.keys`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Literal, TypeAlias

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from simdiag.bundle import keys
from simdiag.bundle.canonical import digest, document
from simdiag.bundle.problems import BundleError
from simdiag.errors import SimdiagError
from simdiag.message import N_, message
from simdiag.report.hostile import shown

_AGE = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_CONTEXT = b"simdiag bundle manifest v1\n"
"""Goes before the manifest, so that a signature of anything else can never pass for one."""


Recipient: TypeAlias = pyrage.x25519.Recipient
"""An age public key."""


class Signature(BaseModel):
    """``manifest.sig``: who signed the manifest. The fingerprint is made of the public key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: Literal["ed25519"] = "ed25519"
    public_key: str = Field(pattern="^[0-9a-f]{64}$")
    signature: str = Field(pattern="^[0-9a-f]{128}$")

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        return document(self.model_dump())

    @property
    def fingerprint(self) -> str:
        """The first 20 hexadecimal digits of the public key's SHA-256, in groups of four."""
        text = digest(bytes.fromhex(self.public_key))[:20]
        return "-".join(text[i : i + 4] for i in range(0, len(text), 4))

    def holds_for(self, manifest: bytes) -> bool:
        """Whether this key signed exactly these bytes."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), _CONTEXT + manifest)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def is_ours(self) -> bool:
        """Whether it is this installation's own key, if it has one that can be read."""
        with suppress(OSError, SimdiagError, ValueError):
            key = Ed25519PrivateKey.from_private_bytes(keys.found("signing.key") or b"")
            return self.public_key == key.public_key().public_bytes_raw().hex()
        return False


def sign(manifest: bytes) -> Signature:
    """Sign a manifest with the key of this installation; it is made the first time."""
    key = _signing_key()
    return Signature(
        public_key=key.public_key().public_bytes_raw().hex(),
        signature=key.sign(_CONTEXT + manifest).hex(),
    )


def _signing_key() -> Ed25519PrivateKey:
    secret = keys.kept("signing.key", lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Ed25519PrivateKey.from_private_bytes(secret)
    except ValueError as problem:
        raise keys.unusable("signing.key") from problem


# ---- who may read it ---------------------------------------------------------------------
def recipients(texts: Iterable[str]) -> list[Recipient]:
    """Read age public keys (``age1…``); raises ``BundleError`` that names the one that is none."""
    found = []
    for text in texts:
        try:
            found.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError as problem:
            sentence = N_("{key} is no age public key: it begins with age1 and has 62 characters")
            raise BundleError(message(sentence, key=shown(text, 12))) from problem
    return found


def encrypt(data: bytes, to: Iterable[Recipient]) -> bytes:
    """Encrypt to the recipients and to this user, who can so open it as well."""
    encrypted: bytes = pyrage.encrypt(data, [*to, _identity().to_public()])
    return encrypted


def is_encrypted(data: bytes) -> bool:
    """Whether a file is one of age's."""
    return data.startswith(_AGE)


def decrypt(data: bytes) -> bytes:
    """Open a file of age's with this user's own key; raises ``SimdiagError``."""
    with suppress(OSError, SimdiagError, pyrage.DecryptError):
        if secret := keys.found("age.key"):
            plain: bytes = pyrage.decrypt(data, [_opened(secret)])
            return plain
    raise BundleError(
        N_(
            "it is damaged, or encrypted to others than you: open it with the key that it was "
            "encrypted to (`age --decrypt`), then give the result to this command"
        )
    )


def _identity() -> pyrage.x25519.Identity:
    return _opened(keys.kept("age.key", lambda: str(pyrage.x25519.Identity.generate()).encode()))


def _opened(secret: bytes) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(secret.decode("ascii").strip())
    except (pyrage.IdentityError, UnicodeDecodeError) as problem:
        raise keys.unusable("age.key") from problem
