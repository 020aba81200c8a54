"""A page of a PDF with what it shows and nothing else: each form, pattern, soft mask and glyph brings what its own content
names, whatever lists it shares with others.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from .pdfnames import Named, codes, named
from .pdfplain import Plain

_BOXES = ("/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox", "/Rotate", "/UserUnit", "/Group")
_INHERITED = {"/MediaBox", "/CropBox", "/Rotate", "/Resources"}
_FORM = ("/Type", "/Subtype", "/FormType", "/BBox", "/Matrix", "/Group")
_TILE = ("/Type", "/PatternType", "/PaintType", "/TilingType", "/BBox", "/XStep", "/YStep", "/Matrix")
_SHADE = ("/Type", "/PatternType", "/Shading", "/Matrix")
_STATE = (
    "/Type", "/LW", "/LC", "/LJ", "/ML", "/D", "/RI", "/OP", "/op", "/OPM", "/BG", "/BG2", "/UCR", "/UCR2", "/TR", "/TR2",
    "/FL", "/SM", "/SA", "/BM", "/CA", "/ca", "/AIS", "/TK",
)  # fmt: skip
_SOFT_MASK = ("/Type", "/S", "/BC", "/TR")
_GLYPHS = ("/Type", "/Subtype", "/Name", "/FontBBox", "/FontMatrix", "/Encoding", "/FirstChar", "/LastChar", "/Widths",
           "/FontDescriptor", "/ToUnicode")  # fmt: skip
_DEFAULTS = (Name.DefaultGray, Name.DefaultRGB, Name.DefaultCMYK)
"""Colour spaces that are used without being named."""
_DEEPEST = 50


@dataclass(frozen=True, eq=False)
class _Lists:
    """Where names are looked up, as pdfium does: in the own list of that kind, and in that of the page where there is none."""

    own: Any
    page: Any

    def find(self, kind: str, name: Name) -> tuple[Any, bool]:
        """What has the name, and whether it was found in the own list."""
        for lists in (self.own, self.page):
            if isinstance(among := lists.get(kind), Dictionary):
                return among.get(name), lists is self.own
        return None, True


@dataclass(eq=False)
class _Glyphs:
    """A font whose glyphs are drawn as forms are: which of them are needed is known when the page has been read."""

    font: Any
    made: Any
    lists: _Lists
    drawn: set[Name] = field(default_factory=set)


class Apart:
    """Makes pages of an open PDF ones that stand for themselves. The open PDF is of no other use afterwards."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._plain = Plain(pdf)
        self._pdf = pdf
        self._named: dict[tuple[int, int], Named] = {}
        self._codes: dict[tuple[int, int], set[int]] = {}
        # A form that needs nothing of the page is made once; with it, all contents that are read for it.
        self._free: dict[tuple[int, int], tuple[Any, list[Any]]] = {}
        self._begin()

    @property
    def pictures(self) -> int:
        """How many pictures the pages show, all together."""
        return len(self._plain.pictures)

    def page(self, page: pikepdf.Page) -> Any:
        """A new page, without a parent yet."""
        self._begin()
        said = {
            key: value for key in (*_BOXES, "/Resources") if (value := _of_page(page.obj, key)) is not None
        }
        resources = _dictionary(said.get("/Resources"))
        lists = _Lists(resources, resources)
        contents = page.obj.get("/Contents")
        streams = [
            one
            for one in (contents if isinstance(contents, Array) else [contents])
            if isinstance(one, Stream)
        ]
        kept = Dictionary()
        # All in one, as they are drawn: a word may begin in one and end in the next.
        self._add(kept, named(page) if streams else Named((), inline=False), lists)
        self._walked += streams
        self._draw_glyphs()
        made = Dictionary({"/Type": Name.Page, "/Resources": kept} | self._plain.some(said, _BOXES))
        if streams:
            made["/Contents"] = Array([self._plain.content(one) for one in streams])
        return self._pdf.make_indirect(made)

    def _begin(self) -> None:
        self._bound: dict[tuple[tuple[int, int], _Lists | None], tuple[Any, list[Any]]] = {}
        self._fonts: list[_Glyphs] = []
        self._walked: list[Any] = []
        self._leans = False
        self._open: set[tuple[int, int]] = set()

    def _add(self, kept: Any, said: Named, lists: _Lists) -> None:
        """Put what is named into new lists."""
        wanted = [*said.each, *(("/ColorSpace", name) for name in _DEFAULTS)]
        if said.inline:
            spaces = _dictionary(lists.own.get("/ColorSpace"))
            wanted += [("/ColorSpace", Name(key)) for key in _words(spaces)]
        for kind, name in wanted:
            found, is_own = lists.find(kind, name)
            if found is None or name in kept.get(kind, Dictionary()):
                continue
            made = self._one(kind, found, lists)
            if made is not None:
                self._leans = self._leans or not is_own
                if kind not in kept:
                    kept[kind] = Dictionary()
                kept[kind][name] = made

    def _one(self, kind: str, found: Any, lists: _Lists) -> Any:
        makers: dict[str, Callable[[Any, _Lists], Any]] = {
            "/XObject": self._object, "/Font": self._font, "/Pattern": self._pattern, "/ExtGState": self._state,
        }  # fmt: skip
        if kind in makers:
            return makers[kind](found, lists)
        return _scalars(found) if kind == "/Properties" else self._plain.of(found)

    def _object(self, found: Any, lists: _Lists) -> Any:
        subtype = self._plain.was(found).get("/Subtype") if isinstance(found, Stream) else None
        if subtype == "/Image":
            return self._plain.picture(found)
        return self._form(found, lists, _FORM) if subtype == "/Form" else None

    def _pattern(self, found: Any, lists: _Lists) -> Any:
        if isinstance(found, Stream):
            return self._form(found, lists, _TILE)
        made = Dictionary(self._plain.some(found, _SHADE))
        if isinstance(state := found.get("/ExtGState"), Dictionary):
            made["/ExtGState"] = self._state(state, lists)
        return made

    def _state(self, found: Any, lists: _Lists) -> Any:
        made = Dictionary(self._plain.some(found, _STATE))
        if isinstance(font := found.get("/Font"), Array) and len(font) == 2:
            made["/Font"] = Array([self._font(font[0], lists), font[1]])
        mask = found.get("/SMask")
        if isinstance(mask, Dictionary):
            made["/SMask"] = Dictionary(self._plain.some(mask, _SOFT_MASK))
            if (
                isinstance(group := mask.get("/G"), Stream)
                and (form := self._form(group, lists, _FORM)) is not None
            ):
                made["/SMask"]["/G"] = form
        elif mask is not None:
            made["/SMask"] = mask
        return made

    def _form(self, form: Any, lists: _Lists, keys: tuple[str, ...]) -> Any:
        """A form or a tile. One without lists of its own uses those around it: from here on it has them."""
        if form.objgen in self._open:
            return None  # it draws itself, which no reader does
        if len(self._open) > _DEEPEST:
            raise RecursionError("forms within forms")
        own = self._plain.was(form).get("/Resources")
        has_own = isinstance(own, Dictionary)
        bound = form.objgen, None if has_own else lists
        known = self._free.get(form.objgen) or self._bound.get(bound)
        if known is None:
            known, leans = self._made(form, _Lists(own, lists.page) if has_own else lists, keys)
            if leans or not has_own:
                self._bound[bound] = known
            else:
                self._free[form.objgen] = known
        self._leans = self._leans or form.objgen not in self._free
        made, walked = known
        self._walked += walked
        return made

    def _made(self, form: Any, inside: _Lists, keys: tuple[str, ...]) -> tuple[tuple[Any, list[Any]], bool]:
        """The form with all that was read for it, and whether anything of it came from the page."""
        around = self._walked, self._leans
        self._walked, self._leans = [form], False
        self._open.add(form.objgen)
        said, kept = self._plain.some(self._plain.was(form), keys), Dictionary()
        self._add(kept, self._said(form), inside)
        made = self._plain.keep(form, said | {"/Resources": kept}), self._walked
        leans = self._leans
        self._open.remove(form.objgen)
        self._walked, self._leans = around
        return made, leans

    def _said(self, stream: Any) -> Named:
        if stream.objgen not in self._named:
            self._named[stream.objgen] = named(stream)
        return self._named[stream.objgen]

    def _font(self, font: Any, lists: _Lists) -> Any:
        if not isinstance(font, Dictionary):
            return None
        if font.get("/Subtype") != "/Type3":
            return self._plain.of(font)
        self._leans = True  # other pages show other glyphs of it
        own = font.get("/Resources")
        inside = _Lists(own if isinstance(own, Dictionary) else lists.page, lists.page)
        known = next(
            (one for one in self._fonts if font.is_indirect and one.font.objgen == font.objgen), None
        )
        if known is None:
            made = Dictionary(
                self._plain.some(font, _GLYPHS) | {"/CharProcs": Dictionary(), "/Resources": Dictionary()}
            )
            known = _Glyphs(font, self._pdf.make_indirect(made), inside)
            self._fonts.append(known)
        return known.made

    def _draw_glyphs(self) -> None:
        """Each font keeps the glyphs that are shown; what a glyph draws may show further ones."""
        while fresh := [(font, name, glyph) for font in self._fonts for name, glyph in self._shown(font)]:
            for font, name, glyph in fresh:
                font.drawn.add(name)
                self._walked.append(glyph)
                font.made["/CharProcs"][name] = self._plain.content(glyph)
                self._add(font.made["/Resources"], self._said(glyph), font.lists)

    def _shown(self, font: _Glyphs) -> list[tuple[Name, Any]]:
        """Glyphs of the font, not drawn yet, that texts may mean which are shown anywhere on the page."""
        for stream in self._walked:
            if stream.objgen not in self._codes:
                self._codes[stream.objgen] = codes(stream)
        shown = set().union(*(self._codes[stream.objgen] for stream in self._walked))
        glyphs = _dictionary(font.font.get("/CharProcs"))
        names = {name for code, name in _differences(font.font) if code in shown} - font.drawn
        found = [(name, glyphs.get(name)) for name in sorted(names, key=bytes)]
        return [(name, glyph) for name, glyph in found if isinstance(glyph, Stream)]


