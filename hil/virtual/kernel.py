"""The guest's kernel and first file system, made from Debian packages and kept in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from virtual.problem import BenchProblem

HERE = Path(__file__).parent
PACKAGES = (
    "qemu-system-x86", "busybox-static", "cpio", "kmod", "udev", "dbus", "modemmanager", "iproute2",
)  # fmt: skip
"""What has to be installed; the kernel's package is only downloaded and unpacked."""

_BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_NO_KERNEL = (
    "No Linux kernel package can be downloaded ({why}): "
    "check the network, run `sudo apt-get update`, and run this again."
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What QEMU boots; ``modules`` is what the guest sees as ``/lib/modules``."""

    image: Path
    initramfs: Path
    modules: Path


def install_packages() -> None:
    """Install what is missing, if this is root's to do."""
    missing = [name for name in PACKAGES if not _installed(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise BenchProblem(
            "The virtual bench needs packages that are not installed: "
            f"sudo apt-get install {' '.join(missing)}"
        )
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for attempt in (install, ["apt-get", "update", "-q"], install):
        done = subprocess.run(attempt, env=environment, stdout=subprocess.DEVNULL)
        if attempt is install and done.returncode == 0:
            return
    raise BenchProblem(
        f"Packages could not be installed; see above, then run: apt-get install {' '.join(missing)}"
    )


def prepare(cache: Path) -> Kernel:
    """Return the kernel from the cache, or fetch and unpack it (once, 70 MB)."""
    folder = cache / "kernel"
    if not folder.exists():
        _fetch(cache, folder)
    modules = folder / "lib" / "modules"
    release = next(path.name for path in modules.iterdir())
    kernel = Kernel(folder / "boot" / f"vmlinuz-{release}", cache / "initramfs", modules)
    _make_initramfs(kernel, release)
    return kernel


def _fetch(cache: Path, folder: Path) -> None:
    """Download and unpack the distribution's newest kernel; all of it or nothing."""
    cache.mkdir(parents=True, exist_ok=True)
    package = _kernel_package()
    download = ["apt-get", "download", "-q", package]
    done = subprocess.run(download, cwd=cache, capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip() or "apt-get download failed").splitlines()[0]
        raise BenchProblem(_NO_KERNEL.format(why=why))
    archive = next(cache.glob(f"{package}_*.deb"))
    unpacked = cache / "kernel.part"
    shutil.rmtree(unpacked, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--extract", archive, unpacked], check=True)
    modules = unpacked / "lib" / "modules"
    release = next(path.name for path in modules.iterdir())
    subprocess.run(["depmod", "-b", unpacked, release], check=True, env=_with_sbin())
    archive.unlink()
    unpacked.rename(folder)


def _kernel_package() -> str:
    """Return the package that Debian's meta-package stands for."""
    for attempt in range(2):
        command = ["apt-cache", "depends", "linux-image-amd64"]
        listed = subprocess.run(command, capture_output=True, text=True)
        if found := re.search(r"Depends: (linux-image-\S+-amd64)", listed.stdout):
            return found[1]
        if attempt == 0 and os.geteuid() == 0:  # a fresh machine has no package lists yet
            subprocess.run(["apt-get", "update", "-q"], stdout=subprocess.DEVNULL)
    why = "apt knows no linux-image-amd64"
    raise BenchProblem(_NO_KERNEL.format(why=why))


def _make_initramfs(kernel: Kernel, release: str) -> None:
    """Pack busybox, ``init`` and the modules that reach the host's files."""
    root = kernel.initramfs.with_suffix(".part")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "dev", "host", "layer", "modules", "proc", "root"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox", path=_with_sbin()["PATH"])
    if busybox is None:
        raise BenchProblem("busybox is missing: sudo apt-get install busybox-static")
    shutil.copy(busybox, root / "bin")
    for applet in ("insmod", "mkdir", "mount", "sh", "switch_root"):
        (root / "bin" / applet).symlink_to("busybox")
    shutil.copy(HERE / "init", root)
    (root / "init").chmod(0o755)
    modules = _with_dependencies(kernel.modules.parents[1], release)
    for module in modules:
        shutil.copy(module, root / "modules")
    (root / "modules" / "list").write_text("".join(f"{Path(m).name}\n" for m in modules))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = ["cpio", "--create", "--format=newc", "--quiet"]
    with kernel.initramfs.open("wb") as out:
        subprocess.run(archive, cwd=root, input=names.encode(), stdout=out, check=True)
    shutil.rmtree(root)


def _with_dependencies(base: Path, release: str) -> list[str]:
    """Return the files of the modules that booting needs, in the order of loading."""
    files: dict[str, None] = {}
    for module in _BOOT_MODULES:
        command = ["modprobe", "-d", str(base), "-S", release, "--show-depends", module]
        listed = subprocess.run(
            command, capture_output=True, text=True, check=True, env=_with_sbin()
        )
        files |= dict.fromkeys(re.findall(r"^insmod (\S+)", listed.stdout, re.MULTILINE))
    return list(files)


def _installed(package: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout == "installed"
    except FileNotFoundError as error:
        raise BenchProblem(
            "The virtual bench is built from Debian packages, and this is no Debian system."
        ) from error


def _with_sbin() -> dict[str, str]:
    """Return an environment in which an ordinary user finds depmod and modprobe."""
    return os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
