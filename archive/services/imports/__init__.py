"""导入: departments, staff, patients, discharges and old indexes from Excel or CSV, with a dry run and a way back."""

from archive.services.imports.orders import ImportView, latest, one, order, order_undo
from archive.services.imports.plans import Choice, Layout, Plan, choices, layout
from archive.services.imports.reading import Table, receive, table

__all__ = [
    "Choice", "ImportView", "Layout", "Plan", "Table", "choices", "latest", "layout", "one", "order", "order_undo",
    "receive", "table",
]  # fmt: skip
