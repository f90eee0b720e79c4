"""The promises of the format: equal digests everywhere, schemas, seals, and what the commands say.

P1 to P11 are the properties that the study of other tools' bundles asks for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pyrage
import pytest

from simdiag.bundle import container, layout
from simdiag.bundle.build import build
from simdiag.bundle.comparing import compare
from simdiag.bundle.material import of_run
from simdiag.bundle.opening import open_bundle
from simdiag.bundle.replaying import replayed
from simdiag.cli.group import _run
from simdiag.cli.status import Status
from simdiag.errors import SimdiagError
from simdiag.i18n import available, translator
from simdiag.pseudonym import Pseudonyms
from simdiag.redact import Redactor
from simdiag.transcript.reader import read_log

HERE = Path(__file__).parent
ICCID, IMSI = "89860112345678901237", "460019876501234"
TALK = (
    f"AT+CCID\n+CCID: {ICCID}\nOK\n\nAT+CIMI\n{IMSI}\nOK\n\nAT+CPIN?\n+CPIN: READY\nOK\n\n"
    "AT+CSQ\n+CSQ: 20,99\nOK\n\nAT+CEREG?\n+CEREG: 0,3\nOK\n"
).encode()


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "talk.txt"
    path.write_bytes(TALK)
    return path


@pytest.fixture
def simdiag(capfd, monkeypatch):
    """Run the command line in this process; returns its status and what it printed."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["simdiag", *map(str, words)])
        status = _run()
        sys.stdout.flush()
        return (status, *capfd.readouterr())

    return run


@pytest.fixture
def bundle(log: Path, tmp_path: Path) -> Path:
    languages = [translator(language) for language in available()]
    path = tmp_path / "b.zip"
    path.write_bytes(build(of_run(log, None, []), Pseudonyms(bytes(32)), languages).data)
    return path


# ---- P1: equal digests -------------------------------------------------------------------
BUILD = """
import sys, hashlib, json, os
from datetime import UTC, datetime
from pathlib import Path
from simdiag.bundle.build import build
from simdiag.bundle.collecting import skipped
from simdiag.bundle.material import of_run
from simdiag.bundle.container import unpack
from simdiag.i18n import available, translator
from simdiag.pseudonym import Pseudonyms
material = of_run(Path(sys.argv[1]), None, skipped())
material.examined = datetime(2026, 11, 1, tzinfo=UTC)
built = build(material, Pseudonyms(bytes(32)), [translator(l) for l in available()])
members = unpack(built.data).members
print(json.dumps({n: hashlib.sha256(d).hexdigest() for n, d in members.items() if n != "manifest.sig"}))
"""
ENVIRONMENTS = [
    {},
    {"LC_ALL": "zh_CN.UTF-8", "LANGUAGE": "zh_CN", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "1"},
    {
        "LC_ALL": "C",
        "TZ": "America/St_Johns",
        "PYTHONHASHSEED": "77",
        "PYTHONUTF8": "0",
        "COLUMNS": "9",
    },
]


@pytest.mark.timeout(180)
def test_equal_events_have_equal_digests_everywhere(log: Path, tmp_path: Path) -> None:
    """In another locale, time zone, hash order, umask, folder and as another installation."""
    processes = []
    for i, environment in enumerate(ENVIRONMENTS):
        path = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(tmp_path / f"state{i}")}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", BUILD, str(log)],
                env=path | environment,
                cwd="/" if i % 2 else tmp_path,
                umask=0o077 if i % 2 else 0o000,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    told = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert "manifest.json" in told[0]
    assert all(digests == told[0] for digests in told)


