"""Two worlds that differ in what a person may not see give that person the same bytes, whatever they ask and wherever.

A new page that finds, counts, completes or suggests gets one line in ``ASKED``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import zip_longest
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from archive import create_app
from archive.site import Site
from tests.archives import START
from tests.blueprints import worlds
from tests.blueprints.conftest import Browser
from tests.conftest import PASSWORD, copied, hospital_of
from tests.soaking import how_many

BELOW = ("clinician", "clinician2", "head", "clerk", "desk", "inspector", "sysadmin", "auditor", "stranger")
"""Nobody of these may know of anything that is hidden; the desk may read what is not, by a share."""
READER = "desk"
"""Passages and likenesses are for whoever reads: of this one most is asked."""
NOT_THEIRS = ("clinician", "clerk", "inspector", "sysadmin")
"""Of the other ward's records these know the number, the ward and the days at most."""
WORDS = (
    # that all texts have, that only hidden ones have, in one character, in many
    "前置胎盘", "胎盘", "血", "妊娠合并子宫瘢痕，剖宫产术", "人类免疫缺陷病毒病", "HIVAb阳性", "代孕协议 产后出血", "关于",
    # names and their readings, seen and hidden, whole and begun
    "刘婷婷", "liutingting", "ltt", "刘婷", "张三", "张三丰", "zs", "柳青青", "gaishiying", "查良月", "尹春",
    # numbers: seen, hidden, of a hidden second stay, begun
    "30000007", "30000007-1", "30000006-2", "30000006", "30000071", "300000", "H001-ZY·BL-2026-D30-000001", "H001",
    # the language: without, either, one field, spans, what cannot be understood
    "-前置胎盘", "胎盘 -出血", "代孕协议 OR 胎膜早破", "主要诊断:前置胎盘", "病案号:30000001", "年度:2016..2020", "year:2025",
    "date:2016-01..2026-12", "dept:重症医学科", "“新生儿黄疸，胎膜早破”", "(胎盘", "year:去年",
    # that nothing says literally: what is alike, and nothing at all
    "超声提示剖宫产术伴新生儿黄疸发热", "梅毒螺旋体阳性者的代孕协议书", "龘靐齉",
)  # fmt: skip
NAMESAKES = ("柳清清", "liuqinqin", "柳青情", "盖士英", "谢小燕", "毛小燕", "maoxiaoyang", "刘亭亭")
"""Nobody's names, like those of hidden people and like those of people who are seen."""
FEW = ("前置胎盘", "人类免疫缺陷病毒病", "刘婷婷", "柳青青", "30000006", "胎盘", "")
NARROWED = (
    {"sort": "date"}, {"sort": "number"}, {"year": "2025"}, {"year": "2016"}, {"type": "medical_record"}, {"type": "document"},
    {"state": "draft"}, {"state": "archived", "sort": "date"}, {"dept": "1"}, {"dept": "$CK"}, {"dept": "$ICU"},
)  # fmt: skip
QUESTIONS = (
    {"mrn": "30000007", "patient_name": "张三"}, {"mrn": "30000006", "discharged_on": "2017-04-13"},
    {"mrn": "30000071", "patient_name": "陈朵朵"}, {"mrn": "30000299", "patient_name": "不是"}, {"mrn": "30000001"}, {"mrn": "x"},
)  # fmt: skip
BEGUN = (
    # fields that begin so, in letters too; values of a list, and values that the index knows: seen, hidden, either
    "主", "zd", "诊断", "科室:", "科室:重", "状态:", "类型:病", "年度:", "年度:20", "出院日期:20", "诊断编码:O", "诊断编码:B",
    "诊断编码:O34.20", "诊断编码:O44.1", "病案号:3000", "病案号:=300000", "病案号:3000007", "档号:H001", "姓名:柳",
    "主治医师:查", "胎盘 -诊断编码:B20",
)  # fmt: skip
CODED = (
    # codes that seen or only hidden records have, what they mean, and words of the hospital's list of synonyms
    "O34", "O34.201", "O34.202", "O44", "O44.100", "B20", "I21", "前置胎盘", "艾滋病", "剖腹产", "胎膜早破", "心梗",
    "诊断编码:O44", "诊断编码:B20.901", "诊断编码:O34",
)  # fmt: skip
ROWS = (
    {"field": "diagnosis", "value": "前置胎盘"}, {"field": "patient_name", "way": "is", "value": "刘婷"},
    {"q": "胎盘", "join": "not", "value": "代孕协议"},
    {"q": "前置胎盘", "join": "or", "field": "diagnosis_code", "value": "B20.901"},
    {"field": "year", "way": "span", "value": "2016", "to": "2020"}, {"field": "attending", "value": "查良月"},
    {"field": "dept", "value": "重症医学科"}, {"field": "mrn", "way": "is", "value": "30000071"},
    {"field": "text", "way": "is", "value": "产后出血"}, {"field": "text", "value": "人类免疫缺陷病毒病", "state": "archived"},
)  # fmt: skip
FRONT = (
    {"diagnosis": "前置胎盘"}, {"diagnosis": "人类免疫缺陷病毒病"}, {"diagnosis": "O44"}, {"diagnosis": "O34.2"},
    {"diagnosis": "B20.901"}, {"attending": "查良月"}, {"dept": "$ICU"}, {"dept": "$EK", "sex": "2"}, {"sex": "1"},
    {"age_from": "22", "age_to": "30"}, {"days_from": "3", "days_to": "5"}, {"outcome": "1", "admitted_from": "2024-01-01"},
    {"discharged_from": "2016-01-01", "discharged_to": "2020-12-31"}, {"age_to": "2", "age_unit": "days"},
    {"days_from": "5", "days_to": "3"},
)  # fmt: skip
DRAWN = ({"sample": "5", "seed": "2026"}, {"sample": "500", "seed": "a7"}, {"sample": "0", "seed": "1"})

