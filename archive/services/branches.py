"""The job of a large branch: it is closed to everybody while its access classes are worked out, and then opened."""

from typing import Any

from archive.i18n import _l
from archive.models import Node
from archive.services import sharing
from archive.services.handlers import JobRun, handles


@handles("branch.classify", label=_l("Working out who may see a branch"), stoppable=False)
def classify(run: JobRun) -> dict[str, Any]:
    """Classifies the branch in one transaction. It cannot be stopped: the branch would stay closed."""
    with run.uow() as uow:
        node = uow.session.get(Node, run.node_id, execution_options={"scope": "branches"})
        count = sharing.classify_closed(uow, node) if node is not None else 0
        run.progress(count, count, uow=uow)
    return {"records": count}