def test_the_file_itself_has_no_clock_and_no_user(bundle: Path) -> None:
    for info in zipfile.ZipFile(bundle).infolist():
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.extra, info.comment, info.create_system) == (b"", b"", 3)
        assert info.external_attr >> 16 == 0o100644


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_other_programs_open_it(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", str(bundle), "-d", str(tmp_path / "out")], check=True)
    assert (tmp_path / "out/evidence/talk.jsonl").is_file()
    assert zipfile.ZipFile(bundle).testzip() is None


# ---- P2, P3: members and schemas ---------------------------------------------------------
def test_every_member_is_in_the_manifest_and_fits_its_published_schema(bundle: Path) -> None:
    opened = open_bundle(bundle)
    listed = {entry.path: entry for entry in opened.manifest.members}
    assert opened.raw.keys() == listed.keys() | {"manifest.json", "manifest.sig"}
    schemas = layout.json_schema()
    for name, data in opened.raw.items():
        if name in listed:
            assert listed[name].sha256 == hashlib.sha256(data).hexdigest()
        if name.endswith(".html"):
            continue
        lines = data.splitlines() if name.endswith(".jsonl") else [data]
        check = jsonschema.Draft202012Validator(schemas[name])
        for line in lines:
            check.validate(json.loads(line))


def test_the_talk_is_a_transcript_that_every_command_reads(bundle: Path, tmp_path, simdiag) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_bytes(open_bundle(bundle).raw["evidence/talk.jsonl"])
    exchanges: list = []
    assert read_log(path, exchanges.append).form == "transcript"
    assert [e.command for e in exchanges] == [
        "AT+CCID",
        "AT+CIMI",
        "AT+CPIN?",
        "AT+CSQ",
        "AT+CEREG?",
    ]


def test_a_bundle_of_a_bundles_talk_says_the_same(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_bytes(open_bundle(bundle).raw["evidence/talk.jsonl"])
    again = of_run(path, None, [])
    assert (again.source, again.cause) == ("recording", open_bundle(bundle).manifest.verdict.cause)


# ---- P4, P5: seals -----------------------------------------------------------------------
def test_the_key_is_the_users_alone_and_stays(bundle: Path, log: Path, state: Path) -> None:
    key = state / "simdiag/signing.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    again = build(of_run(log, None, []), Pseudonyms(bytes(32)), [])
    assert again.fingerprint == open_bundle(bundle).fingerprint
    assert open_bundle(bundle).signature.is_ours


def test_a_damaged_key_is_said(log: Path, state: Path) -> None:
    (state / "simdiag").mkdir()
    (state / "simdiag/signing.key").write_bytes(b"short")
    with pytest.raises(SimdiagError, match=r"signing\.key is damaged"):
        build(of_run(log, None, []), Pseudonyms(bytes(32)), [])


def test_encrypted_to_a_desk_both_sides_open_it(log, tmp_path, state, simdiag, monkeypatch) -> None:
    desk = pyrage.x25519.Identity.generate()
    path = tmp_path / "b.zip.age"
    status, _, _ = simdiag("bundle", "--from", log, "-o", path, "--to", desk.to_public())
    assert status == 0
    data = path.read_bytes()
    assert not data.startswith(b"PK")
    assert container.unpack(pyrage.decrypt(data, [desk])).faithful
    for words in (["show"], ["verify"], ["diff", path]):  # the user's own key
        assert simdiag("bundle", *words, path)[0] == 0
    assert simdiag("bundle", "replay", path)[0] == Status.FAULT
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "stranger"))
    status, out, err = simdiag("bundle", "show", path)
    assert (status, out) == (Status.NOT_EXAMINED, "")
    assert "encrypted to others than you" in err


def test_a_wrong_key_is_said_before_the_modem_is_asked(log: Path, tmp_path, simdiag) -> None:
    status, _, err = simdiag("bundle", "--from", log, "-o", tmp_path / "x.zip", "--to", "age1oops")
    assert status == Status.USAGE
    assert "age1oops is no age public key" in err


