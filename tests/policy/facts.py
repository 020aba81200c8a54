"""The bare facts of an archive, read with plain SQL: nothing that the program has worked out from them."""

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from tests.policy.naive import Grant, Share, Someone, Thing, World

CLOSED = "(SELECT count(*) FROM closed_branch c WHERE c.path_from = n.path) > 0"


def world(database: Connection, now: datetime) -> World:
    """Everything that decides, except who asks."""
    things = {
        row[0]: Thing(*row[:6], bool(row[6]), row[7], bool(row[8]))
        for row in database.execute(text(
            "SELECT id, parent_id, type, state, level_own, overlay_own, inherits, dept_id, "
            f"{CLOSED} FROM node n WHERE id <> 1"))
    }  # fmt: skip
    shares = [
        Share(*row[:3], moment(row[3]))
        for row in database.execute(text("SELECT node_id, principal_id, role, expires_at FROM local_role"))
    ]
    grants = [
        Grant(*row[:3], since, until, row[5])
        for row in database.execute(text(
            "SELECT node_id, principal_id, permission, valid_from, valid_until, max_level FROM access_grant"))
        if (since := moment(row[3])) and (until := moment(row[4]))
    ]  # fmt: skip
    return World(things, shares, grants, now)


def moment(value: str | datetime | None) -> datetime | None:
    """SQLite gives a text back, and never a zone."""
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def someone(database: Connection, user_id: int, now: datetime) -> Someone:
    """A person, with what holds at the moment."""
    clearance = database.execute(
        text('SELECT clearance FROM "user" WHERE id = :id'), {"id": user_id}
    ).scalar_one()
    roles = database.execute(
        text("SELECT role, valid_to FROM role_assignment WHERE principal_id = :id"), {"id": user_id}
    )
    member = database.execute(
        text("SELECT g.id, g.kind, m.valid_to FROM membership m JOIN principal g ON g.id = m.group_id "
             "WHERE m.principal_id = :id"), {"id": user_id},
    )  # fmt: skip
    now_in = [(number, kind) for number, kind, until in member if (end := moment(until)) is None or end > now]
    departments = frozenset(number for number, kind in now_in if kind == "dept")
    return Someone(
        user_id,
        frozenset(role for role, until in roles if (end := moment(until)) is None or end > now),
        clearance,
        departments,
        frozenset({user_id, *(number for number, _kind in now_in)}),
    )