Form = dict[str, str]


@dataclass(frozen=True)
class Page:
    """One way to ask: an address, what is typed into it, and how. Its further pages are followed to the last."""

    address: str
    asked: Sequence[Form] = ({},)
    manner: str = "typed"
    """typed: sealed into an address, as a search is; posted: answered at once; opened: nothing is typed; sealed: searched
    for first, and what is sealed then is sent on."""
    but: Sequence[str] = ()
    """Whom the matrix lets know more here: who carries paper knows where all of it is, though not what it says."""


def words(*texts: str, **beside: str) -> list[Form]:
    return [{"q": text, **beside} for text in texts]


ASKED = (
    Page("/search", words(*WORDS)),
    Page("/search", [form for narrowed in NARROWED for form in words(*FEW, **narrowed)]),
    Page("/search", words("前置胎盘")),
    Page("/search", words("无痛性阴道流血伴超声提示剖宫产术")),
    Page("/search", words(*NAMESAKES)),
    Page("/search/suggestions", words(*WORDS), manner="posted"),
    Page("/keying/codes/diagnosis", words(*FEW), manner="posted"),
    Page("/where", words(*WORDS), but=("clerk",)),
    Page("/where", words(*NAMESAKES), but=("clerk",)),
    Page("/find-patient", [question | {"purpose": "treatment"} for question in QUESTIONS]),
    Page(
        "/break-glass",
        [
            {
                "mrn": mrn,
                "patient_name": "不是",
                "cause": "rescue",
                "reason": "产后大出血，昏迷送入院",
                "password": PASSWORD,
            }
            for mrn in ("30000006", "30000071", "39999999")
        ],
        manner="posted",
    ),
    Page("/break-glass", manner="opened"),
    Page("/emergencies", manner="opened"),
    Page("/copying", [{"number": asked.get("mrn", "")} | asked for asked in QUESTIONS]),
    Page("/copying/slips", manner="opened"),
    Page("/overdue", manner="opened"),
    Page("/disputes", manner="opened"),
    Page("/incidents", manner="opened"),
    Page("/desk/clearance?c=0004", manner="opened"),
    Page("/figures", manner="opened"),
    Page("/figures/loans?which=borrowed", manner="opened"),
    Page("/figures/export.csv", manner="opened"),
    Page("/approvals", manner="opened"),
    Page("/requests", manner="opened"),
    Page(f"/requests/bundles/{UUID(int=999)}", manner="opened"),
    Page(
        "/requests/many",
        [
            worlds.BUNDLED | {"records": text, "act": "look"}
            for text in ("\n".join(worlds.BY_NUMBER), "30000006", "30000071-1 30000001-1")
        ],
        manner="posted",
    ),
    Page("/basket/request", ({"ids": "$uuid", "act": "look"} | worlds.BUNDLED,), manner="posted"),
    Page("/me/absence", manner="opened"),
    Page("/", manner="opened"),
    Page("/mismatches", manner="opened"),
    Page("/mismatches/rate?outcome=matched", manner="opened"),
    Page("/search/facets", words(*WORDS)),
    Page("/search/facets", [form for narrowed in NARROWED for form in words(*FEW, **narrowed)]),
    Page("/search", words("胎盘", "刘婷", facets="1")),
    Page("/a/$seen/++page++1", words("前置胎盘", "人类免疫缺陷病毒病", "")),
    Page("/a/$seen/@@find", words("前置胎盘", "人类免疫缺陷病毒病"), manner="posted"),
    Page("/basket", ({"act": "put", "ids": "$uuid", "back": "/search"},), manner="posted"),
    Page("/basket", ({"act": "level", "ids": "$uuid"},), manner="posted"),
    Page(
        "/basket/all",
        [form for narrowed in NARROWED[2:] for form in words("", "前置胎盘", **narrowed)],
        manner="sealed",
    ),
    Page("/basket", manner="opened"),
    Page("/basket/export", manner="opened"),
    Page("/searches", manner="opened"),
    Page("/searches/figures", manner="opened"),
    Page("/?figures=1", manner="opened"),
    Page("/search?cursor=e30.AAAA", manner="opened"),
    Page("/a/$hidden", manner="opened"),
    Page("/a/$hidden/++page++1", manner="opened"),
    Page("/a/$hidden/@@find", words("前置胎盘"), manner="posted"),
    Page("/a/$other/++page++1", words("前置胎盘", "人类免疫缺陷病毒病")),
    Page("/a/$other/@@find", words("前置胎盘", "人类免疫缺陷病毒病"), manner="posted"),
    Page("/search", words(*CODED)),
    Page("/search/suggestions", words(*BEGUN), manner="posted"),
    Page("/search/advanced", manner="opened"),
    Page(
        "/search/advanced/compose",
        [{"join": "and", "field": "", "way": "has", "to": "", "act": "search"} | row for row in ROWS],
    ),
    Page("/search/front-page", FRONT),
    Page("/search/front-page", [form | drawn for drawn in DRAWN for form in FRONT]),
    Page("/search/front-page/export", FRONT),
    Page("/search/front-page/export", [form | DRAWN[0] for form in FRONT]),
)

