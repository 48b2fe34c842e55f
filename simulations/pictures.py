"""Pictures of comparisons and sweeps, as PNG: drawn without a screen."""

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulations.comparison import Compared, Comparison, Verdict

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
