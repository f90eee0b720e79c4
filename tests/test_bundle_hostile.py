"""Bundles from strangers: every damaged or hostile file is refused in one sentence, within bounds."""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from page_scenes import SCENES, view
from simdiag.bundle import container, layout, sealing
from simdiag.bundle.build import build
from simdiag.bundle.canonical import digest
from simdiag.bundle.container import Packed, assemble, pack, unpack
from simdiag.bundle.manifest import Manifest
from simdiag.bundle.material import of_run
from simdiag.bundle.opening import inspect, open_bundle
from simdiag.bundle.problems import BundleError
from simdiag.cli.group import _run
from simdiag.cli.status import Status
from simdiag.i18n import available, translator
from simdiag.pseudonym import Pseudonyms
from simdiag.report.page import render

TALK = b"AT+CPIN?\n+CPIN: READY\nOK\n\nAT+CSQ\n+CSQ: 20,99\nOK\n\nAT+CEREG?\n+CEREG: 0,1\nOK\n"


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    log = tmp_path / "log.txt"
    log.write_bytes(TALK)
    return build(of_run(log, None, []), Pseudonyms(bytes(32)), [translator("en")]).data


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[bytes], str]:
    """Write bytes to a file, see that it is refused with a sentence, and return that."""

    def refuse(data: bytes, name: str = "b.zip") -> str:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(BundleError) as caught:
            open_bundle(path)
        text = caught.value.message.render()
        assert len(text) < 400
        assert text.isprintable(), text
        return text

    return refuse


# ---- what was changed is named -----------------------------------------------------------
def repacked(members: dict[str, bytes]) -> bytes:
    """What another program makes of the members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def problems(data: bytes, tmp_path: Path) -> set[tuple[str, str]]:
    path = tmp_path / "v.zip"
    path.write_bytes(data)
    return {(p.kind, p.member) for p in inspect(path).problems}


@pytest.mark.parametrize("write", [pack, repacked])
def test_verify_names_what_was_tampered_with(sound: bytes, write, tmp_path: Path) -> None:
    members = unpack(sound).members
    assert problems(sound, tmp_path) == set()
    assert problems(write(members), tmp_path) == (set() if write is pack else {("file", "")})
    verdict = members["verdict.json"].replace(b"healthy", b"harmful")
    assert problems(write(members | {"verdict.json": verdict}), tmp_path) == {
        ("changed", "verdict.json")
    }
    assert problems(write(members | {"evidence/more.jsonl": b"{}\n"}), tmp_path) == {
        ("unknown", "evidence/more.jsonl")
    }
    without = {k: v for k, v in members.items() if k != "evidence/talk.jsonl"}
    assert problems(write(without), tmp_path) == {("missing", "evidence/talk.jsonl")}
    unsigned = {k: v for k, v in members.items() if k != "manifest.sig"}
    assert problems(write(unsigned), tmp_path) == {("signature", "manifest.sig")}
    manifest = members["manifest.json"].replace(b'"source":"log"', b'"source":"device"')
    assert manifest != members["manifest.json"]
    assert problems(write(members | {"manifest.json": manifest}), tmp_path) == {
        ("signature", "manifest.json")
    }
    other = sealing.sign(b"something else").to_bytes()
    assert problems(write(members | {"manifest.sig": other}), tmp_path) == {
        ("signature", "manifest.json")
    }


def test_two_changes_are_both_named(sound: bytes, tmp_path: Path) -> None:
    members = unpack(sound).members
    changed = members | {"verdict.json": b"{}", "x.txt": b""}
    assert problems(pack(changed), tmp_path) == {("changed", "verdict.json"), ("unknown", "x.txt")}


def signed_anew(sound: bytes, **changes: bytes) -> bytes:
    """What somebody with a key of their own makes: all digests and the signature fit."""
    members = unpack(sound).members
    members |= {name.replace("__", "/").replace("_DOT_", "."): v for name, v in changes.items()}
    manifest = json.loads(members["manifest.json"])
    for entry in manifest["members"]:
        data = members[entry["path"]]
        entry |= {"bytes": len(data), "sha256": digest(data)}
    raw = Manifest.model_validate(manifest).to_bytes()
    members |= {"manifest.json": raw, "manifest.sig": sealing.sign(raw).to_bytes()}
    return pack(members)


def test_signed_anew_it_is_sound_again(sound: bytes, tmp_path: Path) -> None:
    """The helper of the tests below changes nothing else."""
    assert problems(signed_anew(sound), tmp_path) == set()


EVIL_PAGE = (
    b'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<script>alert(1)</script>'
)
EVIL_TAGS = [
    b'<meta http-equiv="refresh" content="0;url=http://192.0.2.1/">',
    b'<META name="robots" http-equiv="refresh" content="0;url=//192.0.2.1">',
    b'<a href="javascript:alert(1)">',
    b"<link rel=preconnect href=http://192.0.2.1>",
    b"<iframe srcdoc=x>", b"<svg><animate>", b"<!-- -->", b"<script>", b"<p\x0conclick=x>", b"<base>",
]  # fmt: skip
"""What the content security policy of a page does not forbid, or what no page of ours has."""
WRONG_MEMBERS = {
    "a page that runs a script": {"report_DOT_en_DOT_html": EVIL_PAGE},
    "no JSON": {"verdict_DOT_json": b"\xff\xfe"},
    "deep JSON": {"verdict_DOT_json": b"[" * 100_000},
    "a long number": {"verdict_DOT_json": b'{"confidence":' + b"9" * 100_000 + b"}"},
    "a key too many": {
        "evidence__talk_DOT_jsonl": b'{"t":0,"port":"","dir":"rx","data":"","x":1}\n'
    },
    "bytes that are not escaped": {
        "evidence__talk_DOT_jsonl": b'{"t":0,"port":"","dir":"rx","data":"\\u001b[31m"}\n'
    },
    "a wrong direction": {"evidence__talk_DOT_jsonl": b'{"t":0,"port":"","dir":"up","data":""}\n'},
    "a line without end": {"evidence__talk_DOT_jsonl": b"x" * 300_000},
    "an unknown fact": {
        "evidence__facts_DOT_jsonl": b'{"t_ms":0,"fact":{"name":"usb.x","value":1}}\n'
    },
}


@pytest.mark.parametrize("changes", WRONG_MEMBERS.values(), ids=WRONG_MEMBERS)
def test_a_member_that_is_not_what_its_schema_says(sound: bytes, refused, changes) -> None:
    name = next(iter(changes)).replace("__", "/").replace("_DOT_", ".")
    assert name in refused(signed_anew(sound, **changes))


@pytest.mark.parametrize("tag", EVIL_TAGS)
def test_a_page_that_leads_elsewhere(sound: bytes, refused, tag: bytes) -> None:
    page = unpack(sound).members["report.en.html"].replace(b"<main>", tag + b"<main>")
    assert "report.en.html is no page" in refused(signed_anew(sound, report_DOT_en_DOT_html=page))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", available())
def test_our_own_pages_are_of_that_form(scene: str, language: str) -> None:
    translate = translator(language)
    page = render(view(scene, translate), translate).encode()
    assert layout.read("report.en.html", page) == page


def bundle_command(capfd, monkeypatch, *words: str) -> tuple[int, str]:
    """Run ``simdiag bundle`` in this process: its status, and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["simdiag", "bundle", *words])
    status = _run()
    sys.stdout.flush()
    return status, "".join(capfd.readouterr())


