"""审批岗位: the offices that a lending rule may name, in the order in which they are asked (domain §10)."""

from dataclasses import dataclass

from archive.i18n import Lazy, _l


@dataclass(frozen=True)
class Office:
    """Whoever sits in it: holders of `role`, none meaning all who decide on the record; `is_last`: it decides."""

    code: str
    title: Lazy
    role: str | None
    is_last: bool = False


OFFICES = {
    office.code: office
    for office in (
        Office("dept_head", _l("Head of the asker's department"), "head"),
        Office("medical_affairs", _l("Medical affairs"), "medical_affairs"),
        Office("record", _l("Whoever decides on the record"), None, is_last=True),
        Office("record_head", _l("Head of the record room"), "senior", is_last=True),
    )
}
"""Earlier ones give their opinion and open nothing; the last one decides, with the right over the record itself."""
