"""The page of figures: for whom what of it, days that are none, the loans behind a number, the file for a spreadsheet."""

import io

from openpyxl import load_workbook

from tests.archives import begins
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.lending import approved, archive_it, issue


@begins
def lent(hospital: Hospital, record: int) -> str:
    """The slip of a volume that is out with somebody of obstetrics."""
    archive_it(hospital, record)
    number = approved(hospital, "clinician", record)
    issue(hospital, number)
    return number


def test_the_page_shows_each_what_they_answer_for_and_leads_to_the_loans_behind_it(
    browser: Browse, lent: str
) -> None:
    clerk, head, desk = browser("clerk"), browser("head"), browser("desk")
    page = clerk.get("/figures")
    assert all(word in words_of(page) for word in ("借出", "按期归还率", "产科", "台面业务量"))
    behind = "/figures/loans?which=borrowed&first=2026-11-01&last=2026-11-20"
    assert behind.replace("&", "&amp;") in page.text
    assert lent in words_of(clerk.get(behind))
    assert lent in words_of(head.get(behind))
    # At the copying window nothing is counted but copies, and no loan is told.
    assert "产科" not in words_of(desk.get("/figures"))
    assert "已交付复制件" in words_of(desk.get("/figures"))
    assert desk.get(behind).status_code == 403
    assert lent not in desk.get("/figures/export.csv").text
    assert clerk.get("/figures/loans?which=nothing").status_code == 404
    wrong = clerk.get("/figures?first=2026-11-02&last=2026-11-01")
    assert (wrong.status_code, "结束日期早于开始日期" in words_of(wrong)) == (422, True)
    assert 'value="2026-11-02"' in wrong.text
    taken = head.get("/figures/export.csv?first=2026-11-01&last=2026-11-30")
    assert "产科,1,0,0,0,0,0,—,—,—" in taken.text
    (book,) = load_workbook(io.BytesIO(head.get("/figures/export.xlsx").data)).worksheets
    rows = [list(row) for row in book.iter_rows(values_only=True)]
    assert ["产科", 1, 0, 0, 0, 0, 0, "—", "—", "—"] in rows
