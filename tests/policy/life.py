"""What may happen to an archive, in any order: each act is done by the service that people use."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from random import Random

from sqlalchemy import ColumnElement, delete, or_, select, true

from archive.actor import Actor
from archive.errors import ArchiveError
from archive.models import AccessGrant, ClosedBranch, LocalRole, Membership, Node, Principal
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import branches, records, setup, sharing, steps, trash, tree
from archive.uow import UnitOfWork
from tests.conftest import RECORD, Clock, Hospital

SCOPE = {"scope": "test"}
ROLES = ("reader", "contributor", "steward")
SEALS = (int(Overlay.NONE), int(Overlay.KEPT), int(Overlay.SEALED))
DIAGNOSES = ("O34.201", "B20.900", "A51.000", "J18.900")


class Life:
    """A hospital where things happen at random, the same things for the same seed."""

    def __init__(self, hospital: Hospital, clock: Clock, seed: int) -> None:
        self.hospital, self.clock, self.random = hospital, clock, Random(seed)
        self.told: list[str] = []
        self.patients = seed * 10_000
        self.group = self._group()
        self.acts: list[Callable[[], object]] = [
            self.add_record, self.add_component, self.add_component, self.add_paper, self.step, self.step, self.step,
            self.step, self.change_department, self.change_department, self.change_level, self.move, self.move,
            self.move, self.share, self.share, self.share, self.unshare, self.unshare, self.block, self.block,
            self.seal, self.seal, self.trash, self.restore, self.restore, self.grant, self.grant, self.wait,
            self.join, self.give_role, self.classify_what_is_closed, self.classify_what_is_closed,
        ]  # fmt: skip
        for act in (self.add_record, self.add_component, self.add_component, self.add_paper) * 3:
            act()

    def _group(self) -> int:
        with self.hospital.site.uow(Actor.system("test")) as uow:
            made = Principal(kind="group", code="night", name="夜班", name_key="yeban yb")
            uow.session.add(made)
            uow.session.flush()
            uow.session.add(Membership(principal_id=self.hospital.people["stranger"], group_id=made.id))
            return made.id

    def go_on(self, most: int) -> None:
        """Up to `most` acts; what is refused leaves everything as it was."""
        for _ in range(self.random.randint(1, most)):
            act = self.random.choice(self.acts)
            try:
                self.told.append(f"{act.__name__}: {act()}")
            except ArchiveError as refusal:
                self.told.append(f"{act.__name__} refused: {refusal!r}")

    # Choosing

    def _any(self, found: Iterable[Node]) -> Node:
        """One of these nodes; places high in the tree, which are few, come as often as leaves."""
        by_depth: dict[int, list[Node]] = {}
        for node in sorted(found, key=lambda node: node.id):
            by_depth.setdefault(node.depth, []).append(node)
        if not by_depth:
            raise ArchiveError("there is nothing of the kind")
        return self.random.choice(self.random.choice([by_depth[depth] for depth in sorted(by_depth)]))

    def _one(self, uow: UnitOfWork, needs: P, *which: ColumnElement[bool]) -> Node:
        """A node with which the actor may do something."""
        return self._any(uow.session.scalars(uow.nodes(needs).where(*which)))

    def _anything(self, uow: UnitOfWork, *which: ColumnElement[bool]) -> Node:
        """A node, whoever may do what with it."""
        return self._any(
            uow.session.scalars(select(Node).where(Node.id != 1, *which), execution_options=SCOPE)
        )

    def _principal(self) -> int:
        people = list(self.hospital.people.values())
        return self.random.choice([*people, *self.hospital.wards.values(), self.group, self.group])

    def _ward(self) -> str:
        return str(self.random.choice(list(self.hospital.wards.values())))

    # Describing

    def add_record(self) -> object:
        self.patients += 1
        day = self.random.choice(("2025-03-01", "2026-11-12"))
        fields = RECORD | {
            "mrn": f"{self.patients:08d}", "times": "1", "dept": self._ward(), "admitted_on": day, "discharged_on": day,
            "diagnosis_code": self.random.choice(DIAGNOSES),
        }  # fmt: skip
        with self.hospital.uow("senior") as uow:
            node = tree.add(uow, self.hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
            number = node.id
        with self.hospital.site.uow(Actor.system("test")) as uow:
            record = uow.session.get_one(Node, number, execution_options=SCOPE)
            record.page_count = 1
            for track, step in (("paper", "collected"), ("paper", "arranged"), ("scan", "linked")):
                records.reach(uow, record, track, step)
        return number

    def add_component(self) -> object:
        with self.hospital.uow("senior") as uow:
            file = self._one(uow, P.ADD, Node.type.in_(("medical_record", "service_file")))
            paper = file.type == "service_file"
            fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10", "summary": "无"}
            made = tree.add(uow, file, kind="service_paper" if paper else "component", fields=fields)
            return made.id, file.id

    def add_paper(self) -> object:
        code, kind = self.random.choice((("WS", "document"), ("RS", "personnel"), ("ZY·TS", "service_file")))
        fields = {
            "title": "通知", "date_from": "2026-05-04", "responsible": "院办", "open_status": "open",
            "dept": self._ward(), "service_kind": "complaint", "summary": "等候过久",
        }  # fmt: skip
        with self.hospital.uow("senior") as uow:
            node = tree.add(uow, self.hospital.category(uow, code), kind=kind, fields=fields)
            node.page_count = 1
            return node.id

    def step(self) -> object:
        with self.hospital.uow("senior") as uow:
            node = self._one(uow, P.EDIT_LIFECYCLE, Node.workflow.in_(("medical_record", "description")))
            name = self.random.choice([offer.step.name for offer in steps.offers(uow, node)] or ["archive"])
            steps.take(uow, node, name, reason="试")
            return name, node.id

    def change_department(self) -> object:
        with self.hospital.uow("senior") as uow:
            node = self._one(uow, P.EDIT, Node.type.in_(("medical_record", "service_file", "document")))
            columns = {"title": node.title, "date_from": node.date_from, "dept": self._ward()}
            tree.edit(uow, node, fields=node.data | columns, version=node.version)
            return node.id, columns["dept"]

    def change_level(self) -> object:
        with self.hospital.uow("senior") as uow:
            node, level = self._one(uow, P.EDIT_CLASSIFICATION), self.random.randint(0, 3)
            tree.set_level(uow, node, level=level, reason="试")
            return node.id, level

    def move(self) -> object:
        with self.hospital.uow("senior") as uow:
            scopes = or_(Node.shared, Node.inherits.is_(False)) if self.random.random() < 0.5 else true()
            node = self._one(uow, P.MOVE, Node.type != "fonds", scopes)
            fits = {"series": "category", "category": "category", "component": "medical_record"}.get(
                node.type, "series"
            )
            to = self._one(uow, P.ADD, Node.type == fits)
            tree.move(uow, node, to=to)
            return node.id, to.id

    # Sharing

    def share(self) -> object:
        until = (
            self.clock.now + timedelta(hours=self.random.randint(1, 30))
            if self.random.random() < 0.3
            else None
        )
        with self.hospital.uow("senior") as uow:
            high = Node.type.in_(("fonds", "category", "series")) if self.random.random() < 0.5 else true()
            node, whom, role = self._one(uow, P.SHARE, high), self._principal(), self.random.choice(ROLES)
            sharing.share(uow, node, principal_id=whom, role=role, until=until)
            return node.id, whom, role, until

    def unshare(self) -> object:
        with self.hospital.uow("senior") as uow:
            rows = uow.session.scalars(select(LocalRole).order_by(LocalRole.id)).all()
            row = self.random.choice(rows) if rows else None
            if row is None:
                return None
            node = uow.node(row.node_id, needs=P.SHARE)
            sharing.unshare(uow, node, share_id=row.id)
            return node.id, row.id

    def block(self) -> object:
        with self.hospital.uow("senior") as uow:
            node = self._one(uow, P.SHARE)
            sharing.set_inheritance(uow, node, inherits=not node.inherits)
            return node.id, node.inherits

    def classify_what_is_closed(self) -> object:
        with self.hospital.site.uow(Actor.system("branch.classify")) as uow:
            closed = select(Node).where(Node.path.in_(select(ClosedBranch.path_from))).order_by(Node.id)
            tops = uow.session.scalars(closed, execution_options=SCOPE).all()
            return [(top.id, branches.open_again(uow, top)) for top in tops]

    # Overlays

    def seal(self) -> object:
        with self.hospital.site.uow(Actor.system("test")) as uow:
            now, then = self.random.sample(SEALS, 2)
            node = self._anything(uow, Node.overlay_own == now, Node.depth > 2)
            node.overlay_own = then
            uow.session.flush()
            branches.reclassify(uow, node)
            return node.id, node.overlay_own

    def trash(self) -> object:
        with self.hospital.uow("senior") as uow:
            node = self._one(uow, P.TRASH, Node.overlay_own == 0, Node.depth > 2)
            trash.trash(uow, node)
            return node.id

    def restore(self) -> object:
        with self.hospital.uow("senior") as uow:
            node = self._one(uow, P.TRASH, Node.overlay_own == int(Overlay.TRASHED))
            trash.restore(uow, node)
            return node.id

    # Time and people

    def grant(self) -> object:
        hours = self.random.randint(-2, 20)
        with self.hospital.site.uow(Actor.system("test")) as uow:
            made = AccessGrant(
                principal_id=self._principal(), node_id=self._anything(uow).id, cause="eread",
                max_level=self.random.randint(0, 3),
                permission=self.random.choice((P.DISCOVER, P.IDENTIFY, P.READ, P.READ, P.PRINT, P.DOWNLOAD)),
                valid_from=uow.now + timedelta(hours=hours), valid_until=uow.now + timedelta(hours=hours + 10),
            )  # fmt: skip
            uow.session.add(made)
            return made.node_id, made.principal_id, made.permission, hours

    def wait(self) -> object:
        hours = self.random.randint(1, 12)
        self.clock.forward(hours=hours)
        return hours

    def join(self) -> object:
        """Somebody joins or leaves the group or a ward."""
        place = self.random.choice([self.group, *self.hospital.wards.values()])
        who = self.random.choice(
            [self.hospital.people[name] for name in ("clinician", "clinician2", "stranger", "auditor")]
        )
        with self.hospital.site.uow(Actor.system("test")) as uow:
            known = (Membership.principal_id == who, Membership.group_id == place)
            if uow.session.scalar(select(Membership.id).where(*known)) is not None:
                uow.session.execute(delete(Membership).where(*known))
            else:
                uow.session.add(Membership(principal_id=who, group_id=place))
            return who, place

    def give_role(self) -> object:
        """A new colleague with any role, for the rest of the story."""
        role = self.random.choice(
            ("coder", "qc", "medical_affairs", "complaints", "duty", "scanner", "head", "archivist")
        )
        account = f"{role}{self.random.randint(1, 2)}"
        if account in self.hospital.people:
            return None
        with self.hospital.site.uow(Actor.system("test")) as uow:
            user = setup.enlist(uow, account=account, name=account, staff_no=account, password=None, roles=(role,),
                                clearance=self.random.randint(0, 3))  # fmt: skip
            uow.session.add(Membership(principal_id=user.id, group_id=int(self._ward())))
            self.hospital.people[account] = user.id
        return account
