"""Modems on other hosts: the suite holds a place of labgrid while it uses the place's modem.

labgrid is asked by its own program, ``labgrid-client``, and never imported: it needs a fork of
pyserial that overwrites the folder of the pyserial that simdiag is tested with, and would bring its
pytest plugin into this suite. So it lives in an environment of its own (``make labgrid``).
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bench import first_mistake

ANSWER_S = 60
"""A coordinator that answers no question within this time is as good as away."""

# Ends with the job, however that ends: its input is a pipe from the job, which the kernel closes.
_GUARD = """
trap '' INT TERM HUP
read -r _
"$1" -p "$2" release-from "$3"
"$1" cancel-reservation "$4"
"""


class LabgridError(Exception):
    """One sentence: why there is no modem from labgrid, and what to do."""


class NoAnswerError(LabgridError):
    """The coordinator took too long."""


def program(name: str) -> str | None:
    """Return the path of a program of labgrid, or of ``ser2net``; ``None`` if not installed."""
    own, path = f"{sys.prefix}/labgrid/bin", os.environ.get("PATH", "")
    return shutil.which(name, path=f"{own}:{path}:/usr/sbin")  # the last for ser2net


@dataclass(frozen=True, slots=True)
class Environment:
    """What an environment file says: which place, and where its coordinator is (``HOST:PORT``).

    ``options`` are those of the target, as labgrid defines them: a table of any keys.
    """

    place: str
    coordinator: str
    options: dict[str, Any]


class _RemotePlace(BaseModel):
    name: str


class _Resources(BaseModel):
    place: _RemotePlace | None = Field(default=None, alias="RemotePlace")


def _listed(resources: object) -> object:
    """Resources are a table, or a list of tables."""
    return [resources] if isinstance(resources, dict) else resources


class _Target(BaseModel):
    resources: Annotated[list[_Resources], BeforeValidator(_listed)]
    options: dict[str, Any] = {}

    def place(self) -> str | None:
        """Return the name of its place, if it has one."""
        return next((r.place.name for r in self.resources if r.place), None)


class _Options(BaseModel):
    coordinator_address: str | None = None


class _File(BaseModel):
    targets: dict[str, _Target]
    options: _Options = _Options()


def read_environment(path: Path) -> Environment:
    """Read a labgrid environment file; ``LG_PLACE`` chooses where it has more than one place.

    As in labgrid, the file's ``coordinator_address`` goes before the variable ``LG_COORDINATOR``.
    """
    try:
        file = _File.model_validate(yaml.load(path.read_text(), _Loader))
    except OSError as problem:
        raise LabgridError(f"{path}: {problem.strerror}") from problem
    except KeyError as problem:
        raise LabgridError(f"{path}: the variable {problem.args[0]} is not set") from problem
    except yaml.YAMLError as problem:
        what = " ".join(str(problem).split())
        raise LabgridError(f"{path} is no labgrid environment: {what}") from problem
    except ValidationError as invalid:
        what = first_mistake(invalid)
        raise LabgridError(f"{path} is no labgrid environment: {what}") from invalid
    places = {place: t.options for t in file.targets.values() if (place := t.place())}
    wanted = os.environ.get("LG_PLACE") or (next(iter(places)) if len(places) == 1 else "")
    if wanted not in places:
        known = ", ".join(sorted(places)) or "none"
        raise LabgridError(f"{path}: LG_PLACE is {wanted!r}, but has to be one of: {known}")
    told = file.options.coordinator_address or os.environ.get("LG_COORDINATOR")
    coordinator = told or "127.0.0.1:20408"
    return Environment(wanted, coordinator, places[wanted])


class _Loader(yaml.SafeLoader):
    """YAML with labgrid's tag ``!template``: the variables ``LG_…`` are filled in."""


def _template(loader: _Loader, node: yaml.ScalarNode) -> str:
    known = {name: value for name, value in os.environ.items() if name.startswith("LG_")}
    try:
        return Template(loader.construct_scalar(node)).substitute(known)
    except ValueError as problem:  # a $ before what is no name
        raise yaml.YAMLError(str(problem)) from problem


_Loader.add_constructor("!template", _template)


