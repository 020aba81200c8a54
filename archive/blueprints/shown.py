"""What an object's pages have in common: head, tabs, actions, the cards of a record."""

from typing import TYPE_CHECKING, Any

from flask import request, url_for

from archive.blueprints import acts, looks
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import (
    case_file,
    circulation,
    downloads,
    explain,
    history,
    holdings,
    holds,
    inspections,
    listing,
    mismatches,
    reading,
    records,
    retention,
    sealed,
    steps,
    trash,
    tree,
)
from archive.sight import NodeView, crumbs, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node


def place(uow: UnitOfWork, node: "Node") -> dict[str, Any]:
    """The breadcrumb, with the node itself at its end."""
    above = [{"label": label, "href": target} for label, target in crumbs(uow, node)]
    return {"crumbs": [*above, {"label": NodeView(uow, node).label, "href": href(uow, node)}]}


def head(uow: UnitOfWork, node: "Node", seen: NodeView, current: str) -> dict[str, Any]:
    """Breadcrumb, tabs and action bar: only what this person may do with it."""
    above = [{"label": label, "href": target} for label, target in crumbs(uow, node)]
    seen.carrier = None if seen.is_container else holdings.carrier_of(uow, node)
    return {"crumbs": above, "tabs": tabs(seen, current), "actions": actions(uow, node, seen)}


def tabs(seen: NodeView, current: str) -> list[dict[str, Any]]:
    base = seen.href
    wanted = [
        ("view", _("View"), base, not seen.is_container),
        ("contents", _("Contents"), base if seen.is_container else f"{base}/@@contents", seen.holds_items),
        ("edit", _("Edit"), f"{base}/@@edit", seen.can(P.EDIT)),
        ("pages", _("Page desk"), f"{base}/@@pages", _has_desk(seen)),
        ("dual", _("Reconciliation"), f"{base}/@@reconciliation", _is_reconciled(seen)),
        ("sharing", _("Sharing"), f"{base}/@@sharing", seen.can(P.SHARE)),
        ("history", _("History"), f"{base}/@@history", seen.can(P.HISTORY)),
    ]
    return [
        {"label": label, "href": target, "current": name == current}
        for name, label, target, may in wanted
        if may
    ]


def _is_reconciled(seen: NodeView) -> bool:
    """Paper and pages are compared of whole files, by whoever reads them and works on them."""
    whole = bool(seen.type and seen.type.numbered and seen.type.pages and seen.workflow != "inherited")
    return whole and seen.can(P.READ) and any(seen.can(permission) for permission in mismatches.HANDLING)


def _has_desk(seen: NodeView) -> bool:
    """Pages are arranged on the desk of their file; it is shown to whoever may both read and arrange them."""
    return bool(seen.type and seen.type.pages) and seen.can(P.SCAN_REPLACE) and seen.can(P.READ)


def actions(uow: UnitOfWork, node: "Node", seen: NodeView) -> list[dict[str, Any]]:
    """The action bar, drawn from rights and workflow: never a button that would be refused."""
    found: list[dict[str, Any]] = []
    if tree.addable(uow, node):
        found.append(
            {"label": _("Add"), "href": f"{seen.href}/@@add", "icon": "plus", "primary": seen.is_container}
        )
    if seen.can(P.SCAN_UPLOAD) and seen.type and seen.type.pages:
        found.append({"label": _("Upload"), "href": f"{seen.href}/@@upload", "icon": "upload"})
    if seen.can(P.REQUEST_CREATE) and not seen.is_container:
        found.append({"label": _("Request"), "href": f"{seen.href}/@@request", "icon": "book-upload",
                      "primary": not seen.can(P.READ)})  # fmt: skip
    found += [_step(offer, seen) for offer in steps.offers(uow, node)]
    if seen.is_container:
        here = url_for("advanced.form", under=seen.uuid)
        found.append({"label": _("Search here"), "href": here, "icon": "search"})
    if seen.can(P.READ) and seen.page_count:
        found.append({"label": _("Read"), "href": f"{seen.href}/++page++1", "icon": "book",
                      "primary": not any(act.get("primary") for act in found)})  # fmt: skip
    if not seen.is_container and seen.page_count and downloads.may(uow, node):
        found.append({"label": _("Searchable PDF"), "href": f"{seen.href}/@@pdf", "icon": "file-download"})
    return (
        found
        + _inspecting(uow, node, seen)
        + _sealing(uow, node, seen)
        + _disputing(uow, node, seen)
        + _keeping(uow, node, seen)
    )


def _inspecting(uow: UnitOfWork, node: "Node", seen: NodeView) -> list[dict[str, Any]]:
    """检查: from what an inspector reads to the form for what they find in it."""
    if (opened := inspections.opened_by(uow, node)) is None:
        return []
    batch, record = opened
    part = None if record.id == node.id else seen.uuid
    there = url_for("findings.form", uuid=batch.uuid, record=record.uuid, part=part)
    return [{"label": _("Note a finding"), "href": there, "icon": "clipboard-check"}]


