"""The command line: `hadiyati`."""

import asyncio
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import (
    audit,
    backups,
    benches,
    documents,
    experiments,
    exports,
    fetching,
    keys,
    ledger,
    loyalty,
    months,
    onboarding,
    periods,
    queries,
    reconciling,
    seed,
)
from api.commands.bench_realtime import bench_realtime
from api.commands.chaos import chaos
from api.commands.moving import move_zone
from api.commands.payments import payment_server
from api.commands.recorded_days import bench_mdrp
from api.commands.running import (
    OPERATOR_PHONE,
    reachable_database,
    running,
    running_database,
    settings_of,
)
from api.commands.under_faults import simtest
from api.commands.understandable import Understandable

if TYPE_CHECKING:
    from simulations.score import Score

app = typer.Typer(
    help="Hadiyati: gift delivery with a real-time dispatch engine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
)
app.command()(backups.backup)
app.command()(backups.restore)
app.command()(keys.rotate_keys)
app.command()(keys.rotate_sealing_key)
app.command()(experiments.compare)
app.command()(experiments.tune)
app.command("bench-matching")(benches.bench_matching)
app.command("bench-simulator")(benches.bench_simulator)
app.command("bench-api")(benches.bench_api)
app.command("bench-routing")(benches.bench_routing)
app.command("bench-realtime")(bench_realtime)
app.command("bench-mdrp")(bench_mdrp)
app.command()(simtest)
app.command()(chaos)
app.command("bench-queries")(queries.bench_queries)
app.command("bench-search")(queries.bench_search)
app.command("bench-ledger")(ledger.bench_ledger)
app.command("bench-month")(months.bench_month)
app.command("walk-ledger")(ledger.walk_ledger)
app.command("payment-server")(payment_server)
app.command("move-zone")(move_zone)
app.command()(seed.seed)
app.command("fetch-settlements")(fetching.fetch_settlements)
app.command("onboard-unit")(onboarding.onboard_unit)
app.command()(documents.openapi)
app.command()(documents.clients)
app.command()(documents.pages)
app.command()(documents.asyncapi)
app.command("settings")(documents.list_settings)
app.command("parameters")(documents.list_parameters)

Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port of the API; 0 chooses a free one.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes that serve the API.")]


@app.command()
def up(port: Port = None, workers: Workers = None) -> None:
    """Run the service until Ctrl-C: its servers, the actors and the API.

    SIGHUP starts workers and actors anew, one after the other, while they serve.
    """
    from api.commands.narration import Narrator, summary

    narrator, asked = Narrator(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: asked.set())
    with running(port=port, workers=workers) as system:
        narrator.show(summary(system))
        with suppress(KeyboardInterrupt):
            while asked.wait():
                asked.clear()
                system.restart(narrator.tell)


@app.command()
def demo(
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so long; else at Ctrl-C.")
    ] = None,
    *,
    couriers: Annotated[int, typer.Option(min=1, max=20_000, help="Couriers on duty.")] = 300,
    seed: Annotated[int, typer.Option(help="Chance of the city.")] = 1,
    speed: Annotated[
        float, typer.Option(min=1, max=60, help="Times real time; 1 keeps the data afterwards.")
    ] = 10.0,
    port: Port = None,
    workers: Workers = None,
) -> None:
    """Watch a simulated city being served by the running service."""
    from simulations.demo import run

    with running(port=port, workers=workers, speed=speed, simulated=True) as system:
        run(
            system.url,
            system.sms_log,
            operator_phone=OPERATOR_PHONE,
            minutes=minutes,
            couriers=couriers,
            seed=seed,
        )


