"""A lived day as one self-contained HTML page, its plots as PNGs, and its figures as JSON."""

import base64
import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import to_builtins

from engine.metrics import DEFINITIONS, Metrics, OfferCounts, Spread, metrics
from simulations.plots import draw
from simulations.replay import Lived
from simulations.score import courier_records, offer_counts, order_records
from simulations.story import story_of

_CAPTIONS: Final = {
    "click_to_door": "How long people waited for their gifts. The dark line is the share that was "
    "delivered within so many minutes.",
    "waiting": "How long orders waited until a courier had accepted, on the hexagon of their shop, "
    "in six slices of time.",
    "couriers": "What the couriers on duty did, every two minutes.",
    "fairness": "Lorenz curves: the further a curve hangs below the diagonal, the less even.",
    "offers": "What became of the offers, by the time of the answer.",
}
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2430;max-width:1040px;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;border-bottom:1px solid #e3e7ee;
text-align:left;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}small{color:#5b6475}img{max-width:100%}figure{margin:1.5rem 0}
figcaption{color:#5b6475}
"""


def write(folder: Path, lived: Lived, *, seed: int) -> Path:
    """Write `report.html`, `report.json` and the plots into a folder; the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = facts(lived, seed=seed)
    plots = draw(story_of(lived))
    for name, png in plots.items():
        (folder / f"{name}.png").write_bytes(png)
    text = msgspec.json.format(msgspec.json.encode(figures), indent=1)
    (folder / "report.json").write_bytes(text + b"\n")
    page = folder / "report.html"
    page.write_text(_page(lived, figures, plots), "utf-8")
    return page


def facts(lived: Lived, *, seed: int) -> dict[str, Any]:
    """The figures of a lived day, of each of its zones, and what they mean; for machines."""
    score = lived.score
    return {
        "name": lived.day.name,
        "seed": seed,
        "starts_at": lived.day.starts_at,
        "ended_at": lived.ended_at,
        "couriers": len(lived.day.couriers),
        "cancelled": score.cancelled,
        "turned_away": score.turned_away,
        "returned": score.returned,
        "undelivered": score.undelivered,
        "undeliverable": score.undeliverable,
        "duplicates": score.duplicates,
        "lost": score.lost,
        "violations": list(score.violations),
        "odd_answers": list(score.faults),
        "real_s": score.wall_s,
        "solver_s": lived.solver_s,
        "times_real_time": lived.factor,
        "metrics": to_builtins(score.metrics),
        "zones": [
            {"name_en": name, "metrics": to_builtins(found)} for name, found in by_zone(lived)
        ],
        "definitions": to_builtins(DEFINITIONS),
    }


def by_zone(lived: Lived) -> Iterator[tuple[str, Metrics]]:
    """The figures of each zone: the orders of its shops, and the couriers who began in it."""
    day, diary = lived.day, lived.diary
    number_of = day.zone_finder()
    orders, couriers = (
        order_records(diary, day),
        courier_records(diary, day, ended_at=lived.ended_at),
    )
    shops = {key: number_of(diary.orders[key].wanted.shop.point) for key in orders}
    starts = {key: number_of(diary.couriers[key].plan.start) for key in couriers}
    for number, zone in enumerate(day.zones):
        pages = [diary.couriers[key] for key in couriers if starts[key] == number]
        yield (
            zone.name_en,
            metrics(
                [one for key, one in orders.items() if shops[key] == number],
                [one for key, one in couriers.items() if starts[key] == number],
                offer_counts(pages),
            ),
        )


def _page(lived: Lived, figures: dict[str, Any], plots: dict[str, bytes]) -> str:
    title = html.escape(lived.day.name)
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            "<meta name=viewport content='width=device-width'>",
            f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
            f"<p>{_summary(lived, figures)}</p><h2>Figures</h2>",
            _figures(lived.score.metrics),
            "<h2>Plots</h2>",
            *(_plot(name, png) for name, png in plots.items()),
            "<h2>Zones</h2>",
            _zones(list(by_zone(lived))),
            "</html>\n",
        )
    )


def _summary(lived: Lived, figures: dict[str, Any]) -> str:
    score = lived.score
    wrong = len(score.violations) + len(score.faults)
    return (
        f"{score.orders:,} orders, {figures['couriers']:,} couriers, "
        f"{len(lived.day.zones)} zones, seed {figures['seed']}. "
        f"{score.delivered:,} delivered, {score.cancelled} cancelled by customers, "
        f"{score.turned_away} turned away by a cap, "
        f"{score.returned} returned to the shop, {score.undelivered} undelivered; "
        f"{score.lost} lost, {score.duplicates} delivered twice, {wrong} contradictions. "
        f"<small>{lived.factor:.0f} times as fast as real time ({score.wall_s:.0f} s, "
        f"{lived.solver_s:.0f} s of it in the solver).</small>"
    )


def _figures(found: Metrics) -> str:
    rows = (
        f"<tr><td>{name.removesuffix('_min').replace('_', ' ')}</td>"
        f"<td class=n>{_value(getattr(found, name))}</td><td>{html.escape(meaning.unit)}</td>"
        f"<td><small>{html.escape(meaning.formula)}</small></td></tr>"
        for name, meaning in DEFINITIONS.items()
    )
    head = "<tr><th>figure<th class=n>value<th>unit<th>how it is made</tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _value(value: Spread | OfferCounts | float | None) -> str:
    match value:
        case None:
            return "–"
        case Spread():
            return f"mean {value.mean:.2f}<br>p50 {value.p50:.2f}<br>p90 {value.p90:.2f}"
        case OfferCounts():
            return "<br>".join(f"{one:,} {name}" for name, one in to_builtins(value).items())
        case int():
            return f"{value:,}"
        case _:
            return f"{value:.3f}"


def _plot(name: str, png: bytes) -> str:
    data = base64.b64encode(png).decode("ascii")
    caption = html.escape(_CAPTIONS[name])
    return (
        f"<figure><img alt='{caption}' src='data:image/png;base64,{data}'>"
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _zones(found: list[tuple[str, Metrics]]) -> str:
    def cell(spread: Spread | None) -> str:
        return "–" if spread is None else f"{spread.mean:.1f} / {spread.p90:.1f}"

    rows = (
        f"<tr><td>{html.escape(name)}<td class=n>{one.orders:,}<td class=n>{one.delivered:,}"
        f"<td class=n>{one.couriers:,}<td class=n>{cell(one.click_to_door_min)}"
        f"<td class=n>{cell(one.excess_min)}<td class=n>{one.utilisation or 0:.1%}</tr>"
        for name, one in found
    )
    head = (
        "<tr><th>zone<th class=n>orders<th class=n>delivered<th class=n>couriers"
        "<th class=n>click-to-door, min<br>mean / p90<th class=n>excess, min<br>mean / p90"
        "<th class=n>utilisation</tr>"
    )
    return f"<table>{head}{''.join(rows)}</table>"
