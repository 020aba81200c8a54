"""Page images of an invented hospital's papers, as if they had been printed, signed, sealed, bound and scanned."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import zxingcpp
from PIL import Image

from archive.demo import charts, pictures
from archive.demo.files import as_jpeg, as_pdf, as_png, as_tiff, text_pdf
from archive.demo.hospital import HOSPITAL
from archive.demo.layout import Column, Flow, Illustration, Overflow
from archive.demo.paper import RED, Box, Page
from archive.demo.people import Encounter, Patient, age_on
from archive.demo.scanner import scan
from archive.demo.seals import dated_stamp, round_seal

__all__ = ["Header", "Overflow", "as_jpeg", "as_pdf", "as_png", "as_tiff", "pages", "sheet", "text_pdf"]

A4_MM = (210.0, 297.0)
STRIP_MM = (430.0, 152.0)
_MARGIN, _FOOT, _STRIP_TEXT = 22.0, 16.0, 150.0
_BASE_RATE = re.compile(r"胎心基线\t(\d+)")

OFFICIAL = "WS"
"""The component code of an administrative document: red heading, red seal, no patient."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the text: the form's name and the fields of its patient line.

    `received` is the date on the record room's stamp, `barcode` what the label says; either may be empty.
    """

    title: str
    fields: tuple[tuple[str, str], ...] = ()
    hospital: str = HOSPITAL
    received: str = ""
    barcode: str = ""
    first_page: int = 1

    @classmethod
    def of(cls, who: Patient, stay: Encounter, title: str) -> "Header":
        """The patient line of a ward form."""
        return cls(
            title,
            (
                ("姓名", who.name),
                ("性别", who.sex.zh),
                ("年龄", age_on(who, stay.admitted_at.date())),
                ("科室", stay.ward),
                ("床号", stay.bed),
                ("病案号", who.mrn),
            ),
        )


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind of paper looks: its drawings, a frame around the text, a seal, ink that only colour shows."""

    illustrations: tuple[Illustration, ...] = ()
    framed: bool = False
    seal: str = ""
    colour: bool = False


_XRAY = Illustration("【影像所见】", pictures.xray)
_FORMS: dict[str, _Form] = {
    "SY": _Form(colour=True),
    "SSJL": _Form(framed=True),
    "SQTL": _Form(framed=True),
    "MZSQ": _Form(framed=True),
    "SSTY": _Form(framed=True),
    "HZ": _Form(framed=True),
    "MZSH": _Form(framed=True),
    "CY": _Form(seal="出院专用章"),
    "BWTZ": _Form(seal="医务专用章"),
    "FZ": _Form(seal="检验报告章"),
    "YX": _Form((Illustration("【影像所见】", pictures.ultrasound),), seal="影像报告章"),
    "BL": _Form((Illustration("【镜下所见】", pictures.micrograph),), seal="病理报告章", colour=True),
    "CSZ": _Form(framed=True, seal="出生证专用章"),
    "XSE": _Form((Illustration("右足印", pictures.footprints, instead=True),), framed=True, colour=True),
    "TW": _Form((Illustration("日期\t时刻", charts.temperature_chart, instead=True),), colour=True),
    "CK": _Form((Illustration("时间\t宫口", charts.labour_chart),), colour=True),
    "MZJL": _Form((Illustration("时间\t收缩压", charts.anaesthesia_chart, instead=True),), colour=True),
    "TJ": _Form(colour=True),
    OFFICIAL: _Form(seal="　", colour=True),
}


def sheet(component: str, text: str, header: Header, *, dpi: int, seed: int, font_path: Path) -> Image.Image:
    """The one page of a text that needs only one. Raises Overflow if it needs more: then use `pages`."""
    made = pages(component, text, header, dpi=dpi, seed=seed, font_path=font_path)
    if len(made) > 1:
        raise Overflow(f"{component} needs {len(made)} pages")
    return made[0]


def pages(
    component: str, text: str, header: Header, *, dpi: int, seed: int, font_path: Path
) -> list[Image.Image]:
    """As many scanned pages as the text needs: A4, but for the long strip of a heart trace (component `TJ`)."""
    rng, form = Random(seed), _form(component, text)
    printed: list[Page] = []

    def blank() -> tuple[Page, Column]:
        page = Page(*(STRIP_MM if component == "TJ" else A4_MM), dpi=dpi, font_path=font_path, rng=rng)
        printed.append(page)
        top = _heading(page, component, header, first=len(printed) == 1)
        left = page.px(_MARGIN)
        return page, Column(
            left, top + page.px(2), _right(page, component) - left, page.image.height - page.px(_FOOT)
        )

    flow = Flow(blank, form.illustrations)
    flow.run(text)
    rate = _BASE_RATE.search(text)
    if component == "TJ" and rate:
        strip = printed[0]
        trace = Box(strip.px(160), strip.px(14), strip.image.width - strip.px(172))
        charts.heart_strip(strip, trace, float(rate[1]))
    colour = form.colour or bool(form.seal or header.received) or rng.random() < 0.4
    _finish(form, header, flow, printed)
    return [scan(page.image, rng, colour=colour, dpi=dpi) for page in printed]