@app.command()
def replay(
    instance: Annotated[Path, typer.Argument(help="Folder of a recorded day.")],
    *,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Times real time.")] = 60.0,
    virtual: Annotated[
        bool, typer.Option("--virtual", help="Without servers and sockets, in virtual time.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Chance of a virtual day.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the solution into this file.")] = None,
    events: Annotated[
        Path | None, typer.Option(help="Write the events of a virtual day into this file.")
    ] = None,
    port: Port = 0,
    workers: Workers = None,
) -> None:
    """Live a recorded day again, through the running service or in virtual time."""
    from simulations import mdrp
    from simulations.replay import run_live, run_virtual

    with Understandable():
        mdrp.read(instance)
        if virtual:
            _judge(run_virtual(instance, seed=seed, out=out, events=events))
            return
    with running(port=port, workers=workers, speed=speed, simulated=True) as system:
        found = run_live(
            instance,
            url=system.url,
            sms_log=system.sms_log,
            operator_phone=OPERATOR_PHONE,
            speed=speed,
            out=out,
        )
    _judge(found)


@app.command()
def simulate(
    *,
    city: Annotated[str, typer.Option(help="A generated city: riyadh or jeddah.")] = "riyadh",
    mdrp: Annotated[
        Path | None, typer.Option(help="Instead of a city: the folder of a recorded day.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Instead: a folder with orders.csv and couriers.csv.")
    ] = None,
    last_hours: Annotated[
        float | None,
        typer.Option(min=0.1, max=24, help="Instead: the last hours of the running system."),
    ] = None,
    couriers: Annotated[int, typer.Option(min=1, max=50_000, help="Couriers on duty.")] = 60,
    orders_per_hour: Annotated[
        float | None,
        typer.Option(min=1, max=50_000, help="Orders an hour, in the mean; else 2.2 a courier."),
    ] = None,
    hours: Annotated[float, typer.Option(min=0.1, max=48, help="Hours of orders.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Chance of the city and its people.")] = 1,
    start: Annotated[
        str, typer.Option(help="Local date and time at which it begins, 2026-02-14T16:30.")
    ] = "2026-01-07T16:30",
    tick: Annotated[int, typer.Option(min=1, max=600, help="Seconds between decisions.")] = 30,
    zones: Annotated[
        int | None, typer.Option(min=1, max=36, help="Zones; else one for 400 couriers.")
    ] = None,
    calm: Annotated[
        bool, typer.Option("--calm", help="No surprises: roads, shops, phones and people obey.")
    ] = False,
    events: Annotated[Path | None, typer.Option(help="Write the events into this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write report.html, report.json and plots into this folder.")
    ] = None,
) -> None:
    """Live hours of a city in virtual time, with the very same actors and rules, from a seed."""
    from simulations import sources
    from simulations.people import LIVELY, Behaviour
    from simulations.simulate import run

    if sum(one is not None for one in (mdrp, csv, last_hours)) > 1:
        raise typer.BadParameter("choose one of --mdrp, --csv and --last-hours")
    with Understandable():
        if mdrp is not None:
            source = sources.recorded(mdrp)
        elif csv is not None:
            source = sources.tabled(csv)
        elif last_hours is not None:
            source = asyncio.run(sources.lived(running_database(), hours=last_hours))
        else:
            asked = sources.Asked(city, couriers, orders_per_hour, hours, start, tick, zones)
            source = sources.generated(asked, seed=seed)
        behaviour = Behaviour() if calm else LIVELY
        lived = run(source, seed=seed, behaviour=behaviour, events=events, report=report)
    _judge(lived.score)


@app.command("invite-admin")
def invite_admin(
    email: Annotated[str, typer.Argument(help="Where the new admin is reached.")],
) -> None:
    """Invite an admin, as the first one must be: prints the link, and sends nothing."""
    from api.commands.staff import invite

    typer.echo(asyncio.run(invite(email, settings_of(), running_database())))
    typer.echo("Open it within seven days; it works once.", err=True)


def _judge(score: "Score") -> None:
    if not score.is_clean:
        raise typer.Exit(1)


