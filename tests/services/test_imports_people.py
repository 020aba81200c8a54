"""Departments and staff from a list."""

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.models import Membership, Principal, RoleAssignment, User
from archive.services import actors, imports, passwords
from tests.conftest import CAST, Hospital
from tests.services.importing import Desk, sample, table


@pytest.fixture
def admin(hospital: Hospital) -> Desk:
    return Desk(hospital, "sysadmin")


def departments_of(hospital: Hospital, account: str) -> set[str]:
    with hospital.site.session(readonly=True) as session:
        actor = actors.by_account(session, account, hospital.site.clock())
        assert actor is not None
        return {session.get_one(Principal, number).name for number in actor.departments}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_samples_of_departments_and_staff_come_in_and_go_again(admin: Desk, ending: str) -> None:
    departments = admin.run("departments", sample(f"departments.{ending}"))
    assert departments.counts == {"unchanged": 2, "new": 5}
    staff = admin.run("staff", sample(f"staff.{ending}"))
    assert (staff.counts, staff.problems) == ({"new": 8}, [])
    assert admin.check("staff", sample(f"staff.{ending}")).counts == {"unchanged": 8}
    assert admin.undo(staff).counts == {"removed_user": 8}
    assert admin.undo(departments).counts == {"removed_principal": 5}


def test_imported_staff_have_no_role_and_cannot_sign_in(hospital: Hospital, admin: Desk) -> None:
    admin.run("staff", table(("工号", "姓名", "科室"), ("A7", "昝博文", "产科")))
    with hospital.site.session(readonly=True) as session:
        user = session.scalar(select(User).where(User.staff_no == "A7"))
        assert user is not None
        assert (user.account, user.password) == ("a7", None)
        assert not passwords.matches(user.password, "")
        assert session.scalar(select(RoleAssignment).where(RoleAssignment.principal_id == user.id)) is None
    assert departments_of(hospital, "a7") == {"产科"}


def test_the_list_says_all_departments_of_a_person(hospital: Hospital, admin: Desk) -> None:
    done = admin.run("staff", table(("工号", "姓名", "科室"), ("0004", "clinician甲", "儿科")))
    assert done.counts == {"changed": 1}
    assert departments_of(hospital, "clinician") == {"儿科"}
    assert admin.undo(done).counts == {"removed_membership": 1, "restored_membership": 1}
    assert departments_of(hospital, "clinician") == {"产科"}


def test_a_list_without_departments_leaves_them(hospital: Hospital, admin: Desk) -> None:
    assert admin.run("staff", table(("工号", "姓名"), ("0004", "改名"))).counts == {"changed": 1}
    assert departments_of(hospital, "clinician") == {"产科"}


def test_errors_are_told_row_by_row_in_the_words_of_the_file(admin: Desk) -> None:
    seen = admin.check("staff", table(
        ("职工号", "姓名", "登录名", "所在科室"), ("A1", "甲", "", "妇科"), ("A2", "", "", ""),
        ("A3", "丙", "archivist", ""), ("A1", "丁", "a-1", ""), ("0004", "clinician甲", "other", ""),
    ))  # fmt: skip
    assert seen.counts == {"wrong": 5}
    assert [(one.row, one.column) for one in seen.problems] == [
        (2, "所在科室"), (3, "姓名"), (4, "登录名"), (5, "职工号"), (6, "登录名"),
    ]  # fmt: skip
    assert "没有名为 妇科 的科室" in seen.problems[0].text


def test_whoever_has_been_given_a_role_since_is_kept(hospital: Hospital, admin: Desk) -> None:
    done = admin.run("staff", table(("工号", "姓名"), ("A1", "甲"), ("A2", "乙")))
    with hospital.site.session() as session:
        user = session.scalar(select(User.id).where(User.staff_no == "A1"))
        session.add(RoleAssignment(principal_id=user, role="clerk", granted_at=hospital.site.clock()))
    undone = admin.undo(done)
    assert undone.counts == {"removed_user": 1, "kept_user": 1}
    assert [one.row for one in undone.problems] == [2]


def test_a_department_in_use_is_kept_and_a_renamed_one_gets_its_name_back(
    hospital: Hospital, admin: Desk
) -> None:
    done = admin.run("departments", table(("代码", "名称"), ("CK", "产一科"), ("FK", "妇科"), ("NK", "内科")))
    assert done.counts == {"changed": 1, "new": 2}
    with hospital.site.session() as session:
        ward = session.scalar(select(Principal.id).where(Principal.code == "FK"))
        session.add(Membership(principal_id=hospital.people["desk"], group_id=ward))
    assert admin.undo(done).counts == {"removed_principal": 1, "kept_principal": 1, "restored_principal": 1}
    with hospital.site.session(readonly=True) as session:
        assert session.get_one(Principal, hospital.wards["CK"]).name == "产科"


@pytest.mark.parametrize("kind", ["departments", "staff"])
def test_only_whoever_manages_accounts_imports_people(hospital: Hospital, kind: str) -> None:
    content = table(("代码", "名称", "工号", "姓名"), ("X", "X", "X", "X"))
    for account in CAST:
        if account == "sysadmin":
            continue
        desk = Desk(hospital, account)
        with pytest.raises((Forbidden, NotFound)):
            desk.run(kind, content)
        with hospital.uow(account, readonly=True) as uow:
            assert kind not in {choice.name for choice in imports.choices(uow)}
