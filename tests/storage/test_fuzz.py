"""Real files, damaged in every way: each ends as pages or as a refusal with a sentence, in bounded memory."""

import random
import resource
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from storage.limits import MIB, Limits, Refused
from storage.pages import render
from tests import papers
from tests.soaking import how_many
from tests.storage.test_pages import DATA

LIMITS = Limits(cpu_seconds=20)
LIBRARIES = 512 * MIB
"""More than the interpreter and its libraries ever take beside what a file may."""
NUMBERS = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"-1",
    b"99999999999",
    b"4294967296",
)
MARKS = (
    b"endobj",
    b"stream",
    b"endstream",
    b"xref",
    b"/Kids",
    b"/Length",
    b"<<",
    b">>",
    b"obj",
    b"II*\x00",
    b"\xff\xd8\xff",
)


def seeds() -> list[bytes]:
    """Files of many producers where they are at hand, and a few of our own."""
    found = [
        path
        for folder in ("pdf", "images")
        for path in sorted((DATA / folder).glob("*.*"))
        if path.suffix != ".json"
    ]
    ours = [
        papers.pdf("一页", "两页"),
        papers.pdf("锁", password="x"),
        papers.scan("扫描的一行"),
        papers.bomb(),
    ]
    return ours + [path.read_bytes() for path in found if path.stat().st_size < 2 * MIB]


def damaged(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """One to many hurts: bytes, numbers and marks put over others, pieces cut out, doubled, or taken from another file."""
    body = bytearray(whole)
    for _hurt in range(chance.choice((1, 1, 2, 5, 40))):
        at, length = chance.randrange(len(body) + 1), chance.choice((1, 4, 64, 4_096))
        kind = chance.randrange(7)
        if kind == 0:
            body[at : at + 1] = bytes([chance.randrange(256)])
        elif kind in {1, 2}:
            put = chance.choice(NUMBERS if kind == 1 else MARKS)
            body[at : at + len(put)] = put
        elif kind == 3:
            del body[at : at + length]
        elif kind == 4:
            body[at:at] = body[at : at + length] * chance.choice((1, 2, 50))
        elif kind == 5:
            start = chance.randrange(len(other) + 1)
            body[at : at + length] = other[start : start + length]
        else:
            del body[max(at, 8) :]
        if not body:
            break
    return bytes(body)


def outcome(path: Path, folder: Path) -> str:
    """What became of one file; anything but pages or a refusal is raised. The pages are whole pictures."""
    folder.mkdir()
    try:
        pages = render(path, folder, limits=LIMITS)
    except Refused as refused:
        return refused.reason
    for page in pages:
        with Image.open(page.image) as image:
            assert image.size == (page.width, page.height)
    return "pages"


def read_all(files: int, tmp_path: Path, seed: int) -> Counter[str]:
    chance, known, found = random.Random(seed), seeds(), Counter[str]()
    for number in range(files):
        path = tmp_path / f"{seed}-{number}"
        path.write_bytes(damaged(chance, chance.choice(known), chance.choice(known)))
        found[outcome(path, tmp_path / f"pages-{number}")] += 1
        for made in (*(tmp_path / f"pages-{number}").iterdir(), path):
            made.unlink()
    return found


def peak() -> int:
    """The most memory that any child of this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def test_five_damaged_files_end_as_pages_or_with_a_sentence(tmp_path: Path) -> None:
    assert read_all(5, tmp_path, seed=2_026).total() == 5


@pytest.mark.soak
def test_thousands_of_damaged_files_end_as_pages_or_with_a_sentence(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files = how_many("files", usual=5_000)
    found = read_all(files, tmp_path, seed=random.randrange(10**6))
    told = ", ".join(f"{count} {reason}" for reason, count in found.most_common())
    record_property(
        "soak",
        f"{files} damaged files read in the sandbox: {told}; at most {peak() // MIB} MB of memory in a child",
    )
    assert peak() < LIMITS.memory_bytes + LIBRARIES
