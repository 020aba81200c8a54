"""检索提示 on the page: each hint with the search to which it leads, its words sealed."""

from typing import Any

from flask import url_for

from archive import envelope
from archive.services import codes, hints, namesakes
from archive.services.findings import Results
from archive.uow import UnitOfWork


def drawn(uow: UnitOfWork, text: str, results: Results | None, *, first: bool) -> dict[str, Any]:
    """What the page says beside the hits, if there are any; of other words only where the index looked for them, and
    of other names on the first page, where few are called so and the words are not those of some text.
    """
    found = hints.of(uow, text)
    coded = [
        {
            "code": one.code,
            "term": one.term,
            "system": one.system,
            "by_code": _search(uow, one.code),
            "by_term": _search(uow, f"“{one.term}”"),
        }
        for one in found.codes
    ]
    beside = found.beside if results and not results.degraded else ()
    few = first and results and len(results.called) < namesakes.FEW and (results.called or not results.groups)
    return {
        "beside": beside, "exactly": _search(uow, found.exactly) if beside else None, "codes": _by_system(uow, coded),
        "names": names(uow, text) if few else [],
    }  # fmt: skip


def _by_system(uow: UnitOfWork, coded: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The codes of each classification under its name and the version that is loaded, as the list calls itself."""
    versions = codes.versions(uow) if coded else {}
    return [
        {"name": name, "title": str(system.title), "version": versions.get(name, ""), "codes": found}
        for name, system in codes.SYSTEMS.items() if (found := [one for one in coded if one["system"] == name])
    ]  # fmt: skip


def names(uow: UnitOfWork, text: str, page: str = "search.results") -> list[dict[str, str]]:
    """是否要找: names like the one that was typed, each with the search for it on that page."""
    return [{"name": name, "href": _search(uow, name, page)} for name in namesakes.of(uow, text)]


def _search(uow: UnitOfWork, text: str, page: str = "search.results") -> str:
    return url_for(page, s=envelope.seal(uow, {"q": text}))