OF_THE_MOMENT = re.compile(
    r'name="csrf-token" content="[^"]+"|name="(?:csrf_token|s)" value="[^"]+"|[?&;](?:s|cursor|ran|ticket)=[\w.=%-]+'
    r"|nonce-[\w+/=-]+"
    r'|value="\d{8}"(?=[^>]*name="seed")'
)
"""Tokens and the seeds that are offered, which differ with every page."""
NEXT = re.compile(r'rel="next" href="([^"]+)"')
MOST_PAGES = 16


@dataclass
class World:
    """An archive and its people's browsers."""

    site: Site
    browsers: dict[str, Browser] = field(default_factory=dict)

    def enter(self, accounts: Sequence[str]) -> None:
        """Signs everybody in at the same hour of every world."""
        self.site.clock.now = START  # type: ignore[attr-defined]
        app = create_app(self.site)
        for account in accounts:
            self.browsers[account] = Browser(app.test_client())
            assert self.browsers[account].sign_in(account).status_code == 302, account

    def answers(
        self, account: str, page: Page, places: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, str]]:
        """What is asked, and all of the answer but its tokens."""
        wards = {f"${code}": str(number) for code, number in hospital_of(self.site).wards.items()}
        meant = wards | {sign: found[0] for sign, found in places.items()}
        sign = next((sign for sign in places if sign in page.address), "")
        for place in places.get(sign, ("",)):
            address = page.address.replace(sign, place) if sign else page.address
            for form in page.asked:
                asked = {name: meant.get(value, value) for name, value in form.items()}
                yield from self._followed(self.browsers[account], address, asked, page.manner)

    def _followed(self, browser: Browser, address: str, form: Form, manner: str) -> Iterator[tuple[str, str]]:
        if manner == "opened":
            answer = browser.get(address)
        elif manner == "sealed":
            answer = browser.post("/search", form)
            if answer.location:
                told = dict(parse_qsl(urlsplit(answer.location).query))
                answer = browser.get(browser.post(address, told).location)
        else:
            answer = browser.post(address, form)
            if manner == "typed" and answer.status_code == 302:
                answer = browser.get(answer.location)
        for place in range(1, MOST_PAGES + 1):
            body = answer.get_data(as_text=True)
            head = f"{answer.status_code} {OF_THE_MOMENT.sub('', answer.headers.get('Location', ''))}"
            yield f"{address} {form}, page {place}", f"{head}\n{OF_THE_MOMENT.sub('', body)}"
            further = NEXT.search(body)
            if not further:
                return
            answer = browser.get(unescape(further[1]))
        raise AssertionError(f"{address} {form} never ends")


