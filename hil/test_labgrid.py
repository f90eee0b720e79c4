"""More than one bench: labgrid's coordinator and exporter, and jobs that want the same modem."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from bench import Device, EmulatorBench
from labgrid_bench import Client, LabgridError, held, program, read_environment

HERE = Path(__file__).parent
PLACES = {"modem-1": "huawei-stick/healthy", "modem-2": "quectel-ec2x/sim_not_activated"}
ENVIRONMENT = HERE / "labgrid" / "environment.yaml"
PATIENCE_S = 60
T = TypeVar("T")

pytestmark = [
    pytest.mark.skipif(not program("labgrid-client"), reason="labgrid is missing: make labgrid"),
    pytest.mark.skipif(not program("ser2net"), reason="ser2net is missing: apt install ser2net"),
]


@pytest.fixture(autouse=True, scope="module")
def _own_modems(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--bench") != "emulator":
        pytest.skip("these tests bring their own modems; they run with --bench emulator")


# A job of its own: it says what it waits for and what it got, and keeps it until told to go.
JOB = """
import sys
from labgrid_bench import Client, LabgridError, held
_, coordinator, place, wait_s = sys.argv
try:
    client = Client(coordinator)
    with held(client, place, float(wait_s), lambda text: print(text, flush=True)):
        print("got", client.url(place), flush=True)
        sys.stdin.readline()
except LabgridError as error:
    sys.exit(str(error))
"""


@dataclass(frozen=True, slots=True)
class Lab:
    """A coordinator, and where the modems of its places really are."""

    coordinator: str
    devices: dict[str, Device]

    def job(self, place: str, wait_s: float = PATIENCE_S) -> subprocess.Popen[str]:
        """Start a job that holds the place until its input ends."""
        return subprocess.Popen(
            [sys.executable, "-c", JOB, self.coordinator, place, str(wait_s)], cwd=HERE,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def holder(self, place: str) -> str | None:
        return Client(self.coordinator).holder(place)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a coordinator and an exporter with two places, each with an emulated modem."""
    folder = tmp_path_factory.mktemp("lab")
    with ExitStack() as stack:
        bench = EmulatorBench(folder, stack)
        devices = {place: bench.device(scenario) for place, scenario in PLACES.items()}
        address = ("--listen", "127.0.0.1:0")
        ready = stack.enter_context(daemon(folder, "labgrid-coordinator", *address, says="listen"))
        coordinator = ready.split()[-1]
        exports = folder / "exporter.yaml"
        exports.write_text(
            "".join(
                f"{place}: {{RawSerialPort: {{port: {Path(device.port).resolve()}}}}}\n"
                for place, device in devices.items()
            )
        )
        stack.enter_context(exporter(folder, coordinator, exports))
        client = Client(coordinator)
        for place in PLACES:
            client.ask("-p", place, "create")
            client.ask("-p", place, "add-match", f"bench/{place}/*")
        yield Lab(coordinator, devices)


def exporter(
    folder: Path, coordinator: str, exports: Path, name: str = "bench"
) -> AbstractContextManager[str]:
    options = ("--coordinator", coordinator, "--name", name, "--hostname", "127.0.0.1")
    return daemon(folder, "labgrid-exporter", *options, str(exports), says="creating poll task")


@contextmanager
def daemon(folder: Path, name: str, *options: str, says: str) -> Iterator[str]:
    """Run one of labgrid's daemons; gives the line with which it says that it is ready."""
    log = folder / f"{name}.log"
    command = [program(name) or name, *options]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder) as process,
    ):
        try:
            yield wait_for(lambda: re.search(f".*{says}.*", log.read_text()), log.read_text)[0]
        finally:
            process.terminate()


def wait_for(condition: Callable[[], T | None], state: Callable[[], object] = str) -> T:
    """Return what the condition gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := condition()) is None:
        assert time.monotonic() < deadline, state()
        time.sleep(0.2)
    return found


def line(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip() or pytest.fail(str(job.communicate()))


def test_a_modem_is_examined_through_its_place(lab: Lab) -> None:
    """The verdict is that of the direct way, and nothing on the modem is left changed."""
    direct = lab.devices["modem-2"]
    before = direct.settings()
    client = Client(lab.coordinator)
    with held(client, "modem-2", PATIENCE_S, print):
        url = client.url("modem-2")
        assert url.startswith("rfc2217://127.0.0.1:")
        result = Device(url).check()
    assert result.errors == ""
    assert (result.json["device"], result.json["cause"]) == (url, "sim_not_activated")
    assert direct.settings() == before
    assert lab.holder("modem-2") is None


def suite(coordinator: str, place: str) -> subprocess.Popen[str]:
    """Start a part of this suite as a job of the documented matrix does."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(HERE / "test_check.py"),
         "-k", "the_cause_is_found", "--bench", str(ENVIRONMENT)],
        env=os.environ | {"LG_COORDINATOR": coordinator, "LG_PLACE": place},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_suite_runs_on_each_place_at_once(lab: Lab) -> None:
    """Each on its modem's state; the tests that want another state are skipped, and say so."""
    jobs = {place: suite(lab.coordinator, place) for place in PLACES}
    for place, job in jobs.items():
        output, errors = job.communicate()
        assert job.returncode == 0, output + errors
        assert " passed" in output
        assert f"the modem of this bench is {PLACES[place].partition('/')[2]}, not " in output
        assert lab.holder(place) is None


