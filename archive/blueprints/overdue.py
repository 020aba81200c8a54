"""逾期未还: what people of one's department, or of the whole house, should have brought back."""

from flask import render_template

from archive.gate import P, Section
from archive.services import reminders
from archive.uow import UnitOfWork

section = Section("overdue", __name__)


@section.page("/overdue", needs=P.REQUEST_OVERSEE)
def listing(uow: UnitOfWork) -> str:
    return render_template("overdue/list.html", rows=reminders.late(uow))
