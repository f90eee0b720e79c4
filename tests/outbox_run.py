"""Many reports through the fault proxy to a real desk, and the count at the desk afterwards.

Run as a program it is a sender: ``python outbox_run.py FOLDER KIND PORT`` sends from the outbox in
FOLDER until nothing is left, so that tests can kill it.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from simdiag.ticket import settings
from simdiag.ticket.draft import BundleRef, Category, Draft, new_key
from simdiag.ticket.entry import UNSENT
from simdiag.ticket.outbox import Outbox
from simdiag.ticket.sender import Patience, Result, send_due
from simdiag.ticket.settings import DeskSettings

QUICK = Patience(first_s=0.1, most_s=1.0, settle_s=2.5)
"""Longer than the proxy holds a request back."""
TOKEN = "SIMDIAG_TOKEN_TEST"
_TOTALS = {
    "request_tracker": (
        "rt.db",
        "SELECT count(*) FROM Tickets WHERE id = EffectiveId AND Status != 'deleted'",
        "SELECT count(*) FROM Attachments WHERE Filename LIKE 'simdiag-%'",
    ),
    "roundup": (
        "tracker/db/db",
        "SELECT count(*) FROM _issue WHERE __retired__ = 0",
        "SELECT count(*) FROM issue_files",
    ),
}
"""The desk's own database, and how many tickets and attachments it holds."""


def desk_settings(kind: str, port: int, **more: object) -> DeskSettings:
    """Return the settings for a desk that the tests' servers made, at a port of loopback."""
    address = f"http://127.0.0.1:{port}/"
    own = {
        "request_tracker": {"queue": "SIM-AfterSales", "address": address},
        "roundup": {"account": "simdiag", "address": f"{address}sim/"},
    }[kind]
    values = {"kind": kind, "name": "desk", "token": "test", **own, **more}
    return settings.kinds()[kind].Settings(**values)


def make_draft(bundle: bytes | None = None, **more: object) -> Draft:
    """Return a draft that has everything, in two scripts."""
    ref = BundleRef(
        name="报告.sdb", sha256=hashlib.sha256(bundle).hexdigest(), size=len(bundle)
    ) if bundle is not None else None  # fmt: skip
    values: dict[str, object] = {
        "key": new_key(),
        "created": datetime.now(UTC),
        "category": Category.NO_SERVICE,
        "summary": "有信号，上不了网 – “no data”",
        "message": "插卡后有信号，打不开网页。\n\n  Restarted twice:\n  the same.",
        "languages": ("zh-CN",),
        "device": "Quectel EC25",
        "card": "898600********1234",
        "cause": "not_activated",
        "happened": "2026-11-22 10:00 +08:00",
        "place": "上海市 浦东新区",
        "steps": ("重启", "换了手机"),
        "wish": "补卡",
        "seller": "卡商“测试”",
        "order": "A-1001",
        "plan": "100 GB/月",
        "due": datetime(2026, 11, 30, 8, tzinfo=UTC),
        "bundle": ref,
        **more,
    }
    return Draft(**values)


def fill(folder: Path, reports: int, size: int = 6000) -> dict[str, bytes]:
    """Make an outbox with so many reports; return their bundles by key."""
    bundles: dict[str, bytes] = {}
    path = folder.parent / "bundle"
    with Outbox(folder) as outbox:
        for _ in range(reports):
            content = os.urandom(size)
            path.write_bytes(content)
            draft = make_draft(content)
            outbox.add(draft, "desk", [path], again=True)
            bundles[draft.key] = content
    return bundles


def send_all(folder: Path, desk: DeskSettings, seconds: float) -> list[Result]:
    """Send until nothing is left, or the time is over; return what came of the last passes."""
    deadline = time.monotonic() + seconds
    with Outbox(folder) as outbox:
        results: list[Result] = []
        while time.monotonic() < deadline:
            results = send_due(outbox, {"desk": desk}, QUICK) or results
            if not left(outbox):
                break
            time.sleep(0.5)  # each pass probes the desk first
        return results


def left(outbox: Outbox) -> int:
    """Return how many reports are not yet wholly at the desk."""
    return sum(entry.step in UNSENT for entry in outbox.entries())


def send_with_two(folder: Path, desk: DeskSettings, seconds: float) -> None:
    """Send with two senders at once."""
    both = [threading.Thread(target=send_all, args=(folder, desk, seconds)) for _ in range(2)]
    for sender in both:
        sender.start()
    for sender in both:
        sender.join()


def send_with_kills(folder: Path, kind: str, port: int, seconds: float, seed: int = 1) -> int:
    """Send with a process that is killed at random moments; return how often it was."""
    chance = random.Random(seed)
    deadline, kills = time.monotonic() + seconds, 0
    with Outbox(folder) as outbox:
        while left(outbox) and time.monotonic() < deadline:
            command = [sys.executable, __file__, str(folder), kind, str(port)]
            sender = subprocess.Popen(command)
            try:
                sender.wait(chance.uniform(1.5, 10.0))
            except subprocess.TimeoutExpired:
                sender.send_signal(signal.SIGKILL)
                sender.wait()
                kills += 1
    return kills


def count(
    folder: Path, server: Path, desk: DeskSettings, bundles: dict[str, bytes]
) -> dict[str, object]:
    """Count at the desk, without the proxy: tickets and files by key and in all, and their bytes."""
    tickets: Counter[int] = Counter()
    files: Counter[int] = Counter()
    changed: list[str] = []
    with Outbox(folder) as outbox:
        entries = {entry.key: entry for entry in outbox.entries()}
    connected = settings.connect(desk)
    for key, content in bundles.items():
        found = connected.find(key)
        tickets[len(found)] += 1
        held = connected.attachments(found[0]) if found else []
        files[len(held)] += 1
        if found:
            changed += [m.field for m in connected.verify(found[0], entries[key].draft)]
        changed += [key for file in held if connected.download(found[0], file) != content]
    connected.close()
    database, *queries = _TOTALS[desk.kind]
    at_desk = sqlite3.connect(f"file:{server / database}?mode=ro", uri=True)
    totals = [at_desk.execute(query).fetchone()[0] for query in queries]
    at_desk.close()
    return {
        "tickets per report": dict(tickets),
        "files per ticket": dict(files),
        "changed": changed,
        "tickets": totals[0],
        "attachments": totals[1],
        "states": dict(Counter(entry.state for entry in entries.values())),
        "told missing": [m for entry in entries.values() for m in entry.missing],
    }


def exact(reports: int) -> dict[str, object]:
    """Return what :func:`count` finds when all is as it should be."""
    return {
        "tickets per report": {1: reports},
        "files per ticket": {1: reports},
        "changed": [],
        "tickets": reports,
        "attachments": reports,
        "states": {"verified": reports},
        "told missing": [],
    }


if __name__ == "__main__":
    send_all(Path(sys.argv[1]), desk_settings(sys.argv[2], int(sys.argv[3])), 3600)
