"""检索提示 on the page: each hint with the search to which it leads, its words sealed."""

from typing import Any

from flask import url_for

from archive import envelope
from archive.services import hints
from archive.uow import UnitOfWork


def drawn(uow: UnitOfWork, text: str, *, by_index: bool) -> dict[str, Any]:
    """What the page says beside the hits; of other words only where the index looked for them."""
    found = hints.of(uow, text)
    coded = [
        {
            "code": one.code,
            "term": one.term,
            "by_code": _search(uow, one.code),
            "by_term": _search(uow, f"“{one.term}”"),
        }
        for one in found.codes
    ]
    beside = found.beside if by_index else ()
    return {"beside": beside, "exactly": _search(uow, found.exactly) if beside else None, "codes": coded}


def _search(uow: UnitOfWork, text: str) -> str:
    return url_for("search.results", s=envelope.seal(uow, {"q": text}))