def test_a_log_whose_times_are_of_the_clock_becomes_a_bundle(tmp_path, simdiag) -> None:
    """As ModemManager writes them: seconds since 1970, too many for an examination."""
    path, log = tmp_path / "b.zip", tmp_path / "mm.log"
    said = ("--> 'AT+CPIN?<CR>'", "<-- '<CR><LF>+CPIN: SIM PUK<CR><LF><CR><LF>OK<CR><LF>'")
    log.write_text(
        "".join(
            f"<debug> [170000000{i}.100000] [modem0/ttyUSB2/at] {s}\n" for i, s in enumerate(said)
        )
    )
    assert simdiag("bundle", "--from", log, "-o", path)[0] == 0
    assert replayed(open_bundle(path)).diagnosis.cause == "sim_puk_required"


# ---- P6: nothing real, the same everywhere, and back again -------------------------------
def test_no_identifier_is_left_and_the_user_turns_it_back(log, tmp_path, simdiag) -> None:
    path = tmp_path / "b.zip"
    assert simdiag("bundle", "--from", log, "-o", path)[0] == 0
    opened = open_bundle(path)
    everything = b"".join(opened.raw.values()).decode()
    assert ICCID not in everything
    assert IMSI not in everything
    evidence = replayed(opened).evidence
    for kind, name, real in (("iccid", "sim.iccid", ICCID), ("imsi", "sim.imsi", IMSI)):
        token = evidence.value(name)
        assert len(token) == len(real)
        assert everything.count(token) >= 2, "in the talk and in the verdict"
        assert simdiag("bundle", "original", kind, token)[1].strip() == real


def test_what_is_revealed_is_said(log: Path, tmp_path: Path, simdiag) -> None:
    path = tmp_path / "b.zip"
    status, out, _ = simdiag("bundle", "--from", log, "-o", path, "--reveal", "iccid")
    assert status == 0
    assert "ICCID" in out.partition("Shows")[2]
    opened = open_bundle(path)
    assert opened.manifest.redaction.revealed == ("iccid",)
    assert ICCID.encode() in opened.raw["evidence/talk.jsonl"]
    assert IMSI.encode() not in opened.raw["evidence/talk.jsonl"]
    status, _, err = simdiag("bundle", "--from", log, "--reveal", "shoe-size")
    assert status == Status.USAGE
    assert "shoe-size" in err


def test_the_gate_stops_a_bundle_that_would_leak(log, tmp_path, simdiag, monkeypatch) -> None:
    """With redaction switched off there is no bundle, no rest of one, and a sentence."""
    monkeypatch.setattr("simdiag.bundle.build.redact_talk", _learnt_but_not_redacted)
    path = tmp_path / "b.zip"
    status, _, err = simdiag("bundle", "--from", log, "-o", path)
    assert status == Status.NOT_EXAMINED
    assert len(err.strip().splitlines()) == 1
    assert ICCID not in err
    assert {p.name for p in tmp_path.iterdir()} == {"talk.txt"}


def _learnt_but_not_redacted(events, names, evidence):
    names.knows("iccid", ICCID)
    return list(events)


# ---- P9, P10, P11 ------------------------------------------------------------------------
def test_there_is_a_page_for_every_language(bundle: Path) -> None:
    opened = open_bundle(bundle)
    assert {"report.en.html", "report.zh-CN.html"} <= opened.raw.keys()
    for name, data in opened.raw.items():
        if name.endswith(".html"):
            assert b"<script" not in data.lower()
            assert b"src=" not in data


def test_what_is_shown_is_what_leaves(bundle: Path, simdiag) -> None:
    for name, data in open_bundle(bundle).raw.items():
        assert simdiag("bundle", "show", "--member", name, bundle)[1] == data.decode()