def test_terminal_escapes_do_not_get_out(sound: bytes, tmp_path: Path, capfd, monkeypatch) -> None:
    """Nothing of a stranger's is printed as it is, not even by the commands that show it."""
    members = unpack(sound).members
    verdict = json.loads(members["verdict.json"])
    verdict["cause"] = "\x1b]0;owned\x07\u202e"
    page = members["report.en.html"] + "\x1b]0;owned\x07\x9b\u202e".encode()
    path = tmp_path / "evil.zip"
    path.write_bytes(
        signed_anew(
            sound, verdict_DOT_json=json.dumps(verdict).encode(), report_DOT_en_DOT_html=page
        )
    )
    for words in (["show"], ["show", "--member", "verdict.json"], ["show", "--json"], ["verify"],
                  ["show", "--member", "report.en.html"], ["replay"], ["replay", "--json"], ["diff", str(path)], ["to-case"]):  # fmt: skip
        _, printed = bundle_command(capfd, monkeypatch, *words, str(path))
        assert printed
        assert "\x1b" not in printed, words
        assert "\u202e" not in printed, words


# ---- hostile archives --------------------------------------------------------------------
def member(name: bytes = b"a.txt", data: bytes = b"x", **changes: object) -> Packed:
    return Packed(name, 0, zlib.crc32(data), len(data), data)._replace(**changes)


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


BOMB = bytes(20 * 1024 * 1024)


