"""What is compared: the product's index, SQLite's FTS5 and tantivy, each on pairs of Chinese characters, and stock Whoosh."""

import itertools
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.corpus import CLASSES, Document, Person
from bench.names import mrn_of
from index import (
    Allowed,
    Cursor,
    FieldSpec,
    Index,
    Kind,
    Put,
    Query,
    Sealed,
    Sort,
    Tier,
    fold,
    parse,
    snippet,
)
from index import Field as Within

PAGE = 20
WIDTH = 90
"""Characters of a passage."""
_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+")


@dataclass(frozen=True)
class Asked:
    """One search: words that all have to be there; `phrase`: a single one of more than two characters."""

    words: tuple[str, ...]
    person: Person
    by_year: bool = False
    page: int = 0
    field: str = "body"


class Engine(Protocol):
    """One of them. `build` gives the bytes on the disk; `ask` and `facets` how many came back."""

    name: str

    def build(self, folder: Path, documents: Sequence[Document]) -> int: ...
    def ask(self, asked: Asked) -> int: ...
    def facets(self, asked: Asked) -> int: ...


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def pairs(text: str) -> list[str]:
    """Overlapping pairs of Chinese characters, and words, for engines without an analysis of their own."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        found += [run] if run[0] < "\u4e00" or len(run) == 1 else map("".join, itertools.pairwise(run))
    return found


@dataclass(frozen=True)
class _Alike:
    """Whoever holds the same at each tier."""

    sealed: Sealed

    def mask(self, _tier: Tier) -> Sealed:
        return self.sealed


class Ours:
    """The product's own index."""

    name = "Juanzong"
    fields = (
        FieldSpec("department", Kind.KEYWORD),
        FieldSpec("year", Kind.INTEGER),
        FieldSpec("mrn", Kind.IDENT),
        FieldSpec("name", Kind.TEXT),
        FieldSpec("body", Kind.TEXT),
    )

    def build(self, folder: Path, documents: Sequence[Document]) -> int:
        self._texts = {"body": [one.text for one in documents], "name": [one.name for one in documents]}
        self._after: dict[Asked, Cursor | None] = {}
        self._hits: dict[Asked, list[str]] = {}
        self._classes = np.array([document.access for document in documents])
        self._masks: dict[frozenset[int], Allowed] = {}
        self._index = Index(folder, self.fields)
        self._index.rebuild(self._put(document, 1) for document in documents)
        return size_of(folder)

    @staticmethod
    def _put(document: Document, stamp: int) -> Put:
        return Put(document.number, stamp, {
            "department": f"科室{document.department}", "year": document.year, "name": document.name,
            "mrn": mrn_of(document.number), "body": document.text,
        })  # fmt: skip

    def commit(self, documents: Iterable[Document], stamp: int) -> None:
        """Puts documents in the place of those that are there, as when they were edited."""
        self._index.apply(self._put(document, stamp) for document in documents)

    def complete(self, asked: Asked) -> int:
        """Numbers that begin as the word does."""
        return len(self._index.suggest("mrn", asked.words[0], self._mask(asked.person)))

    def texts_of(self, numbers: Sequence[int], field: str) -> Mapping[int, str]:
        """The texts as a database would serve them, at no cost."""
        texts = self._texts[field]
        return {number: texts[number] for number in numbers}

    def _mask(self, person: Person) -> Allowed:
        """Made once for whoever holds the same classes, as the product keeps masks until the class of a node changes."""
        if person.classes not in self._masks:
            held = np.zeros(CLASSES, np.bool_)
            held[list(person.classes)] = True
            self._masks[person.classes] = _Alike(Sealed(held[self._classes]))
        return self._masks[person.classes]

    def ask(self, asked: Asked) -> int:
        if asked not in self._after:
            self._after[asked] = self._found(asked, None, asked.page)
        found = self._index.search(*self._question(asked), after=self._after[asked], **self._more(asked))
        return len(found.hits)

    def _found(self, asked: Asked, after: Cursor | None, left: int) -> Cursor | None:
        """The cursor that whoever turns the pages has in hand."""
        if not left:
            return after
        found = self._index.search(*self._question(asked), after=after, **self._more(asked))
        return self._found(asked, found.next, left - 1) if found.next else after

    def _question(self, asked: Asked) -> tuple[Query, Allowed]:
        return Within(asked.field, parse(" ".join(asked.words), {})), self._mask(asked.person)

    def _more(self, asked: Asked) -> dict[str, Any]:
        sort = Sort("year") if asked.by_year else Sort()
        return {"texts_of": self.texts_of, "limit": PAGE, "sort": sort}

    def facets(self, asked: Asked) -> int:
        found = self._index.facets(*self._question(asked), ["department", "year"], texts_of=self.texts_of)
        return sum(map(len, found.counts.values()))

    def highlight(self, asked: Asked) -> int:
        """The passages of the first ten hits. Only of ours: FTS5 and tantivy would need the texts stored once more."""
        if asked not in self._hits:
            found = self._index.search(*self._question(asked), texts_of=self.texts_of, limit=10)
            self._hits[asked] = [self._texts[asked.field][hit.number] for hit in found.hits]
        query = self._question(asked)[0]
        return sum(len(snippet(text, query, WIDTH, field=asked.field)) for text in self._hits[asked])