def _of_page(page: Any, key: str) -> Any:
    """What the page says, or whatever it lies under."""
    for _ in range(_DEEPEST):
        if key in page or key not in _INHERITED:
            return page.get(key)
        page = page.get("/Parent")
        if not isinstance(page, Dictionary):
            break
    return None


def _dictionary(thing: Any) -> Any:
    return thing if isinstance(thing, Dictionary) else Dictionary()


def _scalars(thing: Any) -> Any:
    """What a page says of a piece of its content, but for what leads elsewhere."""
    each = _dictionary(thing)
    return Dictionary(
        {
            key: value
            for key in _words(each)
            if not isinstance(value := each[key], (Array, Dictionary, Stream))
        }
    )


def _words(thing: Any) -> list[str]:
    """Its keys that are UTF-8: the others can only be asked for by a name that was read."""
    return [key for key in thing if key.encode(errors="ignore").decode() == key]


def _differences(font: Any) -> Iterator[tuple[int, Name]]:
    """Which glyph a byte stands for."""
    code, differences = 0, _dictionary(font.get("/Encoding")).get("/Differences")
    each: Iterable[Any] = differences if isinstance(differences, Array) else ()
    for one in each:
        if isinstance(one, Name):
            yield code, one
            code += 1
        elif isinstance(one, int):
            code = one
