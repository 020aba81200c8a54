"""同义词: what else is said and written for a word, by the list that the record department keeps."""

from unicodedata import normalize

from archive.services import policies
from archive.uow import UnitOfWork


def folded(word: str) -> str:
    """A word for comparison: neither width, nor case, nor the number of spaces tell two words apart."""
    return " ".join(normalize("NFKC", word).casefold().split())


def of(uow: UnitOfWork, word: str) -> tuple[str, ...]:
    """The other words of the group in which a word stands, the usual one first; nothing for a word that is in none."""
    table = uow.once("synonyms", lambda: _table(uow))
    meant = folded(word)
    return tuple(other for other in table.get(meant, ()) if folded(other) != meant)


def _table(uow: UnitOfWork) -> dict[str, tuple[str, ...]]:
    """Each word → its whole group."""
    groups = policies.in_force(uow, "synonyms").body["groups"]
    whole = [(name, *words) for name, words in groups.items()]
    return {folded(word): group for group in whole for word in group}
