"""The rule of access once more, slowly and by itself: from the two tables of rights and bare facts, nothing of ours."""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

POLICY = Path(__file__).parents[2] / "archive" / "policy"
TIERS = ("content.discover", "content.identify", "content.read")
APART = {"sysadmin", "security", "auditor"}
"""三员: shares, departments and grants give them nothing."""
FOLLOWING = {"component", "service_paper", "dispute_paper"}
"""Items live in the state and the department of their file."""
OVERLAYS = {1: "kept", 2: "sealed", 3: "trashed"}


def read(name: str) -> list[dict[str, str]]:
    with (POLICY / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


MATRIX = [
    (
        row["role"].split(),
        set(row["permissions"].split()),
        row["scope"],
        row["types"].split(),
        row["states"].split(),
        row["level"],
    )
    for row in read("matrix.csv")
]
VETOES = {row["overlay"]: set(row["permissions"].split()) for row in read("vetoes.csv")}
ABOUT_CONTENT = sorted(set().union(*(row[1] for row in MATRIX if row[3] != ["-"])))


@dataclass(frozen=True)
class Thing:
    """A node without anything that is worked out."""

    id: int
    parent_id: int
    type: str
    state: str
    level_own: int
    overlay_own: int
    inherits: bool
    dept_id: int | None
    closed: bool


@dataclass(frozen=True)
class Share:
    node_id: int
    principal_id: int
    role: str
    until: datetime | None


@dataclass(frozen=True)
class Grant:
    node_id: int
    principal_id: int
    permission: str
    since: datetime
    until: datetime
    max_level: int


@dataclass(frozen=True)
class Someone:
    """A person: global roles, clearance, departments, and everybody they are (themselves, departments, groups)."""

    id: int
    roles: frozenset[str]
    clearance: int
    departments: frozenset[int]
    everybody: frozenset[int]


@dataclass
class World:
    """The facts at one moment."""

    things: dict[int, Thing]
    shares: list[Share]
    grants: list[Grant]
    now: datetime

    def ancestry(self, thing: Thing) -> list[Thing]:
        """The thing, its parent, and so on; without the root."""
        chain = [thing]
        while chain[-1].parent_id in self.things:
            chain.append(self.things[chain[-1].parent_id])
        return chain

    def held(self, who: Someone, thing: Thing) -> set[str]:
        """Every permission that `who` holds on `thing`."""
        chain = self.ancestry(thing)
        if any(above.closed for above in chain):
            return set()
        level = max(above.level_own for above in chain)
        overlay = OVERLAYS.get(max(above.overlay_own for above in chain))
        given = self._by_matrix(who, chain, level) | self._by_grants(who, chain, level)
        return given - VETOES.get(overlay or "", set())

    def _by_matrix(self, who: Someone, chain: list[Thing], level: int) -> set[str]:
        file = next(above for above in chain if above.type not in FOLLOWING)
        here = self._roles_here(who, chain)
        given: set[str] = set()
        for roles, permissions, scope, types, states, bound in MATRIX:
            if not ({chain[0].type, "*"} & set(types)) or not ({file.state, "*"} & set(states)):
                continue
            if level > (who.clearance if bound == "clearance" else 3 if bound == "all" else int(bound)):
                continue
            if scope == "dept":
                meets = file.dept_id in who.departments and bool(who.roles & set(roles))
            else:
                meets = bool((who.roles | here) & set(roles))
            if meets:
                given |= permissions
        return given

    def _roles_here(self, who: Someone, chain: list[Thing]) -> set[str]:
        """Local roles on the thing and above it, up to the first block."""
        found: set[str] = set()
        if who.roles & APART:
            return found
        for above in chain:
            found |= {
                share.role
                for share in self.shares
                if share.node_id == above.id and share.principal_id in who.everybody
                and (share.until is None or share.until > self.now)
            }  # fmt: skip
            if not above.inherits:
                break
        return found

    def _by_grants(self, who: Someone, chain: list[Thing], level: int) -> set[str]:
        given: set[str] = set()
        if who.roles & APART:
            return given
        for grant in self.grants:
            inside = grant.node_id in {above.id for above in chain} and level <= grant.max_level
            if inside and grant.principal_id in who.everybody and grant.since <= self.now < grant.until:
                given.add(grant.permission)
                if grant.permission in TIERS:
                    given |= set(TIERS[: TIERS.index(grant.permission)])
        return given