class Client:
    """``labgrid-client``, speaking for one job.

    labgrid knows a holder as ``HOST/USER`` only. Two jobs of one user on one host would pass for
    each other, so the user's name gets the number of the process, unless ``LG_USERNAME`` is set.
    """

    def __init__(self, coordinator: str) -> None:
        path = program("labgrid-client")
        if path is None:
            raise LabgridError("labgrid-client is not installed: `make labgrid` installs it")
        self.path = path
        self._coordinator = coordinator
        host = os.environ.get("LG_HOSTNAME") or socket.gethostname()
        user = os.environ.get("LG_USERNAME") or f"{getpass.getuser()}-{os.getpid()}"
        self.owner = f"{host}/{user}"
        own = {"LG_COORDINATOR": coordinator, "LG_HOSTNAME": host, "LG_USERNAME": user}
        self.environment = os.environ | own

    def ask(self, *words: str, timeout_s: float = ANSWER_S, token: str = "") -> str:
        """Return what a command prints; raises LabgridError with why it cannot."""
        try:
            done = subprocess.run(
                [self.path, *words], capture_output=True, text=True, timeout=timeout_s,
                stdin=subprocess.DEVNULL, env=self.environment | {"LG_TOKEN": token},
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise NoAnswerError(
                f"the labgrid coordinator at {self._coordinator} gives no answer: "
                "start it anew, or set LG_COORDINATOR to HOST:PORT"
            ) from late
        if done.returncode == 0:
            return done.stdout
        if "coordinator is unavailable" in done.stderr:
            raise LabgridError(
                f"there is no labgrid coordinator at {self._coordinator}: "
                "start it, or set LG_COORDINATOR to HOST:PORT"
            )
        *_, reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise LabgridError(f"labgrid, asked at {self._coordinator}, says: {reason}")

    def holder(self, place: str) -> str | None:
        """Return who has the place or its turn for it (``HOST/USER``); raises if it is unknown."""
        listed = self.ask("--verbose", "places")  # other commands take a part of a name for it
        places = dict(re.findall(r"^Place '(.+)':\n((?:  .*\n)*)", listed, re.MULTILINE))
        if place not in places:
            raise LabgridError(
                f"the labgrid coordinator at {self._coordinator} knows no place {place}; "
                f"it knows: {', '.join(places) or 'none'}"
            )
        if acquired := re.search(r"^  acquired: (.+/.+)$", places[place], re.MULTILINE):
            return acquired[1]
        if reserved := re.search(r"^  reservation: (.+)$", places[place], re.MULTILINE):
            made = f"^Reservation '{reserved[1]}':\\n  owner: (.+)$"
            owner = re.search(made, self.ask("reservations"), re.MULTILINE)
            return owner[1] if owner else None
        return None

    def url(self, place: str) -> str:
        """Return the URL of the place's only serial port, as ``simdiag check --port`` takes it."""
        target = yaml.safe_load(self.ask("-p", place, "env"))["targets"][place]
        ports = [r["NetworkSerialPort"] for r in target["resources"] if "NetworkSerialPort" in r]
        if len(ports) != 1:
            raise LabgridError(
                f"place {place} has {len(ports)} serial ports: "
                "let it match exactly one, the modem's AT port"
            )
        (port,) = ports
        if port["port"] is None:
            raise LabgridError(f"the modem of place {place} is not plugged in at its exporter")
        address = f"{port['host']}:{port['port']}"
        if port.get("protocol") == "raw":
            return f"socket://{address}"
        # As labgrid's own SerialDriver: a port without modem lines never confirms that DTR is set.
        return f"rfc2217://{address}?ign_set_control"


@contextmanager
def held(client: Client, place: str, wait_s: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the place, in turn with others who want it; raises if that takes over ``wait_s``.

    A guard process gives the place back at the end. It does so too if this process is killed, for
    labgrid does not: an acquired place stays acquired when its client is gone.
    """
    holder = client.holder(place)
    token = client.ask("reserve", "--shell", f"name={place}").strip().rpartition("=")[2]
    guard = subprocess.Popen(
        ["sh", "-c", _GUARD, "guard", client.path, place, client.owner, token],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=client.environment, start_new_session=True,
    )  # fmt: skip
    with guard:  # leaving this closes the pipe and waits for the guard
        if holder:
            say(f"place {place} is held by {holder}: waiting up to {wait_s:g} s")
        try:
            client.ask("wait", token, timeout_s=wait_s if holder else ANSWER_S)
        except NoAnswerError:
            who = client.holder(place) or "others"
            raise LabgridError(f"place {place} is still held by {who} after {wait_s:g} s") from None
        client.ask("-p", "+", "acquire", token=token)
        client.ask("cancel-reservation", token)  # has done its work; would outlive a release
        yield
