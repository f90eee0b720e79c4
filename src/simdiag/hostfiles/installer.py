"""Puts the files in their places, takes them away, and tells udev and systemd."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.files import config_folder, write_whole
from simdiag.hostfiles import OF_USERS, OWN_PLACES, PLACES, SERVICES, TIMERS
from simdiag.message import N_, message

_LIMIT_S = 30.0


def install(
    files: Mapping[str, str], root: Path, places: Mapping[str, str] = PLACES
) -> Iterator[tuple[Path, bool]]:
    """Write files (name to text) below ``root``; yields each path and whether it changed.

    Raises ``SimdiagError`` where one cannot be written.
    """
    for name, text in files.items():
        path = root / places[name] / name
        try:
            changed = not path.is_file() or path.read_text("utf-8", "replace") != text
            if changed:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, text, 0o644)
        except OSError as problem:
            raise _failed(N_("{path} cannot be written: {why}"), path, problem) from problem
        yield path, changed


def uninstall(root: Path, places: Mapping[str, str] = PLACES) -> Iterator[Path]:
    """Remove every file that is there below ``root``; yields each path that was removed."""
    for name, folder in places.items():
        path = root / folder / name
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as problem:
            raise _failed(N_("{path} cannot be removed: {why}"), path, problem) from problem
        yield path


def tell_udev() -> None:
    """Have udev read its rules again and apply them to the ports that are there."""
    if Path("/run/udev/control").exists():
        _run("udevadm", "control", "--reload")
        _run("udevadm", "trigger", "--subsystem-match=tty", "--action=change")


def tell_systemd(*, own: bool = False) -> None:
    """Have systemd, or the user's own, read its units again."""
    if _has_systemd(own):
        _run("systemctl", *_whose(own), "daemon-reload")


def stop_services(*, own: bool = False) -> None:
    """End the services and what starts them, while their units are still there.

    Those of users only they can end.
    """
    root, places = (config_folder(), OWN_PLACES) if own else (Path("/"), PLACES)
    started = {name: TIMERS.get(name, unit) for name, unit in SERVICES.items()}
    there = [unit for name, unit in started.items()
             if (name in OF_USERS) is own and (root / places[unit] / unit).exists()]  # fmt: skip
    if there and _has_systemd(own):
        _run("systemctl", *_whose(own), "disable", "--now", *there)


def own_command() -> list[str]:
    """Return the words that start this installed simdiag, from anywhere."""
    script = Path(sys.argv[0]).absolute()
    return [str(script)] if script.name == "simdiag" else [sys.executable, "-m", "simdiag"]


def closed_to_others() -> Path | None:
    """Return what keeps other users, and so a service, from running this simdiag, if anything.

    A virtual environment may be open, and the Python that it was made with not.
    """
    for start in (Path(own_command()[0]), Path(sys.prefix), Path(sys.executable)):
        for path in (start.resolve(), *start.resolve().parents):
            if not path.stat().st_mode & stat.S_IXOTH:
                return path
    return None


def _whose(own: bool) -> tuple[str, ...]:
    return ("--user",) if own else ()


def _has_systemd(own: bool) -> bool:
    there = Path("/run/systemd/system")
    if own:
        there = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}", "systemd")
    return there.is_dir()


def _run(*command: str) -> None:
    """Run a program of the system; raises ``SimdiagError`` where that fails."""
    program = shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
    try:
        if program is None:
            raise FileNotFoundError(2, "No such file or directory")
        subprocess.run(  # noqa: S603 - fixed words, no shell
            [program, *command[1:]], check=True, capture_output=True, timeout=_LIMIT_S
        )
    except (OSError, subprocess.SubprocessError) as problem:
        text = N_("the files are in place, but `{command}` failed; run it again: {why}")
        why = str(problem)
        raise SimdiagError(message(text, command=" ".join(command), why=why)) from problem


def _failed(text: str, path: Path, problem: OSError) -> SimdiagError:
    why = message(problem.strerror or str(problem))
    return SimdiagError(message(text, path=path, why=why))
