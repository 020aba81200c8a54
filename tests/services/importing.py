"""Bringing a file in as a person does: receive, order, let the worker work, look."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import worker
from archive.services import imports
from archive.services.imports import ImportView, Plan
from tests.conftest import Hospital

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


@dataclass
class Desk:
    """One person with files to import."""

    hospital: Hospital
    account: str

    def receive(self, content: bytes) -> str:
        with self.hospital.uow(self.account, readonly=True) as uow:
            return imports.receive(uow, io.BytesIO(content), "list.csv").token

    def plan(self, kind: str, content: bytes, *, category: str | None = None, **more: Any) -> Plan:
        return Plan(kind, self.receive(content), self._uuid(category), **more)

    def _uuid(self, code: str | None) -> str | None:
        if code is None:
            return None
        with self.hospital.uow("senior", readonly=True) as uow:
            return str(self.hospital.category(uow, code).uuid)

    def order(self, plan: Plan, *, dry: bool) -> ImportView:
        with self.hospital.uow(self.account) as uow:
            uuid = imports.order(uow, plan, dry=dry).uuid
        return self.finished(str(uuid))

    def finished(self, uuid: str) -> ImportView:
        while worker.take_one(self.hospital.site, "test"):
            pass
        with self.hospital.uow(self.account, readonly=True) as uow:
            return imports.one(uow, uuid)

    def check(self, kind: str, content: bytes, **more: Any) -> ImportView:
        return self.order(self.plan(kind, content, **more), dry=True)

    def run(self, kind: str, content: bytes, **more: Any) -> ImportView:
        return self.order(self.plan(kind, content, **more), dry=False)

    def undo(self, done: ImportView) -> ImportView:
        with self.hospital.uow(self.account) as uow:
            uuid = imports.order_undo(uow, imports.find(uow, done.job.uuid)).uuid
        return self.finished(str(uuid))


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def table(*rows: tuple[object, ...]) -> bytes:
    """A list as Chinese versions of Excel save it."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("gb18030")


STAY = {
    "病案号": "00218647", "姓名": "刘婷婷", "次": "2", "性别": "女", "出生日期": "1994-03-02",
    "入院日期": "2026-11-08", "出院日期": "2026-11-12", "科室": "产科", "主治医师": "周敏", "离院方式": "医嘱离院",
    "主要诊断": "妊娠合并子宫瘢痕", "诊断编码": "O34.201",
}  # fmt: skip


def discharges(*stays: dict[str, str], more: tuple[str, ...] = ()) -> bytes:
    """A discharge list of these stays; what a stay does not say is as in STAY."""
    headings = (*STAY, *more)
    return table(headings, *(tuple({**STAY, **stay}.get(name, "") for name in headings) for stay in stays))
