// A whole delivery by two phones on a bad line; what they saw is printed as JSON.
// node walk.ts URL CUSTOMER_TOKEN COURIER_TOKEN COURIER_ID ORDER_ID

import { Client } from "./hadiyati.ts";

const [url, customerToken, courierToken, courierId, orderId] = process.argv.slice(2) as string[];
const customer = new Client(url, customerToken);
const courier = new Client(url, courierToken);
const seen: object[] = [];
let pin = "";
let offered: (offerId: string) => void;
const offer = new Promise<string>((resolve) => (offered = resolve));
let delivered: () => void;
const end = new Promise<void>((resolve) => (delivered = resolve));

customer.listen(`order:${orderId}`, (state, how) => {
  seen.push({ how, version: state.version, status: state.body.status, ...state.bookmark });
  pin = state.body.pin;
  if (state.body.status === "delivered") delivered();
});
courier.listen(`courier:${courierId}`, (state) => {
  if (state.body.offer) offered(state.body.offer.offer_id);
});
customer.connect();
courier.connect();

const answers: object[] = [];
async function tell(type: string, fields: object): Promise<void> {
  const answer = await courier.command(type, fields);
  answers.push({ asked: type, type: answer.type, code: answer.code });
}

const place = { lat: 24.7, lng: 46.67 };
const duty = { duty: "on", name: "Salem", vehicle: "car", capacity_units: 4, ...place };
await tell("duty", duty);
const offer_id = await offer;
await tell("acknowledge", { offer_id });
await tell("accept", { offer_id });
for (const step of ["reached_shop", "picked_up", "reached_door"]) {
  courier.position(place.lat, place.lng, Date.now(), 8);
  await tell("progress", { order_id: orderId, step });
}
await tell("progress", { order_id: orderId, step: "delivered", pin });
await end;
const told = { seen, answers, returns: customer.returns, closes: customer.closes };
console.log(JSON.stringify(told));
customer.close();
courier.close();
