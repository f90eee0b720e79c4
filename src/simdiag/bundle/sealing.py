"""Signing inside, encrypting outside: Ed25519 over the manifest, then age for who may read it.

age (age-encryption.org/v1) does not say who encrypted; the signature in the bundle does. Both keys
are this installation's own, in :mod:`simdiag.bundle.keys`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from simdiag.bundle import keys
from simdiag.bundle.canonical import digest, document
from simdiag.bundle.problems import BundleError
from simdiag.message import N_, message

_AGE = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_CONTEXT = b"simdiag bundle manifest v1\n"
"""Goes before the manifest, so that a signature of anything else can never pass for one."""


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
        """Whether it is this installation's own key."""
        return self.public_key == _signing_key().public_key().public_bytes_raw().hex()


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
        raise _unusable("signing.key") from problem


# ---- who may read it ---------------------------------------------------------------------
def recipients(texts: Iterable[str]) -> list[pyrage.x25519.Recipient]:
    """Read age public keys (``age1…``); raises ``BundleError`` that names the one that is none."""
    found = []
    for text in texts:
        try:
            found.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError as problem:
            sentence = N_("{key} is no age public key: it begins with age1 and has 62 characters")
            raise BundleError(message(sentence, key=text[:80])) from problem
    return found


def encrypt(data: bytes, to: Iterable[pyrage.x25519.Recipient]) -> bytes:
    """Encrypt to the recipients and to this user, who can so open it as well."""
    encrypted: bytes = pyrage.encrypt(data, [*to, _identity().to_public()])
    return encrypted


def own_recipient() -> str:
    """Return this user's age public key, for others to encrypt to."""
    return str(_identity().to_public())


def is_encrypted(data: bytes) -> bool:
    """Whether a file is one of age's."""
    return data.startswith(_AGE)


def decrypt(data: bytes) -> bytes:
    """Open a file of age's with this user's own key; raises ``BundleError``."""
    try:
        plain: bytes = pyrage.decrypt(data, [_identity()])
    except pyrage.DecryptError as problem:
        text = N_(
            "it is damaged, or encrypted to others than you: open it with the key that it was "
            "encrypted to (`age --decrypt`), then give the result to this command"
        )
        raise BundleError(text) from problem
    return plain


def _identity() -> pyrage.x25519.Identity:
    def make() -> bytes:
        return str(pyrage.x25519.Identity.generate()).encode()

    try:
        return pyrage.x25519.Identity.from_str(keys.kept("age.key", make).decode("ascii").strip())
    except (pyrage.IdentityError, UnicodeDecodeError) as problem:
        raise _unusable("age.key") from problem


def _unusable(name: str) -> BundleError:
    text = N_("the key {path} is damaged: restore it, or move it away and a new one is made")
    return BundleError(message(text, path=keys.folder() / name))
