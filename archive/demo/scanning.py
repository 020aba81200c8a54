"""Scanning: which papers of which records become files, who uploads them, and the pages that the story waits for."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from io import BytesIO
from random import Random

from sqlalchemy import select

from archive.demo import studio, wording
from archive.demo.diary import Diary
from archive.demo.lives import Life, Lot
from archive.demo.studio import KINDS, File, Studio
from archive.models import Job, Node
from archive.services import intake, queue
from archive.site import Site
from archive.uow import UnitOfWork

URGENT = 1
"""Priority of the jobs whose pages the story waits for; the others are left to the worker."""
WHOLE = ""
A_RECORD, A_BATCH = 10, 7
"""Papers of one scanned record, and of one that is being scanned."""
LOOKS = (
    "SY",
    "CY",
    "CK",
    "SSTY",
    "TW",
    "YX",
    "FZ",
    "BL",
    "MZJL",
    "TJ",
    "XSE",
    "CSZ",
    "BWTZ",
    "RY",
    "SSJL",
    "YZ",
    "BC",
)
"""What is drawn first: papers that show seals, tables, curves, pictures."""


def note(diary: Diary, drawing: Studio, lives: Iterable[Life], rng: Random, *, pages: int) -> None:
    """Everything that is scanned, into the diary; `pages`: at least so many page images are left to be recognised."""
    every = list(lives)
    for place, life in enumerate(life for life in every if life.is_scanned):
        as_image = place % 3 == 2
        life.files = _whole_record(life, drawing) if as_image else _born_digital(life, as_one=place != 3)
        _note_scanned(diary, life, life.arranged or diary.days.today)
    for life in every:
        if life.lot is Lot.SCANNING and pages > 0:
            life.files = _batch(life, drawing, rng)
            pages -= len(life.files)
            _note_uploads(diary, life, diary.days.ago(rng.randint(1, 3)), 13.5)
        elif life.lot is Lot.CORRECTED:
            code = "BL" if "BL" in life.components else "FZ"
            life.files = {code: partial(_late_report, life, code)}
            _note_uploads(diary, life, diary.days.ago(3), 13.5)


def _whole_record(life: Life, drawing: Studio) -> dict[str, Callable[[], File]]:
    papers = [studio.component_sheet(life.stay, code) for code in life.components[:A_RECORD]]
    return {WHOLE: drawing.scan(life.barcode, papers, "pdf").result}


def _born_digital(life: Life, *, as_one: bool) -> dict[str, Callable[[], File]]:
    """Papers that the ward's own system has written: a PDF each, or one of all."""
    texts = {code: studio.text_of(life.stay, code) for code in life.components}
    titles = {code: wording.title(code, life.stay.case) for code in texts}
    if as_one:
        text = "\n".join(f"【{titles[code]}】\n{text}" for code, text in texts.items())
        return {WHOLE: partial(_same, studio.born_digital(life.barcode, "住院病历", text))}
    made = {
        code: studio.born_digital(f"{life.barcode}-{code}", titles[code], text)
        for code, text in texts.items()
    }
    return {code: partial(_same, file) for code, file in made.items()}


def _same(file: File) -> File:
    return file


def _batch(life: Life, drawing: Studio, rng: Random) -> dict[str, Callable[[], File]]:
    """Some papers, each as a file of another kind, most at 200 dots an inch and some at 300."""
    codes = sorted(life.components, key=lambda code: LOOKS.index(code) if code in LOOKS else len(LOOKS))[
        :A_BATCH
    ]
    found: dict[str, Callable[[], File]] = {}
    for place, code in enumerate(codes):
        paper = studio.component_sheet(life.stay, code, dpi=300 if place % 5 == 3 else 200)
        found[code] = drawing.scan(f"{life.barcode}-{place + 1:02d}", [paper], rng.choice(KINDS)).result
    return found


def _late_report(life: Life, code: str) -> File:
    text = studio.text_of(life.stay, code)
    return studio.born_digital(f"{life.barcode}-{code}-补", wording.title(code, life.stay.case), text)


def _note_scanned(diary: Diary, life: Life, day: date) -> None:
    _note_uploads(diary, life, day, 13.5, is_awaited=True)
    diary.errand(day, 14.0, make_pages)


def _note_uploads(diary: Diary, life: Life, day: date, hour: float, *, is_awaited: bool = False) -> None:
    def upload(uow: UnitOfWork, code: str) -> None:
        hand_in(
            uow, uow.node(life.items[code] if code else life.node), life.files[code](), is_awaited=is_awaited
        )

    for code in life.files:
        diary.note(day, hour, "scanner", partial(upload, code=code))


def hand_in(uow: UnitOfWork, node: Node, file: File, *, is_awaited: bool = False) -> None:
    """Uploads a file as a person does; `is_awaited` puts the job that makes its pages before all others."""
    staged = intake.stage(uow.site, BytesIO(file.data))
    try:
        _made, job = intake.upload(uow, node, staged, filename=file.name)
    finally:
        intake.discard(uow.site, staged)
    if is_awaited:
        job.priority = URGENT


def make_pages(site: Site) -> int:
    """Does the jobs that the story waits for, as a worker does; gives how many."""
    waiting = select(Job.id).where(Job.state == "waiting", Job.priority == URGENT).limit(1)
    done = 0
    while True:
        with site.session(readonly=True) as session:
            if session.scalar(waiting) is None:
                return done
        job = queue.claim(site, "demo")
        if job is not None:
            queue.perform(site, job)
        done += 1
