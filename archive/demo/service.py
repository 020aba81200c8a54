"""服务档案: invented complaints, follow-ups and surveys, with the papers that each leaves behind (domain §16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from archive.demo.cases import Case
from archive.demo.filling import drawn, fill
from archive.demo.hospital import DEPARTMENTS, HOSPITAL
from archive.demo.names import full_name
from archive.demo.people import Encounter, Patient, phone
from archive.demo.scene import day, minute, phrase_book

TICKET_PAPERS: dict[str, str] = {
    "register": "登记表",
    "investigation": "调查核实记录",
    "decision": "处理意见及审批表",
    "feedback": "反馈告知书",
    "revisit": "回访记录",
}
_STORY_TEXTS = ("summary", "demand", "investigation", "decision", "improvement")
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Ticket:
    """工单: a complaint, suggestion, praise, question, call for help or report, from its arrival to its end."""

    number: str
    kind: str
    channel: str
    category: str
    severity: int
    dept: str
    received_at: datetime
    complainant: str
    relation: str
    phone: str
    anonymous: bool
    receiver: str
    staff: str
    summary: str
    demand: str
    investigation: str
    finding: str
    decision: str
    improvement: str
    feedback_at: datetime
    revisit_at: datetime
    satisfaction: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """随访: one planned contact and what came of it."""

    at: datetime
    method: str
    result: str
    text: str


@dataclass(frozen=True, slots=True)
class Survey:
    """满意度调查: a score of one to five for each question, and a remark that may be empty."""

    at: datetime
    scores: Mapping[str, int]
    remark: str

    @property
    def text(self) -> str:
        rows = "\n".join(
            f"{n}\t{item}\t{score}" for n, (item, score) in enumerate(self.scores.items(), start=1)
        )
        mean = sum(self.scores.values()) / len(self.scores)
        head = f"调查日期\t{day(self.at)}\t方式\t扫码\n序号\t项目\t评分（1～5）"
        return f"{head}\n{rows}\n平均\t{mean:.2f}\n【意见建议】{self.remark or '无'}"


def _story(name: str) -> Any:
    return phrase_book("service")[name]


def ticket(rng: Random, *, number: str, received_at: datetime, kind: str | None = None) -> Ticket:
    """A ticket of the kind, or of any; `number` is the caller's, as `GD20261121-0001`."""
    story = rng.choice([one for one in _story("ticket") if kind in (None, one["kind"])])
    name, staff = full_name(rng, female=rng.random() < 0.5), full_name(rng, female=rng.random() < 0.7)
    anonymous = story["summary"].startswith("匿名")
    facts = {
        "name": name,
        "staff": staff,
        "dept": DEPARTMENTS[story["dept"]].zh,
        "week": f"周{_WEEKDAYS[received_at.weekday()]}",
        **drawn(rng, _story("draw")),
    }
    texts = {part: fill(story[part], facts) for part in _STORY_TEXTS}
    feedback = received_at + timedelta(
        days=rng.randint(1, 4) + 3 * (story["severity"] > 2), hours=rng.randint(1, 5)
    )
    return Ticket(
        number=number,
        kind=story["kind"],
        channel="来信" if anonymous else rng.choice(_story("channels")["all"]),
        category=story["category"],
        severity=story["severity"],
        dept=story["dept"],
        received_at=received_at,
        complainant="匿名" if anonymous else name,
        relation=rng.choice(("本人", "配偶", "父母", "子女")),
        phone="" if anonymous else phone(rng),
        anonymous=anonymous,
        receiver=full_name(rng, female=True),
        staff=staff,
        finding=story["finding"],
        feedback_at=feedback,
        revisit_at=feedback + timedelta(days=rng.randint(1, 3)),
        satisfaction=5 if story["kind"] == "表扬" else rng.choice((3, 4, 4, 5, 5, 2)),
        **texts,
    )


def ticket_title(paper: str, of: Ticket) -> str:
    """The heading of one paper of a ticket; the register says what was brought forward."""
    return f"{of.kind}{TICKET_PAPERS[paper]}" if paper == "register" else TICKET_PAPERS[paper]


def ticket_text(paper: str, of: Ticket) -> str:
    """The words of one paper of a ticket, by its key in `TICKET_PAPERS`."""
    return {
        "register": _register,
        "investigation": _investigation,
        "decision": _decision,
        "feedback": _feedback,
        "revisit": _revisit,
    }[paper](of)


def _register(of: Ticket) -> str:
    levels = {1: "一般", 2: "较重", 3: "重大", 4: "涉诉"}
    return (
        f"工单号\t{of.number}\t类型\t{of.kind}\t渠道\t{of.channel}\n"
        f"受理时间\t{minute(of.received_at)}\t受理人\t{of.receiver}\n"
        f"反映人\t{of.complainant}\t与患者关系\t{of.relation}\t联系电话\t{of.phone or '—'}\n"
        f"涉及科室\t{DEPARTMENTS[of.dept].zh}\t类别\t{of.category}\t等级\t{levels[of.severity]}\n"
        f"【反映内容】{of.summary}\n【诉求】{of.demand}\n"
        "【首诉处理】受理人已耐心听取并记录，向反映人说明办理程序与答复时限，告知可查询进度的电话，"
        "涉及医疗安全的已同时报告医务科。\n"
        f"受理人签名：{of.receiver}　{minute(of.received_at)}"
    )


