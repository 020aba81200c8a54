from datetime import date
from random import Random

import pytest

from archive.demo import hospital, people
from archive.demo.hospital import ADMITTING, DEPARTMENTS, Sex
from archive.demo.names import RARE, full_name, names_from
from archive.demo.people import Patient, age_on, check_digit, id_number

TODAY = date(2026, 11, 20)


def crowd(seed: int = 3, count: int = 400) -> list[Patient]:
    rng = Random(seed)
    numbers = people.record_numbers(rng)
    ages = {"CK": 10_000, "FK": 15_000, "EK": 900, "XSEK": 2, "RXWK": 17_000}
    return [
        people.patient(rng, dept=dept, on=TODAY, age_days=ages[dept], mrn=next(numbers))
        for dept in rng.choices(ADMITTING, k=count)
    ]


def test_the_same_seed_gives_the_same_people() -> None:
    assert crowd(3) == crowd(3)
    assert crowd(3) != crowd(4)
    assert hospital.staff(Random(5)) == hospital.staff(Random(5))


def test_the_check_digit_of_a_known_number_is_right() -> None:
    assert check_digit("11010519491231002") == "X"


def test_every_identity_number_is_valid_but_of_no_place_and_tells_birth_and_sex() -> None:
    holders = [one for one in crowd() if one.id_no]
    assert holders
    for one in holders:
        assert one.id_no[17] == check_digit(one.id_no[:17])
        assert one.id_no.startswith("9900")
        assert one.id_no[6:14] == f"{one.born:%Y%m%d}"
        assert (int(one.id_no[16]) % 2 == 1) == (one.sex is Sex.MALE)


def test_two_people_born_on_one_day_seldom_share_an_identity_number() -> None:
    rng = Random(2)
    assert len({id_number(rng, TODAY, Sex.FEMALE) for _ in range(100)}) > 90


def test_record_numbers_have_eight_digits_rise_and_spread_over_the_shelf() -> None:
    rng = Random(1)
    series = people.record_numbers(rng)
    numbers = [next(series) for _ in range(2000)]
    assert numbers == sorted(set(numbers))
    assert {len(number) for number in numbers} == {8}
    assert len({number[-2:] for number in numbers}) == 100


def test_telephone_numbers_are_of_a_prefix_that_nobody_has() -> None:
    assert all(one.contact_phone.startswith("1990000") and len(one.contact_phone) == 11 for one in crowd())


def test_a_newborn_goes_by_its_mothers_name_and_has_no_papers_yet() -> None:
    newborns = [one for one in crowd() if (TODAY - one.born).days == 2]
    assert newborns
    for child in newborns:
        assert child.name in {f"{child.mother}之子", f"{child.mother}之女"}
        assert (child.id_no, child.phone) == ("", "")


def test_names_repeat_as_seldom_as_in_a_town_and_some_are_hard_to_write() -> None:
    rng = Random(8)
    names = [full_name(rng, female=rng.random() < 0.5) for _ in range(1000)]
    assert len(set(names)) > 940
    assert 10 < sum(any(rare in name for rare in RARE) for name in names) < 120


def test_no_two_employees_share_a_name_or_number_and_every_department_has_some() -> None:
    everybody = hospital.staff(Random(1))
    assert len({one.name for one in everybody}) == len({one.number for one in everybody}) == len(everybody)
    assert {one.dept for one in everybody} == set(DEPARTMENTS)


@pytest.mark.parametrize("dept", ADMITTING)
def test_each_ward_has_a_team_for_every_patient(dept: str) -> None:
    team = hospital.team(Random(1), hospital.staff(Random(1)), dept)
    assert team.attending.dept == team.nurse.dept == dept
    assert (team.anaesthetist.dept, team.technician.dept, team.coder.dept) == ("MZK", "JYK", "BAK")


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (date(1996, 11, 21), "29岁"), (date(1996, 11, 20), "30岁"), (date(2026, 8, 7), "3月15天"),
        (date(2026, 11, 14), "6天"), (TODAY, "不足1天"),
    ],
)  # fmt: skip
def test_age_is_said_as_doctors_say_it(born: date, said: str) -> None:
    infant = crowd(count=1)[0]
    assert age_on(people.replace(infant, born=born), TODAY) == said


def test_names_of_a_list_come_once_each_in_an_order_of_the_seed(tmp_path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("甲一\n乙二\n\n丙三\n", encoding="utf-8")
    assert sorted(names_from(path, Random(1))) == ["丙三", "乙二", "甲一"]
    assert list(names_from(path, Random(1))) == list(names_from(path, Random(1)))
