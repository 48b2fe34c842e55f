"""Pictures of comparisons and sweeps, as PNG: drawn without a screen."""

from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulations.comparison import Compared, Comparison, Verdict
from simulations.metrics import BY_NAME
from simulations.sweep import DEFAULT, Point, Sweep

_DPI: Final = 110
# Told apart also by who does not see red and green alike (Okabe and Ito).
_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#8a8a8a"
_COLOURS: Final = {
    Verdict.A_BETTER: _ORANGE,
    Verdict.B_BETTER: _BLUE,
    Verdict.NOT_SHOWN: _GREY,
    Verdict.NO_DATA: _GREY,
}


def draw_comparison(found: Comparison, path: Path) -> None:
    """Each metric on a scale of its own: B - A of every day, their mean and its interval."""
    shown = [one for one in found.metrics if one.by_day]
    figure = Figure(figsize=(9, 1.6 + 0.75 * len(shown)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"B - A over {found.days} days (A = {found.a}, B = {found.b})\n"
        f"dots: days; diamond and bar: mean and interval; "
        "blue: B is better, orange: A is better, grey: not shown",
        fontsize=10,
    )
    for one, axes in zip(shown, figure.subplots(len(shown), 1, squeeze=False)[:, 0], strict=True):
        _draw_metric(one, axes, is_leading=one.name == found.leading)
    figure.savefig(path, dpi=_DPI)


def _draw_metric(one: Compared, axes: Axes, *, is_leading: bool) -> None:
    assert one.difference is not None
    colour = _COLOURS[one.verdict]
    axes.axvline(0, color="black", linewidth=0.8)
    axes.plot(one.by_day, [0.45] * len(one.by_day), "o", color=colour, alpha=0.45, markersize=5)
    if one.low is not None and one.high is not None:
        axes.plot([one.low, one.high], [0, 0], "-", color=colour, linewidth=2.5)
    axes.plot([one.difference], [0], "D", color=colour, markersize=8)
    reach = max(abs(value) for value in (one.low or 0, one.high or 0, *one.by_day)) or 1
    axes.set_xlim(-1.1 * reach, 1.1 * reach)
    axes.set_ylim(-1, 1)
    axes.set_yticks([0], [f"{one.label}\n({one.unit})"], weight="bold" if is_leading else "normal")
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0, labelsize=9)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def draw_sweep(found: Sweep, path: Path) -> None:
    """Every set by its two costs, the front drawn and named, the default marked."""
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    complete = [one for one in found.points if one.days == found.days]
    dropped = [one for one in found.points if one.days < found.days]
    _dots(axes, found, dropped, marker="x", color="#c8c8c8", label="dropped early (fewer days)")
    others = [one for one in complete if not one.is_on_front and one.name != DEFAULT]
    _dots(axes, found, others, marker="o", color=_GREY, alpha=0.6, label="beaten by another set")
    _draw_front(axes, found)
    default = [one for one in found.points if one.name == DEFAULT]
    _dots(axes, found, default, marker="*", color=_ORANGE, markersize=18, label="default")
    for set_label, name in ((axes.set_xlabel, found.x), (axes.set_ylabel, found.y)):
        metric = BY_NAME[name]
        better = "less" if metric.lower_is_better else "more"
        set_label(f"{metric.label} ({metric.unit}); {better} is better")
    axes.set_title(f"{len(found.points)} sets, {found.days} days of {found.days_of}", fontsize=10)
    axes.grid(alpha=0.25)
    axes.margins(0.08)
    if axes.get_lines():
        axes.legend(fontsize=9)
    figure.savefig(path, dpi=_DPI)


def _place(point: Point, found: Sweep) -> tuple[float, float] | None:
    """Where a set lies: the default and what the days they both lived are apart.

    Days are unlike, so the mean of fewer days must not stand beside the mean of all.
    """
    default = next((one.means for one in found.points if one.name == DEFAULT), point.means)
    place = []
    for name in (found.x, found.y):
        against, value = point.against_default.get(name), default[name]
        if against is not None and value is not None:
            value += against.mean
        elif point.name != DEFAULT:
            value = point.means[name]
        if value is None:
            return None
        place.append(value)
    return place[0], place[1]


def _dots(axes: Axes, found: Sweep, points: list[Point], **look: Any) -> None:  # noqa: ANN401
    places = [place for one in points if (place := _place(one, found))]
    if places:
        axes.plot(*zip(*places, strict=True), linestyle="none", zorder=3, **look)


def _draw_front(axes: Axes, found: Sweep) -> None:
    """The front as steps, since between two sets there is none, each with its interval."""
    named = [(one, place) for one in found.front if (place := _place(one, found))]
    if not named:
        return
    xs, ys = zip(*(place for _, place in named), strict=True)
    axes.plot(xs, ys, "-", drawstyle="steps-post", color=_BLUE, linewidth=1.2, zorder=2)
    axes.plot(
        xs, ys, "o", color=_BLUE, markersize=7, zorder=4, label="front; bars: 95 % against default"
    )
    for number, (point, (x, y)) in enumerate(named):
        _draw_interval(axes, point, found, (x, y))
        # Neighbours on a front lie apart along it, so their names go to both sides of it.
        offset = (7, 7) if number % 2 == 0 else (-7, -14)
        axes.annotate(
            point.name,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            ha="left" if number % 2 == 0 else "right",
            fontsize=9,
            color=_BLUE,
            weight="bold",
            zorder=5,
        )


def _draw_interval(axes: Axes, point: Point, found: Sweep, place: tuple[float, float]) -> None:
    for axis, name in enumerate((found.x, found.y)):
        one = point.against_default.get(name)
        if one is None or one.low is None or one.high is None:
            continue
        ends = [place[axis] + end - one.mean for end in (one.low, one.high)]
        bar = (ends, [place[1]] * 2) if axis == 0 else ([place[0]] * 2, ends)
        axes.plot(*bar, "-", color=_BLUE, alpha=0.25, linewidth=2, zorder=1)
