"""Boots the guest, runs one command in it, and brings back its output, files and exit status."""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from virtual.kernel import HERE, Kernel, install_packages, prepare
from virtual.problem import BenchProblem

CHECKOUT = HERE.parents[1]
CACHE = CHECKOUT / "build" / "bench"
RESULTS = CACHE / "results"
"""Writable in the guest, under the same path."""
TIME_LIMIT_S = 1500.0

_KVM = Path("/dev/kvm")
_KVM_LIMIT_S = 2.0
_SWITCH_OFF = bytes.fromhex("baf400 b000 ee f4").ljust(510, b"\0") + b"\x55\xaa"
"""A boot sector (mov dx, 0xf4; mov al, 0; out dx, al; hlt), which ends QEMU with status 1."""
_BOOT_LIMIT_S = {"kvm": 20.0, "tcg": 120.0}
_POLL_S = 0.1
_NO_KVM = "KVM does not work here: the guest's processor is emulated, which takes longer.\n"
_INSIDE = "SIMDIAG_VIRTUAL_BENCH"


def inside() -> bool:
    """Whether this is the guest."""
    return _INSIDE in os.environ


def run(command: Sequence[str], time_limit_s: float = TIME_LIMIT_S) -> int:
    """Run a command in a fresh guest, in this directory; return its exit status.

    What it prints comes out here. ``RESULTS`` then holds the guest's console log, and whatever
    the command wrote there. Raises ``BenchProblem`` if the guest does not boot or finish in time.
    """
    install_packages()
    for folder in ("src", "drivers", "hil"):  # the guest would take minutes for it
        compileall.compile_dir(CHECKOUT / folder, quiet=2)
    with _alone():
        kernel = prepare(CACHE)
        deadline = time.monotonic() + time_limit_s
        for accelerator in _accelerators():
            if accelerator == "tcg":
                sys.stderr.write(_NO_KVM)
            _new_job(command, kernel)
            with _qemu(kernel, accelerator) as process:
                if _booted(process, min(deadline, time.monotonic() + _BOOT_LIMIT_S[accelerator])):
                    return _status(process, deadline)
    raise BenchProblem(f"The guest did not boot; its console log is {_console()}.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep others, who share the cache and the results, from running at the same time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Another run of the virtual bench is going on; waiting for its end.\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _accelerators() -> list[str]:
    """Return how the guest's processor may be made, fastest first."""
    return ["kvm", "tcg"] if _kvm_works() else ["tcg"]


def _kvm_works() -> bool:
    """Whether KVM runs anything: where virtual machines are nested, it may be there and hang."""
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return False
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(_SWITCH_OFF)
        disk.flush()
        command = [
            "qemu-system-x86_64", "-accel", "kvm", "-m", "16", "-nodefaults", "-display", "none",
            "-no-reboot", "-drive", f"file={disk.name},format=raw",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        ]  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, timeout=_KVM_LIMIT_S)
            return done.returncode == 1
    return False


def _new_job(command: Sequence[str], kernel: Kernel) -> None:
    """Empty the results and write what the guest is to do."""
    if RESULTS.exists():
        shutil.rmtree(RESULTS)
    RESULTS.mkdir(parents=True)
    settings = {
        _INSIDE: "1",
        "BENCH_MODULES": str(kernel.modules),
        "BENCH_RESULTS": str(RESULTS),
        "PYTHONPATH": str(CHECKOUT / "hil"),
        "PYTHONUNBUFFERED": "1",
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    lines.append(f"cd {shlex.quote(str(Path.cwd()))}")
    lines.append(f"set -- {shlex.join(command)}")
    lines.append(f". {shlex.quote(str(HERE / 'guest.sh'))}")
    (RESULTS / "job").write_text("\n".join(lines) + "\n")


@contextlib.contextmanager
def _qemu(kernel: Kernel, accelerator: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run QEMU; it is gone at the end, and also if this process is killed."""
    # Vector instructions, which libraries use where there are some, are slow when emulated.
    processor = {"kvm": "host", "tcg": "qemu64"}[accelerator]
    threads = ",thread=multi" if accelerator == "tcg" else ""
    share = "security_model=none,multidevs=remap"
    command = [
        "setpriv", "--pdeathsig", "KILL",
        "qemu-system-x86_64", "-accel", accelerator + threads, "-cpu", processor,
        "-smp", "2", "-m", "2048", "-nodefaults", "-no-user-config", "-display", "none",
        "-no-reboot", "-kernel", str(kernel.image), "-initrd", str(kernel.initramfs),
        "-append", "console=ttyS0 panic=1 mitigations=off",
        "-serial", f"file:{_console()}", "-serial", "stdio",
        "-virtfs", f"local,path=/,mount_tag=host,readonly=on,{share}",
        "-virtfs", f"local,path={str(RESULTS).replace(',', ',,')},mount_tag=results,{share}",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _booted(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until the guest is about to run the command."""
    started = RESULTS / "started"
    while not started.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _status(process: subprocess.Popen[bytes], deadline: float) -> int:
    """Wait for the guest's end; return the status of its command."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
        return int((RESULTS / "status").read_text())
    except subprocess.TimeoutExpired:
        raise BenchProblem(
            f"The guest was not done within its time limit; its console log is {_console()}."
        ) from None
    except (FileNotFoundError, ValueError):
        raise BenchProblem(f"The guest broke down; its console log is {_console()}.") from None


def _console() -> Path:
    return RESULTS / "console.log"


def main(arguments: Sequence[str], time_limit_s: float = TIME_LIMIT_S) -> int:
    """Run a command and return the status; what keeps it from running is said in a sentence."""
    try:
        return run(arguments, time_limit_s)
    except BenchProblem as problem:
        sys.stderr.write(f"{problem}\n")
    except (OSError, subprocess.CalledProcessError) as problem:
        sys.stderr.write(f"The virtual bench cannot be made ready: {_reason(problem)}\n")
    except KeyboardInterrupt:
        return 130
    return 2


def _reason(problem: OSError | subprocess.CalledProcessError) -> str:
    """Return what a program said, or which file is in the way, and why."""
    if isinstance(problem, subprocess.CalledProcessError):
        said, *_ = (problem.stderr or "").strip().splitlines() or ["see above"]
        return f"`{shlex.join(map(str, problem.cmd))}` failed: {said}"
    if isinstance(problem, PermissionError):
        return f"{problem.filename} is another user's: `sudo chown -R $USER {CACHE}`."
    return f"{problem.filename}: {problem.strerror}."