def _disputing(uow: UnitOfWork, node: "Node", seen: NodeView) -> list[dict[str, Any]]:
    """纠纷档案: from a record to its cases, or to a new one; from a case to its page. For whoever handles disputes alone."""
    if seen.can(P.DISPUTE):
        page = url_for("disputes.one", uuid=seen.uuid)
        return [{"label": _("The whole case"), "href": page, "icon": "scale"}]
    if node.type != "medical_record" or not (uow.can(P.DISPUTE) and seen.can(P.IDENTIFY)):
        return []
    known = [
        {"label": str(case.value("dispute_no") or case.code), "href": url_for("disputes.one", uuid=case.uuid), "icon": "scale"}
        for case in case_file.about(uow, node)
    ]  # fmt: skip
    new = {
        "label": _("Open a dispute file"),
        "href": url_for("disputes.form", record=seen.uuid),
        "icon": "scale",
    }
    return [*known, new]


def _sealing(uow: UnitOfWork, node: "Node", seen: NodeView) -> list[dict[str, Any]]:
    """封存, 冻结 and 启封: sealing again supplements what is sealed."""
    found: list[dict[str, Any]] = []
    over = sealed.over(uow, node)
    if seen.can(P.HOLD_APPLY) and holds.is_whole(seen.type):
        found.append({"label": _("Seal"), "href": f"{seen.href}/@@seal", "icon": "lock-square"})
        found.append({"label": _("Legal hold"), "href": f"{seen.href}/@@freeze", "icon": "snowflake"})
    for seal in (one for one in over if one.may_release):
        act = {"label": _("Release %(number)s", number=seal.number), "icon": "lock-open"}
        off = {"disabled": True, "reason": seal.objection} if seal.objection else {}
        found.append(act | {"href": url_for("holds.release_form", uuid=seal.uuid)} | off)
    return found


def _keeping(uow: UnitOfWork, node: "Node", seen: NodeView) -> list[dict[str, Any]]:
    """What is done with the thing itself: where it lies, how sensitive it is, whether it stays."""
    found: list[dict[str, Any]] = []
    if seen.can(P.MOVE) and node.type != "fonds":
        found.append({"label": _("Move"), "href": f"{seen.href}/@@move", "icon": "folder-symlink"})
    if seen.can(P.EDIT_CLASSIFICATION):
        found.append({"label": _("Sensitivity"), "href": f"{seen.href}/@@level", "icon": "shield-half"})
    if seen.can(P.EDIT_CLASSIFICATION) and retention.is_settled(node):
        label = _("Change the retention period")
        found.append({"label": label, "href": f"{seen.href}/@@retention", "icon": "hourglass"})
    if seen.is_container and uow.can(P.TRASH):
        found.append({"label": _("Open the trash"), "href": url_for("trash.listing"), "icon": "trash"})
    if seen.can(P.TRASH) and seen.is_trashed:
        found.append({"label": _("Restore"), "icon": "trash-off", "post": f"{seen.href}/@@trash"})
    elif seen.can(P.TRASH) and not trash.refused(uow, node):
        words = _("It stays in the trash for %(days)d days and can be restored.", days=trash.days(uow))
        found.append(
            {"label": _("Move to trash"), "icon": "trash-x", "post": f"{seen.href}/@@trash", "confirm": words}
        )
    return found


def _step(offer: steps.Offer, seen: NodeView) -> dict[str, Any]:
    step = offer.step
    act: dict[str, Any] = {
        "label": str(step.title),
        "icon": step.icon,
        "primary": step.primary and not offer.reasons,
    }
    if offer.reasons:
        return act | {"disabled": True, "reason": " ".join(offer.reasons), "href": ""}
    if step.asks_reason:
        return act | {"href": f"{seen.href}/@@step/{step.name}"}
    return act | {"post": f"{seen.href}/@@workflow/{step.name}", "hidden": {"version": seen.version}}


def record(uow: UnitOfWork, node: "Node", seen: NodeView) -> dict[str, Any]:
    """The cards of a record's page, as far as this person may see them."""
    parts = listing.items(uow, node) if seen.holds_items else []
    cards: dict[str, Any] = {
        "fields": seen.fields,
        "components": parts,
        "tracks": None,
        "gate": None,
        "timeline": None,
    }
    if node.type == "medical_record":
        cards |= _tracks(uow, node, seen)
    cards |= carriers(uow, node)
    cards["seals"] = sealed.over(uow, node)
    cards["grant"] = reading.my_grant(uow, node)
    cards["trash_days"] = trash.days(uow) if seen.is_trashed else None
    cards["who"] = _who(uow, node) if explain.may_ask(uow, node) else None
    if seen.can(P.HISTORY):
        cards["timeline"] = [{"at": act.at, "text": f"{act.by} {acts.label(act.action)}", "key": True}
                             for act in history.acts(uow, node, most=8)]  # fmt: skip
    return cards


