"""Folders that ``simdiag watch`` fills: names that sort by time, and an end to their growth."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simdiag.watch import Verdict

KEEP = 1000
"""Examinations of which the files are kept unless told otherwise: some 30 MB a folder."""
_OURS = re.compile(
    r"\.?(watch-\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9-]{0,40}-[A-Za-z0-9_]{1,60})\.(?:zip|jsonl?)(?:\.[0-9a-f]+)?"
)
"""Also what :func:`simdiag.files.write_whole` leaves where the power fails."""


def file_name(socket: str, verdict: Verdict) -> str:
    """Return a name, without a suffix, for the files of an examination.

    It sorts by time (UTC), tells socket and cause, and holds nothing of the device itself.
    """
    time = f"{verdict.began:%Y%m%dT%H%M%S}.{verdict.began.microsecond // 1000:03}Z"
    place = re.sub(r"[^A-Za-z0-9]+", "-", socket)[:40]
    return f"watch-{time}-{place}-{verdict.cause}"


class Shelf:
    """One such folder, in which the files of the newest ``keep`` examinations stay (0: all)."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder, keep
        self._pruning = Lock()

    def path(self, name: str, suffix: str) -> Path:
        """Return where a file of that name belongs."""
        return self._folder / f"{name}{suffix}"

    def prune(self, newest: str) -> None:
        """Remove the oldest of these files, by their names; raises ``OSError``.

        What does not have the whole form of :func:`file_name` is never touched. ``newest`` has
        just been written: it stays, also if the clock was set back and others have later names.
        """
        if not self._keep:
            return
        with self._pruning:
            found = self._found()
            mine = found.pop(newest, None) is not None
            for name in sorted(found, reverse=True)[self._keep - mine :]:
                for path in found[name]:
                    path.unlink(missing_ok=True)

    def _found(self) -> dict[str, list[Path]]:
        """Return the files by the name of their examination."""
        found: defaultdict[str, list[Path]] = defaultdict(list)
        with os.scandir(self._folder) as entries:
            for entry in entries:
                name = _OURS.fullmatch(entry.name)
                if name and not entry.is_dir(follow_symlinks=False):
                    found[name[1]].append(Path(entry.path))
        return dict(found)
