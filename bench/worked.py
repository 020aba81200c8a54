"""What the worker of a served archive has worked and held, with the children that it starts; by the kind of its job."""

import os
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from archive.models import Job
from archive.site import Site
from bench.beside import Beside
from bench.figures import most_held, own
from bench.served import tree

TICKS = os.sysconf("SC_CLK_TCK")
OFTEN = 0.05
"""Seconds between two looks: by so much a kind of job may be credited with the work of another."""
REST = "else"
"""Index, seals, journals, and the search for work."""


@dataclass
class Watch(Beside):
    """CPU seconds and the most megabytes, of worker and children, by kind of job; counts from when it is begun."""

    site: Site
    worker: int
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    held: Counter[str] = field(default_factory=Counter)
    child: Counter[str] = field(default_factory=Counter)

    def work(self) -> None:
        before, kind = worked(self.worker), REST
        while not self.over.wait(OFTEN):
            now, next_kind = worked(self.worker), self.kind()
            self.cpu[kind] += max(0.0, now - before)
            before, kind = max(now, before), next_kind
            with suppress(OSError, StopIteration):
                self.held[kind] = max(self.held[kind], round(own(self.worker)))
                for child in tree(self.worker)[1:]:
                    self.child[kind] = max(self.child[kind], round(most_held(child)))

    def kind(self) -> str:
        """What the worker is at."""
        with self.site.session(readonly=True) as session:
            return session.scalar(select(Job.kind).where(Job.state == "running").limit(1)) or REST


def worked(process: int) -> float:
    """CPU seconds of a process, of its children that are gone and of those that live."""
    return sum(map(_worked, tree(process)))


def _worked(process: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0