def _form(component: str, text: str) -> _Form:
    form = _FORMS.get(component, _Form())
    return (
        replace(form, illustrations=(_XRAY,))
        if component == "YX" and "X线" in text.partition("\n")[0]
        else form
    )


def _heading(page: Page, component: str, header: Header, *, first: bool) -> int:
    """Hospital, title, patient line; later pages repeat them, as ward forms do. Returns where the text may begin."""
    if component == OFFICIAL:
        return _red_heading(page, header) if first else page.px(28)
    left, right = page.px(_MARGIN), _right(page, component)
    y = page.px(11)
    middle = (left + right) / 2 - page.px(3)
    page.text((middle - page.width(header.hospital, 14) / 2, y), header.hospital, 14)
    page.bold((middle - page.width(header.title, 19) / 2, y + page.px(7.5)), header.title, 19)
    if first and header.barcode:
        _barcode(page, header.barcode)
    y += page.px(19)
    return _patient_line(page, header, y, left, right) if header.fields else y


def _right(page: Page, component: str) -> int:
    return page.px(_STRIP_TEXT) if component == "TJ" else page.image.width - page.px(16)


def _patient_line(page: Page, header: Header, y: int, left: int, right: int) -> int:
    wants = [page.width(f"{name}：{value}", 10) for name, value in header.fields]
    if sum(wants) + page.px(3) * len(wants) > right - left:
        half = replace(header, fields=header.fields[: len(wants) // 2])
        rest = replace(header, fields=header.fields[len(wants) // 2 :])
        return _patient_line(page, rest, _patient_line(page, half, y, left, right), left, right)
    gap = max(page.px(2), (right - left - sum(wants)) / (len(wants) - 1 or 1))
    x = float(left)
    for (name, value), want in zip(header.fields, wants, strict=True):
        page.text((x, y), f"{name}：", 10)
        start = x + page.width(f"{name}：", 10)
        page.text((start, y), value, 10)
        page.line((start - page.px(0.5), y + page.px(4.9), x + want + page.px(1), y + page.px(4.9)))
        x += want + gap
    page.line((left, y + page.px(7), right, y + page.px(7)), thick=page.px(0.4))
    return y + page.px(8)


def _red_heading(page: Page, header: Header) -> int:
    """红头: the issuing body in red, its number over a red rule, the title below."""
    issuer, number = f"{header.hospital}文件", header.fields[0][1] if header.fields else ""
    page.bold((page.middle(issuer, 34), page.px(32)), issuer, 34, RED)
    page.text((page.middle(number, 12), page.px(56)), number, 12)
    page.line((page.px(20), page.px(64), page.image.width - page.px(20), page.px(64)), RED, page.px(0.7))
    y = page.px(76)
    for line in page.wrap(header.title, 20, page.image.width - page.px(60)):
        page.bold((page.middle(line, 20), y), line, 20)
        y += page.leading(20)
    return y + page.px(4)


def _barcode(page: Page, text: str) -> None:
    symbol = Image.fromarray(
        np.asarray(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image())
    )
    # A whole number of pixels for each bar, or the scan blurs the narrow ones away.
    module = max(2, page.px(0.34))
    bars = symbol.resize((symbol.width * module, page.px(9)), Image.Resampling.NEAREST)
    x = page.image.width - page.px(16) - bars.width
    page.image.paste(bars.convert("RGB"), (x, page.px(8)))
    page.text((x + page.px(10), page.px(17.6)), text, 8)


def _finish(form: _Form, header: Header, flow: Flow, printed: list[Page]) -> None:
    """What comes after the printing: frames, page numbers, stamps, the seal over the last lines."""
    for n, page in enumerate(printed):
        if form.framed:
            top = page.px(11) + page.px(19) + (page.px(7) if header.fields else 0)
            page.draw.rectangle(
                (
                    page.px(_MARGIN - 3),
                    top,
                    page.image.width - page.px(13),
                    page.image.height - page.px(_FOOT - 2),
                ),
                outline=(40, 40, 42),
                width=max(2, page.px(0.3)),
            )
        foot = f"第 {header.first_page + n} 页"
        page.text((page.middle(foot, 9), page.image.height - page.px(11)), foot, 9)
    if header.received:
        stamped = printed[0]
        dated_stamp(stamped, (stamped.px(46), stamped.px(20)), ("病案科", header.received, "签收"))
    if form.seal:
        page = flow.page
        bottom = min(flow.y, page.image.height - page.px(30))
        round_seal(
            page, (page.image.width - page.px(48), bottom - page.px(7)), header.hospital, form.seal.strip()
        )