@app.command()
def migrate(
    *,
    service: Annotated[
        str, typer.Option(help="A role that runs the service: it may read and write rows alone.")
    ] = "",
) -> None:
    """Bring the database to the newest schema."""
    from api.commands.narration import Narrator
    from storage.migrate import grant_service
    from storage.migrate import migrate as bring
    from storage.servers import embedded_servers

    settings, narrator = settings_of(), Narrator()
    with (
        Understandable(),
        embedded_servers(
            settings.data,
            database=settings.database,
            redis=settings.redis,
            on_step=narrator.tell,
        ) as servers,
    ):
        applied = asyncio.run(bring(servers.postgres_dsn, on_step=narrator.tell))
        narrator.tell(f"{len(applied)} migrations were missing" if applied else "Nothing to do")
        if service:
            asyncio.run(grant_service(servers.postgres_dsn, service))
            narrator.tell(f"{service} may run the service")


@app.command("verify-ledger")
def verify_ledger() -> None:
    """Fold every balance of the running system anew; ends with 1 when something is wrong."""
    with Understandable():
        if ledger.verify(running_database()):
            raise typer.Exit(1)


@app.command("reconcile")
def reconcile(
    file: Annotated[Path, typer.Argument(help="A settlement file of Moyasar (CSV).")],
    *,
    post: Annotated[bool, typer.Option(help="Enter what matches as settled.")] = False,
    halalas: Annotated[bool, typer.Option(help="Amounts are halalas, not riyals.")] = False,
) -> None:
    """Hold a settlement file against the running system's ledger; ends with 1 when it breaks."""
    with Understandable():
        if not reconciling.reconcile(running_database(), file, halalas=halalas, post=post):
            raise typer.Exit(1)


@app.command("export-ledger")
def export_ledger(
    period: Annotated[str, typer.Argument(help="A month, as in 2026-11.")],
    file: Annotated[Path, typer.Argument(help="The file to write, or to write anew.")],
) -> None:
    """Write every posted leg of a month of the running system's ledger as CSV."""
    with Understandable():
        periods.export(running_database(), period, file)


@app.command("settle-points")
def settle_points() -> None:
    """Enter everybody's points that have become spendable or have expired: best once a day."""
    with Understandable():
        loyalty.settle_points(running_database())


@app.command("export-orders")
def export_orders(
    zone_id: Annotated[str, typer.Argument(help="Id of the zone.")],
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    *,
    since: Annotated[str, typer.Option(help="From this day or time on, in UTC.")],
    until: Annotated[str, typer.Option(help="Until before this day or time, in UTC.")],
) -> None:
    """Write a zone's orders of a time as CSV, from the running system."""
    with Understandable():
        begin, end = exports.instant_of(since), exports.instant_of(until)
        exports.export(running_database(), zone_id, file, since=begin, until=end)


@app.command("export-payments")
def export_payments(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    *,
    since: Annotated[str, typer.Option(help="From this day or time on, in UTC.")],
    until: Annotated[str, typer.Option(help="Until before this day or time, in UTC.")],
) -> None:
    """Write the payments of a time and their refunds as CSV, from the running system."""
    with Understandable():
        begin, end = exports.instant_of(since), exports.instant_of(until)
        exports.export_payments(running_database(), file, since=begin, until=end)


@app.command("index-orders")
def index_orders() -> None:
    """Make old orders of the running system findable; goes on where it was stopped."""
    with Understandable():
        queries.index_orders(running_database())


@app.command("verify-audit")
def verify_audit(
    checkpoints: Annotated[
        list[str] | None,
        typer.Option("--checkpoint", help="NUMBER:HASH that was noted before; may be repeated."),
    ] = None,
) -> None:
    """Verify the audit log of the running system; ends with 1 when it was tampered with."""
    noted = [audit.checkpoint(one) for one in checkpoints or ()]
    with Understandable():
        if not audit.verify(running_database(), noted):
            raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Report what is found, what runs, and what to do; ends with 1 when something must be done."""
    from api.commands.narration import Narrator, findings_table
    from storage.servers.doctor import examine

    settings = settings_of()
    findings = examine(settings.data, settings.database, settings.redis)
    database = reachable_database()
    if database is not None:
        with Understandable():
            findings += onboarding.certificate_findings(settings, database)
            findings += fetching.feed_findings(settings, database)
    Narrator().show(findings_table(findings))
    if any(one.state == "problem" for one in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