def test_nothing_is_asked_of_the_network(log: Path, tmp_path: Path) -> None:
    """No socket but to the system's own services is made while a bundle is built."""
    script = (
        "import sys\n"
        "def look(event, args):\n"
        "    if event in ('socket.connect', 'socket.sendto', 'socket.getaddrinfo', 'socket.gethostbyname'):\n"
        "        if not isinstance(args[1] if event == 'socket.connect' else None, (str, bytes)):\n"
        "            print('NETWORK', event, args, file=sys.stderr)\n"
        "sys.addaudithook(look)\n"
        "from simdiag.cli import main\n"
        f"sys.argv = ['simdiag', 'bundle', '--from', {str(log)!r}, '-o', {str(tmp_path / 'n.zip')!r}]\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr


# ---- the commands ------------------------------------------------------------------------
def test_show_and_verify_in_json(bundle: Path, simdiag) -> None:
    shown = json.loads(simdiag("bundle", "show", "--json", bundle)[1])
    assert shown["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert shown["manifest"]["schema"] == "simdiag/bundle/1"
    checked = json.loads(simdiag("bundle", "verify", "--json", bundle)[1])
    assert (checked["intact"], checked["problems"]) == (True, [])


def test_reading_a_bundle_makes_no_key(
    bundle: Path, simdiag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desk may read where it cannot write, and has no business with keys."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "nobody"))
    for words in (["show"], ["verify"], ["replay"], ["to-case"], ["diff", bundle]):
        assert simdiag("bundle", *words, bundle)[0] in (0, 1, 3), words
    bundle.write_bytes(b"age-encryption.org/v1\n" + bytes(200))
    assert "encrypted to others" in simdiag("bundle", "show", bundle)[2]
    assert not (tmp_path / "nobody").exists()


def test_an_empty_fingerprint_is_nobodys(bundle: Path, simdiag) -> None:
    """Such as that of a shell's variable that was never set."""
    status, out, _ = simdiag("bundle", "verify", "--fingerprint", "", bundle)
    assert status == Status.NOT_EXAMINED
    assert "not by whom you named" in out


def test_verify_against_the_fingerprint_that_somebody_told(bundle: Path, simdiag) -> None:
    fingerprint = open_bundle(bundle).fingerprint
    assert simdiag("bundle", "verify", "--fingerprint", fingerprint, bundle)[0] == 0
    other = "0000-" + fingerprint[5:]
    status, out, _ = simdiag("bundle", "verify", "--fingerprint", other, bundle)
    assert status == Status.NOT_EXAMINED
    assert fingerprint in out


def test_diff_tells_what_changed(log: Path, bundle: Path, tmp_path: Path, simdiag) -> None:
    log.write_bytes(TALK.replace(b"+CEREG: 0,3", b"+CEREG: 0,1"))
    other = tmp_path / "c.zip"
    other.write_bytes(build(of_run(log, None, []), Pseudonyms(bytes(32)), []).data)
    found = {
        (d.part, d.name): (d.before, d.after)
        for d in compare(open_bundle(bundle), open_bundle(other))
    }
    assert found["verdict", "cause"][1] == "healthy"
    assert found["observation", "registration.eps.status"] == (3, 1)
    assert found["member", "report.en.html"][1] is None
    assert ("observation", "sim.iccid") not in found
    status, out, _ = simdiag("bundle", "diff", bundle, other)
    assert (status, "observation registration.eps.status" in out) == (0, True)
    assert simdiag("bundle", "diff", bundle, bundle)[1].strip() == "The two say the same."


def test_replay_tells_what_this_version_sees_differently(
    bundle: Path, simdiag, monkeypatch
) -> None:
    told = json.loads(simdiag("bundle", "replay", "--json", bundle)[1])
    assert told["differences"] == []
    assert told["cause"] == told["recorded_cause"]
    monkeypatch.setattr("simdiag.diagnose.all_rules", lambda: ())
    told = json.loads(simdiag("bundle", "replay", "--json", bundle)[1])
    assert told["cause"] == "inconclusive"
    assert ["verdict", "cause"] in [[d["part"], d["name"]] for d in told["differences"]]


def test_what_watch_has_written_makes_a_bundle(emulated, tmp_path: Path, simdiag) -> None:
    """The pair of files: the talk, and what no modem told."""
    from simdiag.agent import Options, Target, examine
    from simdiag.cli.archive import Archive
    from simdiag.cli.shelf import Shelf
    from simdiag.discovery import UsbModem
    from simdiag.watch import State, Verdict, Visit

    with emulated("quectel-ec2x/sim_puk_required") as port:
        result = examine(Target(port=port), Options(wait_s=0))
    cause = result.diagnosis.cause
    verdict = Verdict(cause, "", 1.0, None, result.elapsed_s, datetime(2026, 5, 4, tzinfo=UTC))
    visit = Visit(UsbModem("usb-0:2", 0x2C7C, 0x0125), 0.0, 0.0, State.EXAMINED, verdict=verdict)
    Archive(Shelf(tmp_path, 0)).keep(visit, result, Redactor(result.evidence))
    (talk,) = tmp_path.glob("*.jsonl")
    for file in (talk, talk.with_suffix(".json")):
        path = tmp_path / "b.zip"
        assert simdiag("bundle", "--from", file, "-o", path, "--force")[0] == 0
        opened = open_bundle(path)
        assert opened.manifest.verdict.cause == "sim_puk_required"
        assert {f.fact.name for f in opened.facts} >= {"device.answers", "device.family"}


def test_a_run_that_is_none(tmp_path: Path, simdiag) -> None:
    for name, text in (("a.txt", "Dear Sir"), ("b.json", "[]"), ("c.json", "{"), ("d.txt", "")):
        (tmp_path / name).write_text(text)
        status, _, err = simdiag("bundle", "--from", tmp_path / name)
        assert (status, len(err.strip().splitlines())) == (Status.NOT_EXAMINED, 1), name
    status, _, err = simdiag("bundle", "--from", tmp_path / "missing.txt")
    assert (status, len(err.strip().splitlines())) == (Status.NOT_EXAMINED, 1)
    status, _, _ = simdiag("bundle", "--from", tmp_path / "a.txt", "--port", "/dev/x")
    assert status == Status.USAGE


def test_a_bundle_is_small(bundle: Path) -> None:
    assert len(io.BytesIO(bundle.read_bytes()).getvalue()) < 300_000


def test_a_log_of_several_ports_is_judged_as_a_whole(tmp_path: Path) -> None:
    """As ``simdiag diagnose`` does."""
    from simdiag.log import examine_log
    from simdiag.transcript.recorded import Recording

    path = tmp_path / "two.jsonl"
    events = [
        Recording(0.0, "/dev/ttyUSB2", "tx", b"AT+CPIN?\r"),
        Recording(0.1, "/dev/ttyUSB2", "rx", b"\r\n+CME ERROR: 10\r\n"),
        Recording(0.2, "/dev/ttyUSB3", "tx", b"AT\r"),
        Recording(0.3, "/dev/ttyUSB3", "rx", b"\r\nOK\r\n"),
    ]
    path.write_text("".join(event.to_json() + "\n" for event in events))
    data = build(of_run(path, None, []), Pseudonyms(bytes(32)), []).data
    (tmp_path / "b.zip").write_bytes(data)
    opened = open_bundle(tmp_path / "b.zip")
    assert len(opened.manifest.ports) == 2
    assert replayed(opened).diagnosis.cause == examine_log(path).diagnosis.cause


def test_talk_that_repeats_itself_is_no_trap(tmp_path: Path) -> None:
    """What is written is read, however well it compresses."""
    data = {"a.txt": b"x" * 3_000_000, "b.txt": bytes(range(256)) * 4000}
    assert container.unpack(container.pack(data)) == (data, True)


def test_a_log_that_is_too_long_is_said(tmp_path: Path, simdiag, monkeypatch) -> None:
    monkeypatch.setattr("simdiag.bundle.material._MOST_TALK", 2000)
    path = tmp_path / "long.txt"
    path.write_bytes(TALK * 40)
    status, _, err = simdiag("bundle", "--from", path)
    assert status == Status.NOT_EXAMINED
    assert "is too long: cut out" in err
