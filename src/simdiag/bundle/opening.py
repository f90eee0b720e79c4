"""Opens a bundle that somebody sent: within limits, strictly, and never half trusted."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simdiag.bundle import container, layout, sealing
from simdiag.bundle.canonical import digest
from simdiag.bundle.facts import TimedFact
from simdiag.bundle.manifest import NAME, SCHEMA, SIGNATURE, Manifest, identity
from simdiag.bundle.problems import BundleError
from simdiag.bundle.sealing import Signature
from simdiag.message import N_, Message, message
from simdiag.profile import CarrierProfile
from simdiag.report.contract import DiagnosisJson
from simdiag.transcript.recorded import Recording


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a bundle: the member it is about (empty: the whole), and a sentence."""

    kind: str
    member: str
    text: Message


@dataclass(slots=True)
class Bundle:
    """What a file holds, and what is wrong with it."""

    size: int
    sha256: str
    """Of the file as it is, encrypted or not."""
    encrypted: bool
    manifest: Manifest
    id: str
    signature: Signature | None
    problems: list[Problem]
    contents: dict[str, Any] = field(default_factory=dict)
    """By path: a model, a list of models, or the bytes of a page; sound members only."""
    raw: dict[str, bytes] = field(default_factory=dict)
    """Every member's bytes by path, the manifest and its signature among them."""

    @property
    def fingerprint(self) -> str | None:
        """Who signed it, if the signature holds."""
        return self.signature.fingerprint if self.signature else None

    @property
    def talk(self) -> list[Recording]:
        """The talk with the modem."""
        return [event.recording() for event in self.contents.get(layout.TALK, ())]

    @property
    def judged_talk(self) -> list[Recording]:
        """The talk on the ports that the verdict rests on."""
        return [event for event in self.talk if event.port in self.manifest.ports]

    @property
    def facts(self) -> list[TimedFact]:
        """What the examination knew that no modem told."""
        return list(self.contents.get(layout.FACTS, ()))

    @property
    def verdict(self) -> DiagnosisJson:
        """The verdict as it was given."""
        found: DiagnosisJson = self.contents[layout.VERDICT]
        return found

    @property
    def profile(self) -> CarrierProfile | None:
        """The carrier profile as it was used."""
        return self.contents.get(layout.PROFILE)


def open_bundle(path: Path, only: Collection[str] | None = None) -> Bundle:
    """Open a bundle that is in order; raises ``BundleError`` with the first thing that is not.

    Whoever reads thousands and wants ``only`` some members has just those read into models. All
    limits, digests and the signature are checked all the same.
    """
    bundle = inspect(path, only)
    if bundle.problems:
        raise _about(path, bundle.problems[0].text)
    return bundle


def inspect(path: Path, only: Collection[str] | None = None) -> Bundle:
    """Open a bundle and list what was changed; raises ``BundleError`` for what is none at all."""
    try:
        data = _read(path)
        encrypted = sealing.is_encrypted(data)
        plain = sealing.decrypt(data) if encrypted else data
        contents = container.unpack(plain)
        return _inspected(contents, data, encrypted, only)
    except BundleError as problem:
        raise _about(path, problem.message) from problem
    except OSError as problem:
        why = message(problem.strerror or str(problem))
        raise _about(path, message(N_("it cannot be read: {why}"), why=why)) from problem


def _about(path: Path, text: Message) -> BundleError:
    return BundleError(message(N_("{file} is refused: {why}"), file=_shown(path), why=text))


def _shown(path: Path) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(path))


def _read(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise BundleError(N_("it is no regular file"))  # to open a FIFO could wait for ever
    with path.open("rb") as stream:
        data = stream.read(container.MAX_FILE + 65536)  # with room for what age adds
    return data


def _inspected(
    found: container.Contents, file: bytes, encrypted: bool, only: Collection[str] | None
) -> Bundle:
    raw = dict(found.members)
    if NAME not in raw:
        raise BundleError(N_("it holds no manifest.json, so it is no bundle"))
    manifest_bytes = raw.pop(NAME)
    manifest = _manifest(manifest_bytes)
    seal = raw.pop(SIGNATURE, None)
    signature, problems = _signed(seal, manifest_bytes, manifest)
    bundle = Bundle(
        len(file), digest(file), encrypted, manifest, identity(manifest_bytes), signature, problems
    )
    bundle.raw = found.members
    bundle.contents = dict(_members(bundle, raw, only))
    for name in sorted(layout.ALWAYS - {entry.path for entry in manifest.members}):
        text = N_("the manifest does not list {name}, which every bundle has")
        problems.append(Problem("manifest", name, message(text, name=name)))
    if not problems and not found.faithful:
        text = N_(
            "the file was packed anew by another program; its members are as they were signed"
        )
        problems.append(Problem("file", "", Message(text)))
    return bundle


def _manifest(data: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(data)
    except (ValidationError, RecursionError) as problem:
        if b'"simdiag/bundle/' in data and SCHEMA.encode() not in data:
            text = N_("it was made by a newer simdiag: update this one")
        else:
            text = N_("manifest.json was changed or is damaged: it is not what its schema says")
        raise BundleError(text) from problem


def _signed(
    seal: bytes | None, manifest_bytes: bytes, manifest: Manifest
) -> tuple[Signature | None, list[Problem]]:
    """Return the signature if it holds, and what is wrong with it or with the manifest."""
    if seal is None:
        text = N_("manifest.sig is missing: nobody vouches for the manifest")
        return None, [Problem("signature", SIGNATURE, Message(text))]
    try:
        signature = Signature.model_validate_json(seal)
    except ValidationError:
        text = N_("manifest.sig was changed or is damaged: it is no signature")
        return None, [Problem("signature", SIGNATURE, Message(text))]
    if not signature.holds_for(manifest_bytes):
        text = N_("manifest.json or manifest.sig was changed: the signature does not fit")
        return None, [Problem("signature", NAME, Message(text))]
    if manifest.to_bytes() != manifest_bytes or signature.to_bytes() != seal:
        text = N_("manifest.json is not in the form in which simdiag writes it")
        return signature, [Problem("manifest", NAME, Message(text))]
    return signature, []


def _members(
    bundle: Bundle, raw: dict[str, bytes], only: Collection[str] | None
) -> Iterator[tuple[str, Any]]:
    """Yield what is sound; note what is unknown, missing, changed or not of its schema."""

    def note(kind: str, name: str, text: str | Message) -> None:
        about = text if isinstance(text, Message) else message(text, name=name)
        bundle.problems.append(Problem(kind, name, about))

    listed = {entry.path: entry for entry in bundle.manifest.members}
    if len(listed) != len(bundle.manifest.members):
        note("manifest", NAME, N_("{name} lists a member twice"))
    for name in sorted(raw.keys() - listed.keys()):
        note("unknown", name, N_("{name} was added: the manifest does not list it"))
    for name, entry in listed.items():
        data = raw.get(name)
        if data is None:
            note("missing", name, N_("{name} is missing: the manifest lists it"))
        elif len(data) != entry.bytes or digest(data) != entry.sha256:
            note("changed", name, N_("{name} was changed: its SHA-256 is not the manifest's"))
        elif layout.schema_of(name) != entry.schema_:
            note("schema", name, N_("{name} is of a kind that this simdiag does not know"))
        elif only is None or name in only:
            try:
                yield name, layout.read(name, data)
            except BundleError as problem:
                note("schema", name, problem.message)
