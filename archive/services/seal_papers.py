"""封存清单与启封记录: what both sides sign when a package is sealed, and when it is opened, as printed sheets."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from reportlab.platypus import Flowable

from archive.i18n import _, ngettext
from archive.services import found_pages, parties
from archive.services.parties import People
from archive.services.printing import flowing, ruled, said
from archive.services.sealed import Seal, Slip
from archive.services.unsealing import Difference
from archive.uow import UnitOfWork


def contents(uow: UnitOfWork, slip: Slip) -> bytes:
    """封存清单: what lies in the package, who was there, and lines to sign. Each side keeps one."""
    seal = slip.seal
    title = _("List of the sealed package %(number)s", number=seal.number)
    facts = [
        *_what(seal), (_("Supplement of"), slip.supplement_of or ""), (_("Sealing asked for by"), seal.asked_by),
        (_("Reason"), seal.reason), (_("Sealed on"), _moment(uow, seal.sealed_at)), (_("Kept at"), seal.kept_at),
        (_("Number of the envelope or key"), seal.key_no), *_cover(seal),
    ]  # fmt: skip

    def story() -> Iterator[Flowable]:
        yield from (*_head(uow, title), _facts(facts), *_volumes(seal), *_pages(slip))
        yield from (
            said(_("Digest of this list") + " " + seal.digest, 8),
            said(_looked_through()),
            signing(seal.parties),
        )

    return flowing(uow.site, title, story(), f"{seal.number}  {seal.digest[:16]}")


def opening(uow: UnitOfWork, slip: Slip, differ: Sequence[Difference]) -> bytes:
    """启封记录: of a package that is opened now, to be filled in and signed; of one that is open, as it was."""
    seal = slip.seal
    title = _("Record of opening the package %(number)s", number=seal.number)
    facts = [*_what(seal), (_("Sealed on"), _moment(uow, seal.sealed_at))]
    if seal.released_at:
        facts += [
            (_("Released on"), _moment(uow, seal.released_at)), (_("Released by"), seal.released_by), (_("Ground"), seal.ground),
            (_("Number of the document"), seal.release_paper or ""), (_("Reason"), seal.release_reason or ""),
        ]  # fmt: skip
        there = seal.release_parties
    else:
        facts += [(name, "") for name in (_("Released on"), _("Ground"), _("Number of the document"))]
        there = seal.parties

    def story() -> Iterator[Flowable]:
        yield from (
            *_head(uow, title),
            _facts(facts),
            said(compared(seal, differ)),
            *_different(differ),
            *_counts(slip),
        )
        yield said(_("The envelope was found closed and its signatures whole. Whoever is there signs."))
        yield signing(there)

    return flowing(uow.site, title, story(), seal.number)


def compared(seal: Seal, differ: Sequence[Difference]) -> str:
    """What comparing the pages with the list has shown, in a sentence."""
    if not seal.pages:
        return _("Its list names no pages: none were compared.")
    if seal.released_at:
        return _("Its pages were compared with the list when it was opened.")
    if differ:
        return ngettext(
            "%(num)d page differs from the list.", "%(num)d pages differ from the list.", len(differ)
        )
    return ngettext("%(num)d page was compared with the list: nothing differs.",
                    "%(num)d pages were compared with the list: nothing differs.", seal.pages)  # fmt: skip


def _looked_through() -> str:
    return _(
        "Both sides have looked through the package, and it holds what is listed above. Each keeps one copy of this list."
    )


def _head(uow: UnitOfWork, title: str) -> list[Flowable]:
    return [said(uow.site.hospital_name, 11), said(title, 18, 4)]


def _what(seal: Seal) -> list[tuple[str, str]]:
    return [
        (_("Record"), " ".join(word for word in (seal.node.stay, seal.node.number) if word)),
        (_("What is sealed"), _("The original") if seal.kind == "original" else _("A copy")),
    ]


def _cover(seal: Seal) -> list[tuple[str, str]]:
    """What stood on the cover of a package that was sealed at night."""
    names = {
        "mrn": _("Record number"),
        "name": _("Patient"),
        "ward": _("Ward"),
        "bed": _("Bed"),
        "sheets": _("Sheets"),
    }
    return [(label, seal.said[name]) for name, label in names.items() if name in seal.said]


def _moment(uow: UnitOfWork, moment: datetime) -> str:
    return uow.local(moment).strftime("%Y-%m-%d %H:%M")


def _facts(rows: Sequence[tuple[str, str]]) -> Flowable:
    return ruled([[name, value] for name, value in rows], [45, 129], head=False)


def _volumes(seal: Seal) -> list[Flowable]:
    if not seal.volumes:
        return []
    rows = [[one["barcode"], "" if one["sheets"] is None else str(one["sheets"])] for one in seal.volumes]
    return [said(_("Paper volumes"), 12), ruled([[_("Barcode"), _("Sheets")], *rows], [100, 74])]


def _pages(slip: Slip) -> list[Flowable]:
    if not slip.lines:
        return []
    head = [_("No."), _("Title"), _("Date"), _("Pages"), _("SHA-256 of the file")]
    rows = [
        [str(place), line.title or _("Not yet split"), line.date or "",
         "\n".join(f"{span.first}–{span.last}" for span in line.spans),
         "\n".join(span.sha256 for span in line.spans)]
        for place, line in enumerate(slip.lines, start=1)
    ]  # fmt: skip
    return [said(_("What lies in it"), 12), ruled([head, *rows], [12, 50, 24, 18, 70], size=8)]


def _different(differ: Sequence[Difference]) -> list[Flowable]:
    if not differ:
        return []
    rows = [[one.title or _("Not yet split"), str(one.ordinal), one.words] for one in differ]
    return [ruled([[_("Title"), _("Page"), _("What differs")], *rows], [70, 20, 84])]


def _counts(slip: Slip) -> list[Flowable]:
    """Line by line what was listed and what was found: to be filled in by hand, or as it was counted."""
    if slip.seal.released_at:
        rows = [[one.label, _number(one.listed), str(one.found)] for one in found_pages.recorded(slip.hold)]
    else:
        rows = [[line.label, _number(line.count), ""] for line in found_pages.listed(slip.hold)]
    return (
        [ruled([[_("What lies in it"), _("On the list"), _("Found in it")], *rows], [114, 30, 30])]
        if rows
        else []
    )


def _number(count: int | None) -> str:
    return "—" if count is None else str(count)


def signing(people: People) -> Flowable:
    """Who was there, each with room to sign."""
    words = parties.words()
    head = [_("Side"), _("Name"), _("Office or relation"), _("Identity paper"), _("Signature"), _("Date")]
    rows = [[words[one["side"]], one["name"], one["office"], one["proof"], "", ""] for one in people]
    return ruled([head, *rows], [24, 26, 40, 34, 28, 22], height=14)