def hostile() -> Iterator[tuple[str, bytes]]:
    names = [b"/etc/passwd", b"../x", b"a/../../x", b"..", b".", b"a//b", b"a\\b", b"C:x", b"a\x00b",
             b"", b"evidence/", b"a/b/c", b"\xe2\x80\xae.txt", b"a\nb", b".hidden", b"~root", b"-rf",
             b"x" * 101, b"a b"]  # fmt: skip
    yield from ((f"a member named {name!r}"[:60], assemble([member(name)])) for name in names)
    yield "a member twice", assemble([member(), member()])
    yield "two members that differ in case", assemble([member(), member(b"A.TXT")])
    yield "too many members", assemble([member(b"%d" % i) for i in range(65)])
    yield "100,000 members", assemble([member(b"a", b"")] * 60_000)
    packed = deflated(BOMB)
    yield "a bomb", assemble([Packed(b"a", 8, zlib.crc32(BOMB), len(BOMB), packed)])
    yield "a bomb that says it is small", assemble([Packed(b"a", 8, 0, 10, packed)])
    big = 1 << 31
    yield "a huge size", assemble([Packed(b"a", 8, 0, big, packed)])
    yield (
        "bombs together",
        assemble([Packed(b"%d" % i, 8, zlib.crc32(BOMB), len(BOMB), packed) for i in range(50)]),
    )
    yield "a wrong checksum", assemble([member(checksum=1)])
    yield "a wrong size", assemble([member(size=2)])
    yield "an unknown method", assemble([member(method=14)])
    yield (
        "bytes after the stream",
        assemble([member(method=8, data=deflated(b"x") + b"more", size=1)]),
    )
    yield "no stream", assemble([member(method=8, data=b"\xff" * 20)])
    yield "an empty stream", assemble([member(method=8, data=b"")])
    good = assemble([member()])
    for place, what in ((6, "encrypted"), (4, "a version")):
        yield what, good[:place] + b"\x01" + good[place + 1 :]
    yield "streamed", good[:6] + b"\x08" + good[7:]
    yield "zip64", good[:18] + b"\xff" * 8 + good[26:]
    yield "a size beyond the end", good[:18] + struct.pack("<L", 10**6) + good[22:]
    yield "nothing", b""
    yield "only an end", b"PK\x05\x06" + bytes(18)
    yield "text", b"Dear Sir or Madam"
    yield "gzip", b"\x1f\x8b" + bytes(50)
    yield "a program before it", b"MZ" + bytes(100) + good
    yield "cut in the header", good[:20]
    yield "random", random.Random(1).randbytes(5000)
    yield "age, but not for us", b"age-encryption.org/v1\n-> X25519 abc\n" + bytes(100)
    yield "overlapping members", overlapping()
    yield "not a manifest", pack({"manifest.json": b"[]"})
    yield "no manifest", pack({"verdict.json": b"{}"})
    yield "a manifest of the future", pack({"manifest.json": b'{"schema":"simdiag/bundle/99"}'})
    yield "a deep manifest", pack({"manifest.json": b"[" * 50_000})


def overlapping() -> bytes:
    """Quoted headers: every member's data begins with the header of the next (D. Fifield, 2019)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for i in range(5):
            file.writestr(f"{i}", b"x" * 100)
    data = bytearray(stream.getvalue())
    for start in (0, 131, 262, 393):  # each says that it holds what follows it as well
        struct.pack_into("<L", data, start + 18, 400)
    return bytes(data)


HOSTILE = dict(hostile())


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(data: bytes, refused) -> None:
    refused(data)


def test_what_is_before_after_or_between_is_noticed(sound: bytes, refused) -> None:
    refused(sound + b"x")
    refused(sound[:-2] + b"\x05\x00hello")  # a comment
    entries = list(container._entries(sound))
    refused(assemble([*entries, entries[0]]))
    refused(assemble([*entries, member(b"empty", b"")]))


def test_no_folder_pipe_or_device(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "missing"):
        with pytest.raises(BundleError):
            open_bundle(path)


# ---- mutations ---------------------------------------------------------------------------
def mutated(data: bytes, dice: random.Random) -> bytes:
    kind = dice.randrange(5)
    place = dice.randrange(len(data))
    if kind == 0:
        return data[:place]
    changed = bytearray(data)
    if kind == 1:
        changed[place] ^= 1 << dice.randrange(8)
    elif kind == 2:
        changed[place : place + dice.randrange(1, 40)] = dice.randbytes(dice.randrange(40))
    elif kind == 3:
        end = min(len(data), place + dice.randrange(1, 200))
        changed[dice.randrange(len(data)) :] = data[place:end]
    else:
        for _ in range(dice.randrange(1, 10)):
            changed[dice.randrange(len(data))] = dice.choice([0, 255, 80, 75, dice.randrange(256)])
    return bytes(changed)


@pytest.mark.timeout(120)
def test_a_thousand_mutations_are_refused(sound: bytes, tmp_path: Path) -> None:
    """Or, where a bit was flipped that means nothing, open to the very same members."""
    dice, accepted = random.Random(6), 0
    members = unpack(sound).members
    path = tmp_path / "m.zip"
    for _ in range(1000):
        data = mutated(sound, dice)
        if data == sound:
            continue
        path.write_bytes(data)
        try:
            bundle = open_bundle(path)
        except BundleError as problem:
            if not problem.message.render().isprintable():
                pytest.fail(repr(problem))
        else:
            accepted += 1
            assert bundle.raw == members
    assert accepted <= 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1024 * 1024  # kB


def test_the_command_refuses_in_a_sentence_with_status_4(
    tmp_path: Path, sound: bytes, capfd, monkeypatch
) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(sound[:-40])
    for words in (["show"], ["verify"], ["replay"], ["to-case"], ["diff", str(path)]):
        status, printed = bundle_command(capfd, monkeypatch, *words, str(path))
        assert status == Status.NOT_EXAMINED
        assert len(printed.strip().splitlines()) == 1
