"""The charts of a ward, drawn from the rows of their tables: temperatures, labour, anaesthesia, the child's heart."""

from collections.abc import Callable, Iterable
from math import exp, sin

from archive.demo.layout import Table
from archive.demo.paper import BLACK, BLUE, GREY, RED, Box, Colour, Page

_RULE: Colour = (150, 160, 176)
_PINK: Colour = (244, 196, 196)
_ROSE: Colour = (232, 150, 152)

Points = Iterable[tuple[float, float]]


def _curve(page: Page, points: Points, colour: Colour, *, hollow: bool = False) -> None:
    """Points joined by a line: filled discs, or rings."""
    at, radius = list(points), page.px(0.75)
    if len(at) > 1:
        page.draw.line(at, fill=colour, width=max(1, page.px(0.25)))
    for x, y in at:
        disc = (x - radius, y - radius, x + radius, y + radius)
        page.draw.ellipse(
            disc, outline=colour, fill="white" if hollow else colour, width=max(1, page.px(0.2))
        )


def temperature_chart(page: Page, box: Box, table: Table) -> int:
    """体温单: seven days of six columns; temperature ● blue, pulse ○ red, on scales of 35-42 ℃ and 40-180."""
    days = sorted({row[0] for row in table[1:]})
    grid = Box(box.left + page.px(24), box.top + page.px(14), box.width - page.px(24), page.px(116))
    cell, foot = grid.width / 42, page.px(6)

    def x_of(day: str, hour: str) -> float:
        return grid.left + (days.index(day) * 6 + int(hour) // 4 + 0.5) * cell

    def y_of(warm: float) -> float:
        return grid.bottom - (warm - 35) / 7 * grid.height

    _temperature_grid(page, grid)
    _temperature_labels(page, grid, box.left, days)
    _curve(
        page, ((x_of(d, h), y_of(35 + (float(p) - 40) / 20)) for d, h, _, p, _ in table[1:]), RED, hollow=True
    )
    _curve(page, ((x_of(d, h), y_of(float(t))) for d, h, t, _, _ in table[1:]), BLUE)
    page.text((box.left + page.px(1.5), grid.bottom + page.px(1)), "呼吸（次/分）", 7.5)
    for n, (d, h, _, _, breath) in enumerate(table[1:]):
        page.text((x_of(d, h) - cell / 2, grid.bottom + page.px(0.6 + 2.4 * (n % 2))), breath, 6)
    whole = grid.bottom + foot - box.top
    page.frame(box._replace(height=whole))
    return whole


def _temperature_grid(page: Page, grid: Box) -> None:
    for n in range(36):
        y = grid.bottom - n * grid.height / 35
        strong = n % 5 == 0
        thick = page.px(0.25) if strong else page.hairline
        page.line((grid.left, y, grid.right, y), GREY if strong else _RULE, thick)
    for n in range(43):
        x = grid.left + n * grid.width / 42
        top = grid.top - page.px(14 if n % 6 == 0 else 7)
        page.line((x, top, x, grid.bottom), _RULE if n % 6 else RED)


def _temperature_labels(page: Page, grid: Box, left: int, days: list[str]) -> None:
    cell, dates, hours = grid.width / 42, grid.top - page.px(12.5), grid.top - page.px(5.2)
    for rule in (grid.top - page.px(7), grid.top):
        page.line((left, rule, grid.right, rule))
    page.text((left + page.px(1), dates), "日期", 8)
    page.text((left + page.px(1), hours), "脉搏　体温℃", 7)
    for n, day in enumerate(days):
        page.text((grid.left + (n * 6 + 1.4) * cell, dates), day, 8)
    for n in range(42):
        colour = RED if n % 6 in {0, 5} else BLACK
        page.text((grid.left + (n + 0.12) * cell, hours), str(2 + 4 * (n % 6)), 5.5, colour)
    for degree in range(35, 43):
        lift = page.px({35: 3.0, 42: 0.0}.get(degree, 1.6))
        y = grid.bottom - (degree - 35) / 7 * grid.height - lift
        page.text((left + page.px(2), y), str(40 + 20 * (degree - 35)), 7, RED)
        page.text((left + page.px(14), y), f"{degree}°", 7, BLUE)


def _axes(page: Page, grid: Box, columns: int, rows: int) -> None:
    for n in range(columns + 1):
        x = grid.left + n * grid.width / columns
        page.line((x, grid.top, x, grid.bottom), _RULE)
    for n in range(rows + 1):
        y = grid.top + n * grid.height / rows
        page.line((grid.left, y, grid.right, y), _RULE)
    page.frame(grid)


def labour_chart(page: Page, box: Box, table: Table) -> int:
    """产程图: dilatation 0-10 cm rising in red, the head's station sinking in blue, hours along the foot."""
    rows, pad = table[1:], page.px(12)
    grid = Box(box.left + pad, box.top + page.px(6), box.width - 2 * pad, page.px(62))
    last = max(len(rows) - 1, 1)
    at = [grid.left + n * grid.width / last for n in range(len(rows))]
    _axes(page, grid, last * 2, 10)
    for n in range(0, 11, 2):
        y = grid.bottom - n * grid.height / 10 - page.px(1.6)
        page.text((box.left + page.px(5), y), str(n), 7, RED)
        page.text((grid.right + page.px(2), y), f"{5 - n:+d}", 7, BLUE)
    opened = [grid.bottom - grid.height * float(row[1]) / 10 for row in rows]
    station = [grid.top + grid.height * (float(row[2]) + 5) / 10 for row in rows]
    _curve(page, zip(at, opened, strict=True), RED)
    _curve(page, zip(at, station, strict=True), BLUE, hollow=True)
    for x, row in zip(at, rows, strict=True):
        page.text((x - page.px(4), grid.bottom + page.px(0.8)), row[0], 6.5)
    page.text((box.left, grid.top - page.px(4.4)), "宫口(cm)●", 6.5, RED)
    page.text((grid.right - page.px(6), grid.top - page.px(4.4)), "○先露", 6.5, BLUE)
    return grid.height + page.px(13)


def anaesthesia_chart(page: Page, box: Box, table: Table) -> int:
    """麻醉记录: pressures ∨ and ∧, pulse ●, over the minutes, saturation in figures."""
    rows = table[1:]
    grid = Box(box.left + page.px(12), box.top + page.px(7), box.width - page.px(15), page.px(78))
    step, reach = grid.width / len(rows), page.px(1.1)
    at = [grid.left + (n + 0.5) * step for n in range(len(rows))]
    _axes(page, grid, len(rows) * 3, 20)

    def y_of(value: str) -> float:
        return grid.bottom - grid.height * float(value) / 200

    for n in range(0, 201, 20):
        page.text((box.left + page.px(3), y_of(str(n)) - page.px(1.6)), str(n), 6.5)
    for x, (clock, high, low, _, full) in zip(at, rows, strict=True):
        for y, rise in ((y_of(high), -reach), (y_of(low), reach)):
            page.draw.line(
                [(x - reach, y + rise), (x, y), (x + reach, y + rise)], fill=RED, width=max(1, page.px(0.3))
            )
        page.text((x - page.px(3.4), box.top + page.px(2.6)), clock, 6.5)
        page.text((x - page.px(2), grid.bottom + page.px(0.8)), full, 6.5)
    _curve(page, zip(at, (y_of(row[3]) for row in rows), strict=True), BLUE)
    page.text((box.left, grid.bottom + page.px(0.8)), "SpO2%", 6)
    page.text((grid.left, grid.bottom + page.px(4.5)), "∨收缩压　∧舒张压　●心率（次/分）", 7.5)
    return grid.height + page.px(20)


def heart_strip(page: Page, box: Box, base_rate: float) -> None:
    """胎心监护图: one centimetre a minute; the child's heart above, the womb's pressure below."""
    upper = box._replace(height=page.px(70))
    lower = box._replace(top=upper.bottom + page.px(6), height=page.px(34))
    rng, phase = page.rng, page.rng.uniform(0, 6)
    beats = [rng.uniform(0.03, 0.97) for _ in range(5)]
    squeezes = [0.12 + 0.2 * n + rng.uniform(-0.03, 0.03) for n in range(5)]

    def rate(share: float) -> float:
        rises = sum(18 * exp(-(((share - beat) / 0.012) ** 2)) for beat in beats)
        return (
            base_rate + 4 * sin(70 * share + phase) + 2.5 * sin(211 * share) + rises + rng.uniform(-2.2, 2.2)
        )

    def pressure(share: float) -> float:
        rises = sum(46 * exp(-(((share - squeeze) / 0.022) ** 2)) for squeeze in squeezes)
        return 12 + rises + rng.uniform(-1.5, 1.5)

    for strip, curve, scale in ((upper, rate, (60, 210)), (lower, pressure, (0, 100))):
        _strip_grid(page, strip)
        _trace(page, strip, curve, scale)
        page.frame(strip, GREY)
    for value in range(60, 211, 30):
        y = upper.bottom - upper.height * (value - 60) / 150 - page.px(1.5)
        page.text((upper.left + page.px(0.6), y), str(value), 6)


def _strip_grid(page: Page, strip: Box) -> None:
    for n, x in enumerate(range(strip.left, strip.right, page.px(5))):
        page.line((x, strip.top, x, strip.bottom), _PINK if n % 2 else _ROSE)
    for n in range(16):
        y = strip.top + n * strip.height / 15
        page.line((strip.left, y, strip.right, y), _PINK if n % 3 else _ROSE)


def _trace(page: Page, strip: Box, curve: Callable[[float], float], scale: tuple[float, float]) -> None:
    low, high = scale
    steps = strip.width // max(2, page.px(0.35))
    at = [
        (
            strip.left + n * strip.width / steps,
            strip.bottom - strip.height * (curve(n / steps) - low) / (high - low),
        )
        for n in range(steps + 1)
    ]
    page.draw.line(at, fill=BLACK, width=max(1, page.px(0.25)))
