"""A bench of real hardware: one modem, told by a file, and nothing else may be in its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)  # fmt: skip

import labgrid_bench
from bench import Bench, Capability, Choice, Device, finish, first_mistake, start, unknown
from simdiag.causes import CAUSES
from simdiag.cli.status import Status
from simdiag.discovery import Kind, UsbModem, best_at_port, discover

PLACE_WAIT_S = 3600.0
"""How long to queue for a place of labgrid that another job holds."""


class BenchFileError(Exception):
    """One sentence: what is wrong with the bench or its file, and what to do."""


def _known(what: str, names: Collection[str]) -> Callable[[object], object]:
    """Return a check that says which name is near."""

    def check(name: object) -> object:
        if name not in names:
            raise ValueError(unknown(what, name, names))
        return name

    return check


def _digits(text: str) -> str:
    if not re.fullmatch("[0-9]{4,20}", text):
        raise ValueError("give it in full or its last digits, four at least")
    return text


_Digits = Annotated[str, AfterValidator(_digits)]
_Cause = Annotated[str, AfterValidator(_known("cause", CAUSES))]
_Capability = Annotated[Capability, BeforeValidator(_known("capability", list(Capability)))]


class BenchFile(BaseModel):
    """What the file says; ``hil/README.md`` explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str | None = None
    port: str | None = None
    imei: _Digits | None = None
    iccid: _Digits | None = None
    carrier: str | None = None
    expect: _Cause = "healthy"
    may_not: list[_Capability] = []
    require: list[_Capability] = []

    @model_validator(mode="after")
    def _names_a_device(self) -> BenchFile:
        if not (self.device or self.port or self.imei):
            raise ValueError("name the modem: device (udev's path), port or imei")
        if self.device and self.port:
            raise ValueError("name the modem by its device or by its port, not by both")
        return self

    @classmethod
    def of(cls, table: dict[str, Any], path: Path) -> BenchFile:
        """Return what the table of a file says; raises ``BenchFileError`` for the first mistake."""
        try:
            return cls.model_validate(table)
        except ValidationError as invalid:
            what = first_mistake(invalid)
            mistake = invalid.errors()[0]
            if mistake["type"] == "extra_forbidden":
                what = unknown("key", mistake["loc"][0], cls.model_fields)
            raise BenchFileError(f"{path}: {what}") from invalid


def open_bench(path: Path, stack: ExitStack) -> Choice:
    """Return the bench that a file tells of, after a look at whether it is the one.

    The file is TOML, or a labgrid environment (YAML with ``targets``): its place is then held
    until the stack is closed.
    """
    file = _read(path, stack)
    modem = _identified(file, path)
    able = {Capability.CHANGES_SETTINGS, Capability.INTERRUPTS}
    if modem is not None:
        able.add(Capability.DISCOVERS)
    make = partial(RealBench, file, modem)
    return Choice("real", make, frozenset(able - set(file.may_not)), frozenset(file.require))


def _read(path: Path, stack: ExitStack) -> BenchFile:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text"
        raise BenchFileError(f"the bench's file {path} cannot be read: {why}") from problem
    try:
        return BenchFile.of(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as problem:
        if not _has_targets(text):
            raise BenchFileError(f"{path}: {problem}") from problem
    environment = labgrid_bench.read_environment(path)
    client = labgrid_bench.Client(environment.coordinator)
    stack.enter_context(labgrid_bench.held(client, environment.place, PLACE_WAIT_S, print))
    return BenchFile.of(environment.options | {"port": client.url(environment.place)}, path)


def _has_targets(text: str) -> bool:
    try:
        nodes = yaml.compose(text)
    except yaml.YAMLError:
        return False
    pairs = nodes.value if isinstance(nodes, yaml.MappingNode) else []
    return any(key.value == "targets" for key, _ in pairs)


# ---- is it the one? ----------------------------------------------------------------------
def _identified(file: BenchFile, path: Path) -> UsbModem | None:
    """Return the modem that the file names; ``None`` for a port without USB."""
    if file.port:
        _compare(file, path, ("--port", file.port))
        return None
    attached = [modem for modem in discover() if modem.kind is Kind.MODEM]
    if file.device:
        named = [modem for modem in attached if modem.id == file.device]
        if not named:
            ids = ", ".join(modem.id for modem in attached) or "none"
            raise BenchFileError(f"{path}: no modem at {file.device}; attached are: {ids}")
        _compare(file, path, ("--device", named[0].id))
        return named[0]
    silent = ""
    for modem in attached:
        try:
            seen = _examine(("--device", modem.id))
        except BenchFileError as problem:  # it may be another's
            silent += f"; {problem}"
            continue
        if _fits(file.imei, seen.get("device.imei")):
            _compare_card(file, path, seen)
            return modem
    raise BenchFileError(
        f"{path}: no attached modem has the IMEI that ends in {_end(file.imei)}{silent}"
    )


def _compare(file: BenchFile, path: Path, options: tuple[str, ...]) -> None:
    seen = _examine(options)
    if not _fits(file.imei, seen.get("device.imei")):
        raise BenchFileError(
            f"{path}: the modem at {options[1]} has the IMEI that ends in "
            f"{_end(seen.get('device.imei'))}, not in {_end(file.imei)}: nothing was tested"
        )
    _compare_card(file, path, seen)


def _compare_card(file: BenchFile, path: Path, seen: dict[str, Any]) -> None:
    if not _fits(file.iccid, seen.get("sim.iccid")):
        raise BenchFileError(
            f"{path}: the card in the modem has the ICCID that ends in "
            f"{_end(seen.get('sim.iccid'))}, not in {_end(file.iccid)}: nothing was tested"
        )
    if file.carrier not in (None, seen["profile"]):
        raise BenchFileError(
            f"{path}: the card belongs to {seen['profile']}, not to {file.carrier}: "
            "nothing was tested"
        )


def _examine(options: tuple[str, ...]) -> dict[str, Any]:
    """Return the values that an examination reads, and the ``profile`` that it chose."""
    result = finish(start(["check", *options, "--json", "--reveal", "imei,iccid"]), timeout_s=180)
    why = [result.errors.strip()]
    if result.output and result.status == Status.NOT_EXAMINED:
        why = [finding["text"] for finding in result.json["findings"]]
    elif result.output:
        values = {o["name"]: o["value"] for o in result.json["observations"]}
        return values | {"profile": result.json["profile"]}
    raise BenchFileError(f"the modem at {options[1]} cannot be examined: {' '.join(why)}")


def _fits(named: str | None, seen: object) -> bool:
    """Whether what was read is what the file names: in full, or by its last digits."""
    return named is None or str(seen or "").endswith(named)


def _end(number: object) -> str:
    """Return what of a number may be shown."""
    return str(number)[-4:] if number else "nothing"


# ---- the bench ---------------------------------------------------------------------------
class RealBench(Bench):
    """One modem in the one state that its card, its operator and the place give it."""

    def __init__(self, file: BenchFile, modem: UsbModem | None, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._file = file
        self._modem = modem

    def device(self, scenario: str | None = None, *, latency_ms: int = 0) -> Device:
        """Return the modem; the test is skipped if it wants another state than it is in."""
        wanted = scenario.partition("/")[2] if scenario else self._file.expect
        if wanted != self._file.expect:
            pytest.skip(f"the modem of this bench is {self._file.expect}, not {wanted}")
        if self._modem is None:
            return Device(str(self._file.port), transcripts=self.transcripts)
        port = best_at_port(self._modem)
        assert port is not None, self._modem.composition
        return Device(port.path, ("--device", self._modem.id), transcripts=self.transcripts)
