"""One engine for nodes and requests: states, and transitions with a needed permission and named guards. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from archive.i18n import Lazy

Guard = Callable[[Any, Any], str | None]
"""Given the unit of work and the subject, says in a sentence why the step cannot be taken, or nothing."""


class Subject(Protocol):
    """Whatever has a state: a node, a request."""

    state: str


@dataclass(frozen=True)
class State:
    """状态. `look` is the chip's colour and shape: idle, run, ok, wait, bad, seal, gone."""

    name: str
    title: Lazy
    look: str = "idle"
    final: bool = False


@dataclass(frozen=True)
class Transition:
    """A step that somebody with `needs` may take from one of `sources` to `target`, when no guard objects."""

    name: str
    title: Lazy
    sources: tuple[str, ...]
    target: str
    needs: str
    guards: tuple[str, ...] = ()
    icon: str = "arrow-right"
    asks_reason: bool = False
    primary: bool = False


@dataclass(frozen=True)
class Workflow:
    """工作流: a table that somebody can read aloud."""

    name: str
    initial: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...] = ()

    def state(self, name: str) -> State:
        return next(state for state in self.states if state.name == name)

    def transition(self, name: str) -> Transition | None:
        return next((step for step in self.transitions if step.name == name), None)

    def steps(self, state: str) -> tuple[Transition, ...]:
        """The transitions that lead out of `state`."""
        return tuple(step for step in self.transitions if state in step.sources)


def objections(step: Transition, guards: Mapping[str, Guard], uow: Any, subject: Subject) -> list[str]:
    """Why `step` cannot be taken now, a sentence each; empty when it can. Raises KeyError for an unknown guard."""
    return [reason for name in step.guards if (reason := guards[name](uow, subject))]
