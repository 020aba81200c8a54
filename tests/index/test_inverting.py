"""Texts inverted together say what the analysis says of each alone, and what is written is what Whoosh would write."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.scoring import BM25F
from whoosh.searching import Searcher
from whoosh.writing import SegmentWriter

from index import Drop, Index, Put
from index.analysis import terms
from index.documents import stored
from index.fields import by_name
from index.inverting import Words, code_of, inverted
from index.schema import whoosh_schema

from .naive import FIELDS
from .strategies import CHARACTERS

LONG = "a" * 70 + "9" * 70
letters = st.text(CHARACTERS + "\0\ud800가α々〇Ⅻﬁß-·・", max_size=40) | st.text(max_size=40) | st.just(LONG)


@given(st.lists(letters, min_size=1, max_size=8), st.integers(0, 1_000_000))
def test_many_texts_inverted_at_once_have_the_terms_of_each(texts: list[str], first: int) -> None:
    words = Words()
    run, lengths = inverted(texts, first, words)
    named = dict(zip(run.codes.tolist(), words.terms(run.codes), strict=True))
    found: list[Counter[str]] = [Counter() for _ in texts]
    for code, document, count in zip(run.codes.tolist(), run.docs.tolist(), run.counts.tolist(), strict=True):
        found[document - first][named[code].decode()] += count
    assert found == [terms(text) for text in texts]
    assert lengths.tolist() == [sum(one.values()) for one in found]
    assert (np.diff(run.codes.astype(object)) >= 0).all()
    assert [code_of(term.decode(), words) for term in words.terms(run.codes)] == run.codes.tolist()


def documents(count: int) -> list[Put]:
    sentences = (
        "慢性支气管炎急性发作，血压120/80mmHg。",
        "前置胎盘 剖宫产 ABO 血型",
        "𠮷田 先生 éa",
        "支原体肺炎" * 400,
        "",
    )
    return [
        Put(number, 1, {"code": f"ZY-{number % 40}", "year": number % 7, "title": sentences[number % 3],
                        "body": sentences[number % 5] + sentences[number % 4] * (number % 6) + f" 第{number}次"})
        for number in range(count)
    ]  # fmt: skip


def read(folder: Path) -> Any:
    """What Whoosh itself reads."""
    return FileIndex(FileStorage(str(folder)), indexname="main").reader()


def said(reader: Any) -> dict[tuple[str, bytes], list[tuple[int, float]]]:
    """Each term with the numbers of its documents and their weights, as Whoosh's matchers step through them."""
    numbers = reader.column_reader("number")
    found = {}
    for field, term in reader.all_terms():
        matcher = reader.postings(field, term)
        held = []
        while matcher.is_active():
            held.append((numbers[matcher.id()], matcher.weight()))
            matcher.next()
        found[field, term] = sorted(held)
    return found


def by_whoosh(folder: Path, puts: list[Put]) -> Any:
    """The same documents, written by Whoosh's own writer in its own format."""
    folder.mkdir()
    fields = by_name(FIELDS)
    made = FileIndex.create(FileStorage(str(folder)), whoosh_schema(fields), "main")
    writer = SegmentWriter(made, _lk=False)
    for put in puts:
        writer.add_document(**stored(put, fields))
    writer.commit(merge=False)
    return read(folder)


def test_whoosh_opens_it_and_finds_the_terms_weights_and_lengths_that_it_would_have_written(
    tmp_path: Path,
) -> None:
    puts = documents(700)
    index = Index(tmp_path / "index", FIELDS)
    index.rebuild([])
    for start in range(0, 700, 50):  # many segments, merged on the way
        index.apply(puts[start : start + 50])
    index.apply([Put(5, 2, {"body": "旧"}), Drop(6), *puts[8:9]])
    index.apply([Put(5, 3, puts[5].values), Put(6, 2, puts[6].values)])
    index.purge()
    (folder,) = (path for path in (tmp_path / "index").iterdir() if path.is_dir())
    ours, theirs = read(folder), by_whoosh(tmp_path / "whoosh", puts)
    assert said(ours) == said(theirs)
    for field in ("body", "title"):
        assert ours.field_length(field) == theirs.field_length(field)
    for field, term in theirs.all_terms():
        assert ours.doc_frequency(field, term) == theirs.doc_frequency(field, term)
        assert ours.frequency(field, term) == theirs.frequency(field, term)
        assert (field, term) in ours
    assert ("body", "无此".encode()) not in ours


def test_whoosh_scores_it_as_it_scores_its_own(tmp_path: Path) -> None:
    puts = documents(300)
    index = Index(tmp_path / "index", FIELDS)
    index.rebuild(puts)
    (folder,) = (path for path in (tmp_path / "index").iterdir() if path.is_dir())
    ours, theirs = read(folder), by_whoosh(tmp_path / "whoosh", puts)

    for term in ("支气", "原体", "胎盘", "mmhg", "120"):
        assert scored(ours, term.encode()) == scored(theirs, term.encode())


def scored(reader: Any, term: bytes) -> list[tuple[int, float]]:
    """Whoosh's own score of each document that holds a term of the body."""
    matcher = Searcher(reader, weighting=BM25F()).postings("body", term)
    numbers = reader.column_reader("number")
    found = []
    while matcher.is_active():
        found.append((numbers[matcher.id()], matcher.score()))
        matcher.next()
    return sorted(found)