def test_the_suite_without_a_coordinator() -> None:
    with suite("127.0.0.1:1", "modem-1") as job:
        output, errors = job.communicate()
    assert job.returncode == pytest.ExitCode.USAGE_ERROR
    assert errors.strip() == (
        "ERROR: there is no labgrid coordinator at 127.0.0.1:1: "
        "start it, or set LG_COORDINATOR to HOST:PORT"
    )
    assert "Traceback" not in output


def test_the_second_job_gets_the_place_after_the_first(lab: Lab) -> None:
    with lab.job("modem-1") as first:
        assert line(first).startswith("got rfc2217://")
        owner = lab.holder("modem-1")
        assert owner
        assert owner.endswith(f"-{first.pid}")
        with lab.job("modem-1") as second:
            waits = f"place modem-1 is held by {owner}: waiting up to {PATIENCE_S} s"
            assert line(second) == waits
            with lab.job("modem-2") as other:  # another place is not waited for
                assert line(other).startswith("got rfc2217://")
                other.communicate("\n")
            assert lab.holder("modem-1") == owner
            first.communicate("\n")
            assert line(second).startswith("got rfc2217://")
            second.communicate("\n")
            assert (first.returncode, second.returncode) == (0, 0)
    assert lab.holder("modem-1") is None


def test_a_job_that_waits_in_vain_says_for_whom(lab: Lab) -> None:
    with lab.job("modem-1") as first:
        line(first)
        with lab.job("modem-1", wait_s=1) as second:
            _, errors = second.communicate()
        owner = lab.holder("modem-1")
        first.communicate("\n")
    assert errors == f"place modem-1 is still held by {owner} after 1 s\n"
    assert lab.holder("modem-1") is None  # the place is not reserved for the one that gave up


@pytest.mark.interrupts
def test_a_killed_job_holds_its_place_no_longer(lab: Lab) -> None:
    with lab.job("modem-1") as first:
        line(first)
        first.send_signal(signal.SIGKILL)
    with lab.job("modem-1") as second:
        while (said := line(second)).startswith("place modem-1 is held by"):
            pass
        assert said.startswith("got rfc2217://")
        second.communicate("\n")


@pytest.mark.interrupts
def test_a_job_killed_with_all_its_processes_is_released_by_its_name(lab: Lab) -> None:
    """As a CI runner does it: the guard is gone too, so the last step has to free the place."""
    with lab.job("modem-1") as job:
        line(job)
        for child in psutil.Process(job.pid).children():
            child.kill()
        job.kill()
    owner = lab.holder("modem-1")
    assert owner
    assert owner.endswith(f"-{job.pid}")
    Client(lab.coordinator).ask("-p", "modem-1", "release-from", owner)
    assert lab.holder("modem-1") is None


@pytest.mark.interrupts
def test_a_job_killed_while_it_waits_leaves_the_queue(lab: Lab) -> None:
    with lab.job("modem-1") as first:
        line(first)
        with lab.job("modem-1") as second:
            assert "is held by" in line(second)
            second.send_signal(signal.SIGKILL)
        with lab.job("modem-1") as third:
            assert "is held by" in line(third)
            first.communicate("\n")
            assert line(third).startswith("got rfc2217://")
            third.communicate("\n")


def test_a_place_that_the_coordinator_does_not_know(lab: Lab) -> None:
    with pytest.raises(LabgridError, match="knows no place modem; it knows: modem-1, modem-2"):
        lab.holder("modem")


