"""查询条件: what each condition of the front-page query asks of a record, as SQL."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, or_

from archive.models import Node
from archive.schema import Tier
from archive.services import codes, spans_of_time
from index import JOINT

CODE = re.compile(r"[A-Za-z](?:\d[\dA-Za-z.+*]*)?")
PROCEDURE = re.compile(r"\d{2}(?:\.[\dXx]{0,8})?")
"""The beginning of a code, as it is typed."""

Asked = Mapping[str, Any]
Clause = Callable[[Any, Asked], ColumnElement[bool]]


def _said(name: str) -> Any:
    return Node.data[name].as_string()


def _age(asked: Asked) -> Any:
    return spans_of_time.age_in_sql(
        asked.get("age_unit", "years"), func.nullif(_said("birth"), ""), Node.date_from
    )


def _diagnosed(value: str, _asked: Asked) -> ColumnElement[bool]:
    """By the beginning of the code, or by words."""
    words: ColumnElement[bool] = _said("diagnosis").icontains(value, autoescape=True)
    if CODE.fullmatch(value):
        return or_(words, _said("diagnosis_code").startswith(codes.kept(value), autoescape=True))
    return words


def _operated(value: str, _asked: Asked) -> ColumnElement[bool]:
    """By the beginning of any of the codes, or by words."""
    words: ColumnElement[bool] = _said("operations").icontains(value, autoescape=True)
    if PROCEDURE.fullmatch(value):
        # The beginning of the first, or what stands behind the sign between two.
        listed = JOINT + _said("operation_codes")
        return or_(words, listed.contains(JOINT + codes.kept(value), autoescape=True))
    return words


STAYED = spans_of_time.DaysBetween(Node.date_to, Node.date_from)
CONDITIONS: dict[str, tuple[Tier, Clause]] = {
    "diagnosis": (Tier.READ, _diagnosed),
    "operation": (Tier.READ, _operated),
    "attending": (Tier.READ, lambda value, _asked: _said("attending").contains(value, autoescape=True)),
    "outcome": (Tier.READ, lambda value, _asked: _said("outcome") == value),
    "dept": (Tier.DISCOVER, lambda value, _asked: Node.dept_id == value),
    "sex": (Tier.IDENTIFY, lambda value, _asked: _said("sex") == value),
    "age_from": (Tier.IDENTIFY, lambda value, asked: _age(asked) >= value),
    "age_to": (Tier.IDENTIFY, lambda value, asked: _age(asked) <= value),
    # A stay that ended on the day on which it began counts one day.
    "days_from": (Tier.DISCOVER, lambda value, _asked: (0 if value <= 1 else value) <= STAYED),
    "days_to": (Tier.DISCOVER, lambda value, _asked: value >= STAYED),
    "admitted_from": (Tier.DISCOVER, lambda value, _asked: Node.date_from >= date.fromisoformat(value)),
    "admitted_to": (Tier.DISCOVER, lambda value, _asked: Node.date_from <= date.fromisoformat(value)),
    "discharged_from": (Tier.DISCOVER, lambda value, _asked: Node.date_to >= date.fromisoformat(value)),
    "discharged_to": (Tier.DISCOVER, lambda value, _asked: Node.date_to <= date.fromisoformat(value)),
}  # fmt: skip
"""Each condition with the tier of what it looks at: on records held lower it says neither yes nor no."""
