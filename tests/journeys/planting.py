"""An archive in which much is asked for: archived records of obstetrics, one scanned, one whose volume is out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from archive.models import Principal
from archive.services import bundling, requests, slips
from archive.sight import href
from tests.conftest import Hospital
from tests.journeys import props
from tests.journeys.conftest import Archive
from tests.services import lending, searching

MRNS = ("00219612", "00219703", "00219804", "00219905", "00219916", "00219127")
"""Of patients of one name; the last one's volume is out."""
NAME, SCANNED = "尹春燕", "00219321"
TERMS: dict[str, Any] = {
    "kind": "eread",
    "purpose": "discussion",
    "days": "1",
    "reason": "前置胎盘病例讨论",
    "declared": "none",
}


@dataclass
class House:
    """The archive of these stories, beside the browser: archived records of obstetrics, by record number, and scanned orders."""

    url: str
    hospital: Hospital
    records: dict[str, int]
    slip: str
    """By which a volume is out to a doctor of another ward."""

    def where(self, mrn: str) -> str:
        with self.hospital.uow("senior", readonly=True) as uow:
            return href(uow, uow.node(self.records[mrn]))

    def ask(self, account: str, mrn: str, *, with_copy: bool = False, **terms: str) -> str:
        """Somebody asks for a record; gives the number of the slip."""
        with self.hospital.uow(account) as uow:
            return requests.ask(uow, uow.node(self.records[mrn]), with_copy=with_copy, **TERMS | terms).number

    def bundle(self, account: str, *mrns: str, **terms: str) -> str:
        """The same of several at once; gives the number of the bundle."""
        with self.hospital.uow(account) as uow:
            lines = bundling.read(uow, "\n".join(f"{mrn}-1" for mrn in mrns))
            made = bundling.ask(uow, lines, TERMS | terms).bundle
            assert made
            return made.number

    def uuid(self, account: str) -> UUID:
        with self.hospital.uow("senior", readonly=True) as uow:
            return uow.session.get_one(Principal, self.hospital.people[account]).uuid

    def of(self, account: str, number: str) -> str:
        """The address of a slip."""
        with self.hospital.uow(account, readonly=True) as uow:
            return f"/requests/{slips.one(uow, number).uuid}"


@contextmanager
def furnished(archive: Archive) -> Iterator[House]:
    """Plants all of it beside the browser, and somebody of medical affairs who works in obstetrics, too."""
    with props.beside(archive, ("affairs", "苏文", "0098", "medical_affairs", "CK")) as hospital:
        scanned, orders = _scanned(hospital)
        records = {mrn: lending.another(hospital, mrn=mrn, name=NAME, location=lending.SHELF) for mrn in MRNS}
        records |= {SCANNED: scanned, "YZ": orders}
        slip = lending.approved(hospital, "clinician2", records[MRNS[-1]])
        lending.issue(hospital, slip, f"B{MRNS[-1]}-1")
        yield House(archive.url, hospital, records, slip)


def _scanned(hospital: Hospital) -> tuple[int, int]:
    """A record whose orders are scanned: two pages, and something that the patient pays without a consent to it."""
    record = searching.patient(hospital, SCANNED, "林知夏")
    orders = searching.component(hospital, record, "医嘱单", "YZ")
    props.taken_in(hospital, orders, "医嘱单", "医嘱单\n一次性耗材 自费", "续页")
    props.when_read(hospital, orders)
    searching.archived(hospital, record)
    return record, orders
