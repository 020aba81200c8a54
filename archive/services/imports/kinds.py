"""What can be imported: for each kind its columns, what they are called in spreadsheets, and how a cell is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive.i18n import Lazy, _l
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Field, Kind, Need
from archive.services.imports import values

Read = Callable[[str], Any]


@dataclass(frozen=True)
class Column:
    """导入栏目: one thing that a spreadsheet tells; `synonyms` are the headings under which it is found."""

    name: str
    label: Lazy
    synonyms: tuple[str, ...]
    read: Read = values.text
    required: bool = False
    help: Lazy | None = None
    longest: int = 500


@dataclass(frozen=True)
class ImportKind:
    """导入类别. `key`: the columns that tell one row from another; `types`: the categories it goes into."""

    name: str
    label: Lazy
    about: Lazy
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    needs: P
    types: frozenset[str] = field(default=frozenset())

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def _column(name: str, label: Lazy, synonyms: str, read: Read = values.text, *, required: bool = False,
            hint: Lazy | None = None, longest: int = 500) -> Column:  # fmt: skip
    return Column(name, label, tuple(synonyms.split()), read, required, hint, longest)


DEPT = "科室 科室名称 所在科室 部门 所属部门 出院科室 出院科别 科别 病区 department dept ward"
MRN = _column("mrn", _l("Record number"), "病案号 住院号 病历号 病人号 患者编号 mrn record_no record_number", values.code,
              required=True, hint=_l("6 to 10 digits, the same for every stay of a patient"))  # fmt: skip
NAME = _column("patient_name", _l("Patient"), "姓名 患者姓名 病人姓名 name patient patient_name", required=True,
               longest=60)  # fmt: skip
SEX = _column("sex", _l("Sex"), "性别 sex gender", values.sex)
BIRTH = _column("birth", _l("Born on"), "出生日期 出生年月 生日 出生年月日 birth birthday born date_of_birth", values.day)
ID_NO = _column("id_no", _l("Identity number"), "身份证号 身份证 身份证号码 证件号 证件号码 公民身份号码 id_no id_number",
                values.identity_number)  # fmt: skip
PHONE = _column("phone", _l("Telephone"), "电话 联系电话 手机 手机号 电话号码 phone mobile telephone", values.phone)
MOTHER = _column("mother", _l("Mother"), "母亲姓名 母亲 mother mother_name", longest=60)
BARCODE = _column("barcode", _l("Barcode"), "条码 条码号 条形码 病案条码 barcode", values.barcode)
SHEETS = _column("sheets", _l("Sheets"), "张数 页数 纸张数 sheets", values.number)

DEPARTMENTS = ImportKind(
    "departments",
    _l("Departments"),
    _l("Codes and names of the wards and offices. Import them first: staff and discharges name them."),
    (
        _column("code", _l("Code"), "代码 编码 科室代码 科室编码 部门代码 code dept_code", values.code, required=True,
                longest=60),
        _column("name", _l("Name of the department"), f"名称 {DEPT} name", required=True, longest=80),
    ),
    ("code",),
    P.USER_MANAGE,
)
STAFF = ImportKind(
    "staff",
    _l("Staff"),
    _l("People who will sign in. They come without roles, which the security administrator gives, and without a password."),
    (
        _column("staff_no", _l("Staff number"), "工号 职工号 员工号 人员编号 staff_no staff_number", values.code, required=True,
                longest=30),
        _column("name", _l("Name"), "姓名 职工姓名 人员姓名 name full_name", required=True, longest=80),
        _column("account", _l("Account"), "账号 帐号 登录名 用户名 account login username", values.code,
                hint=_l("the staff number where it is left out"), longest=60),
        _column("dept", _l("Department"), DEPT,
                hint=_l("code or name; several with 、 between them; whoever is in others leaves those")),
    ),
    ("staff_no",),
    P.USER_MANAGE,
)  # fmt: skip
PATIENTS = ImportKind(
    "patients",
    _l("Patients"),
    _l("The patient index: one person, one record number for life, with old numbers under which they are found."),
    (
        MRN, NAME, SEX, BIRTH, ID_NO, PHONE, MOTHER,
        _column("old_numbers", _l("Old numbers"), "旧号 旧病案号 原病案号 曾用号 old_numbers old_number",
                hint=_l("several with 、 between them")),
    ),
    ("mrn",),
    P.ADD,
    frozenset({"medical_record"}),
)  # fmt: skip
DISCHARGES = ImportKind(
    "discharges",
    _l("Discharges"),
    _l("Stays of patients. Each becomes a draft record in the year of its discharge, waiting to be collected."),
    (
        MRN, NAME,
        _column("times", _l("Stay no."), "住院次数 次数 第几次住院 第几次 入院次数 住院次 次 times stay stay_no visit_no",
                values.number, required=True),
        replace(SEX, required=True),
        BIRTH,
        _column("admitted_on", _l("Admitted on"), "入院日期 入院时间 入院 admitted admitted_on admission admission_date",
                values.day, required=True),
        _column("discharged_on", _l("Discharged on"), "出院日期 出院时间 出院 discharged discharged_on discharge discharge_date",
                values.day, required=True),
        _column("dept", _l("Department"), DEPT, required=True, hint=_l("code or name of a department that is known here")),
        _column("attending", _l("Attending doctor"), "主治医师 主管医生 主治医生 管床医生 住院医师 经治医师 attending doctor"),
        _column("outcome", _l("Way of leaving"), "离院方式 出院方式 转归 outcome discharge_way"),
        _column("diagnosis", _l("Main diagnosis"), "主要诊断 出院诊断 诊断 出院主要诊断 主诊断 诊断名称 diagnosis"),
        _column("diagnosis_code", _l("Diagnosis code"),
                "诊断编码 主要诊断编码 疾病编码 icd icd编码 icd-10 icd10 诊断代码 diagnosis_code", values.code),
        _column("operations", _l("Operations"), "手术 手术名称 主要手术 手术及操作 operations operation"),
        ID_NO, PHONE, MOTHER, BARCODE, SHEETS,
    ),
    ("mrn", "times"),
    P.ADD,
    frozenset({"medical_record"}),
)  # fmt: skip

OF_THE_INDEX = (
    _column("archival_no", _l("Archival number"), "档号 档案号 案卷号 archival_no archival_number reference",
            values.archival_number, required=True, hint=_l("it is kept as it is, and the counter goes on after it")),
    _column("retention", _l("Retention period"), "保管期限 期限 保存期限 retention retention_period", values.retention),
    BARCODE,
    SHEETS,
    _column("box", _l("Box"), "盒号 档案盒 盒 箱号 装具号 box box_no", values.code),
    _column("location", _l("Place"), "库位 存放位置 存放地点 位置 架位 排架号 location place shelf", values.code,
            hint=_l("the code of a place that is known here")),
)  # fmt: skip
FIELD_SYNONYMS: Mapping[str, str] = {
    "title": "题名 案卷题名 标题 文件题名 title", "date_from": "日期 成文日期 文件日期 形成日期 时间 date",
    "dept": f"归档部门 形成部门 机构 {DEPT}", "responsible": "责任者 责任人 立卷单位 形成单位 responsible creator author",
    "document_no": "文号 文件编号 发文字号 document_no", "secrecy": "密级 secrecy", "open_status": "开放标识 open_status",
    "carrier_form": "载体形态 载体 carrier", "scope_and_content": "提要 内容提要 摘要 scope_and_content abstract",
    "persons": "人名 persons", "keywords": "主题词 关键词 keywords", "note": "备注 附注 说明 note remarks",
    "attachments": "附件 attachments", "project": "项目 项目名称 工程名称 课题 project",
    "fiscal_year": "会计年度 年度 fiscal_year", "maker": "厂家 生产厂家 制造商 maker", "model": "型号 规格型号 model",
    "originals_at": "原件存放位置 originals_at", "copies_at": "复制件存放位置 copies_at", "photographer": "摄影者 photographer",
    "material": "材质 material", "ticket_no": "工单号 ticket_no", "person": "当事人 投诉人 person",
    "service_kind": "服务类别 类型 service_kind", "channel": "渠道 受理渠道 channel", "summary": "摘要 事由 summary",
    "language": "文种 语种 language", "draft_stage": "稿本 draft_stage", "origin": "生成方式 origin",
    "publicity": "公开属性 publicity",
}  # fmt: skip
READERS: Mapping[Kind, Read] = {
    Kind.DATE: values.old_day, Kind.NUMBER: values.number, Kind.CODE: values.code,
}  # fmt: skip
GIVEN = frozenset({"open_status", "originals_at"})
"""Fields that an old index need not have: what it does not say of opening counts as not reviewed."""


def _of_field(one: Field) -> Column:
    """A column for a field of a type: the discharges' own where it is one of theirs."""
    for column in DISCHARGES.columns:
        if column.name == one.name and one.name != "dept":
            return replace(column, required=one.need is Need.MUST)
    synonyms = (*FIELD_SYNONYMS.get(one.name, "").split(), one.name)
    required = one.need is Need.MUST and one.name not in GIVEN
    read = READERS.get(one.kind, values.text)
    return Column(one.name, one.label, synonyms, read, required, one.help, one.longest)


def index_of(type_name: str) -> ImportKind:
    """The old index of a category: its numbers, and every field of its type."""
    fields = [_of_field(one) for one in TYPES[type_name].typed]
    return replace(INDEX, columns=(*OF_THE_INDEX, *fields))


INDEX = ImportKind(
    "index",
    _l("Old index"),
    _l("The old catalogue of any category, in Excel or CSV. Each line is archived at once under the number that it has."),
    OF_THE_INDEX,
    ("archival_no",),
    P.ADD,
    frozenset(kind.name for kind in TYPES.values() if kind.numbered),
)
KINDS = {kind.name: kind for kind in (DEPARTMENTS, STAFF, PATIENTS, DISCHARGES, INDEX)}


def kind_of(name: str, type_name: str | None) -> ImportKind:
    """The kind of this name, with the columns of the category's type. Raises KeyError for an unknown one."""
    return index_of(type_name) if name == INDEX.name and type_name else KINDS[name]


SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
FORMATS = ("xlsx", "csv")


def sample(name: str) -> Path | None:
    """The sample file of this name, discharges.xlsx say, with invented people; nothing where there is none."""
    kind, _dot, ending = name.partition(".")
    return SAMPLES / name if kind in KINDS and ending in FORMATS else None
