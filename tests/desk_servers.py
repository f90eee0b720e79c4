"""Real desks on loopback, each in a folder of its own: Request Tracker 5, Roundup 2, an SMTP server.

What they are set up with is what ``docs/desks`` ships. ``missing()`` says why one cannot be started.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
KITS = ROOT / "docs" / "desks"
_RT_SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
_RT_SETUP = "rt-setup-database-5"
ROUNDUP = ROOT / ".venv" / "roundup" / "bin"
_UP_S = 60.0


@dataclass(slots=True)
class Server:
    """A desk that runs: its address, its folder and the secret of its intake user."""

    address: str
    port: int
    folder: Path
    secret: str
    environment: dict[str, str] = field(default_factory=dict)


def without_request_tracker() -> str:
    """Say why Request Tracker cannot be started here; empty where it can."""
    if _RT_SERVER.exists() and shutil.which(_RT_SETUP):
        return ""
    return "needs Request Tracker: apt install request-tracker5 rt5-standalone rt5-db-sqlite"


def without_roundup() -> str:
    """Say why Roundup cannot be started here; empty where it can."""
    return "" if (ROUNDUP / "roundup-server").exists() else "needs Roundup: make desks"


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


_RT_CONFIG = """
use utf8;
Set($rtname, 'simdiag.test');
Set($Organization, 'simdiag.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.db');
Set($MailCommand, 'mbox');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($Timezone, 'Asia/Shanghai');
Set($BcryptCost, 4);  # the check of a token is most of the time otherwise
Set($WebSessionClass, 'Apache::Session::File');
$RT::VarPath = '{folder}';
$RT::MasonDataDir = '{folder}/mason';
$RT::MasonSessionDir = '{folder}/session';
1;
"""
_RT_TOKEN = """
use RT -init;
my $user = RT::User->new(RT->SystemUser);
$user->Load($ARGV[0]);
my ($id, $why, $token) = RT::AuthToken->new(RT->SystemUser)->Create(
    Owner => $user->id, Description => 'tests');
die $why unless $id;
print $token;
"""


@contextmanager
def request_tracker(folder: Path) -> Iterator[Server]:
    """Serve a new Request Tracker with the kit installed, until the end of the block."""
    port = free_port()
    for name in ("site.d", "mason", "session"):
        (folder / name).mkdir(parents=True)
    config = folder / "RT_SiteConfig.pm"
    config.write_text(_RT_CONFIG.replace("{port}", str(port)).replace("{folder}", str(folder)))
    environment = {
        **os.environ,
        "RT_SITE_CONFIG": str(config),
        "RT_SITE_CONFIG_DIR": str(folder / "site.d"),
    }
    password = folder / "root-password"
    password.write_text("only-in-this-folder\n")

    def run(*words: str) -> str:
        return subprocess.run(
            words, env=environment, check=True, capture_output=True, text=True, timeout=120
        ).stdout

    nobody = ("--dba", "", "--dba-password", "")
    run(_RT_SETUP, "--action", "init", *nobody, "--root-password-file", str(password))
    kit = str(KITS / "request-tracker" / "simdiag.pl")
    run(_RT_SETUP, "--action", "insert", "--datafile", kit, "--skip-create", *nobody)
    token = run("perl", "-I/usr/share/request-tracker5/lib", "-e", _RT_TOKEN, "simdiag")
    command = [str(_RT_SERVER), "--server", "Starlet", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--max-workers", "3"]
    server = Server(f"http://127.0.0.1:{port}", port, folder, token, environment)
    with _serving(command, environment, folder, server.address):
        yield server


@contextmanager
def roundup(folder: Path) -> Iterator[Server]:
    """Serve a new Roundup tracker with the kit installed, until the end of the block."""
    port = free_port()
    home = folder / "tracker"
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)

    def admin(*words: str) -> None:
        command = [ROUNDUP / "roundup-admin", "-i", home, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)

    settings = f"tracker_web=http://127.0.0.1:{port}/sim/,mail_domain=simdiag.test,"
    settings += f"mail_host=localhost,mail_debug={folder}/mail,"
    settings += "password_pbkdf2_default_rounds=1000"  # its log-in is half of the time otherwise
    admin("install", "classic", "sqlite", settings)
    install_roundup_kit(home)
    admin("initialise", "admin-of-the-tests")
    secret = "intake-of-the-tests"
    admin("create", "user", "username=simdiag", f"password={secret}",
          "address=intake@simdiag.test", "roles=User")  # fmt: skip
    command = [str(ROUNDUP / "roundup-server"), "-n", "127.0.0.1", "-p", str(port), f"sim={home}"]
    if os.geteuid() == 0:  # it refuses to serve as root
        user = pwd.getpwnam("nobody")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        command = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]
    server = Server(f"http://127.0.0.1:{port}/sim/", port, folder, secret, environment)
    with _serving(command, environment, folder, server.address):
        yield server


def install_roundup_kit(home: Path) -> None:
    """Do what the kit's README says: the lines before the security settings, REST on."""
    schema = home / "schema.py"
    marker = "#\n# TRACKER SECURITY SETTINGS"
    text = schema.read_text("utf-8")
    assert marker in text
    kit = (KITS / "roundup" / "simdiag_schema.py").read_text("utf-8")
    schema.write_text(text.replace(marker, kit + marker, 1), "utf-8")
    shutil.copy(KITS / "roundup" / "simdiag_key.py", home / "detectors")


@contextmanager
def _serving(
    command: list[str], environment: dict[str, str], folder: Path, address: str
) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *command],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(address, process, folder / "server.log")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not answer: {log.read_text('utf-8', 'replace')}")
