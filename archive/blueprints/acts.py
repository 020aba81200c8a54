"""What the acts of the journal are called on a page, after the name of whoever did them."""

from archive.i18n import _l

WORDS = {
    "node.added": _l("added it"), "node.edited": _l("edited the description"), "node.catalogue": _l("began cataloguing"),
    "node.submit": _l("submitted it for review"), "node.send_back": _l("sent it back"), "node.archive": _l("archived it"),
    "node.correct": _l("opened it for correction"), "node.finish": _l("finished the correction"),
    "node.shared": _l("shared it"), "node.unshared": _l("ended a share"), "node.moved": _l("moved it"),
    "node.reclassified": _l("changed the sensitivity"), "node.retention_changed": _l("changed the retention period"),
    "node.inheritance_changed": _l("changed the inheritance"),
    "node.trashed": _l("moved it to the trash"), "node.restored": _l("restored it"),
    "representation.added": _l("uploaded a file"), "record.step_reached": _l("marked a step"),
    "representation.ready": _l("made the pages"), "representation.failed": _l("could not make the pages"),
    "representation.withdrawn": _l("set a file aside"), "holding.registered": _l("registered a volume"),
    "holding.moved": _l("moved a volume"), "holding.packed": _l("packed a volume"),
    "holding.corrected": _l("put a volume right"), "holding.damaged": _l("marked a volume as damaged"),
    "holding.mended": _l("had a volume mended"), "holding.lost": _l("marked a volume as missing"),
    "holding.found": _l("found a volume again"), "container.moved": _l("moved a box"),
    "container.added": _l("added a box"), "container.edited": _l("changed a box"),
    "location.added": _l("added a place"), "location.edited": _l("changed a place"),
    "location.closed": _l("closed a place"), "location.reopened": _l("opened a place again"),
    "loan.issued": _l("handed a volume out"), "loan.returned": _l("took a volume back"),
    "loan.renewed": _l("renewed a loan"), "loan.undone": _l("took back an act at the desk"),
    "request.asked": _l("asked for it"), "request.approve": _l("approved a request"),
    "request.refuse": _l("refused a request"), "request.cancel": _l("withdrew a request"),
    "request.give_back": _l("ended a reading"), "request.revoke": _l("revoked a reading"),
    "hold.applied": _l("sealed it"), "hold.released": _l("took the seal off"),
    "hold.reviewed": _l("reviewed the seal"), "inspection.opened": _l("opened it to an inspector"),
    "codes.loaded": _l("loaded a list of codes"),
    "inspection.closed": _l("ended an inspection of it"), "inspection.granted": _l("opened records to an inspector"),
    "inspection.ended": _l("ended an inspection"),
    "user.created": _l("made the account"), "user.changed": _l("changed name or departments"),
    "user.disabled": _l("disabled the account"), "user.enabled": _l("enabled the account"),
    "user.password_set": _l("set a new password"), "user.password_changed": _l("changed their own password"),
    "role.assigned": _l("gave a role"), "role.withdrawn": _l("took a role away"),
    "clearance.given": _l("changed the clearance"), "token.issued": _l("gave an API token"),
    "node.purged": _l("deleted it for good"), "patient.merged": _l("merged two record numbers"),
    "patient.unmerged": _l("separated two record numbers"), "request.asked_by_number": _l("asked for a record by its number"),
    "request.expired": _l("let a reading end"), "import.ordered": _l("ordered an import"),
    "import.run": _l("imported a list"), "import.undo_ordered": _l("ordered an import to be undone"),
    "catalogue.rebuild_asked": _l("asked for a new search index"),
    "import.undone": _l("undid an import"), "job.cancelled": _l("stopped a job"), "job.retried": _l("began a job again"),
    "audit.verification_ordered": _l("ordered a verification"), "calendar.changed": _l("changed the calendar"),
    "policy.adopted": _l("adopted a policy"), "rights.changed": _l("brought new rights into force"),
    "session.opened": _l("signed in"), "session.closed": _l("signed out"), "session.ended": _l("ended a session"),
    "session.refused": _l("was refused at the sign-in"), "desk.refused": _l("was refused at the desk"),
    "shelving.refused": _l("was refused at the shelves"), "search.run": _l("searched"),
    "search.alike": _l("looked at what is similar"), "record.searched": _l("looked for words in it"),
    "search.suggested": _l("was offered suggestions"), "whereabouts.searched": _l("looked for a volume"),
    "front_page.searched": _l("searched front pages"), "front_page.sampled": _l("drew a sample of front pages"),
    "front_page.exported": _l("exported front pages"),
    "page.viewed": _l("read a page"), "page.thumbnail_viewed": _l("saw pages in small"),
}  # fmt: skip


def label(name: str) -> str:
    """What an act is called; the opening of a page, of which there are as many as pages, by its code."""
    return str(WORDS.get(name, name))
