"""All categories of a hospital's archive and their codes (DA/T 13-2022; the sub-codes are the hospital's, domain §3.2)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """门类: its code, its name, and the type of what lies in it."""

    code: str
    zh: str
    type: str


CATEGORIES = (
    Category("ZY·BL", "住院病历", "medical_record"),
    Category("ZY·TS", "服务档案：投诉与随访", "service_file"),
    Category("ZY·JF", "纠纷档案", "dispute_file"),
    Category("WS", "文书档案", "document"),
    Category("KJ·SB", "设备档案", "equipment"),
    Category("KJ·JJ", "基建档案", "construction"),
    Category("KJ·KY", "科研档案", "research"),
    Category("KJ·YL", "医疗技术档案", "medical_technique"),
    Category("KJ·YJ", "药剂档案", "pharmacy"),
    Category("KU", "会计档案", "accounting"),
    Category("RS", "人事档案", "personnel"),
    Category("ZP", "照片档案", "photo"),
    Category("LY", "录音档案", "recording"),
    Category("LX", "录像档案", "video"),
    Category("SW", "实物档案", "object"),
)
