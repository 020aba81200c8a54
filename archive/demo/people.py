"""The people who come to an invented county hospital: patients and their stays.

Nobody here exists. The area code of the identity numbers and the prefix of the telephone numbers are not in use.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from archive.demo.hospital import DEPARTMENTS, Department, Sex, Staff, Team, team
from archive.demo.names import full_name, given, surname

_AREAS = tuple(f"99000{n}" for n in range(1, 8))
_TOWNS = (
    "城关镇",
    "青石镇",
    "柳河镇",
    "白果乡",
    "云岭镇",
    "双桥镇",
    "枫树坪乡",
    "石门镇",
    "大湾镇",
    "南浦街道",
)
_VILLAGES = (
    "向阳村",
    "红旗村",
    "新桥村",
    "上坪村",
    "下河村",
    "竹园村",
    "桃花社区",
    "东风社区",
    "水口村",
    "李家湾村",
)
_JOBS = (
    "职员",
    "农民",
    "教师",
    "个体经营者",
    "工人",
    "护士",
    "公务员",
    "自由职业者",
    "无业人员",
    "专业技术人员",
)
_ALLERGIES = ("无", "无", "无", "无", "无", "磺胺类", "链霉素", "海鲜", "花粉", "碘造影剂")


@dataclass(frozen=True, slots=True)
class Patient:
    """患者. `mother` is filled for children; a newborn has neither an identity number nor a telephone."""

    mrn: str
    name: str
    sex: Sex
    born: date
    id_no: str
    phone: str
    address: str
    occupation: str
    marital: str
    blood: str
    allergy: str
    contact: str
    relation: str
    contact_phone: str
    mother: str = ""


@dataclass(frozen=True, slots=True)
class Encounter:
    """就诊: one stay in hospital; times are the hospital's local time."""

    admit_no: str
    times: int
    admitted_at: datetime
    discharged_at: datetime
    dept: Department
    ward: str
    bed: str
    team: Team


def check_digit(seventeen: str) -> str:
    """The eighteenth character of an identity number (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(c) * w for c, w in zip(seventeen, weights, strict=True)) % 11]


def id_number(rng: Random, born: date, sex: Sex) -> str:
    """An identity number that passes every check but belongs to no place: area codes 990001 to 990007."""
    order = rng.randrange(10, 999) // 2 * 2 + (1 if sex is Sex.MALE else 0)
    body = f"{rng.choice(_AREAS)}{born:%Y%m%d}{order:03d}"
    return body + check_digit(body)


def phone(rng: Random) -> str:
    return f"1990000{rng.randrange(10_000):04d}"


def record_numbers(rng: Random, first: int = 10_000) -> Iterator[str]:
    """病案号 in the order they are given: eight digits, rising, with the gaps that real series have."""
    number = first
    while number < 100_000_000:
        yield f"{number:08d}"
        number += rng.randint(1, 7)


def patient(rng: Random, *, dept: str, on: date, age_days: int, mrn: str) -> Patient:
    """Somebody whom this department admits on this day at this age: a woman, a child, a newborn."""
    born = on - timedelta(days=age_days)
    if dept == "XSEK":
        return _child(rng, born, mrn, named=False)
    if dept == "EK":
        return _child(rng, born, mrn, named=True)
    return _woman(rng, born, on, mrn)


def newborn(rng: Random, mother: Patient, *, born: date, sex: Sex, mrn: str) -> Patient:
    """The child of a mother who is known; it goes by her name until it has its own."""
    return Patient(
        mrn=mrn,
        name=f"{mother.name}之{'女' if sex is Sex.FEMALE else '子'}",
        sex=sex,
        born=born,
        id_no="",
        phone="",
        address=mother.address,
        occupation="其他",
        marital="未婚",
        blood=_blood(rng),
        allergy="无",
        contact=mother.name,
        relation="母亲",
        contact_phone=mother.phone,
        mother=mother.name,
    )


def _woman(rng: Random, born: date, on: date, mrn: str) -> Patient:
    single = (on - born).days < 22 * 365 and rng.random() < 0.6
    others = "子女" if on.year - born.year > 50 else "父母"
    relation = "父母" if single else rng.choice(("配偶", "配偶", "配偶", others))
    return Patient(
        mrn=mrn,
        name=full_name(rng, female=True),
        sex=Sex.FEMALE,
        born=born,
        id_no=id_number(rng, born, Sex.FEMALE),
        phone=phone(rng),
        address=address(rng),
        occupation=rng.choice(_JOBS),
        marital="未婚" if single else "已婚",
        blood=_blood(rng),
        allergy=rng.choice(_ALLERGIES),
        contact=full_name(rng, female=False),
        relation=relation,
        contact_phone=phone(rng),
    )


def _child(rng: Random, born: date, mrn: str, *, named: bool) -> Patient:
    sex = rng.choice((Sex.MALE, Sex.FEMALE))
    mother = _woman(rng, born - timedelta(days=rng.randint(21 * 365, 38 * 365)), born, mrn)
    infant = newborn(rng, mother, born=born, sex=sex, mrn=mrn)
    if not named:
        return infant
    name = surname(rng) + given(rng, female=sex is Sex.FEMALE, infant=True)
    return replace(
        infant, name=name, id_no=id_number(rng, born, sex), phone=mother.phone, occupation="散居儿童"
    )


def address(rng: Random) -> str:
    return f"云川县{rng.choice(_TOWNS)}{rng.choice(_VILLAGES)}{rng.randint(1, 12)}组{rng.randint(1, 199)}号"


def _blood(rng: Random) -> str:
    return rng.choices(("A型", "B型", "O型", "AB型"), (28, 25, 37, 10))[0]


def encounter(
    rng: Random,
    who: Patient,
    *,
    dept: str,
    everybody: Iterable[Staff],
    admitted_at: datetime,
    days: int,
    times: int = 1,
) -> Encounter:
    """One stay of so many days; zero days is a stay of some hours."""
    department = DEPARTMENTS[dept]
    leaves = (admitted_at + timedelta(days=days)).replace(hour=rng.randint(9, 11), minute=rng.randrange(60))
    if days == 0 or leaves <= admitted_at:
        leaves = admitted_at + timedelta(hours=rng.randint(6, 10), minutes=rng.randrange(60))
    return Encounter(
        admit_no=f"{who.mrn}{times:02d}",
        times=times,
        admitted_at=admitted_at,
        discharged_at=leaves,
        dept=department,
        ward=rng.choice(department.wards),
        bed=f"{rng.randint(1, 48):02d}",
        team=team(rng, everybody, dept),
    )


def age_on(who: Patient, day: date) -> str:
    """Age as a doctor writes it: years from one year on, below that months and days, then days."""
    years = day.year - who.born.year - ((day.month, day.day) < (who.born.month, who.born.day))
    if years >= 1:
        return f"{years}岁"
    days = max((day - who.born).days, 0)
    months, rest = divmod(days, 30)
    if months:
        return f"{months}月{rest}天"
    return f"{days}天" if days else "不足1天"
