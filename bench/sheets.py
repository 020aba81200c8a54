"""Pages as a scanner gives them: known Chinese text in several typefaces, with noise, skew, red seals, 150 to 300 dpi."""

import csv
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench import corpus

ROOT = Path(__file__).resolve().parents[1]
NOTO = Path("/usr/share/fonts/opentype/noto")
FACES = {
    "Noto Serif": (NOTO / "NotoSerifCJK-Regular.ttc", 2),
    "Noto Sans": (NOTO / "NotoSansCJK-Regular.ttc", 2),
    "Noto Serif bold": (NOTO / "NotoSerifCJK-Bold.ttc", 2),
    "Noto Sans SC, shipped": (ROOT / "archive/static/fonts/NotoSansSC-Regular.ttf", 0),
}
"""A collection holds the Japanese face first, whose 门 looks like 内; the third is that of mainland China."""
RESOLUTIONS = (150, 200, 240, 300)
A4 = (8.27, 11.69)
MARGIN = 1.0
RED, PAPER, INK = (196, 30, 34), 246, 34
SEAL_TEXT = "云川县妇幼保健院病案管理专用章"
POINTS = (10.5, 12, 14)
"""五号, 小四, 四号: what documents are printed in."""


@dataclass(frozen=True)
class Sheet:
    """A rendered page: what stands on it, how it was spoilt, and its JPEG."""

    face: str
    dpi: int
    points: float
    skew: float
    noise: float
    seals: int
    written: str
    jpeg: bytes = field(repr=False)


def texts() -> list[str]:
    """Paragraphs of statutes and answers of doctors, in turn."""
    laws = [
        line.strip()
        for law in sorted((corpus.DATA / "laws").glob("*.md"))
        for line in law.read_text().splitlines()
        if len(line) > 30 and line[0] not in "#<|!-"
    ]
    with (corpus.DATA / "qa" / "medical_qa.csv").open(encoding="utf-8", newline="") as source:
        answers = [" ".join(row["answer"].split()) for row in csv.DictReader(source)]
    said = [answer for answer in answers if 60 < len(answer) < 400]
    return [text for pair in zip(laws, said, strict=False) for text in pair]


def sheets(count: int, seed: int = 4, resolutions: Sequence[int] = RESOLUTIONS) -> Iterator[Sheet]:
    """Each page in another face and resolution; half of them askew, half of them noisy, every third with seals."""
    chance, known, faces = (
        random.Random(seed),
        texts(),
        [name for name, (file, _) in FACES.items() if file.exists()],
    )
    for number in range(count):
        start = chance.randrange(len(known))
        paragraphs = [known[(start + step) % len(known)] for step in range(40)]
        yield _sheet(
            paragraphs, chance, face=faces[number % len(faces)], dpi=resolutions[number // len(faces) % len(resolutions)],
            points=chance.choice(POINTS), skew=chance.choice((0.0, chance.uniform(-1, 1))),
            noise=chance.choice((0.0, chance.uniform(6, 18))), seals=2 if number % 3 == 0 else 0,
        )  # fmt: skip


def _sheet(
    paragraphs: list[str], chance: random.Random, *, face: str, dpi: int, points: float, skew: float, noise: float, seals: int
) -> Sheet:  # fmt: skip
    file, index = FACES[face]
    letters = ImageFont.truetype(file, round(points * dpi / 72), index=index)
    size = (round(A4[0] * dpi), round(A4[1] * dpi))
    page = Image.new("RGB", size, (PAPER, PAPER, PAPER - 4))
    written = _print(page, paragraphs, letters, round(MARGIN * dpi))
    for _seal in range(seals):
        place = (chance.uniform(0.2, 0.8) * size[0], chance.uniform(0.3, 0.8) * size[1])
        page = _sealed(page, place, dpi, file, index, chance.uniform(-30, 30))
    page = page.rotate(skew, Image.Resampling.BICUBIC, fillcolor=(PAPER, PAPER, PAPER - 4))
    if noise:
        grain = np.random.default_rng(chance.randrange(2**32)).normal(0, noise, (size[1], size[0], 1))
        page = Image.fromarray((np.asarray(page) + grain).clip(0, 255).astype(np.uint8))
    out = BytesIO()
    page.save(out, "JPEG", quality=80, dpi=(dpi, dpi))
    return Sheet(face, dpi, points, skew, noise, seals, written, out.getvalue())


def _print(page: Image.Image, paragraphs: list[str], letters: ImageFont.FreeTypeFont, margin: int) -> str:
    """Prints as much as fits, one and a half lines apart; gives what was printed."""
    draw, row, written = ImageDraw.Draw(page), margin, ""
    for paragraph in paragraphs:
        for line in _wrapped(letters, page.width - 2 * margin, "　　" + paragraph):
            if row + 1.6 * letters.size > page.height - margin:
                return written
            draw.text((margin, row), line, (INK, INK, INK), letters)
            written += line
            row += round(1.6 * letters.size)
    return written


def _wrapped(letters: ImageFont.FreeTypeFont, width: int, paragraph: str) -> Iterator[str]:
    line = ""
    for letter in paragraph:
        if letters.getlength(line + letter) > width:
            yield line
            line = ""
        line += letter
    yield line


def _sealed(
    page: Image.Image, place: tuple[float, float], dpi: int, file: Path, index: int, turn: float
) -> Image.Image:
    """The page with a round red stamp over its words: 42 mm across, ink through which the words are seen."""
    across = round(42 / 25.4 * dpi)
    stamp = Image.new("RGB", (across, across), (255, 255, 255))
    draw, middle, pen = ImageDraw.Draw(stamp), across / 2, max(2, across // 40)
    draw.ellipse((pen, pen, across - pen, across - pen), outline=RED, width=pen)
    star = [
        (middle + reach * math.sin(corner * math.pi / 5), middle - reach * math.cos(corner * math.pi / 5))
        for corner in range(10)
        for reach in [across * (0.15 if corner % 2 == 0 else 0.06)]
    ]
    draw.polygon(star, fill=RED)
    letters = ImageFont.truetype(file, across // 9, index=index)
    for place_of, letter in enumerate(SEAL_TEXT):
        angle = -125 + 250 * place_of / (len(SEAL_TEXT) - 1)
        drawn = Image.new("RGB", (across // 7, across // 7), (255, 255, 255))
        ImageDraw.Draw(drawn).text((across // 14, across // 14), letter, RED, letters, anchor="mm")
        drawn = drawn.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
        x = middle + 0.38 * across * math.sin(math.radians(angle)) - drawn.width / 2
        y = middle - 0.38 * across * math.cos(math.radians(angle)) - drawn.height / 2
        stamp.paste(drawn, (round(x), round(y)))
    stamp = stamp.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    ink = np.asarray(stamp, np.float32) / 255
    left, top = round(place[0] - across / 2), round(place[1] - across / 2)
    inked = np.asarray(page, np.float32).copy()
    part = inked[top : top + across, left : left + across]
    part *= 1 - 0.85 * (1 - ink[: part.shape[0], : part.shape[1]])
    return Image.fromarray(inked.astype(np.uint8))
