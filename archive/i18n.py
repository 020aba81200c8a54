"""Words: gettext on Babel with a context variable, so that the worker and the command line speak too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import IO

from babel.messages.pofile import read_po

DEFAULT = "zh_CN"
LOCALES = {"zh_CN": "中文", "en": "English"}
FOLDER = Path(__file__).parent / "translations"

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT)


@lru_cache
def catalogue(locale: str) -> dict[str, tuple[str, ...]]:
    """English id → its forms in `locale`, from a file a subject; English ids are their own catalogue."""
    forms: dict[str, tuple[str, ...]] = {}
    for path in sorted((FOLDER / locale).glob("*.po")):
        with path.open("rb") as source:
            forms |= dict(_forms(source, locale))
    return forms


def _forms(source: IO[bytes], locale: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for message in read_po(source, locale=locale):
        if message.id and message.string:
            key = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
            words = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            yield str(key), tuple(words)


def locale() -> str:
    return _locale.get()


@contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Speak `wanted` inside the block; an unknown locale falls back to the default."""
    token = _locale.set(wanted if wanted in LOCALES else DEFAULT)
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str, **values: object) -> str:
    forms = catalogue(locale()).get(message)
    text = forms[0] if forms and forms[0] else message
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, **values: object) -> str:
    """The form for `n`; Chinese has one form, English two."""
    forms = catalogue(locale()).get(singular)
    text = forms[0] if forms and forms[0] else (singular if n == 1 else plural)
    return text % {"n": n, "num": n, **values}


class Lazy:
    """A message said only when it is shown, in the language of whoever looks."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message

    def __str__(self) -> str:
        return gettext(self.message)

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))

    def __repr__(self) -> str:
        return f"_l({self.message!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lazy) and other.message == self.message

    def __hash__(self) -> int:
        return hash(self.message)


_: Callable[..., str] = gettext
_l = Lazy
