"""页面检测: which pages somebody should look at, by what was measured of them and the limits of the policy in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archive.i18n import _
from archive.models import TEXT_OF_PAGE, BatchPage, Node, Page, PageCheck, PageText
from archive.policy.permissions import P
from archive.services import imaging, policies
from archive.sight import href
from archive.uow import UnitOfWork
from storage.processing import BORDERS, DESKEW

MOST = 100
"""Pages that are listed at once; the others come when these have been seen to."""


@dataclass(frozen=True)
class Doubtful:
    """A page with something to look at, each in a few words."""

    number: int
    href: str
    findings: list[str]


@dataclass(frozen=True)
class Checked:
    """检测结果: of how many pages how many were measured and how many are doubtful; of these the first ones."""

    pages: int
    measured: int
    doubtful: int
    listed: list[Doubtful]
    treated: int
    """Pages of which the picture was straightened, trimmed or cleaned."""


def of(uow: UnitOfWork, node: Node) -> Checked:
    """What is doubtful of the pages of a node. Needs content.read."""
    within = limits(uow)
    rows = uow.session.execute(
        uow.of(Page, node, P.READ)
        .with_only_columns(Page, PageCheck, PageText.confidence)
        .outerjoin(PageCheck, PageCheck.page_id == Page.id)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .order_by(Page.ordinal)
    ).all()
    found = [
        (page, list(findings(page, check, sure, within))) for page, check, sure in rows if check is not None
    ]
    doubtful = [(page, noticed) for page, noticed in found if noticed]
    here = href(uow, node)
    listed = [
        Doubtful(page.ordinal, f"{here}/++page++{page.ordinal}", noticed) for page, noticed in doubtful[:MOST]
    ]
    treated = sum(check is not None and bool(check.steps) for _page, check, _sure in rows)
    return Checked(len(rows), len(found), len(doubtful), listed, treated)


def limits(uow: UnitOfWork) -> Mapping[str, int]:
    """What the policy in force takes for a defect."""
    found: Mapping[str, int] = policies.in_force(uow, "page_checks").body["limits"]
    return found


def marks(check: PageCheck | None, limits: Mapping[str, int]) -> list[str]:
    """What is worth knowing of a page and no defect. A seal in red is told by its colour: other red of such extent is, too."""
    return [_("seal")] if check and check.red * 100_000 >= limits["red_per_100000"] else []


def findings(
    page: Page | BatchPage, check: PageCheck, sure: float | None, limits: Mapping[str, int]
) -> Iterator[str]:
    """What should be looked at on a page, each in a few words; `sure` is how sure its recognised text is."""
    if page.dpi is None:
        yield _("no resolution told")
    elif page.dpi < limits["least_dpi"]:
        yield _("%(dpi)s dpi", dpi=page.dpi)
    if check.ink * 100_000 < limits["blank_per_100000"]:
        yield _("looks blank")
    if (
        check.tilt is not None
        and not imaging.has(check.steps, DESKEW)
        and abs(check.tilt) * 10 > limits["tilt_tenths"]
    ):
        yield _("tilted by %(degrees)s°", degrees=f"{check.tilt:+.1f}")
    if check.sharpness is not None and check.sharpness * 100 < limits["sharpness_percent"]:
        yield _("looks blurred")
    if not imaging.has(check.steps, BORDERS) and check.border * 100 >= limits["border_percent"]:
        yield _("black edge")
    elif check.cut >= limits["cut_marks"]:
        yield _("edge perhaps cut off")
    if check.bitonal and limits["colour_expected"]:
        yield _("in black and white alone")
    if (
        sure and sure * 100 < limits["confidence_percent"]
    ):  # what a person has corrected is sure; 0 is a page of no text
        yield _("text uncertain, %(sure)s", sure=f"{sure:.0%}")