class Fts5:
    """SQLite's full text, ranked by its bm25."""

    name = "SQLite FTS5"

    def build(self, folder: Path, documents: Sequence[Document]) -> int:
        folder.mkdir()
        self._database = sqlite3.connect(folder / "fts.sqlite3")
        self._database.executescript(
            "CREATE VIRTUAL TABLE words USING fts5(body, name, content='');"
            "CREATE TABLE document (id INTEGER PRIMARY KEY, access INTEGER, department INTEGER, year INTEGER);"
        )
        with self._database:
            self._database.executemany(
                "INSERT INTO words (rowid, body, name) VALUES (?, ?, ?)",
                ((one.number, " ".join(pairs(one.text)), " ".join(pairs(one.name))) for one in documents),
            )
            self._database.executemany(
                "INSERT INTO document VALUES (?, ?, ?, ?)",
                ((one.number, one.access, one.department, one.year) for one in documents),
            )
        self._database.execute("INSERT INTO words (words) VALUES ('optimize')")
        self._database.commit()
        return size_of(folder)

    def _found(self, asked: Asked) -> tuple[str, str]:
        match = " ".join(f'{asked.field} : "{" ".join(pairs(word))}"' for word in asked.words)
        classes = ",".join(map(str, sorted(asked.person.classes)))
        held = "" if len(asked.person.classes) == CLASSES else f" AND document.access IN ({classes})"
        return match, f"FROM words JOIN document ON document.id = words.rowid WHERE words MATCH ?{held}"

    def ask(self, asked: Asked) -> int:
        match, found = self._found(asked)
        order = "document.year DESC" if asked.by_year else "words.rank"
        statement = f"SELECT words.rowid {found} ORDER BY {order} LIMIT {PAGE} OFFSET {asked.page * PAGE}"
        return len(self._database.execute(statement, (match,)).fetchall())

    def facets(self, asked: Asked) -> int:
        match, found = self._found(asked)
        counts = [self._database.execute(f"SELECT {name}, count(*) {found} GROUP BY 1", (match,)).fetchall()
                  for name in ("department", "year")]  # fmt: skip
        return sum(map(len, counts))