def test_an_exporter_that_is_away(lab: Lab) -> None:
    client = Client(lab.coordinator)
    client.ask("-p", "far", "create")
    client.ask("-p", "far", "add-match", "elsewhere/far/*")
    try:
        with (
            pytest.raises(LabgridError, match=r"elsewhere/far/.* has no matching remote resource"),
            held(client, "far", PATIENCE_S, print),
        ):
            pytest.fail("there is no such modem")
    finally:
        client.ask("-p", "far", "delete")


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        (["{host: h, port: 7, protocol: raw}"], "socket://h:7"),
        (["{host: h, port: 7}"], "rfc2217://h:7?ign_set_control"),
        (["{host: h, port: null}"], "the modem of place p is not plugged in at its exporter"),
        (["{name: at}", "{name: gps}"], "place p has 2 serial ports"),
        ([], "place p has 0 serial ports"),
    ],
)
def test_the_port_of_a_place(monkeypatch: pytest.MonkeyPatch, ports: list[str], said: str) -> None:
    resources = ", ".join(f"{{NetworkSerialPort: {port}}}" for port in ports)
    told = f"targets: {{p: {{resources: [{resources}]}}}}"
    monkeypatch.setattr(Client, "ask", lambda *_words: told)
    try:
        found = Client("127.0.0.1:1").url("p")
    except LabgridError as error:
        found = str(error)
    assert found.startswith(said)


def test_without_labgrid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labgrid_bench.program", lambda _name: None)
    with pytest.raises(LabgridError, match="not installed: `make labgrid` installs it"):
        Client("127.0.0.1:1")


def test_a_coordinator_that_takes_the_question_and_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "labgrid-client"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n")
    silent.chmod(0o755)
    monkeypatch.setattr("labgrid_bench.program", lambda _name: str(silent))
    with pytest.raises(LabgridError, match=r"^the labgrid coordinator at lab:1 gives no answer: "):
        Client("lab:1").ask("places", timeout_s=0.2)


class TestEnvironment:
    """What an environment file may say, and what is said about one that is wrong."""

    @pytest.fixture(autouse=True)
    def _own_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("LG_")]:
            monkeypatch.delenv(name)

    def test_the_published_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LG_PLACE", "modem-2")
        monkeypatch.setenv("LG_COORDINATOR", "lab.example:20408")
        found = read_environment(ENVIRONMENT)
        assert (found.place, found.coordinator) == ("modem-2", "lab.example:20408")

    def test_a_template(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "environment.yaml"
        file.write_text(
            "options: {coordinator_address: 'lab.example:1'}\n"
            "targets: {main: {resources: [RemotePlace: {name: !template '$LG_PLACE'}]}}\n"
        )
        with pytest.raises(LabgridError, match="the variable LG_PLACE is not set"):
            read_environment(file)
        monkeypatch.setenv("LG_PLACE", "modem-7")
        found = read_environment(file)
        assert (found.place, found.coordinator) == ("modem-7", "lab.example:1")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is no labgrid environment"),
            ("targets: [", "is no labgrid environment"),
            (
                "targets: {main: {resources: 5}}",
                "is no labgrid environment: targets.main.resources: Input should be a valid list",
            ),
            (
                "targets: {main: {resources: {RemotePlace: {}}}}",
                "is no labgrid environment: targets.main.resources.0.RemotePlace.name: Field",
            ),
            ("targets: {main: {resources: {RemotePlace: x}}}", "resources.0.RemotePlace: Input"),
            ("targets: {main: {resources: {RemotePlace: {name: !template $}}}}", "placeholder"),
            (
                "{targets: {main: {resources: {RemotePlace: {name: x}}}},"
                " options: {coordinator_address: 5}}",
                "options.coordinator_address: Input should be a valid string",
            ),
            ("targets: {main: {resources: {}}}", "has to be one of: none"),
            (
                "targets: {a: {resources: {RemotePlace: {name: x}}},"
                " b: {resources: {RemotePlace: {name: y}}}}",
                "LG_PLACE is '', but has to be one of: x, y",
            ),
        ],
    )
    def test_a_wrong_one(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "environment.yaml"
        file.write_text(text)
        with pytest.raises(LabgridError) as error:
            read_environment(file)
        assert said in str(error.value)
        assert str(file) in str(error.value)
        assert "\n" not in str(error.value)

    def test_a_variable_that_is_empty_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LG_PLACE", "modem-1")
        monkeypatch.setenv("LG_COORDINATOR", "")
        assert read_environment(ENVIRONMENT).coordinator == "127.0.0.1:20408"

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(LabgridError, match=r"none\.yaml: No such file or directory"):
            read_environment(tmp_path / "none.yaml")


def test_the_published_exporter_file_is_accepted(lab: Lab, tmp_path: Path) -> None:
    """Its modems are offered, and are not plugged in here."""
    with exporter(tmp_path, lab.coordinator, HERE / "labgrid" / "exporter.yaml", name="example"):
        shown = Client(lab.coordinator).ask("-v", "-v", "resources", "--exporter", "example")
    assert shown.count("'avail': False") == 2
