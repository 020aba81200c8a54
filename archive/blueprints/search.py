"""检索: one field on every page; a number goes straight to the thing, words give hits by file."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import envelope, forms
from archive.asking import typed, typed_token
from archive.blueprints import asked_address, counting, hits, misread, saved_searches, search_hints, totals
from archive.errors import Invalid, TakesTooLong
from archive.gate import P, Section
from archive.i18n import _
from archive.schema import clean
from archive.services import basket, completion, facets, narrowing, search, search_labels
from archive.services.findings import Counts, Facet, Filters, Order, Results
from archive.services.questions import Question
from archive.sight import NodeView
from archive.uow import UnitOfWork

section = Section("search", __name__)
PARAMETERS = (envelope.PARAMETER, *facets.NAMES, "under", "sort", "facets")


@section.page("/search", needs=P.DISCOVER, typed=("q",))
def results(uow: UnitOfWork) -> str | Response | tuple[str, int]:
    text, filters, after = clean(typed("q")), narrowing.chosen(uow, request.args), request.args.get("cursor")
    if not filters and not after and (thing := search.straight(uow, text)):
        _tell(search.renumbered(uow, text, [thing]))
        return make_response(redirect(thing.href))
    try:
        found = search.find(uow, text, filters, _order(), after)
        _tell(search.renumbered(uow, text, found.called))
        return _page(uow, text, filters, found)
    except Invalid as error:
        return _page(uow, text, filters, Results(), misread.refusal(text, error))
    except TakesTooLong as error:
        return _page(uow, text, filters, Results(), misread.refusal(text, error)), error.status


def _tell(now: str | None) -> None:
    """Says that the number which was typed leads to another one."""
    if now:
        flash(
            _("The number that you typed was merged into %(number)s: it is the same person.", number=now),
            "info",
        )


@section.page("/search/suggestions", needs=P.DISCOVER, methods=("POST",), asks=True)
def suggest(uow: UnitOfWork) -> str:
    """For a field that asks while one types: what may be chosen, and nothing else of a page."""
    text = request.form.get("q", "")[: search.LONGEST]
    return render_template(
        "search/suggestions.html", offers=completion.offers(uow, text), views=search.suggest(uow, text)
    )


def _order() -> Order:
    asked = request.args.get("sort", "")
    return Order(asked) if asked in set(Order) else Order.RELEVANCE


def _page(
    uow: UnitOfWork, text: str, filters: Filters, found: Results, refusal: misread.Refusal | None = None
) -> str:
    words = {name: search_labels.choices(uow, name) for name in facets.NAMES} | {
        "under": _places(uow, filters)
    }
    question = Question(text, filters, _order())
    nothing = found.is_empty and text and not refusal and not request.args.get("cursor")
    alike = search.alike(uow, text, filters) if nothing else []
    counts = _counts(uow, text, filters, found)
    called, listed = hits.drawn(uow, found.called, found.groups or alike)
    return render_template(
        "search/results.html", search_text=text, found=found, refusal=refusal, asked=bool(text or filters),
        total=totals.stated((counts or {}).get("total") or found.total, degraded=found.degraded),
        hints=search_hints.drawn(uow, text, None if refusal else found, first=not request.args.get("cursor")),
        called=called, hits=[] if alike else listed, alike=listed if alike else [],
        narrowed={"filters": _chips(filters, words), "reset": url_for(".results", s=typed_token())},
        counts=counts, sorts=_sorts(), fields=_fields(text, filters, words),
        paging=_paging(found), selection=_selection(uow, question, found), onward=_onward(),
        beside=saved_searches.beside(uow, question, kept=not refusal),
    )  # fmt: skip


def _counts(uow: UnitOfWork, text: str, filters: Filters, found: Results) -> dict[str, Any] | None:
    """The facets, if they were asked for with the page; else from where it fetches them; nothing without an index."""
    if found.degraded or found.is_empty:
        return None
    if "facets" in request.args:
        counted = search.counted(uow, text, filters, told=True)
        return {"facets": _facets(counted.facets), "total": counted.total}
    asked: dict[str, Any] = {name: request.args[name] for name in PARAMETERS if name in request.args}
    told = {counting.PARAMETER: counting.seal(uow, text, filters)}
    if found.total.capped and found.total.count:
        told["total"] = "1"
    return {"from": url_for(".counted", **asked | told), "here": _address(facets=1)}


@section.page("/search/facets", needs=P.DISCOVER, typed=("q",))
def counted(uow: UnitOfWork) -> str:
    """The facets of a search, for a page that shows its hits already; and the total, where it said *at least*."""
    text, filters = clean(typed("q")), narrowing.chosen(uow, request.args)
    told = counting.is_told(uow, request.args.get(counting.PARAMETER, ""), text, filters)
    try:
        found = search.counted(uow, text, filters, told=told)
    except Invalid:
        found = Counts()
    total = totals.stated(found.total) if found.total and "total" in request.args else None
    return render_template("search/facets.html", facets=_facets(found.facets), total=total)


def _selection(uow: UnitOfWork, question: Question, found: Results) -> dict[str, Any]:
    """What can be done with the hits that are ticked, or with all of them, and the way to what was selected before."""
    acts = [{"name": "put", "label": _("Add to the selection"), "icon": "basket-plus"}]
    if uow.can(P.REQUEST_CREATE):
        acts.append({"name": "request", "label": _("Request"), "icon": "book-upload"})
    many = basket.size(uow)
    link = {"label": _("Selection %(num)d", num=many), "href": url_for("basket.show"), "icon": "basket"}
    return {"acts": acts, "back": request.full_path, "link": link if many else None,
            "gather": _gathering(uow, question, found) if found.groups else None}  # fmt: skip


def _gathering(uow: UnitOfWork, question: Question, found: Results) -> dict[str, Any]:
    """How all that a search finds is selected, also on its other pages; and how much of it at most."""
    label = _("Select all results")
    if found.total.capped or found.total.count > basket.MOST:
        label = _("Select all results (at most %(most)d)", most=basket.MOST)
    return {"label": label, "action": url_for("basket.put_all"), "hidden": asked_address.parts(uow, question)}


def _paging(found: Results) -> dict[str, Any]:
    """To the page before, the page after, and from far on to the first one."""
    back = _address(cursor=found.previous) if found.previous is not None else None
    return {
        "start": _address() if found.page > 2 else None, "previous": back, "page": found.page, "bulk": True,
        "next": _address(cursor=found.next) if found.next else None,
    }  # fmt: skip


def _onward() -> dict[str, str]:
    """What goes on to the advanced form: the words and the filters, not the page or the order."""
    beside = {"sort", "facets"}
    return {name: request.args[name] for name in PARAMETERS if name not in beside and request.args.get(name)}


def _places(uow: UnitOfWork, filters: Filters) -> dict[str, str]:
    """What the search lies within, by its name."""
    above = narrowing.top(uow, filters)
    return {str(filters.under): NodeView(uow, above).label} if above else {}


def _address(**changes: Any) -> str:
    """The first page of this search with something changed. Only what is ours goes on: url_for has words of its own."""
    kept = {name: request.args[name] for name in PARAMETERS if name in request.args}
    values: dict[str, Any] = kept | changes
    return url_for(".results", **{name: value for name, value in values.items() if value})


def _chips(filters: Filters, words: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    titles = facets.titles() | {"under": _("Within")}
    chosen = {name: str(value) for name in titles if (value := getattr(filters, name))}
    return [
        {"label": titles[name], "value": words[name].get(value, value), "remove": _address(**{name: None})}
        for name, value in chosen.items()
    ]


def _facets(found: list[Facet]) -> list[dict[str, Any]]:
    return [
        {"label": facet.label, "exact": facet.exact, "counts": [
            {"label": count.label, "count": count.count, "chosen": count.chosen,
             "href": _address(**{facet.name: None if count.chosen else count.value})}
            for count in facet.counts
        ]} for facet in found
    ]  # fmt: skip


def _sorts() -> list[dict[str, Any]]:
    words = {Order.RELEVANCE: _("Best match"), Order.DATE: _("Newest first"), Order.NUMBER: _("By number")}
    now = _order()
    return [
        {"label": word, "href": _address(sort=order), "current": order is now}
        for order, word in words.items()
    ]


def _fields(text: str, filters: Filters, words: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The form that narrows a search."""
    everything = ("", _("all"))
    choices = {name: [everything, *words[name].items()] for name in ("type", "dept", "state")}
    titles = facets.titles()
    # What has no field here is a chip above the hits, and stays one when the words change.
    kept = [forms.field(name, "", "hidden", value=value) for name in ("retention", "carrier", "level")
            if (value := getattr(filters, name))]  # fmt: skip
    return [
        *kept,
        forms.field(
            "q",
            _("Words"),
            "search",
            value=text,
            maxlength=search.LONGEST,
            id="words",
            autocomplete="off",
            autofocus=not (text or filters),
        ),
        forms.field("type", titles["type"], "select", value=filters.type, choices=choices["type"]),
        forms.field("dept", titles["dept"], "select", value=filters.dept, choices=choices["dept"]),
        forms.field("year", titles["year"], "number", value=filters.year, min=1800, max=2200),
        forms.field("state", titles["state"], "select", value=filters.state, choices=choices["state"]),
        *([forms.field("under", titles["under"], "hidden", value=filters.under)] if filters.under else []),
    ]
