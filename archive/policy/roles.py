"""Roles, which of them go together, and which may be given on a branch of the tree."""

from dataclasses import dataclass

from archive.i18n import Lazy, _l


@dataclass(frozen=True)
class Role:
    """角色: a bundle of rights with a name; its rights stand in `matrix.csv`."""

    name: str
    title: Lazy
    local: bool = False


ROLES = {
    role.name: role
    for role in (
        Role("archivist", _l("Archivist")),
        Role("senior", _l("Senior archivist")),
        Role("scanner", _l("Scan operator")),
        Role("coder", _l("Coder")),
        Role("qc", _l("Quality controller")),
        Role("head", _l("Department head")),
        Role("clinician", _l("Clinician")),
        Role("clerk", _l("Storeroom clerk")),
        Role("desk", _l("Service desk")),
        Role("medical_affairs", _l("Medical affairs")),
        Role("complaints", _l("Complaint office")),
        Role("duty", _l("Duty officer")),
        Role("inspector", _l("Inspector")),
        Role("auditor", _l("Log auditor")),
        Role("security", _l("Security administrator")),
        Role("sysadmin", _l("System administrator")),
        Role("reader", _l("Reader"), local=True),
        Role("contributor", _l("Contributor"), local=True),
        Role("steward", _l("Steward"), local=True),
    )
}

CONTENT_ROLES = frozenset(
    {"archivist", "senior", "scanner", "coder", "qc", "clinician", "head", "clerk", "desk",
     "medical_affairs", "complaints", "duty", "inspector"}
)  # fmt: skip
WRITING_ROLES = frozenset(
    {"archivist", "senior", "scanner", "coder", "qc", "desk", "complaints", "medical_affairs"}
)

APART = frozenset({"sysadmin", "security", "auditor"})
"""三员: whoever holds one of these holds nothing through a share or a grant (architecture §3.5)."""

CONFLICTS = (
    *(frozenset({"sysadmin", role}) for role in sorted(CONTENT_ROLES)),
    *(frozenset({"auditor", role}) for role in sorted(WRITING_ROLES)),
    frozenset({"security", "sysadmin"}),
    frozenset({"security", "auditor"}),
)
"""三员分立: pairs of roles that one person never holds together (domain §12)."""