SIGNS = (
    "<mark>",
    'rel="next"',
    'data-list="approvals"',
    "JY2026-000002",
    "PS2026-0001",
    'id="h-alike"',
    "h-facet-",
    'id="h-called"',
    "404 ",
    "403 ",
    "302 /a/h001",
)
"""What must have been among the answers, or nothing was proven."""


@dataclass
class Worlds:
    """The archive as it is known to the people of a test, and the same with what they may not see, or may not read."""

    plain: World
    fuller: World
    otherwise: World

    def compare(self, *, share: int) -> int:
        """Asks everything of everybody; or each only every so many questions, so that somebody asks each of them.

        Gives how many answers were the same to the byte, in two worlds or three.
        """
        count, said = 0, set[str]()
        places = worlds.places(self.fuller.site)
        # On the other database they begin elsewhere, and ask what was not asked on the first.
        begin = len(BELOW) * (self.plain.site.engine.dialect.name == "postgresql")
        for turn, account in enumerate(BELOW, begin):
            others = [self.fuller, *([self.otherwise] if account in NOT_THEIRS else [])]
            for page in (page for page in ASKED if account not in page.but):
                step = 1 + share // 2 if account == READER else share
                asked = replace(
                    page, asked=page.asked[turn % step :: step] if len(page.asked) > 1 else page.asked
                )
                every = [list(one.answers(account, asked, places)) for one in (self.plain, *others)]
                for (question, here), *elsewhere in zip(*every, strict=True):
                    for _, there in elsewhere:
                        assert here == there, difference(account, question, here, there)
                    count += len(every)
                    said |= {sign for sign in SIGNS if sign in here}
        assert said == set(SIGNS)
        return count

    def differ(self, account: str) -> bool:
        """A test that could not fail would prove nothing: whoever may see all of it is answered otherwise."""
        page = Page("/search", words("前置胎盘", "柳青青", "30000006"))
        plain, fuller, otherwise = (
            list(one.answers(account, page, {})) for one in (self.plain, self.fuller, self.otherwise)
        )
        return plain not in (fuller, otherwise)


def difference(account: str, asked: str, here: str, there: str) -> str:
    lines = zip_longest(here.splitlines(), there.splitlines(), fillvalue="")
    first = next((one, other) for one, other in lines if one != other)
    return f"{account} asks {asked}\n  {first[0].strip()[:400]}\n  {first[1].strip()[:400]}"


@pytest.fixture
def known(site: Site, tmp_path: Path) -> Iterator[Worlds]:
    worlds.furnish(site)
    with copied(site, tmp_path / "fuller") as fuller, copied(site, tmp_path / "otherwise") as otherwise:
        worlds.hide(fuller)
        worlds.say_otherwise(otherwise)
        made = Worlds(World(site), World(fuller), World(otherwise))
        for one in (made.plain, made.fuller, made.otherwise):
            worlds.ask_for(one.site)
            one.enter((*BELOW, "senior"))
        yield made


def test_what_one_may_not_see_changes_no_byte_of_any_answer(known: Worlds) -> None:
    """Neither three hundred records of which one may not know, nor what a record says above the tier that one holds."""
    assert known.compare(share=2 * len(BELOW)) > 150
    assert known.differ("senior")


@pytest.mark.soak
def test_what_one_may_not_see_changes_no_byte_whoever_asks_whatever(
    known: Worlds, record_property: Callable[[str, object], None]
) -> None:
    count = known.compare(share=how_many("share_of_questions", usual=1))
    record_property(
        "soak",
        f"{count:,} answers to {len(BELOW)} people ({known.plain.site.engine.dialect.name}): the same to the byte with and "
        f"without {worlds.HIDDEN} hidden records, and whatever records say above the tier that is held",
    )
