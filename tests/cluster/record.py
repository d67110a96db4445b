"""What a cluster remembers between two runs of the tool, written before the things it speaks of are made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace

from tests.cluster import processes
from tests.cluster.levels import Level
from tests.cluster.paths import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One long-running program of a cluster."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the environment of the run that starts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that a cluster must not outlive."""

    pid: int
    started_at: int
    """Clock ticks since boot: with the id it names a process for ever."""

    @classmethod
    def this_process(cls) -> Owner:
        """Name the process that runs this."""
        return cls(pid=os.getpid(), started_at=processes.started_at(os.getpid()) or 0)

    @property
    def is_alive(self) -> bool:
        """Tell whether that very process still runs."""
        return processes.started_at(self.pid) == self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One cluster, as far as it has got."""

    level: Level
    owner: Owner | None
    """The run that starts it or, for a test session's own cluster, that uses it; None: it stays until `down`."""
    programs: dict[str, str]
    """Program to its path."""
    server: str = ""
    """The API server's URL, empty until it is known."""
    components: dict[str, Component] = field(default_factory=dict)
    is_complete: bool = False
    """Whether `up` got to its end."""

    @property
    def is_abandoned(self) -> bool:
        """Tell whether the run that owned it is gone without having taken it down."""
        return self.owner is not None and not self.owner.is_alive

    def with_component(self, component: Component) -> Record:
        """Return the record with one component more, or with its new command."""
        return replace(self, components=self.components | {component.name: component})


def write_record(state: StateFolder, record: Record) -> None:
    """Replace the record at once, so that nobody ever reads half of it."""
    state.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = state.record.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(record), indent=2))
    unfinished.rename(state.record)


def read_record(state: StateFolder) -> Record | None:
    """Return the record; None where there is none that this version of the tool can read (nothing to lose then)."""
    try:
        raw = json.loads(state.record.read_text())
        return Record(
            level=Level(raw["level"]),
            owner=Owner(**raw["owner"]) if raw["owner"] else None,
            programs=raw["programs"],
            server=raw["server"],
            components={
                name: Component(name=name, command=tuple(each["command"]), environment=each["environment"])
                for name, each in raw["components"].items()
            },
            is_complete=raw["is_complete"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