def _who(uow: UnitOfWork, node: "Node") -> list[dict[str, str]]:
    """谁能看，为什么: the farthest reaching paths."""
    return [
        {"icon": path.icon, "name": path.name, "note": path.note, "path": path.why,
         "right": _("until %(date)s", date=uow.local(path.until).date()) if path.until else path.right}
        for path in explain.paths(uow, node, most=5)
    ]  # fmt: skip


def carriers(uow: UnitOfWork, node: "Node") -> dict[str, Any]:
    """载体与借阅: the two tracks side by side, and who has the paper now."""
    held, loan = holdings.summary(uow, node), circulation.open_loan(uow, node)
    sides = [_paper(volume) for volume in held.volumes]
    if held.pages:
        sides.append({"label": _("Electronic"), "state": {"label": _("Kept"), "kind": "ok"},
                      "rows": [(_("Pages"), held.pages)]})  # fmt: skip
    match = None
    if held.agrees is not None:
        counts = {"sheets": held.sheets, "pages": held.pages}
        match = {
            "kind": "ok" if held.agrees else "wait",
            "text": _("Paper / electronic %(sheets)s / %(pages)s", **counts),
        }
    return {"sides": sides, "match": match, "loan": _loan(uow, loan) if loan else None,
            "register": _register(uow, node, has_paper=bool(held.volumes))}  # fmt: skip


def _register(uow: UnitOfWork, node: "Node", *, has_paper: bool) -> dict[str, str] | None:
    """The way to register paper, for whoever may where it belongs."""
    if not holdings.takes_volumes(node) or not uow.can(P.HOLDING_PLACE, node):
        return None
    label = _("Another volume") if has_paper else _("Register a volume")
    return {
        "label": label,
        "href": f"{href(uow, node)}/@@volume",
        "missing": "" if has_paper else _("No paper volume of this is registered."),
    }


def _paper(volume: holdings.Volume) -> dict[str, Any]:
    rows = [(_("Barcode"), volume.barcode, True), (_("Place"), volume.holder or volume.place, not volume.holder),
            (_("Container"), volume.container, True), (_("Sheets"), volume.sheets),
            (_("Condition"), volume.condition)]  # fmt: skip
    return {
        "label": _("Paper"),
        "href": url_for("volumes.one", barcode=volume.barcode),
        "state": {"label": str(volume.status.title), "kind": volume.status.look},
        "rows": rows,
    }


def _loan(uow: UnitOfWork, loan: circulation.OpenLoan) -> dict[str, Any]:
    left = loan.days_left
    rest = (ngettext("%(num)d working day left", "%(num)d working days left", left) if left >= 0
            else ngettext("%(num)d working day overdue", "%(num)d working days overdue", -left))  # fmt: skip
    lead = _("Due %(day)s", day=uow.local(loan.due_at).date())
    slip = loan.slip
    return {"lead": lead, "rest": rest, "note": f"{slip.purpose} {slip.requester}" if slip else "",
            "number": slip.number if slip else "", "href": f"/requests/{slip.uuid}" if slip else ""}  # fmt: skip


def _tracks(uow: UnitOfWork, node: "Node", seen: NodeView) -> dict[str, Any]:
    rows = [
        {"label": track.label, "steps": [
            {"label": step.label, "kind": step.look, "meta": _meta(uow, step, seen)} for step in track.steps
        ]} for track in records.tracks(uow, node)
    ]  # fmt: skip
    markable = [
        {"track": track.name, "step": step.name, "label": step.label}
        for track in records.tracks(uow, node) for step in track.steps if step.at is None and records.is_by_hand(step.name)
    ] if seen.can(P.EDIT) else []  # fmt: skip
    return {"tracks": rows, "gate": _gate(uow, node), "markable": markable}


def _gate(uow: UnitOfWork, node: "Node") -> dict[str, Any]:
    """归档门槛. Once archived it is passed: a policy of today does not judge what was archived under an older one."""
    if node.state in {"archived", "correcting", "destroyed"}:
        return {"label": _("Archived"), "met": True, "lines": []}
    missing, total = records.gate(uow, node)
    lines = [{"text": _("Gates %(met)d / %(all)d", met=total - len(missing), all=total), "kind": ""}]
    lines += [{"text": word, "kind": "wait"} for word in missing[:3]]
    return {"label": _("Archive"), "met": not missing, "lines": lines}


def _meta(uow: UnitOfWork, step: records.Step, seen: NodeView) -> str:
    if step.at is None:
        return ""
    return f"{uow.local(step.at):%m-%d}" + (f" {step.by}" if step.by and seen.can(P.IDENTIFY) else "")


def address(**changes: Any) -> str:
    """This address with some of its parameters changed."""
    asked: dict[str, Any] = {**dict(looks.kept()), "cursor": request.args.get("cursor"), **changes}
    # Flask takes `_scheme` and its like for its own: from an address they would make links that lead elsewhere.
    kept = {name: value for name, value in asked.items() if value and not name.startswith("_")}
    return url_for(request.endpoint or "", **(request.view_args or {}), **kept)
