"""Statements on content that are not narrowed to one actor: the whole list of them, each with why that is right.

`guard` refuses a scope that is neither a permission nor in this list, so nobody goes round the access rule in passing:
a new line here is a decision, and is read as one.
"""

from collections.abc import Mapping

NODE = "the node, or the request, was found with its own permission before; what hangs on it goes with it"
ACT = "part of an act whose node and permission were checked when it began"
PROGRAM = "the program's own work, for nobody in particular: nothing of it is shown to whoever set it off"
NUMBERS = "counts and marks alone, and no word of any record"
SHOWN = "filtered again by the actor's rights before anything of it is shown"
IMPORT = "an import runs with a permission over everything that it touches; its result names rows of the given file"

SCOPES: Mapping[str, str] = {
    # The access rule itself, and the tree's own upkeep
    "access": "reads the tokens, grants and closed branches from which the rights are worked out",
    "access map": PROGRAM,
    "branches": PROGRAM,
    "class tokens": PROGRAM,
    "classes": PROGRAM,
    "node": "finds the node that an address names; the caller asks for its permission, and hidden is as if not there",
    "slugs": "the names in the addresses of nodes that are shown already",
    "count": "a select that is narrowed to the actor, in brackets to be counted up to a limit",
    "outbox": PROGRAM,
    "placing": ACT,
    "reindexing": PROGRAM,
    "relocation": PROGRAM,
    # Reading
    "by_register": "numbers of nodes for the index, which keeps those that the actor holds at the tier that was asked",
    "front_pages": "the volumes of nodes on which the actor was found to hold holding.view",
    "entries": "texts for the index, or again for hits that the index found with the actor's masks",
    "excerpts": "passages of hits at the tiers that the actor holds of each",
    "explain": "the paths of access to a node, told to whoever may share it",
    "index": NUMBERS,
    "pages": NODE,
    "page_desk": NODE,
    "page_keeping": PROGRAM,
    "giving_away": ACT,
    "page_map": ACT,
    "rescans": ACT,
    "patients": "patients have no rights of their own: whoever asks has come through a node",
    "plain": "a select that is narrowed to the actor, in brackets to be counted",
    "readers": NODE,
    "sealed": NODE,
    "tracers": NODE,
    "trails": "an auditor follows a record by its numbers; nothing but numbers is read",
    "whereabouts": SHOWN,
    "within": NODE,
    "worklists": NUMBERS,
    # Acts
    "arrivals": "one's own uploads under way: the statement asks for the actor's; those that are too old go away unread",
    "basket": "one's own selection: it goes away by the actor's id; what of it is shown is asked for with their rights",
    "borrowing": NODE,
    "boxes": ACT,
    "circulation": SHOWN,
    "care": "which volumes of batches that the caller found with the actor's permissions hold what is scanned first",
    "collation": ACT,
    "corrections": ACT,
    "downloads": NODE,
    "mismatches": ACT,
    "reconciliation": "mismatches of nodes that the caller found with their permission, or the program's own work",
    "tracks": "counts of the two tracks of nodes that the caller found with their permission, or the program's own work",
    "drafts": "one's own drafts: the statement asks for the actor's",
    "find_exact": "says nothing but whether number and second factor both meet, and writes down that it was asked",
    "guards": ACT,
    "holdings": ACT,
    "holds": ACT,
    "inspections": ACT,
    "intake": ACT,
    "keying": ACT,
    "leavers": "what a closed account had for itself alone, which nobody else may see: it is deleted unread",
    "levels": ACT,
    "loans": ACT,
    "manifests": ACT,
    "merging": ACT,
    "moves": SHOWN,
    "following": "one's own pins and subscriptions; the search is asked for as one that the actor may use",
    "news": "of one's own notices the searches that they tell of; what was new is counted with the reader's rights",
    "notices": "one's own notices; what they are about is asked for with the reader's rights",
    "numbers": "the highest number that was given, and no more",
    "places": ACT,
    "purge": PROGRAM,
    "reading": ACT,
    "records": NODE,
    "requests": ACT,
    "scanning": "batches of which the actor holds all records, in one condition; acts ask again, jobs are the program's own",
    "sharing": ACT,
    "saved searches": "one's own and those shared with one, in one condition; who may not search has none",
    "search history": "one's own marks: the statement asks for the actor's",
    "slips": "requests that the actor's permissions let them see, in one condition for pages, lists and acts",
    "standing": "whether the archive uses a part of a policy already: yes or no",
    "steps": ACT,
    "storeroom": SHOWN,
    "trash": ACT,
    "tree": ACT,
    "volumes": ACT,
    # The program's own work
    "digest": "which subscriptions are due; what each finds is asked for as its subscriber, with their rights",
    "demo": "fills an archive that is empty",
    "derive": PROGRAM,
    "detail": PROGRAM,
    "viruses": PROGRAM,
    "imports": IMPORT,
    "recognition": PROGRAM,
    "setup": "the first start, before there is anybody",
    "sidecars": PROGRAM,
}
