"""Answering more or less often: the risk-coverage curve with what the agent did, and a slider over it."""

from collections.abc import Sequence

from markupsafe import Markup

from agent.wire import JsonObject
from evals.report.content import Content
from evals.report.figures import percent
from evals.report.markup import fill, join, row, section, table
from evals.scoring.curve import Curve, CurvePoint

# The drawing's inside, in its own units; the script places its marker by the same numbers.
W, H, LEFT, TOP, RIGHT, BOTTOM = 640, 320, 56, 12, 24, 44
_TABLE_STEP = 0.1
# The share of wrong ones among fewer answered tickets than this is all chance.
_FEWEST = 10


def threshold(content: Content) -> Markup:
    """The section; nothing when there is no curve."""
    curve = content.summary.curve
    if not curve.points or curve.coverage is None:
        return Markup("")
    lead = (
        "The agent rates how well the articles answer the first message (its evidence, 0 to 1). If it answered "
        "whenever that is above a "
        "threshold, a lower threshold would answer more tickets, and more of them wrongly. Move the slider to see what "
        "that trades."
    )
    answered = round(curve.coverage * curve.n)
    wrong = round((curve.risk or 0.0) * answered)
    did = (
        f"As it decided: {answered:,} of {curve.n:,} answered at once ({percent(curve.coverage)})"
        + (f", {wrong:,} of these wrongly ({percent(curve.risk)})" if curve.risk is not None else "")
        + ". Its decision weighs more than evidence: risk, mood, bugs, the wish for a person."
    )
    off = curve.calibration_error
    error = "" if off is None else f"Evidence is off by {percent(off)} on average from the share that is right."
    slider = fill(
        '<div id="slider" class="slider" hidden><label for="evidence">Answer when the evidence is at least '
        '<b id="threshold-at"></b></label>'
        '<input type="range" id="evidence" min="0" max="{most}" step="1" value="{start}">'
        '<p id="threshold-says" aria-live="polite"></p></div>',
        most=len(_told(curve)) - 1, start=_nearest(_told(curve), curve.coverage),
    )  # fmt: skip
    notes = fill(
        '<p>{did}</p><p class="faint">In the drawing, {drawn}the ring is the slider. Over {n} '
        'tickets; {unscored} more are unscored. Where the agent did not answer, the best article '
        "found stands for its answer: an estimate. "
        "Thresholds that answer fewer than {fewest} tickets tell nothing and are left out. {error}</p>",
        did=did, drawn="the red dot is what it decided, " if curve.risk is not None else "", n=f"{curve.n:,}",
        unscored=f"{curve.unscored:,}", fewest=_FEWEST, error=error,
    )  # fmt: skip
    drawing = _drawing(curve)
    body = fill('<div class="curve">{svg}<div>{slider}{notes}</div></div>', svg=drawing, slider=slider, notes=notes)
    return section("threshold", "Answering more, or less", lead, body, _table(curve))


def curve_data(curve: Curve) -> JsonObject:
    """What the slider needs."""
    return {
        "n": curve.n,
        "coverage": curve.coverage,
        "risk": curve.risk,
        "points": [[point.threshold, round(point.coverage, 6), round(point.risk, 6)] for point in _told(curve)],
        "box": [LEFT, TOP, W - LEFT - RIGHT, H - TOP - BOTTOM],
        "most": _most(_told(curve)),
    }


def _told(curve: Curve) -> tuple[CurvePoint, ...]:
    """The points that tell something; all of a run that is smaller than that."""
    told = tuple(point for point in curve.points if round(point.coverage * curve.n) >= _FEWEST)
    return told or curve.points


def _nearest(points: Sequence[CurvePoint], coverage: float) -> int:
    return min(range(len(points)), key=lambda place: abs(points[place].coverage - coverage))


def _most(points: Sequence[CurvePoint]) -> float:
    """The top of the risk's scale: the next tenth."""
    return min(1.0, (int(max((point.risk for point in points), default=0.0) * 10) + 1) / 10)


def _drawing(curve: Curve) -> Markup:
    points = _told(curve)
    most = _most(points)

    def x(coverage: float) -> str:
        return f"{LEFT + (W - LEFT - RIGHT) * coverage:.1f}"

    def y(risk: float) -> str:
        return f"{TOP + (H - TOP - BOTTOM) * (1 - risk / most):.1f}"

    across = [
        fill('<text x="{x}" y="{y}" text-anchor="middle">{text}</text>', x=x(step / 5), y=H - 24, text=f"{20 * step} %")
        for step in range(6)
    ]
    up = [
        fill(
            '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
            '<text x="{at}" y="{y}" dy="4" text-anchor="end">{text}</text>',
            left=LEFT,
            right=W - RIGHT,
            y=y(most * step / 4),
            at=LEFT - 6,
            text=f"{100 * most * step / 4:.0f} %",
        )
        for step in range(5)
    ]
    line = " ".join(f"{x(point.coverage)},{y(point.risk)}" for point in points)
    dot = Markup("")
    if curve.risk is not None and curve.coverage is not None:
        dot = fill(
            '<circle class="did" cx="{x}" cy="{y}" r="6"><title>what the agent did</title></circle>',
            x=x(curve.coverage), y=y(min(most, curve.risk)),
        )  # fmt: skip
    return fill(
        '<svg class="plot" viewBox="0 0 {w} {h}" role="img" aria-label="{says}">{up}{across}'
        '<text x="{middle}" y="{low}" text-anchor="middle">answered at once, of all tickets</text>'
        '<text transform="translate(14 {half}) rotate(-90)" text-anchor="middle">of these, wrong</text>'
        '<polyline class="line" points="{line}"/>{dot}<circle id="threshold-mark" class="mark" r="7" hidden/></svg>',
        w=W, h=H, says="Share answered at once against the share of these that is wrong; the table has the numbers",
        up=join(up), across=join(across), middle=(LEFT + W - RIGHT) // 2, low=H - 6, half=(TOP + H - BOTTOM) // 2,
        line=line, dot=dot,
    )  # fmt: skip


def _table(curve: Curve) -> Markup:
    rows, following = [], 0.0
    for point in _told(curve):
        if point.threshold + 1e-9 >= following:
            answered = round(point.coverage * curve.n)
            cells = (f"{answered:,}", percent(point.coverage), f"{round(point.risk * answered):,}", percent(point.risk))
            rows.append(row(f"{point.threshold:.2f}", *cells))
            following = point.threshold + _TABLE_STEP
    heads = ("evidence at least", "answered", "of all", "wrongly", "of those answered")
    body = table("What each threshold would come to", heads, rows)
    return fill("<details><summary>The same as a table</summary>{body}</details>", body=body)
