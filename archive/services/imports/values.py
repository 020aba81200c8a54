"""Reading one cell: what people write into spreadsheets, as the archive keeps it. Pure."""

import re
import unicodedata
from datetime import date, timedelta

from archive import numbering
from archive.i18n import _
from archive.numbering import ArchivalNumber
from archive.schema import clean
from archive.services.holdings import BARCODE
from archive.services.patients import id_is_valid


class Wrong(ValueError):
    """A cell that cannot be taken; the sentence says what to do."""


NOTHING = frozenset({"", "-", "--", "—", "——", "/", "\\", "无", "不详", "未填", "null", "none", "n/a"})
EXCEL_ERRORS = frozenset({"#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!"})


def plain(cell: str) -> str:
    """The text of a cell without what only guards it: control signs, the apostrophe or tab before a number."""
    text = clean(cell)
    return text[1:] if re.fullmatch(r"['’]\d+", text) else text


def narrow(cell: str) -> str:
    """Codes and numbers as they are kept: full-width signs made narrow, no blanks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell))


def is_nothing(cell: str) -> bool:
    return cell.strip().lower() in NOTHING


def text(cell: str) -> str:
    if cell.lower() in EXCEL_ERRORS:
        raise Wrong(_("Excel shows an error in this cell. Correct the formula, or type the value."))
    return cell


def code(cell: str) -> str:
    return narrow(text(cell))


def codes(cell: str) -> str:
    """Several codes, as they are kept: ； between two, whatever stood there."""
    parts = re.split(r"[\s;,、|]+", unicodedata.normalize("NFKC", text(cell)))
    return "；".join(filter(None, parts))


def capitals(cell: str) -> str:
    return code(cell).upper()


def number(cell: str) -> str:
    """A whole number, also as 第2次 or 2.0."""
    found = re.fullmatch(r"第?(\d{1,12})(?:\.0+)?[次页张件]?", narrow(text(cell)))
    if not found:
        raise Wrong(_("Write a whole number."))
    return str(int(found[1]))


SEXES = {
    "男": "1", "男性": "1", "m": "1", "male": "1", "1": "1", "女": "2", "女性": "2", "f": "2", "female": "2", "2": "2",
    "未知": "0", "不详": "0", "0": "0", "未说明": "9", "9": "9",
}  # fmt: skip


def sex(cell: str) -> str:
    """GB/T 2261.1."""
    found = SEXES.get(narrow(cell).lower())
    if found is None:
        raise Wrong(_("Write 男, 女, 未知 or 未说明."))
    return found


def identity_number(cell: str) -> str:
    compact = code(cell).upper()
    if not id_is_valid(compact):
        raise Wrong(
            _(
                "The check digit of the identity number is wrong, or it has not 18 digits. Compare it with the card."
            )
        )
    return compact


def phone(cell: str) -> str:
    compact = re.sub(r"[-()]", "", code(cell))
    if not re.fullmatch(r"\+?\d{5,20}", compact):
        raise Wrong(_("Write the telephone number in digits."))
    return compact


def barcode(cell: str) -> str:
    compact = code(cell).upper()
    if not BARCODE.fullmatch(compact):
        raise Wrong(_("3 to 32 capital letters, digits, full stops, hyphens or slashes."))
    return compact


def archival_number(cell: str) -> ArchivalNumber:
    try:
        return numbering.parse(text(cell))
    except ValueError:
        raise Wrong(
            _("This is no archival number of DA/T 13 or DA/T 22. Write it like H001-WS·2019·D30-00037.")
        ) from None


RETENTIONS = {"永久": "Y", "长期": "D30", "短期": "D10", "permanent": "Y"}
"""长期 and 短期 of before 2006 count as 30 and 10 years (国家档案局令第8号)."""


def retention(cell: str) -> str:
    """The code of a retention period: 永久, 30年, 定期10年, D30, Y."""
    compact = narrow(text(cell)).removeprefix("定期")
    if word := RETENTIONS.get(compact.lower()):
        return word
    if found := re.fullmatch(r"[Dd]?(\d{1,3})年?", compact):
        return f"D{int(found[1])}"
    if compact.upper() == "Y":
        return "Y"
    raise Wrong(_("Write the retention period like 永久, 30年 or D30."))


# Dates

DIGITS = {
    **{sign: str(value) for value, sign in enumerate("〇一二三四五六七八九")},
    "零": "0",
    "○": "0",
    "Ｏ": "0",
}
EXCEL_BEGIN = date(1899, 12, 30)
SERIALS = range(10_000, 80_000)
"""Days since 1899 in a cell that Excel shows as a number: 1927 to 2119."""
USUAL = re.compile(r"\d{4}-\d{2}-\d{2}")
CLOCK = re.compile(r"[ T]*\d{1,2}[:时点]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?秒?)?分?(?:Z|[+-]\d{2}:?\d{2})?$")


def day(cell: str) -> str:
    """A date as 2026-11-21, from any of the forms in use; a time of day is left out."""
    found = _parts(cell)
    if len(found) != 3 or 0 in found:
        raise Wrong(_("Write the date like 2026-11-21."))
    return _calendar(*found).isoformat()


def old_day(cell: str) -> str:
    """As `day`; where an old catalogue knows only the year or the month (19960000), the first day of it."""
    found = _parts(cell)
    if not found:
        raise Wrong(_("Write the date like 2026-11-21, or the year alone."))
    found = [*found, 0, 0][:3]
    return _calendar(found[0], found[1] or 1, found[2] or 1).isoformat()


def is_exact(cell: str) -> bool:
    """Whether a date says its day."""
    found = _parts(cell)
    return len(found) == 3 and 0 not in found


def _calendar(year: int, month: int, of_month: int) -> date:
    try:
        found = date(year, month, of_month)
    except ValueError:
        raise Wrong(_("There is no such day. Write the date like 2026-11-21.")) from None
    if not 1850 <= found.year <= 2150:
        raise Wrong(_("This year cannot be right. Write the date like 2026-11-21."))
    return found


def _parts(cell: str) -> list[int]:
    """Year, month, day as far as they are written; nothing for what is no date."""
    if USUAL.fullmatch(cell):
        return [int(part) for part in cell.split("-")]
    written = CLOCK.sub("", unicodedata.normalize("NFKC", text(cell)).strip())
    written = re.sub(r"\s+", "", "".join(DIGITS.get(sign, sign) for sign in _tens(written)))
    if re.fullmatch(r"\d{5}", written) and int(written) in SERIALS:
        found = EXCEL_BEGIN + timedelta(days=int(written))
        return [found.year, found.month, found.day]
    if re.fullmatch(r"\d{8}|\d{6}|\d{4}", written):
        return [int(part) for part in (written[:4], written[4:6], written[6:]) if part]
    pieces = re.sub(r"[年月/.·]", "-", written).rstrip("日号-").split("-")
    if (
        re.fullmatch(r"\d{4}", pieces[0])
        and len(pieces) <= 3
        and all(re.fullmatch(r"\d{1,2}", p) for p in pieces[1:])
    ):
        return [int(piece) for piece in pieces]
    return []


def _tens(written: str) -> str:
    """十一月二十一日 → 11月21日; the year is written digit by digit."""

    def value(found: re.Match[str]) -> str:
        tens, ones = found[1], found[2]
        return DIGITS.get(tens, "1") + DIGITS.get(ones, "0")

    return re.sub(r"([一二三四五六七八九]?)十([一二三四五六七八九]?)", value, written)
