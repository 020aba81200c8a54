"""The charts of a ward, drawn from the rows of their tables: temperatures, labour, anaesthesia, the child's heart."""

from collections.abc import Callable
from math import exp, sin

from archive.demo.layout import Table
from archive.demo.paper import BLACK, BLUE, GREY, RED, Colour, Page

_RULE: Colour = (150, 160, 176)
_PINK: Colour = (244, 196, 196)
_ROSE: Colour = (232, 150, 152)


def _points(page: Page, at: list[tuple[float, float]], colour: Colour, *, hollow: bool = False, joined: bool = True) -> None:
    radius = page.px(0.75)
    if joined and len(at) > 1:
        page.draw.line(at, fill=colour, width=max(1, page.px(0.25)))
    for x, y in at:
        fill = (255, 255, 255) if hollow else colour
        page.draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, fill=fill, width=max(1, page.px(0.2)))


def temperature_chart(page: Page, left: int, top: int, width: int, table: Table) -> int:
    """体温单: seven days of six columns; temperature ● blue, pulse ○ red, on scales of 35–42 ℃ and 40–180."""
    days = sorted({row[0] for row in table[1:]})
    labels, head, height = page.px(24), page.px(14), page.px(116)
    cell = (width - labels) / 42
    base = top + head + height

    def x_of(day: str, hour: str) -> float:
        return left + labels + (days.index(day) * 6 + int(hour) // 4 + 0.5) * cell

    def y_of(warm: float) -> float:
        return base - (warm - 35) / 7 * height

    _temperature_grid(page, left, top, width, days, labels, head, height)
    _points(page, [(x_of(d, h), y_of(35 + (float(p) - 40) / 20)) for d, h, _, p, _ in table[1:]], RED, hollow=True)
    _points(page, [(x_of(d, h), y_of(float(t))) for d, h, t, _, _ in table[1:]], BLUE)
    breaths = page.px(6)
    page.text(left + page.px(1.5), base + page.px(1), "呼吸（次/分）", 7.5)
    for n, (d, h, _, _, breath) in enumerate(table[1:]):
        page.text(x_of(d, h) - cell / 2, base + page.px(0.6 + 2.4 * (n % 2)), breath, 6)
    page.draw.rectangle((left, top, left + width, base + breaths), outline=BLACK, width=page.hairline)
    return head + height + breaths


def _temperature_grid(
    page: Page, left: int, top: int, width: int, days: list[str], labels: int, head: int, height: int
) -> None:
    cell, base = (width - labels) / 42, top + head + height
    for n in range(36):
        strong = n % 5 == 0
        y = base - n * height / 35
        page.line(left + labels, y, left + width, y, GREY if strong else _RULE, page.px(0.25) if strong else page.hairline)
    for n in range(43):
        day_line = n % 6 == 0
        x = left + labels + n * cell
        page.line(x, top if day_line else top + head / 2, x, base, RED if day_line else _RULE)
    page.line(left, top + head / 2, left + width, top + head / 2)
    page.line(left, top + head, left + width, top + head)
    page.text(left + page.px(1), top + page.px(1.5), "日期", 8)
    page.text(left + page.px(1), top + head / 2 + page.px(1.5), "脉搏　体温℃", 7)
    for n, day in enumerate(days):
        page.text(left + labels + (n * 6 + 1.4) * cell, top + page.px(1.5), day, 8)
    for n in range(42):
        page.text(left + labels + (n + 0.12) * cell, top + head / 2 + page.px(1.8), str(2 + 4 * (n % 6)), 5.5, RED if n % 6 in (0, 5) else BLACK)
    for degree in range(35, 43):
        y = base - (degree - 35) / 7 * height - page.px(1.6 if degree > 35 else 3)
        page.text(left + page.px(2), y, str(40 + 20 * (degree - 35)), 7, RED)
        page.text(left + page.px(14), y, f"{degree}°", 7, BLUE)


def _axes(page: Page, left: int, top: int, width: int, height: int, columns: int, rows: int) -> None:
    for n in range(columns + 1):
        x = left + n * width / columns
        page.line(x, top, x, top + height, _RULE)
    for n in range(rows + 1):
        y = top + n * height / rows
        page.line(left, y, left + width, y, _RULE)
    page.draw.rectangle((left, top, left + width, top + height), outline=BLACK, width=page.hairline)


def labour_chart(page: Page, left: int, top: int, width: int, table: Table) -> int:
    """产程图: dilatation 0–10 cm rising in red, the head's station sinking in blue, hours along the foot."""
    rows, pad = table[1:], page.px(12)
    height = page.px(62)
    inner, begin = width - 2 * pad, left + pad
    y0 = top + page.px(3)
    _axes(page, begin, y0, inner, height, max(len(rows) - 1, 1) * 2, 10)
    step = inner / max(len(rows) - 1, 1)
    for n in range(0, 11, 2):
        y = y0 + height - n * height / 10 - page.px(1.6)
        page.text(left + page.px(5), y, str(n), 7, RED)
        page.text(begin + inner + page.px(2), y, f"{5 - n:+d}" if n != 5 else "0", 7, BLUE)
    _points(page, [(begin + n * step, y0 + height * (1 - float(row[1]) / 10)) for n, row in enumerate(rows)], RED)
    _points(page, [(begin + n * step, y0 + height * (float(row[2]) + 5) / 10) for n, row in enumerate(rows)], BLUE, hollow=True)
    for n, row in enumerate(rows):
        page.text(begin + n * step - page.px(4), y0 + height + page.px(0.8), row[0], 6.5)
    page.text(left, y0 - page.px(3.4), "宫口(cm)●", 6.5, RED)
    page.text(begin + inner - page.px(6), y0 - page.px(3.4), "○先露", 6.5, BLUE)
    return height + page.px(10)


def anaesthesia_chart(page: Page, left: int, top: int, width: int, table: Table) -> int:
    """麻醉记录: pressures ∨ and ∧, pulse ●, over the minutes, saturation in figures."""
    rows, pad, height = table[1:], page.px(12), page.px(78)
    begin, inner, y0 = left + pad, width - pad - page.px(3), top + page.px(7)
    step = inner / len(rows)
    _axes(page, begin, y0, round(inner), height, len(rows) * 3, 20)

    def y_of(value: str) -> float:
        return y0 + height * (1 - float(value) / 200)

    for n in range(0, 201, 20):
        page.text(left + page.px(3), y_of(str(n)) - page.px(1.6), str(n), 6.5)
    reach = page.px(1.1)
    for n, (clock, high, low, pulse, full) in enumerate(rows):
        x = begin + (n + 0.5) * step
        page.draw.line([(x - reach, y_of(high) - reach), (x, y_of(high)), (x + reach, y_of(high) - reach)], fill=RED, width=max(1, page.px(0.3)))
        page.draw.line([(x - reach, y_of(low) + reach), (x, y_of(low)), (x + reach, y_of(low) + reach)], fill=RED, width=max(1, page.px(0.3)))
        page.text(x - page.px(3.4), top + page.px(2.6), clock, 6.5)
        page.text(x - page.px(2), y0 + height + page.px(0.8), full, 6.5)
    _points(page, [(begin + (n + 0.5) * step, y_of(row[3])) for n, row in enumerate(rows)], BLUE)
    page.text(left, y0 + height + page.px(0.8), "SpO₂%", 6)
    page.text(begin, y0 + height + page.px(4.5), "∨收缩压　∧舒张压　●心率（次/分）　× 麻醉开始　⊙ 手术开始", 7.5)
    return height + page.px(20)


def heart_strip(page: Page, left: int, top: int, width: int, base_rate: float) -> None:
    """胎心监护图: twenty minutes at one centimetre a minute; the child's heart above, the womb's pressure below."""
    upper, lower = page.px(70), page.px(34)
    for top_of, tall in ((top, upper), (top + upper + page.px(6), lower)):
        _strip_grid(page, left, top_of, width, tall)
    phase, pen = page.rng.uniform(0, 6), page.draw
    beats = [page.rng.uniform(0.03, 0.97) for _ in range(5)]
    squeezes = [0.12 + 0.2 * n + page.rng.uniform(-0.03, 0.03) for n in range(5)]

    def rate(share: float) -> float:
        rises = sum(18 * exp(-(((share - beat) / 0.012) ** 2)) for beat in beats)
        return base_rate + 4 * sin(70 * share + phase) + 2.5 * sin(211 * share) + rises + page.rng.uniform(-2.2, 2.2)

    def pressure(share: float) -> float:
        return 12 + sum(46 * exp(-(((share - squeeze) / 0.022) ** 2)) for squeeze in squeezes) + page.rng.uniform(-1.5, 1.5)

    _trace(page, left, top, width, upper, rate, (60, 210))
    _trace(page, left, top + upper + page.px(6), width, lower, pressure, (0, 100))
    for value in range(60, 211, 30):
        pen_y = top + upper * (1 - (value - 60) / 150) - page.px(1.5)
        page.text(left + page.px(0.6), pen_y, str(value), 6, BLACK)
    pen.rectangle((left, top, left + width, top + upper + page.px(6) + lower), outline=GREY, width=page.hairline)


def _strip_grid(page: Page, left: int, top: int, width: int, tall: int) -> None:
    fine, x = page.px(5), left
    while x <= left + width:
        strong = ((x - left) // fine) % 2 == 0
        page.line(x, top, x, top + tall, _ROSE if strong else _PINK)
        x += fine
    for n in range(15 + 1):
        y = top + n * tall / 15
        page.line(left, y, left + width, y, _ROSE if n % 3 == 0 else _PINK)


def _trace(
    page: Page, left: int, top: int, width: int, tall: int, of: Callable[[float], float], scale: tuple[float, float]
) -> None:
    low, high = scale
    steps = width // max(2, page.px(0.35))
    at = [(left + n * width / steps, top + tall * (1 - (of(n / steps) - low) / (high - low))) for n in range(steps + 1)]
    page.draw.line(at, fill=BLACK, width=max(1, page.px(0.25)))
