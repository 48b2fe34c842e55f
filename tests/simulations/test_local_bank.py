"""The local payment server as a bank that pays couriers out."""

import httpx2

from simulations.gateways.payouts import SECRET_KEY, SOURCE_ID, PayoutProtocol
from simulations.gateways.server import PaymentServer
from simulations.gateways.serving import settings_for

BODY = {"sequence_number": "1234567890123456", "source_id": SOURCE_ID, "amount": 4_800}


async def test_what_was_sent_has_arrived_at_the_next_look() -> None:
    server = PaymentServer()
    bank = PayoutProtocol(server, settles_when_asked=True)
    async with (
        server.running(),
        httpx2.AsyncClient(base_url=server.url, trust_env=False, auth=(SECRET_KEY, "")) as http,
    ):
        sent = (await http.post("/v1/payouts", json=BODY)).json()
        assert (sent["status"], bank.paid_halalas()) == ("initiated", 0)
        found = (await http.get(f"/v1/payouts/{sent['id']}")).json()
        assert (found["status"], found["amount"], bank.paid_halalas()) == ("paid", 4_800, 4_800)


def test_it_says_what_to_set_to_be_paid_out_there() -> None:
    told = dict(line.split("=", 1) for line in settings_for("http://127.0.0.1:1").splitlines())
    assert told["HADIYATI_PAYOUTS__PROVIDER"] == "moyasar"
    assert told["HADIYATI_PAYOUTS__API_KEY"] == SECRET_KEY
    assert told["HADIYATI_PAYOUTS__SOURCE_ID"] == SOURCE_ID
