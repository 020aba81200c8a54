"""The hospital: its departments, who works in them, and who looks after one patient."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from archive.demo.names import full_name

HOSPITAL = "云川县妇幼保健院"
HOSPITAL_EN = "Yunchuan County Women and Children's Hospital"


class Sex(StrEnum):
    """性别, as coded on the front page (GB/T 2261.1)."""

    MALE = "1"
    FEMALE = "2"

    @property
    def zh(self) -> str:
        return "女" if self is Sex.FEMALE else "男"


class Post(StrEnum):
    """岗位: what somebody does in their department."""

    HEAD = "主任医师"
    SENIOR = "副主任医师"
    ATTENDING = "主治医师"
    RESIDENT = "住院医师"
    HEAD_NURSE = "护士长"
    NURSE = "护师"
    CHIEF = "科长"
    OFFICER = "干事"
    CODER = "编码员"
    CLERK = "库房管理员"


_WARD = (
    Post.HEAD,
    Post.SENIOR,
    Post.ATTENDING,
    Post.ATTENDING,
    Post.RESIDENT,
    Post.RESIDENT,
    Post.RESIDENT,
    Post.HEAD_NURSE,
    Post.NURSE,
    Post.NURSE,
    Post.NURSE,
)
_LABORATORY = (Post.HEAD, Post.SENIOR, Post.ATTENDING, Post.RESIDENT, Post.RESIDENT)
_OFFICE = (Post.CHIEF, Post.OFFICER, Post.OFFICER)


@dataclass(frozen=True, slots=True)
class Department:
    """科室: `code` is what stands in an archival number."""

    code: str
    zh: str
    en: str
    is_clinical: bool
    posts: tuple[Post, ...]
    wards: tuple[str, ...] = ()


DEPARTMENTS: dict[str, Department] = {
    d.code: d
    for d in (
        Department("CK", "产科", "Obstetrics", True, (*_WARD, *_WARD), ("产科一病区", "产科二病区")),
        Department("FK", "妇科", "Gynaecology", True, _WARD, ("妇科病区",)),
        Department("EK", "儿科", "Paediatrics", True, _WARD, ("儿科一病区", "儿科二病区")),
        Department("XSEK", "新生儿科", "Neonatology", True, _WARD, ("新生儿病区", "新生儿重症监护病区")),
        Department("RXWK", "乳腺外科", "Breast surgery", True, _WARD, ("乳腺外科病区",)),
        Department(
            "MZK", "麻醉科", "Anaesthesia", True, (*_LABORATORY, Post.HEAD_NURSE, Post.NURSE, Post.NURSE)
        ),
        Department("JYK", "检验科", "Laboratory", False, _LABORATORY),
        Department("CSK", "超声科", "Ultrasound", False, _LABORATORY),
        Department("BLK", "病理科", "Pathology", False, _LABORATORY),
        Department("YJK", "药剂科", "Pharmacy", False, _OFFICE),
        Department(
            "BAK",
            "病案科",
            "Medical records",
            False,
            (*_OFFICE, Post.CODER, Post.CODER, Post.CLERK, Post.CLERK),
        ),
        Department("YWK", "医务科", "Medical affairs", False, _OFFICE),
        Department("BGS", "院办公室", "Hospital office", False, _OFFICE),
        Department("KHFW", "客户服务部", "Patient relations", False, _OFFICE),
    )
}

ADMITTING = ("CK", "FK", "EK", "XSEK", "RXWK")


@dataclass(frozen=True, slots=True)
class Staff:
    """职工: one employee, with the number on the badge."""

    number: str
    name: str
    sex: Sex
    dept: str
    post: Post


@dataclass(frozen=True, slots=True)
class Team:
    """诊疗组: everybody who signs something in one stay."""

    head: Staff
    chief: Staff
    attending: Staff
    resident: Staff
    head_nurse: Staff
    nurse: Staff
    anaesthetist: Staff
    theatre_nurse: Staff
    technician: Staff
    lab_senior: Staff
    sonographer: Staff
    imaging_senior: Staff
    pathologist: Staff
    paediatrician: Staff
    coder: Staff


def staff(rng: Random) -> tuple[Staff, ...]:
    """Everybody who works in the hospital, each name once, numbers in order of department."""
    taken: set[str] = set()
    posts = [(dept.code, post) for dept in DEPARTMENTS.values() for post in dept.posts]
    return tuple(
        _employee(rng, f"{n:04d}", dept, post, taken) for n, (dept, post) in enumerate(posts, start=101)
    )


def _employee(rng: Random, number: str, dept: str, post: Post, taken: set[str]) -> Staff:
    nursing = post in (Post.NURSE, Post.HEAD_NURSE)
    sex = Sex.FEMALE if nursing or rng.random() < 0.6 else Sex.MALE
    name = full_name(rng, female=sex is Sex.FEMALE)
    while name in taken:
        name = full_name(rng, female=sex is Sex.FEMALE)
    taken.add(name)
    return Staff(number, name, sex, dept, post)


def team(rng: Random, everybody: Iterable[Staff], dept: str) -> Team:
    """Who looks after one patient of this department."""
    by_dept: dict[str, list[Staff]] = {}
    for person in everybody:
        by_dept.setdefault(person.dept, []).append(person)

    def one(code: str, *posts: Post) -> Staff:
        return rng.choice([s for s in by_dept[code] if s.post in posts])

    reporting = (Post.ATTENDING, Post.RESIDENT)
    return Team(
        head=one(dept, Post.HEAD),
        chief=one(dept, Post.SENIOR),
        attending=one(dept, Post.ATTENDING),
        resident=one(dept, Post.RESIDENT),
        head_nurse=one(dept, Post.HEAD_NURSE),
        nurse=one(dept, Post.NURSE),
        anaesthetist=one("MZK", *reporting),
        theatre_nurse=one("MZK", Post.NURSE),
        technician=one("JYK", *reporting),
        lab_senior=one("JYK", Post.SENIOR),
        sonographer=one("CSK", *reporting),
        imaging_senior=one("CSK", Post.SENIOR),
        pathologist=one("BLK", *reporting),
        paediatrician=one("XSEK", Post.ATTENDING),
        coder=one("BAK", Post.CODER),
    )
