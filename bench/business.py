"""What people leave behind in an archive of this size: colleagues, requests, loans, jobs, events."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from archive.actor import Actor
from archive.models import (
    AuditEvent,
    Holding,
    Job,
    Membership,
    Principal,
    ReadEvent,
    Request,
    RequestLine,
    RoleAssignment,
    User,
)
from archive.names import name_key
from archive.services.imports import bulk
from archive.site import Site
from archive.uow import UnitOfWork
from bench.names import mrn_of, name_of

COLLEAGUES, JOBS, EVENTS = 1_000, 5_000, 100_000
REQUESTS = (
    ("paper", "requested", 300), ("paper", "approved", 200), ("paper", "lent", 2_000), ("paper", "returned", 15_000),
    ("eread", "requested", 200), ("eread", "ended", 2_300),
)  # fmt: skip
BATCH = 5_000
LATE_ONE_IN = 7


def fill(site: Site) -> None:
    """Writes all of it."""
    with site.uow(Actor.system("bench")) as uow:
        people = _colleagues(uow)
        _requests(uow, people)
        bulk.write(uow, Job, list(_jobs(uow, people[0])))
        _in_batches(uow.session, AuditEvent, _events(uow.now, people, "node.edited"))
    with site.journal() as session:
        _in_batches(session, ReadEvent, _events(site.clock(), people, "page.viewed"))


def _colleagues(uow: UnitOfWork) -> list[int]:
    """Clinicians of one department; the first is the one who signs in."""
    first, ward = (
        uow.session.scalars(select(Principal.id).where(Principal.code == code)).one()
        for code in ("clinician", "CK")
    )
    names = [name_of(number) for number in range(COLLEAGUES)]
    rows: list[dict[str, Any]] = [
        {"kind": "user", "code": f"u{number:04d}", "name": name, "name_key": name_key(name), "uuid": uuid4()}
        for number, name in enumerate(names)
    ]
    ids = bulk.write_numbered(uow, Principal, rows)
    bulk.write(uow, User, [
        {"id": number, "account": row["code"], "staff_no": f"9{row['code'][1:]}", "clearance": 1, "version": 1}
        for number, row in zip(ids, rows, strict=True)
    ])  # fmt: skip
    bulk.write(uow, Membership, [{"principal_id": number, "group_id": ward} for number in ids])
    roles = [{"principal_id": number, "role": "clinician", "granted_at": uow.now} for number in ids]
    bulk.write(uow, RoleAssignment, roles)
    return [first, *ids]


def _requests(uow: UnitOfWork, people: list[int]) -> None:
    """Requests in every state on volumes that are there; those who borrow are the first twenty."""
    held = (
        select(Holding.id, Holding.node_id).order_by(Holding.id).limit(sum(count for *_, count in REQUESTS))
    )
    volumes = iter(uow.session.execute(held, execution_options={"scope": "bench"}).all())
    number = 0
    for kind, state, count in REQUESTS:
        mine = list(islice(volumes, count))
        rows = []
        for _holding, node in mine:
            number += 1
            rows.append(request(uow.now, number, kind, state, people[number % 20], node))
        ids = bulk.write_numbered(uow, Request, rows)
        if state in {"lent", "returned"}:
            _lend(
                uow, [(request, holding) for request, (holding, _node) in zip(ids, mine, strict=True)], state
            )


def request(now: datetime, number: int, kind: str, state: str, who: int, node: int) -> dict[str, Any]:
    """The row of a request; all but the open ones have been decided."""
    asked = now - timedelta(days=number % 300)
    return {
        "uuid": uuid4(), "number": f"JY2019-{number:06d}", "kind": kind, "state": state, "requester_id": who,
        "node_id": node, "purpose": "discussion", "rule": "discussion", "days": 3, "policy_version": 1, "version": 1,
        "created_at": asked, "decided_at": None if state == "requested" else asked,
    }  # fmt: skip


def _lend(uow: UnitOfWork, pairs: list[tuple[int, int]], state: str) -> None:
    back = uow.now - timedelta(days=1) if state == "returned" else None
    bulk.write(uow, RequestLine, [
        {"request_id": request, "holding_id": holding, "out_at": uow.now - timedelta(days=10), "sheets_out": 40,
         "due_at": uow.now + timedelta(days=3 - 5 * (request % LATE_ONE_IN == 0)), "in_at": back, "renewals": 0}
        for request, holding in pairs
    ])  # fmt: skip
    if state == "lent":
        out = [holding for _request, holding in pairs]
        uow.session.execute(
            update(Holding).where(Holding.id.in_(out)).values(status="lent", version=2),
            execution_options={"scope": "bench", "synchronize_session": False},
        )


def _jobs(uow: UnitOfWork, owner: int) -> Iterator[dict[str, Any]]:
    for number in range(JOBS):
        yield {
            "uuid": uuid4(), "kind": "page.derive", "args": {}, "owner_id": owner, "state": "done", "progress": 12,
            "total": 12, "priority": 5, "run_after": uow.now, "tries": 1, "cancel": False,
            "created_at": uow.now - timedelta(minutes=number), "started_with": 0, "done_at": uow.now,
        }  # fmt: skip


def _events(now: datetime, people: list[int], action: str) -> Iterator[dict[str, Any]]:
    """Two months of them."""
    for number in range(EVENTS):
        who = number % len(people)
        yield {
            "at": now - timedelta(days=60) * (1 - number / EVENTS), "actor_id": people[who], "actor": f"u{who:04d}",
            "roles": "clinician", "action": action, "result": "ok", "object_kind": "node", "object_id": 100 + number,
            "object_ref": mrn_of(number), "address": "10.0.0.1",
        }  # fmt: skip


def _in_batches(session: Any, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    while part := list(islice(rows, BATCH)):
        session.execute(insert(model.__table__), part)
