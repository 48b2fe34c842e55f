"""The plots of a report, drawn without a screen; imported only when a report is written."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.metrics import gini, lorenz
from simulations.story import HexMap, Story

_INK, _SOFT, _GRID = "#1f2430", "#8a93a6", "#e3e7ee"
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#2f6fdb", "#e08a2b", "#2e9e6b", "#cf4a4a", "#b8bfcc"
_OUTCOMES: Final = (
    ("accepted", _GREEN),
    ("declined", _RED),
    ("expired", _ORANGE),
    ("withdrawn", _GREY),
)
_DOINGS: Final = (("driving", _BLUE), ("serving", _GREEN), ("waiting", _ORANGE), ("idle", _GRID))
_DPI = 110
_MAPS_IN_ROW = 3


def draw(story: Story) -> dict[str, bytes]:
    """Every plot as a PNG, by name."""
    plots: dict[str, Callable[[Story], Figure]] = {
        "click_to_door": click_to_door,
        "waiting": waiting,
        "couriers": couriers,
        "fairness": fairness,
        "offers": offers,
    }
    return {name: _png(plot(story)) for name, plot in plots.items()}


def click_to_door(story: Story) -> Figure:
    """How long people waited for their gifts."""
    figure, axes = _one(9, 4.2)
    values = np.array(story.click_to_door_min)
    _title(axes, "From click to door", "delivered orders", "minutes")
    if not values.size:
        return _empty(figure, axes)
    top = float(np.percentile(values, 99.5)) + 1
    axes.hist(values, bins=np.arange(0, top + 2, 2).tolist(), color=_BLUE, alpha=0.85)
    axes.set_xlim(0, top)
    axes.yaxis.set_major_locator(_whole())
    for share, colour in ((50, _GREEN), (90, _ORANGE)):
        at = float(np.percentile(values, share))
        axes.axvline(at, color=colour, linewidth=2, label=f"{share} % within {at:.0f} min")
    cumulative = axes.twinx()
    ordered = np.sort(values)
    shares = np.arange(1, ordered.size + 1) / ordered.size * 100
    cumulative.plot(ordered, shares, color=_INK, linewidth=1.3, label="share delivered (right)")
    cumulative.set_ylim(0, 104)
    cumulative.set_ylabel("% of delivered orders", color=_INK)
    _plain(cumulative)
    handles = [*axes.get_legend_handles_labels()[0], *cumulative.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="center right", frameon=False)
    return figure


def waiting(story: Story) -> Figure:
    """Where and when orders waited for a courier, on the hexagons of the shops."""
    maps = story.maps
    rows = -(-len(maps) // _MAPS_IN_ROW)
    figure = Figure(figsize=(11, 3.9 * rows + 0.9), dpi=_DPI, layout="constrained")
    most = max((value for one in maps for value in one.minutes if value is not None), default=1.0)
    scale = Normalize(0, max(1.0, most))
    grid = figure.subplots(rows, _MAPS_IN_ROW, squeeze=False)
    for axes in grid.flat[len(maps) :]:
        axes.set_visible(False)
    drawn = None
    for axes, one in zip(grid.flat, maps, strict=False):
        drawn = _map(axes, one, scale)
    figure.suptitle(
        "Mean wait from click until a courier accepted, by the shop's hexagon",
        fontsize=13,
        color=_INK,
    )
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=grid, shrink=0.8, aspect=30, pad=0.01)
        bar.set_label("minutes (grey: no orders; lines: borders of zones)", color=_INK)
    return figure


def _map(axes: Axes, found: HexMap, scale: Normalize) -> PolyCollection:
    empty = [xy for xy, value in zip(found.hexagons, found.minutes, strict=True) if value is None]
    axes.add_collection(PolyCollection(empty, facecolors="#eef0f4", edgecolors="white"))
    full = [
        (xy, value)
        for xy, value in zip(found.hexagons, found.minutes, strict=True)
        if value is not None
    ]
    drawn = PolyCollection([xy for xy, _ in full], edgecolors="white", cmap="viridis_r", norm=scale)
    drawn.set_array(np.array([value for _, value in full]))
    axes.add_collection(drawn)
    axes.add_collection(LineCollection(found.borders, colors=_INK, linewidths=0.9))
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.set_title(f"{found.title}, {found.orders} orders", fontsize=10.5, color=_INK)
    axes.set_xlabel("km east", fontsize=9)
    axes.set_ylabel("km north", fontsize=9)
    axes.label_outer()
    axes.tick_params(labelsize=8, colors=_SOFT)
    for side in axes.spines.values():
        side.set_color(_GRID)
    return drawn


def couriers(story: Story) -> Figure:
    """What couriers on duty did over time."""
    figure, axes = _one(9, 4.2)
    _title(axes, "What couriers did", "couriers on duty", "hours since the start")
    shares = [np.array(story.doing[name]) for name, _ in _DOINGS]
    axes.stackplot(
        np.array(story.hours),
        *shares,
        colors=[colour for _, colour in _DOINGS],
        labels=[story.label_of(name) for name, _ in _DOINGS],
    )
    axes.set_xlim(0, max(story.hours, default=1))
    axes.set_ylim(0, None)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, frameon=False)
    return figure


def fairness(story: Story) -> Figure:
    """How evenly idle time and earnings are spread."""
    figure = Figure(figsize=(9, 4.6), dpi=_DPI, layout="constrained")
    grid = figure.subplots(1, 2)
    for axes, name, values, colour in (
        (grid[0], "Idle time", story.idle_shares, _ORANGE),
        (grid[1], "Earnings per hour", story.earnings_per_h, _GREEN),
    ):
        _title(axes, name, "% of the whole", "% of couriers, the least first")
        _curve(axes, values, colour)
    return figure


def _curve(axes: Axes, values: Sequence[float], colour: str) -> None:
    axes.plot([0, 100], [0, 100], color=_SOFT, linewidth=1, linestyle="--", label="all alike")
    found = gini(values)
    if found is not None:
        curve = lorenz(values) * 100
        along = np.linspace(0, 100, curve.size)
        axes.plot(along, curve, color=colour, linewidth=2.2, label=f"Gini {found:.2f}")
        axes.fill_between(along, curve, along, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_aspect("equal")
    axes.legend(loc="upper left", frameon=False)


def offers(story: Story) -> Figure:
    """What became of offers over time."""
    figure, axes = _one(9, 4.2)
    total = sum(sum(counts) for counts in story.outcomes.values())
    _title(axes, f"Offers by outcome, {total} in all", "offers", "hours since the start")
    width = story.outcome_hours[1] - story.outcome_hours[0] if len(story.outcome_hours) > 1 else 1
    below = np.zeros(len(story.outcome_hours))
    for name, colour in _OUTCOMES:
        counts = np.array(story.outcomes[name])
        label = f"{name} {counts.sum() / max(1, total):.1%}"
        axes.bar(
            story.outcome_hours,
            counts,
            width * 0.92,
            bottom=below,
            color=colour,
            label=label,
            align="edge",
        )
        below += counts
    axes.yaxis.set_major_locator(_whole())
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, frameon=False)
    return figure


def _one(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    return figure, figure.subplots()


def _title(axes: Axes, title: str, y: str, x: str) -> None:
    axes.set_title(title, loc="left", fontsize=13, color=_INK, pad=10)
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _plain(axes)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK)


def _empty(figure: Figure, axes: Axes) -> Figure:
    axes.text(0.5, 0.5, "nothing was delivered", ha="center", transform=axes.transAxes)
    return figure


def _whole() -> MaxNLocator:
    return MaxNLocator(integer=True)


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    # Without the date and the version in it the same day is the same picture.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