class Tantivy:
    """The Rust engine, through its Python binding; one thread."""

    name = "tantivy"

    def __init__(self) -> None:
        import tantivy  # not one of ours: measured where it is installed

        self._tantivy: Any = tantivy

    def build(self, folder: Path, documents: Sequence[Document]) -> int:
        folder.mkdir()
        schema = self._tantivy.SchemaBuilder()
        for name in ("body", "name"):
            schema.add_text_field(name, tokenizer_name="whitespace", index_option="position")
        for name in ("number", "access", "department", "year"):
            schema.add_integer_field(name, indexed=True, fast=True)
        self._schema = schema.build()
        index = self._tantivy.Index(self._schema, path=str(folder))
        writer = index.writer(heap_size=256_000_000, num_threads=1)
        for one in documents:
            writer.add_document(
                self._tantivy.Document(
                    body=" ".join(pairs(one.text)), number=one.number, access=one.access, department=one.department,
                    year=one.year, name=" ".join(pairs(one.name)),
                )
            )  # fmt: skip
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()
        return size_of(folder)

    def _query(self, asked: Asked) -> Any:
        query, must = self._tantivy.Query, self._tantivy.Occur.Must
        parts = []
        for word in asked.words:
            terms = pairs(word)
            one = query.phrase_query(self._schema, asked.field, terms) if len(terms) > 1 else query.term_query(
                self._schema, asked.field, terms[0])  # fmt: skip
            parts.append((must, one))
        if len(asked.person.classes) < CLASSES:
            held = query.term_set_query(self._schema, "access", sorted(asked.person.classes))
            parts.append((must, query.const_score_query(held, 0.0)))
        return query.boolean_query(parts)

    def ask(self, asked: Asked) -> int:
        more = {"order_by_field": "year"} if asked.by_year else {}
        found = self._searcher.search(self._query(asked), PAGE, count=True, offset=asked.page * PAGE, **more)
        return len(found.hits)

    def facets(self, asked: Asked) -> int:
        wanted = {name: {"terms": {"field": name, "size": 50}} for name in ("department", "year")}
        found = self._searcher.aggregate(self._query(asked), wanted)
        return sum(len(one["buckets"]) for one in found.values())


class Whoosh:
    """Whoosh as it comes, with pairs for its terms and its own searcher."""

    name = "stock Whoosh"

    def build(self, folder: Path, documents: Iterable[Document]) -> int:
        from whoosh import fields, index
        from whoosh.analysis import RegexTokenizer

        folder.mkdir()
        schema = fields.Schema(number=fields.NUMERIC(stored=True), access=fields.ID,
                               department=fields.NUMERIC(sortable=True), year=fields.NUMERIC(sortable=True),
                               **{name: fields.TEXT(analyzer=RegexTokenizer(r"\S+"), phrase=True)
                                  for name in ("body", "name")})  # fmt: skip
        made = index.create_in(folder, schema)
        writer = made.writer(limitmb=256)
        for one in documents:
            writer.add_document(number=one.number, access=str(one.access), department=one.department, year=one.year,
                                body=" ".join(pairs(one.text)), name=" ".join(pairs(one.name)))  # fmt: skip
        writer.commit()
        self._searcher = made.searcher()
        return size_of(folder)

    def _query(self, asked: Asked) -> tuple[Any, Any]:
        from whoosh import query

        words = [
            query.Phrase(asked.field, pairs(word)) if len(word) > 2 else query.Term(asked.field, word)
            for word in asked.words
        ]
        held = None
        if len(asked.person.classes) < CLASSES:
            held = query.Or([query.Term("access", str(one)) for one in sorted(asked.person.classes)])
        return query.And(words), held

    def ask(self, asked: Asked) -> int:
        query, held = self._query(asked)
        more = {"sortedby": "year", "reverse": True} if asked.by_year else {}
        found = self._searcher.search(query, limit=PAGE * (asked.page + 1), filter=held, **more)
        length: int = found.scored_length()
        return min(PAGE, max(0, length - asked.page * PAGE))

    def facets(self, asked: Asked) -> int:
        query, held = self._query(asked)
        found = self._searcher.search(query, limit=1, filter=held, groupedby=["department", "year"])
        return sum(len(found.groups(name)) for name in ("department", "year"))
