"""Who is acting: a person with roles and tokens, the system at a named task, or nobody."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from archive.policy.permissions import P
from archive.policy.rights import matrix


@dataclass(frozen=True)
class Actor:
    """行为人: everything that decides what may be done, gathered once for a request."""

    name: str
    principal_id: int | None = None
    account: str = ""
    staff_no: str = ""
    locale: str = "zh_CN"
    roles: frozenset[str] = frozenset()
    clearance: int = -1
    departments: frozenset[int] = frozenset()
    principals: frozenset[int] = frozenset()
    """The person, their departments and groups."""
    local_roles: frozenset[int] = frozenset()
    """Ids of the local roles that are theirs and have not expired."""
    branch_roles: frozenset[str] = frozenset()
    """The names of those roles: what they are somewhere, though not everywhere."""
    has_grants: bool = False
    session_id: int | None = None
    seen_at: datetime | None = None
    """When their session was last noted as in use."""
    must_change: bool = False
    """Whether their password is not their own yet: until it is, they get no other page."""
    task: str | None = field(default=None)

    @staticmethod
    def system(task: str) -> "Actor":
        """The program at work on `task`; it holds no permission and names its task in every event."""
        return Actor(name=f"system:{task}", task=task)

    @staticmethod
    def nobody() -> "Actor":
        return Actor(name="nobody")

    @property
    def is_authenticated(self) -> bool:
        return self.principal_id is not None

    @property
    def is_system(self) -> bool:
        return self.task is not None

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Every token this actor holds; a class admits whoever holds one of its own (architecture §3.2)."""
        holders = [f"R:{role}" for role in self.roles]
        holders += [f"D:{dept}:{role}" for dept in self.departments for role in self.roles]
        holders += [f"L:{local}" for local in self.local_roles]
        levels = ["*", *range(self.clearance + 1)]
        return frozenset(f"{holder}/{level}" for holder in holders for level in levels)

    def might(self, permission: P, types: frozenset[str]) -> bool:
        """Whether they could hold a permission on some node of these types at all. If not, nobody need look for any."""
        mine = self.roles | self.branch_roles
        return self.has_grants or any(
            right.role in mine and permission in right.permissions and right.concerns(types)
            for right in matrix()
        )

    @cached_property
    def anywhere(self) -> frozenset[P]:
        """The permissions that a role of theirs holds somewhere; what a menu may offer."""
        mine = self.roles | self.branch_roles
        return frozenset(p for right in matrix() if right.role in mine for p in right.permissions)
