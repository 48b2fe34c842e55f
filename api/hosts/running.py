"""What runs beside the requests, from the start of the application to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from actors.audit import AuditKeeper
from actors.ledger import LedgerKeeper
from actors.loyalty import Loyalty
from api.allowance import Allowance
from api.gift_links import GiftLinks
from api.hosts.effects import open_outbox
from api.hosts.files import open_sheets, open_uploads
from api.hosts.identity import open_gate, open_identity
from api.hosts.jobs import open_jobs
from api.hosts.money import open_invoicing, open_payments, open_printing, open_submitting
from api.hosts.payouts import open_payouts
from api.hosts.privacy import open_privacy
from api.hosts.sockets import open_desk
from api.hosts.staff import open_staff
from api.parts import Parts
from api.quoted_zones import QuotedZones
from api.what_ifs import WhatIfs


@asynccontextmanager
async def running(app: FastAPI, parts: Parts) -> AsyncIterator[None]:
    """Open everything, run it until the block ends, and close it."""
    app.state.parts = parts
    app.state.gate = gate = open_gate(app, parts)
    await gate.look()
    app.state.desk = desk = open_desk(parts, gate, app.state.refused_tries)
    app.state.what_ifs = what_ifs = WhatIfs(parts.what_ifs, parts.settings.what_if, parts.wall)
    app.state.quoted_zones = quoted_zones = QuotedZones(parts.store, parts.clock)
    app.state.allowance = Allowance(parts.rates, parts.wall)
    app.state.invoicing = invoicing = open_invoicing(parts)
    app.state.ledger = ledger = LedgerKeeper(parts.ledger, wall=parts.wall)
    app.state.uploads = open_uploads(parts)
    app.state.payments = payments = open_payments(parts)
    app.state.gift_links = gift_links = GiftLinks(parts, quoted_zones, payments)
    open_identity(app, parts)
    app.state.loyalty = loyalty = Loyalty(ledger, parts.ledger, parts.store, clock=parts.clock)
    outbox = open_outbox(
        parts,
        mails=open_staff(app, parts),
        invoicing=invoicing,
        ledger=ledger,
        payments=payments,
        loyalty=loyalty,
        conversations=desk.conversations,
    )
    app.state.audit = audit = AuditKeeper(parts.audit, wall=parts.wall)
    payouts = open_payouts(app, parts, ledger)
    jobs = open_jobs(app, parts, ledger)
    services = (
        desk.sources.hub,
        outbox,
        what_ifs,
        gate,
        gift_links,
        audit,
        payouts,
        payments,
        jobs,
    )
    beside = (
        *services,
        desk.sources.talks,
        app.state.refused_tries,
        *open_privacy(app, parts),
        open_submitting(parts),
        open_printing(app, parts),
        open_sheets(app, parts),
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one.run()) for one in beside]
        await desk.sources.hub.wait_until_reading()
        try:
            yield
        finally:
            desk.presence.drain()
            for task in running:
                task.cancel()
