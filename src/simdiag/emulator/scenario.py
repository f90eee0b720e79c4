"""Scenarios are data: ``FAMILY/CAUSE[-variant]`` is a family file and a state file.

A family file (``families/*.toml``) holds what the modem calls itself and its vendor answers; a
state file (``states/*.toml``) holds what is wrong. Every family can be in every state, except
those that the state file restricts to some families.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from simdiag.emulator.state import ModemState
from simdiag.errors import ScenarioError
from simdiag.message import N_, message

_HERE = Path(__file__).parent
Model = TypeVar("Model", bound=BaseModel)


class Answer(BaseModel):
    """A vendor command and what is answered to it; the first that fits counts.

    ``when`` names a property of the state that must be true (``!name``: false). Lines may hold
    ``{field}`` of the state, or a value computed by ``EmulatedModem``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str
    when: str = ""
    lines: tuple[str, ...] = ()
    after_ok: tuple[str, ...] = ()
    error: int | None = None


class Family(BaseModel):
    """What one modem family says of itself and answers beyond the standard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manufacturer: str
    model: str
    revision: str
    ati: tuple[str, ...] = ()
    boot_lines: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Standard commands (beginnings) that this family answers with an error."""
    never: tuple[str, ...] = ()
    """States that this family does not know."""
    verbose_only: bool = False
    """Errors always come in words, as from modems that ignore ``+CMEE=1``."""
    answers: tuple[Answer, ...] = ()
    state: dict[str, Any] = {}
    """What differs from the default state on every modem of this family."""

    def shows(self, name: str) -> bool:
        """Whether an answer of this family holds a field of the state."""
        if name == "voltage" and "+CBC" not in self.without:
            return True
        return not name or any("{" + name in line for a in self.answers for line in a.lines)


class State(BaseModel):
    """A state file: what it shows, and the values that differ from a healthy modem."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    families: tuple[str, ...] = ()
    """The families that can be in this state; none given means all."""
    needs: str = ""
    """A field of the state that a family must be able to show, such as ``temperature``."""
    state: dict[str, Any] = {}


class Scenario(BaseModel):
    """One family in one state."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    family: Family
    state: dict[str, Any]

    @property
    def cause(self) -> str:
        """The cause that an examination has to find."""
        return self.name.partition("/")[2].partition("-")[0]

    def initial_state(self) -> ModemState:
        """Return a fresh state of the modem."""
        return ModemState(**self.family.state | self.state)


@lru_cache(maxsize=1)
def _load() -> tuple[dict[str, Family], dict[str, State]]:
    return _folder("families", Family), _folder("states", State)


def _folder(name: str, model: type[Model]) -> dict[str, Model]:
    found = {}
    for path in sorted((_HERE / name).glob("*.toml")):
        try:
            found[path.stem] = model.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (ValidationError, tomllib.TOMLDecodeError) as problem:
            raise ScenarioError(f"{path}: {problem}") from problem
    return found


def scenario_names() -> list[str]:
    """Return the names of all scenarios, sorted."""
    families, states = _load()
    return sorted(
        f"{family}/{state}"
        for state, data in states.items()
        for family in families
        if (not data.families or family in data.families)
        and families[family].shows(data.needs)
        and state not in families[family].never
    )


def scenario(name: str) -> Scenario:
    """Return a scenario; raises ``ScenarioError`` that says which names are near."""
    if name not in scenario_names():
        from difflib import get_close_matches

        near = get_close_matches(name, scenario_names(), n=3, cutoff=0.3)
        text = N_("there is no scenario {name}; `simdiag emulate --list` shows all")
        if near:
            text = N_("there is no scenario {name}; near are {near} (`simdiag emulate --list`)")
        raise ScenarioError(message(text, name=name, near=", ".join(near)))
    family, _, state = name.partition("/")
    families, states = _load()
    return Scenario(
        name=name, title=states[state].title, family=families[family], state=states[state].state
    )
