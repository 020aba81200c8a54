"""信件内容: what a mail says: how many notices of which kind, numbers of slips, and where the archive is. Never a name, a
title or a number of a record: a mail lies about where nobody of the archive keeps it.
"""

from archive.i18n import _, ngettext
from archive.services import notices
from archive.uow import UnitOfWork

MOST = 20


def digest(uow: UnitOfWork) -> tuple[str, str] | None:
    """Subject and text on all that one has not read; nothing where there is nothing."""
    unread = notices.unread(uow)
    many = sum(one.many for one in unread)
    if not many:
        return None
    head = ngettext("%(num)d unread notice", "%(num)d unread notices", many)
    return _subject(uow, head), _text(uow, unread)


def urgent(uow: UnitOfWork, key: str) -> tuple[str, str] | None:
    """Subject and text on the notice of that key; nothing where it has been read, or tells of nothing any more."""
    unread = notices.unread(uow, key)
    return (_subject(uow, unread[0].text), _text(uow, unread)) if unread else None


def _subject(uow: UnitOfWork, what: str) -> str:
    return _("%(hospital)s: %(what)s", hospital=uow.site.hospital_name, what=what)


def _text(uow: UnitOfWork, unread: list[notices.Unread]) -> str:
    lines = []
    for one in unread:
        line = _("%(what)s: %(many)s", what=one.text, many=one.many)
        lines.append(
            _("%(line)s (%(numbers)s)", line=line, numbers=_(", ").join(one.numbers[:MOST]))
            if one.numbers
            else line
        )
    address = uow.site.settings.address.rstrip("/")
    own = f"{address}/me/mail"
    return "\n".join([
        *(f"- {line}" for line in lines), "", _("Read them in the archive: %(address)s", address=f"{address}/notices"), "",
        _("The archive sent this by itself. Whether it writes to you is set there: %(address)s", address=own), "",
    ])  # fmt: skip
