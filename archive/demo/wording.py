"""What stands on the papers of an invented hospital: one text for each component of an inpatient record (domain §5).

A text is lines. One with tabs is a row of a table, which an empty line ends; one with `【…】` opens a section; one with
`…签名：…` is signed by hand; one that begins with four wide spaces is set at the right.
"""

from collections.abc import Callable
from random import Random

from archive.demo import bedside, laboratory, records
from archive.demo.cases import Case, case
from archive.demo.frontpage import front_page
from archive.demo.people import Encounter, Patient
from archive.demo.scene import Scene

__all__ = ["TITLES", "Case", "case", "component_text", "components", "title"]

# In the order of binding after discharge; the hospital's own four stand before the rest.
TITLES: dict[str, str] = {
    "SY": "住院病案首页",
    "RY": "入院记录",
    "RC24": "24小时内入出院记录",
    "BC": "病程记录",
    "SQTL": "术前讨论记录",
    "SSTY": "手术同意书",
    "MZTY": "麻醉同意书",
    "MZSQ": "麻醉术前访视记录",
    "AQHC": "手术安全核查记录",
    "QDJL": "手术清点记录",
    "MZJL": "麻醉记录",
    "SSJL": "手术记录",
    "MZSH": "麻醉术后访视记录",
    "SHBC": "术后病程记录",
    "CY": "出院记录",
    "SW": "死亡记录",
    "SWTL": "死亡病例讨论记录",
    "SXTY": "输血治疗知情同意书",
    "TSTY": "特殊检查（治疗）同意书",
    "HZ": "会诊记录",
    "BWTZ": "病危（重）通知书",
    "BL": "病理检查报告单",
    "FZ": "检验报告单",
    "YX": "医学影像检查报告单",
    "TW": "体温单",
    "YZ": "医嘱单",
    "HL": "病重（病危）患者护理记录",
    "CK": "分娩记录",
    "XSE": "新生儿记录",
    "TJ": "胎心监护图",
    "CSZ": "出生医学证明存根",
    "QT": "其他资料",
}

_TABLES: dict[str, Callable[[Scene, Random], str]] = {
    "FZ": laboratory.report,
    "TW": bedside.temperatures,
    "YZ": bedside.orders,
    "HL": bedside.nursing,
    "MZJL": bedside.anaesthesia,
    "QDJL": bedside.counts,
}


def title(code: str, of: Case) -> str:
    """The heading of the form, which for a delivery depends on its mode."""
    if code == "CK" and of.birth and of.birth.caesarean:
        return "剖宫产记录"
    return TITLES[code]


def components(of: Case) -> tuple[str, ...]:
    """Which components the record of this case has, in the order of binding."""
    op = of.operation
    has = {
        "RC24": of.days == 0,
        "RY": of.days > 0,
        "BC": of.days > 0,
        "CY": of.days > 0 and not of.death,
        **dict.fromkeys(("SQTL", "SSTY", "AQHC", "QDJL", "SSJL", "SHBC"), op is not None),
        **dict.fromkeys(
            ("MZTY", "MZSQ", "MZJL", "MZSH"), op is not None and not op.anaesthesia.startswith("局")
        ),
        **dict.fromkeys(("SW", "SWTL"), bool(of.death)),
        **dict.fromkeys(("HL", "BWTZ"), bool(of.critical)),
        **dict.fromkeys(("CK", "XSE", "CSZ"), of.birth is not None),
        "TJ": "fhr" in of.draws or of.birth is not None,
        "SXTY": bool(of.transfusion),
        "TSTY": of.special is not None,
        "HZ": of.consult is not None,
        "BL": op is not None and bool(op.specimen),
        "YX": of.imaging is not None,
    }
    return tuple(code for code in TITLES if has.get(code, True))


def component_text(code: str, patient: Patient, encounter: Encounter, of: Case, rng: Random) -> str:
    """The words of one component. Papers of one stay agree in facts whatever `rng` is; it only varies the phrasing.

    Raises LookupError for a component that this case does not have, such as an operation note without an operation.
    """
    scene = Scene(patient, encounter, of)
    if code == "SY":
        return front_page(scene)
    if code in _TABLES:
        return _TABLES[code](scene, rng)
    return records.prose(code, scene, rng).rstrip()
