"""页图 in memory: which page stands where in one file. Pure; what may be done to it is decided elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Entry = list[Any]
"""Page, node or nothing, place, rotation, the node that it was taken out of, the page that superseded it, and whether it is
one more picture of the sheet before it."""


@dataclass
class Layout:
    """The pages of a file: those that stand in its nodes, in their order, and those that were taken out."""

    standing: dict[int, list[int]] = field(default_factory=dict)
    aside: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Of each page that was taken out: where it stood."""
    rotation: dict[int, int] = field(default_factory=dict)
    superseded: dict[int, int] = field(default_factory=dict)
    lifted: set[int] = field(default_factory=set)
    """粘贴单: further pictures, with slips lifted, of the sheet whose page stands before them."""

    @classmethod
    def of(cls, entries: Iterable[Sequence[Any]]) -> "Layout":
        made = cls()
        for page, node, place, rotation, aside_of, by, lifted in sorted(entries, key=lambda entry: entry[2]):
            made.rotation[page] = rotation
            if node is None:
                made.aside[page] = (aside_of, place)
            else:
                made.standing.setdefault(node, []).append(page)
            if by is not None:
                made.superseded[page] = by
            if lifted:
                made.lifted.add(page)
        return made

    def entries(self) -> list[Entry]:
        """One for each page, by its id."""
        found = [
            [page, node, place, self.rotation[page], None, self.superseded.get(page), page in self.lifted]
            for node, pages in self.standing.items() for place, page in enumerate(pages, start=1)
        ]  # fmt: skip
        found += [
            [page, None, place, self.rotation[page], node, self.superseded.get(page), page in self.lifted]
            for page, (node, place) in self.aside.items()
        ]
        return sorted(found, key=lambda entry: int(entry[0]))

    def place_of(self, page: int) -> tuple[int, int] | None:
        """The node in which a page stands and its place there, from 1."""
        return next(
            ((node, pages.index(page) + 1) for node, pages in self.standing.items() if page in pages), None
        )

    def shown(self) -> set[int]:
        """The pages that stand somewhere."""
        return {page for pages in self.standing.values() for page in pages}

    def turn(self, pages: Iterable[int], degrees: int) -> None:
        for page in pages:
            self.rotation[page] = (self.rotation[page] + degrees) % 360

    def move(self, pages: Sequence[int], node: int, place: int) -> None:
        """Puts pages before the one that now stands at `place` of `node`, or behind the last."""
        going, there, before = set(pages), self.standing.get(node, []), self._sheets()
        self.lifted -= self._parted(going)
        at = sum(page not in going for page in there[: place - 1])
        self._lift(going)
        self.standing.setdefault(node, [])[at:at] = pages
        self._keep_apart(before)

    def set_aside(self, pages: Iterable[int]) -> None:
        going = set(pages)
        self.lifted -= self._parted(going)
        for node, standing in self.standing.items():
            self.aside |= {
                page: (node, place) for place, page in enumerate(standing, start=1) if page in going
            }
        for node, standing in self.standing.items():
            self.standing[node] = [page for page in standing if page not in going]

    def supersede(self, old: int, new: Sequence[int]) -> None:
        """Puts the pages of a re-scan where `old` stands, which is set aside; nothing changes where it stands nowhere.

        The first of them becomes what `old` was, so a further picture of a sheet stays one, and the others stay with it.
        """
        there = self.place_of(old)
        if there is None:
            return
        lifted = set(self.lifted)
        self.move(new, *there)
        self.set_aside([old])
        self.superseded[old] = new[0]
        self.lifted = lifted | ({new[0]} if old in lifted else set())

    def restore(self, pages: Iterable[int]) -> None:
        """Puts pages back where they stood, as far as that place is still there. Each stands for a sheet of its own: what its
        sheet was may be out, or elsewhere by now, and a sheet too many is seen, one too few is not.
        """
        coming, before = sorted(pages, key=lambda page: self.aside[page]), self._sheets()
        self.lifted.difference_update(coming)
        for page in coming:
            node, place = self.aside.pop(page)
            self.standing.setdefault(node, []).insert(place - 1, page)
            self.superseded.pop(page, None)
        self._keep_apart(before)

    def _sheets(self) -> dict[int, int]:
        """Of each page that stands somewhere: the one that stands for its sheet."""
        found, head = dict[int, int](), 0
        for standing in self.standing.values():
            for page in standing:
                head = head if page in self.lifted and found else page
                found[page] = head
        return found

    def _keep_apart(self, before: Mapping[int, int]) -> None:
        """Where pages came between the pictures of a sheet, what is behind them stands for itself, and is none of theirs."""
        for standing in self.standing.values():
            head = 0
            for page in standing:
                if page in self.lifted and before.get(page, head) != before.get(head, head):
                    self.lifted.discard(page)
                head = head if page in self.lifted else page

    def _parted(self, going: set[int]) -> set[int]:
        """Where some pictures of a sheet go and some stay, the first of those that lose the one which stood for the sheet:
        from now on it stands for the sheet itself.
        """
        found = set()
        for standing in self.standing.values():
            stands = {True: False, False: False}
            for page in standing:
                if page not in self.lifted:
                    stands = {True: False, False: False}
                elif not stands[page in going]:
                    found.add(page)
                stands[page in going] = True
        return found

    def _lift(self, going: set[int]) -> None:
        for node, standing in self.standing.items():
            self.standing[node] = [page for page in standing if page not in going]