def _investigation(of: Ticket) -> str:
    at = of.received_at + (of.feedback_at - of.received_at) * 0.5
    return (
        f"工单号\t{of.number}\t调查时间\t{minute(at)}\n被调查科室\t{DEPARTMENTS[of.dept].zh}\t当事人\t{of.staff}\n"
        f"【反映问题】{of.summary}\n【调查经过】{of.investigation}\n"
        "【证据材料】系统日志、值班记录、监控录像截图及当事人书面说明各一份，附后，由客户服务部编号保存。\n"
        f"【调查结论】反映问题{of.finding}。\n调查人签名：{of.receiver}　{minute(at)}\n当事人签名：{of.staff}"
    )


def _decision(of: Ticket) -> str:
    at = of.received_at + (of.feedback_at - of.received_at) * 0.8
    return (
        f"工单号\t{of.number}\t责任科室\t{DEPARTMENTS[of.dept].zh}\t调查结论\t{of.finding}\n"
        f"【问题摘要】{of.summary}\n【处理意见】{of.decision}\n【整改措施】{of.improvement}\n"
        "【审核意见】同意上述处理意见，按期落实整改，整改情况由责任科室书面报客户服务部，纳入当月质量考核。\n"
        f"承办人签名：{of.receiver}　{minute(at)}"
    )


def _feedback(of: Ticket) -> str:
    return (
        f"{of.complainant}：\n您于{of.received_at:%Y年%m月%d日}通过{of.channel}反映的问题（工单号{of.number}）收悉。"
        "我院高度重视，立即组织核实，现将有关情况答复如下。\n"
        f"一、核实情况。{of.investigation}\n二、处理情况。{of.decision}\n三、改进措施。{of.improvement}\n"
        "感谢您对我院工作的监督。如对本答复有异议，可在收到之日起十日内与客户服务部联系，也可依法通过人民调解、"
        "行政调解或诉讼途径解决。\n"
        f"　　　　{HOSPITAL}{DEPARTMENTS['KHFW'].zh}\n　　　　{day(of.feedback_at)}"
    )


def _revisit(of: Ticket) -> str:
    grade = {1: "很不满意", 2: "不满意", 3: "一般", 4: "满意", 5: "非常满意"}[of.satisfaction]
    content = of.satisfaction > 2
    said = "对处理结果表示理解，没有其他要求。" if content else "认为答复仍不够具体，要求科室负责人再次沟通。"
    return (
        f"工单号\t{of.number}\t回访时间\t{minute(of.revisit_at)}\t方式\t{'信箱公示' if of.anonymous else '电话'}\n"
        f"回访对象\t{of.complainant}\t满意程度\t{grade}\n"
        f"【原反映问题】{of.summary}\n【落实情况】{of.improvement}\n【回访意见】{said}\n"
        f"【处理】{'按期办结归档。' if content else '退回责任科室重新办理，五个工作日内再次反馈。'}\n"
        f"回访人签名：{of.receiver}　{minute(of.revisit_at)}"
    )


def follow_up(rng: Random, who: Patient, stay: Encounter, of: Case, *, days_after: int = 7) -> FollowUp:
    """A call some days after discharge; one in four does not reach the patient."""
    book = _story("followup")
    at = (stay.discharged_at + timedelta(days=days_after)).replace(
        hour=rng.randint(9, 16), minute=rng.randrange(60)
    )
    result = rng.choice(book["results"])
    method = rng.choice(book["methods"])
    head = (
        f"姓名\t{who.name}\t病案号\t{who.mrn}\t出院日期\t{day(stay.discharged_at)}\n"
        f"出院诊断\t{of.diagnosis}\t科室\t{stay.dept.zh}\n随访时间\t{minute(at)}\t方式\t{method}\n"
    )
    if result == "完成":
        rows = [
            f"{question}\t{(book['good'] if rng.random() < 0.75 else book['fair'])[n]}"
            for n, question in enumerate(book["questions"])
        ]
        body = (
            "项目\t情况\n"
            + "\n".join(rows)
            + f"\n【指导】{rng.choice(book['advice'])}出院医嘱重申：{of.advice}"
        )
    else:
        body = f"【结果】{result}。{book['missed'][result]}"
    text = f"{head}{body}\n随访人签名：{stay.team.nurse.name}　{minute(at)}"
    return FollowUp(at=at, method=method, result=result, text=text)


def survey(rng: Random, at: datetime) -> Survey:
    """A patient's answers; most are content."""
    book = _story("satisfaction")
    scores = {item: rng.choices((5, 4, 3, 2, 1), (52, 32, 11, 4, 1))[0] for item in book["items"]}
    return Survey(at=at, scores=scores, remark=rng.choice((*book["remarks"], "", "", "")))
