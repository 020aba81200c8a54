"""The gate: every route names what it needs, answers inside a unit of work, and leaves its line in a journal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any
from uuid import UUID, uuid4

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask_login import current_user
from werkzeug.routing import BaseConverter

from archive import asking
from archive.actor import Actor
from archive.errors import ArchiveError, Forbidden, NotFound, SignInNeeded
from archive.i18n import _, speaking
from archive.journal import Event, Origin
from archive.policy.permissions import P
from archive.services import drafts, intake, sessions
from archive.site import Site
from archive.uow import PROGRAM, SIGNED_IN, Needs, UnitOfWork, could

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNTIL_CHANGED = frozenset({"me.password", "me.change_password", "session.sign_out"})
"""All that somebody gets whose password is not their own yet."""
FORM = 8 * 2**20
"""Bytes of a request without a file."""
View = Callable[..., Any]


class Public:
    """The need of a page that anybody may see: sign-in, health."""


PUBLIC = Public()


class UnguardedView(RuntimeError):
    """The application has a route that no gate guards; it does not start."""


class Slugs(BaseConverter):
    """A path of slugs in the tree, up to the first `@@view` or `++page++`."""

    regex = r"[^/@+][^/]*(?:/[^/@+][^/]*)*"
    part_isolating = False


@dataclass(frozen=True)
class Route:
    """What one route needs, which of its parts names a node, the event that it leaves, and how people prove who they are.

    `channel` is "web" for a browser's session, "api" for a bearer token; neither takes the other's proof.
    """

    view: View
    needs: Needs | Public
    node: str | None
    event: str | None
    channel: str
    file: str | None
    """The part of the form that is a file: it is on the disk, as `g.staged`, before the transaction begins."""
    ahead: bool
    """The view looks for something that may take long, and then opens the transaction of its change itself."""
    asks: bool
    """Its POST changes nothing: what is asked stands in the body only because it must stand in no address."""
    form: str | None
    """What is sent is the form of this name, as `services/drafts.py` knows it, with parts of the address in it; `?type=` names
    it where it is "add". It is kept when the session has ended.
    """


class Section(Blueprint):
    """A blueprint whose routes cannot be made without saying what they need."""

    channel = "web"

    def page(
        self, rule: str, *, needs: Needs | Public, node: str | None = None, methods: tuple[str, ...] = ("GET",),
        event: str | None = None, file: str | None = None, form: str | None = None, typed: tuple[str, ...] = (),
        asks: bool = False, ahead: bool = False,
    ) -> Callable[[View], View]:  # fmt: skip
        """Registers a view `(uow, …)`. With `node="path"` that part of the address becomes the node, checked at `needs`.

        `typed` names the fields in which a name or a diagnosis may be typed: their form posts to the page itself, the
        answer leads to its address with the words sealed in it, and there the view finds them by `typed(…)`.
        """

        def decorate(view: View) -> View:
            inner = asking.opening(view, typed) if typed else view
            route = Route(inner, needs, node, event, self.channel, file, ahead, asks or bool(typed), form)
            served = (*methods, "POST") if typed else methods

            @wraps(view)
            def answer(**parts: Any) -> Response:
                return conduct(route, parts)

            answer.route = route  # type: ignore[attr-defined]
            self.add_url_rule(rule, view.__name__, answer, methods=list(served))
            return view

        return decorate


class ApiSection(Section):
    """A section for programs: bearer tokens, JSON, no cookies, and so no forged requests."""

    channel = "api"


def site() -> Site:
    found: Site = current_app.extensions["juanzong"]
    return found


def origin() -> Origin:
    if "request_id" not in g:
        g.request_id = uuid4()
    channel = "api" if is_for_programs() else "web"
    return Origin(address=request.remote_addr, request_id=g.request_id, channel=channel)


def is_for_programs() -> bool:
    """Whether a program asks: also where no route has been found, and so no section."""
    return request.path.startswith("/api/")


def measure() -> None:
    """Before anything reads the body: more than a form holds is taken only from somebody who could upload somewhere."""
    route: Route | None = getattr(current_app.view_functions.get(request.endpoint or ""), "route", None)
    if request.method in SAFE or route is None:
        return
    if route.file is not None:
        g.could = _could(route)
        if not g.actor.is_authenticated:
            with speaking(g.locale):
                _ask_to_sign_in(route)
    if not g.get("could"):
        request.max_content_length = FORM


def conduct(route: Route, parts: dict[str, Any]) -> Response:
    """Answers one request: opens the unit of work, checks, calls the view, writes the journal, commits."""
    safe = request.method in SAFE
    # What anybody may do, signing in before all, opens the transaction that it needs itself.
    readonly = safe or route.asks or route.ahead or isinstance(route.needs, Public)
    try:
        # What is refused beside the view, by the disk or by another transaction, speaks the reader's language too.
        with speaking(request.cookies.get("locale", "zh_CN")), _staged(route):
            attempt = partial(_attempt, route, parts, readonly=readonly)
            response = attempt() if safe else site().retrying(attempt)
            sessions.touch(site(), g.actor)
            return response
    except SignInNeeded:
        _keep_typed(route, parts)
        raise
    except (Forbidden, NotFound) as error:
        _note_refusal(error)
        raise


def _keep_typed(route: Route, parts: dict[str, Any]) -> None:
    """Keeps what was typed into a form while the session ended. Raises SignInNeeded, which then says so."""
    token = session.get("_user_id")
    if route.form is None or route.node is None or not token:
        return
    name = request.args.get("type", "") if route.form == "add" else route.form.format(**parts)
    ref = parts[route.node]
    if drafts.keep_after_session(site(), token, origin(), _reference(route.node, ref), name, request.form):
        g.sign_in_next = request.full_path.rstrip("?")
        with speaking(g.locale):
            raise SignInNeeded(
                _("Your session has ended. What you typed is kept: sign in again, and it is offered to you.")
            )


@contextmanager
def _staged(route: Route) -> Iterator[None]:
    """Reads the file of a request before its transaction: while gigabytes are flushed, everybody else goes on writing.

    Only from somebody who could upload somewhere; what was refused is not kept.
    """
    given = request.files.get(route.file) if route.file and g.could else None
    if given is None or not given.filename:
        yield
        return
    with speaking(g.locale):
        g.staged, g.filename = intake.stage(site(), given.stream), given.filename
    try:
        yield
    finally:
        intake.discard(site(), g.staged)


def _could(route: Route) -> bool:
    """Whether this person might do it somewhere; whether here, the gate decides as always."""
    with site().session(readonly=True) as opened:
        g.session = opened
        return not isinstance(route.needs, Public) and could(_actor(route), route.needs)


def _attempt(route: Route, parts: dict[str, Any], *, readonly: bool) -> Response:
    here = site()
    with here.session(readonly=readonly) as opened:
        g.session = opened
        g.pop("_login_user", None)
        actor = _actor(route)
        g.uow = uow = here.work(opened, actor, origin())
        g.answering = True
        try:
            with speaking(g.locale):
                response = make_response(_call(route, uow, dict(parts)))
        finally:
            g.answering = False
        told = {event.object_id for event in uow.events if event.object_kind == "node"}
        if not readonly:
            uow.finish()
        _note_reading(route, uow, response, told)
    return response


def _actor(route: Route) -> Actor:
    actor = _bearer() if route.channel == "api" else _signed_in()
    g.actor = actor
    g.locale = request.cookies.get("locale") or (actor.locale if actor.is_authenticated else "zh_CN")
    return actor


def _signed_in() -> Actor:
    actor: Actor = current_user.actor if current_user.is_authenticated else Actor.nobody()
    return actor


def _bearer() -> Actor:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return Actor.nobody()
    return sessions.actor_of(site(), g.session, token.strip(), kind="api") or Actor.nobody()


def _call(route: Route, uow: UnitOfWork, parts: dict[str, Any]) -> Any:
    if route.channel == "web" and ("\0" in request.path or b"%00" in request.query_string):
        raise NotFound  # no address of ours has it, and PostgreSQL cannot even be asked for it
    if isinstance(route.needs, Public):
        return route.view(uow, **parts)
    if not uow.actor.is_authenticated:
        return _ask_to_sign_in(route)
    if uow.actor.must_change and route.channel == "web" and request.endpoint not in UNTIL_CHANGED:
        return redirect(url_for("me.password"))
    if route.node is None:
        uow.require(route.needs)
        return route.view(uow, **parts)
    node = uow.node(_reference(route.node, parts.pop(route.node)))
    g.node = node
    uow.require(route.needs, node)
    return route.view(uow, node, **parts)


def _reference(name: str, given: str) -> UUID | str:
    return UUID(str(given)) if name == "uuid" else given


def _ask_to_sign_in(route: Route) -> Response:
    if route.channel == "api":
        raise SignInNeeded(
            _("Send a bearer token that is valid: Authorization: Bearer, and what juanzong user token gave.")
        )
    if "text/html" not in request.headers.get("Accept", "text/html"):
        raise SignInNeeded
    if route.asks and request.method not in SAFE:
        return make_response(redirect(url_for("session.sign_in", next=request.path)))
    if request.method not in SAFE:
        raise SignInNeeded
    return make_response(redirect(url_for("session.sign_in", next=request.full_path.rstrip("?"))))


def _note_reading(route: Route, uow: UnitOfWork, response: Response, told: set[int | None]) -> None:
    """One event a page: which node, and whom it showed. Durable before the first byte.

    The answer to a change, too, may show people: a form that was refused comes again with names on it. What the event
    of the change itself names, as one of those `told`, is not said twice.
    """
    if request.method in SAFE:
        shown, opened = uow.seen, bool(route.event) and response.status_code < 300
    else:
        shown, opened = uow.seen - told, False
        if 300 <= response.status_code < 400:
            shown = set()  # nobody yet; what the view has told of itself stays told
    if not (shown or opened or uow.readings):
        return
    node = g.get("node")
    name = route.event or f"{(request.endpoint or 'page').replace('.', '_')}.viewed"
    words = dict(g.get("reading_words", {}))
    base = Event(name, shown=tuple(sorted(shown)), words=words)
    first, *further = uow.readings or [base if node is None else uow.event_about(node, base)]
    # A view that tells more than this line tells it itself, but whom the page showed stands in the journal in any case.
    whom = tuple(sorted(shown.union(first.shown)))
    for event in (replace(first, shown=whom), *further):
        site().record_read(event, uow.actor, uow.origin)


def _note_refusal(error: ArchiveError) -> None:
    actor: Actor = g.get("actor") or Actor.nobody()
    node, uow = g.get("node") or error.about, g.get("uow")
    result = "hidden" if isinstance(error, NotFound) else "denied"
    # No address of ours has anything but these characters: the rest is words, and words lie encrypted.
    path = request.path.encode("ascii", "replace").decode().replace("\0", "?")
    event = Event(
        (request.endpoint or "page").replace(".", "_") + ".refused",
        result=result,
        object_ref=path[:120],
        words={} if path == request.path else {"path": request.path},
    )
    if node is not None and uow is not None:
        event = uow.event_about(node, event)
    site().record_read(event, actor, origin())


def audit_routes(app: Flask) -> None:
    """Raises UnguardedView for a route that was not made by a Section. Called once, before the first request."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint != "static" and not hasattr(view, "route"):
            raise UnguardedView(f"{rule.rule} ({rule.endpoint}) is not guarded")


__all__ = [
    "PROGRAM",
    "PUBLIC",
    "SIGNED_IN",
    "ApiSection",
    "P",
    "Section",
    "audit_routes",
    "conduct",
    "origin",
    "site",
]
