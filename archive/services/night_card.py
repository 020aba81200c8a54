"""夜间封存卡: one sheet in large letters: what is sealed, six steps, room to sign, the key and the hand-over."""

from collections.abc import Iterator

from reportlab.platypus import Flowable, Spacer

from archive.i18n import _
from archive.services.night_seals import NightSeal
from archive.services.printing import flowing, ruled, said
from archive.services.seal_papers import signing
from archive.uow import UnitOfWork

LARGE = 13


def steps() -> list[str]:
    """What the duty officer does, in the order in which it is done."""
    return [
        _("1. Bring the patient's side and somebody of the ward to the paper. Nobody touches it before."),
        _("2. Count the sheets together, and write the number down."),
        _("3. Put all into an envelope, and close it. Both sides sign across the flap, with the time."),
        _("4. Everybody signs this card twice: one for the patient's side, one for the hospital."),
        _("5. Lock the envelope away. Write down where, and the number of the envelope or key."),
        _("6. In the morning hand envelope, card and key to the archive; both sign below."),
    ]


def pdf(uow: UnitOfWork, seal: NightSeal | None) -> bytes:
    """The card of a seal; or an empty one, to be filled in by hand and typed in later."""
    title = _("Card of the night seal %(number)s", number=seal.number if seal else "")
    return flowing(uow.site, title, _story(uow, seal, title), seal.number if seal else title)


def _story(uow: UnitOfWork, seal: NightSeal | None, title: str) -> Iterator[Flowable]:
    yield from (said(uow.site.hospital_name, 12), said(title, 22, 3))
    yield ruled([[name, value] for name, value in _facts(uow, seal)], [58, 116], head=False, size=LARGE)
    yield Spacer(1, 8)
    yield from (said(step, LARGE, 1) for step in steps())
    yield Spacer(1, 8)
    nobody = {"side": "hospital", "name": "", "office": "", "proof": ""}
    yield signing(
        seal.people if seal else [nobody, nobody | {"side": "patient"}, nobody | {"side": "notary"}]
    )
    yield Spacer(1, 8)
    head = [_("Handed over in the morning"), _("By (duty officer)"), _("To (archive)"), _("Date and time")]
    yield ruled([head, ["", "", "", ""]], [46, 42, 42, 44], height=14)


def _facts(uow: UnitOfWork, seal: NightSeal | None) -> list[tuple[str, str]]:
    cover = seal.said if seal else dict.fromkeys(("mrn", "name", "ward", "bed", "sheets"), "")
    what = (_("The original") if seal.kind == "original" else _("A copy")) if seal else ""
    return [
        (_("Record number"), cover["mrn"]), (_("Patient"), cover["name"]),
        (_("Ward and bed"), " ".join(word for word in (cover["ward"], cover["bed"]) if word)),
        (_("What is sealed"), what), (_("Sheets"), cover["sheets"] or (_("not counted") if seal else "")),
        (_("Sealed on"), uow.local(seal.sealed_at).strftime("%Y-%m-%d %H:%M") if seal else ""),
        (_("Kept at"), seal.kept_at if seal else ""), (_("Number of the envelope or key"), seal.key_no if seal else ""),
        (_("By telephone, told by"), seal.told_by if seal else ""),
    ]  # fmt: skip
