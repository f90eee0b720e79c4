"""No model of a bundle's event lets a text through that has no type, and types do their work."""

import importlib
import pkgutil
from typing import Any

import pytest

import simdiag.bundle
from simdiag.bundle import fields
from simdiag.bundle.fields import Event, plain_texts, redacted
from simdiag.pseudonym import Pseudonyms

for module in pkgutil.walk_packages(simdiag.bundle.__path__, "simdiag.bundle."):
    importlib.import_module(module.name)


def subclasses(of: type) -> set[type]:
    return {of} | {found for sub in of.__subclasses__() for found in subclasses(sub)}


EVENTS = sorted((e for e in subclasses(Event) if e.__module__.startswith("simdiag.")), key=repr)
NAMES = Pseudonyms(b"a key of thirty-two bytes, yes!!")


def test_there_are_models_of_events():
    assert len(EVENTS) > 5


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: f"{e.__module__}.{e.__qualname__}")
def test_no_event_has_a_plain_text(event):
    assert list(plain_texts(event, event.__name__)) == []


def test_the_contract_would_notice_one():
    class Careless(Event):
        name: str
        inner: tuple[dict[fields.Word, str | None], ...] = ()
        anything: Any = None

    assert list(plain_texts(Careless, "C")) == ["C.name", "C.inner[][]", "C.anything"]


class Everything(Event):
    word: fields.Word | None = None
    interface: fields.InterfaceName | None = None
    port: fields.PortName | None = None
    program: fields.ProgramName | None = None
    driver: fields.DriverName | None = None
    version: fields.Version | None = None
    told: fields.Told | None = None
    apn: fields.Apn | None = None
    path: fields.UsbPath | None = None
    number: int = 0
    many: tuple[fields.Ip, ...] = ()
    secret: fields.Secret | None = None


@pytest.mark.parametrize(
    ("field", "value"),
    [("word", "usb-storage"), ("interface", "wwan0"), ("interface", "wwp0s20f0u3i4"), ("port", "/dev/ttyUSB2"),
     ("program", "ModemManager"), ("driver", "qmi_wwan"), ("version", "6.1.0-28-amd64"), ("version", "0.1.0"),
     ("version", "6.6.31+rpt-rpi-v8"), ("apn", "cmnet"), ("apn", "internet"), ("path", "1-2.3:1.4"), ("told", "no signal 12"),
     ("number", 61882100)],
)  # fmt: skip
def test_harmless_values_stay(field, value):
    assert getattr(redacted(Everything(**{field: value}), NAMES), field) == value


@pytest.mark.parametrize(
    "field", ["word", "interface", "port", "program", "driver", "version", "told", "apn", "path"]
)
@pytest.mark.parametrize(
    "value", ["annikaslaptop", "460011234567890", "NDYwMDExMjM0NTY3ODkw", "王家的网"]
)
def test_anybodys_do_not(field, value):
    shown = getattr(redacted(Everything(**{field: value}), NAMES), field)
    assert value not in shown
    assert len(shown) == len(value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("interface", "wwan4165550137"), ("interface", "usb302720123498"), ("interface", "wg416s555d013i7"),
     ("program", "100.71.203.88"), ("driver", "416-555-013-7"), ("word", "416 555 013 7"),
     ("program", "٤١٦ ٥٥٥ ٠١٣ ٧"), ("driver", "....- .---- -...."), ("version", "416.555-013.730.272")],
)  # fmt: skip
def test_numbers_in_the_form_of_a_name_go(field, value):
    shown = getattr(redacted(Everything(**{field: value}), NAMES), field)
    assert shown != value
    assert len(shown) == len(value)


def test_numbers_as_long_as_an_identifier_and_secrets_go():
    shown = redacted(
        Everything(number=460011234567890, secret="4711", many=("10.1.2.33", "8.8.8.8")), NAMES
    )
    assert shown.number == 0
    assert shown.secret == "****"
    assert shown.many == (NAMES.token("ip", "10.1.2.33"), "8.8.8.8")


def test_the_mac_in_the_name_of_an_interface_is_replaced():
    shown = redacted(Everything(interface="enx001e101f0001"), NAMES).interface
    assert shown is not None
    assert shown.startswith("enx001e10")
    assert not shown.endswith("1f0001")
