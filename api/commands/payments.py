"""The command that plays the payment gateways on this machine."""

from typing import Annotated

import typer

from api.commands.understandable import Understandable


def payment_server(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen.")] = 8090,
    *,
    api: Annotated[
        str, typer.Option(help="Address of the API, for webhooks.")
    ] = "http://127.0.0.1:8000",
) -> None:
    """Play the payment gateways on this machine until Ctrl-C; no money moves."""
    from simulations.gateways.serving import run

    with Understandable():
        run(port=port, api=api)
