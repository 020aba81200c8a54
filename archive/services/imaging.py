"""图像处理: how the hospital has pictures made straight and clean, and in words what was done to one."""

from collections.abc import Iterable, Mapping
from typing import Any

from archive.i18n import _
from archive.services import policies
from archive.uow import UnitOfWork
from storage.processing import BORDERS, CROP, DESKEW, Processing


def in_force(uow: UnitOfWork) -> Processing:
    """What the policy of today has done to new pictures."""
    body = policies.in_force(uow, "imaging").body
    return Processing(**body["steps"], **body["limits"])


def has(steps: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Whether a picture was treated so."""
    return any(step["name"] == name for step in steps)


def told(steps: Iterable[Mapping[str, Any]]) -> str:
    """What was done to a picture, in a few words; nothing where it is as it was scanned."""
    return _(", ").join(_told(step["name"], step["numbers"]) for step in steps)


def _told(name: str, numbers: list[float]) -> str:
    if name == DESKEW:
        return _("straightened by %(degrees)s°", degrees=f"{-numbers[0]:+.1f}")
    if name == BORDERS:
        return _("black edges removed")
    if name == CROP:
        return _("trimmed to the sheet")
    return _("%(number)s specks removed", number=len(numbers) // 4)
