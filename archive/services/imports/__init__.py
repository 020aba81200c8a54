"""导入: departments, staff, patients, discharges and old indexes from Excel or CSV, with a dry run and a way back."""

from archive.services.imports.kinds import FORMATS, sample
from archive.services.imports.orders import ImportView, find, latest, one, order, order_undo
from archive.services.imports.plans import Choice, Layout, Plan, choices, layout
from archive.services.imports.reading import Table, keep, receive, sweep, table
from archive.services.intake import stage

__all__ = [
    "FORMATS", "Choice", "ImportView", "Layout", "Plan", "Table", "choices", "find", "keep", "latest", "layout", "one",
    "order", "order_undo", "receive", "sample", "stage", "sweep", "table",
]  # fmt: skip
