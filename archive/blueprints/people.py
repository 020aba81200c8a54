"""人员: the list, and a person's page with account, roles and clearance."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import acts, shown
from archive.errors import ArchiveError, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import directory, duties, people, tree
from archive.services.directory import Sought
from archive.uow import UnitOfWork

section = Section("people", __name__)


@section.page("/people", needs=(P.USER_MANAGE, P.ROLE_ASSIGN), event="people.listed")
def listing(uow: UnitOfWork) -> str:
    asked = request.args
    sought = Sought(
        asked.get("q", ""), asked.get("role", ""), asked.get("dept", type=whole), "disabled" in asked
    )
    listed = directory.listing(uow, sought, after=asked.get("cursor"))
    depts = tree.vocabulary(uow, "departments")
    return render_template("people/list.html", list=_table(listed), sought=sought, depts=depts, roles=_roles(),
                           may_add=uow.can(P.USER_MANAGE))  # fmt: skip


def _roles() -> list[tuple[str, str]]:
    return [(name, str(ROLES[name].title)) for name in duties.GLOBAL_ROLES]


def _table(listed: directory.Listing) -> dict[str, Any]:
    columns = [
        {"key": "name", "label": _("Name"), "kind": "link"},
        {"key": "staff_no", "label": _("Staff number"), "kind": "mono"},
        {"key": "account", "label": _("Account"), "kind": "mono", "optional": True},
        {"key": "departments", "label": _("Department")},
        {"key": "roles", "label": _("Roles")},
        {"key": "clearance", "label": _("Clearance"), "kind": "level"},
        {"key": "state", "label": _("State"), "kind": "state"},
        {"key": "seen", "label": _("Last seen"), "kind": "short"},
    ]
    onward = shown.address(cursor=listed.next) if listed.next else None
    return {
        "name": "people", "label": _("People"), "columns": columns, "rows": [_row(row) for row in listed.rows],
        "total": ngettext("%(num)d person", "%(num)d people", listed.total), "next": onward,
        "empty": {"title": _("Nobody is found"), "text": _("Take a filter away, or write less of the name.")},
    }  # fmt: skip


def _row(row: directory.Row) -> dict[str, Any]:
    state = {"label": _("Disabled"), "kind": "gone"} if row.disabled else {"label": _("Active"), "kind": "ok"}
    cells = {
        "name": row.name, "staff_no": row.staff_no, "account": row.account, "departments": row.departments,
        "roles": row.roles, "clearance": row.clearance, "state": state, "seen": row.seen_at,
    }  # fmt: skip
    return {"id": row.uuid, "label": row.name, "href": url_for(".person", uuid=row.uuid), "cells": cells}


@section.page("/people/add", needs=P.USER_MANAGE)
def add_form(uow: UnitOfWork) -> str:
    return _add_form(uow, None)


def _add_form(uow: UnitOfWork, error: Invalid | None) -> str:
    fields = [
        field("name", _("Name"), required=True, maxlength=80, autocomplete="off"),
        field("staff_no", _("Staff number"), required=True, maxlength=30, mono=True, autocomplete="off"),
        field("account", _("Account"), maxlength=60, mono=True, autocomplete="off",
              hint=_("The staff number where it is left out. People sign in with either.")),
        field("password", _("First password"), "password", required=True, autocomplete="new-password",
              hint=_("12 characters or more; a sentence is easy to remember.")),
    ]  # fmt: skip
    chosen = request.form.getlist("departments")
    drawn, general = with_errors(fields, request.form, error), [str(error)] if error else []
    return render_template("people/add.html", fields=drawn, depts=_depts(uow, chosen), general=general)


def _depts(uow: UnitOfWork, chosen: Any) -> dict[str, Any]:
    choices = list(tree.vocabulary(uow, "departments").items())
    return field(
        "departments", _("Departments"), "checks", choices=choices, value=[str(one) for one in chosen]
    )


def _chosen_depts() -> list[int]:
    return request.form.getlist("departments", type=whole)


@section.page("/people/add", needs=P.USER_MANAGE, methods=("POST",))
def add(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    try:
        made = people.create(uow, account=form.get("account") or form.get("staff_no", ""), name=form.get("name", ""),
                             staff_no=form.get("staff_no", ""), departments=_chosen_depts(),
                             password=form.get("password", ""))  # fmt: skip
    except Invalid as error:
        uow.undo()
        return _add_form(uow, error), error.status
    flash(_("The account is there. The security administrator gives it roles and clearance."), "ok")
    return make_response(redirect(url_for(".person", uuid=directory.person(uow, made).uuid)))


@section.page("/people/<uuid:uuid>", needs=(P.USER_MANAGE, P.ROLE_ASSIGN), event="people.person_viewed")
def person(uow: UnitOfWork, uuid: UUID) -> str:
    return _person(uow, uuid)


def _person(uow: UnitOfWork, uuid: UUID, error: ArchiveError | None = None, form: str = "") -> str:
    """The page of a person; an error stands in the form that was refused."""
    user = directory.find(uow, uuid)
    one, may_manage = directory.person(uow, user), uow.can(P.USER_MANAGE)
    why = next(iter(error.fields.values()), str(error)) if isinstance(error, Invalid) else str(error or "")
    return render_template(
        "people/person.html", person=one, why=why, refused=form, depts=_depts(uow, one.departments),
        offers=duties.offers([duty.role for duty in one.duties]), act_label=acts.label,
        may_manage=may_manage, volumes_out=people.volumes_out(uow, user) if may_manage else 0,
        may_assign=uow.can(P.ROLE_ASSIGN) and not one.is_self,
    )  # fmt: skip


def _acted(
    uow: UnitOfWork, uuid: UUID, act: Callable[..., object], *, form: str, said: str, **given: object
) -> Response | tuple[str, int]:
    """Does one act with a person and shows their page again, with the refusal in its form where there is one."""
    try:
        act(uow, directory.find(uow, uuid), **given)
    except ArchiveError as error:
        if error.status not in {409, 422}:
            raise
        uow.undo()
        return _person(uow, uuid, error, form), error.status
    flash(said, "ok")
    return make_response(redirect(url_for(".person", uuid=uuid)))


@section.page("/people/<uuid:uuid>", needs=P.USER_MANAGE, methods=("POST",))
def change(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    name, version = request.form.get("name", ""), request.form.get("version", 0, type=whole)
    return _acted(uow, uuid, people.change, form="change", said=_("Saved."),
                  name=name, departments=_chosen_depts(), version=version)  # fmt: skip


@section.page("/people/<uuid:uuid>/disable", needs=P.USER_MANAGE, methods=("POST",))
def disable(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    said = _("Disabled. Every session has ended.")
    return _acted(uow, uuid, people.disable, form="account", said=said, anyway="anyway" in request.form)


@section.page("/people/<uuid:uuid>/enable", needs=P.USER_MANAGE, methods=("POST",))
def enable(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    return _acted(uow, uuid, people.enable, form="account", said=_("The account may sign in again."))


@section.page("/people/<uuid:uuid>/password", needs=P.USER_MANAGE, methods=("POST",))
def set_password(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    said = _("The new password holds. Every session has ended.")
    password = request.form.get("password", "")
    return _acted(uow, uuid, people.set_password, form="password", said=said, password=password)


@section.page("/people/<uuid:uuid>/roles", needs=P.ROLE_ASSIGN, methods=("POST",))
def assign(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    role, until = request.form.get("role", ""), request.form.get("until", "")
    said = _("The role holds from their next click on.")
    return _acted(uow, uuid, duties.assign_as_typed, form="role", said=said, role=role, until=until)


@section.page("/people/<uuid:uuid>/roles/<role>/withdraw", needs=P.ROLE_ASSIGN, methods=("POST",))
def withdraw(uow: UnitOfWork, uuid: UUID, role: str) -> Response | tuple[str, int]:
    said = _("The role is taken away. It gives nothing any more.")
    return _acted(uow, uuid, duties.withdraw, form="role", said=said, role=role)


@section.page("/people/<uuid:uuid>/clearance", needs=P.ROLE_ASSIGN, methods=("POST",))
def clear(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    level, said = (
        request.form.get("level", -1, type=whole),
        _("The clearance holds from their next click on."),
    )
    return _acted(uow, uuid, duties.give_clearance, form="clearance", said=said, level=level)
