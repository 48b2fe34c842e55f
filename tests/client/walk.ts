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
type Name = "customer" | "courier";
const heard: Record<Name, object[]> = { customer: [], courier: [] };
const markers: Record<string, { delivered: number; read: number }> = {};
const conversation = `conversation:${orderId}`;
let thanked: () => void;
const thanks = new Promise<void>((resolve) => (thanked = resolve));
let marked: () => void;
const read = new Promise<void>((resolve) => (marked = resolve));

// Messages are added by their id, markers replaced; each keeps the other side's.
function converse(name: Name, app: Client): void {
  const known = new Set<string>();
  app.listen(conversation, (state, how) => {
    if (how === "snapshot") {
      known.clear();
      heard[name] = [];
    }
    for (const one of state.body.messages) {
      if (known.has(one.message_id)) continue;
      known.add(one.message_id);
      heard[name].push({ number: one.number, side: one.side, said: one.quick_reply?.code ?? one.text });
    }
    for (const one of state.body.markers) if (one.side !== name) markers[one.side] = one;
    if (Math.min(heard.customer.length, heard.courier.length) === 3) thanked();
    if (markers.customer?.read === 3 && markers.courier?.delivered === 3) marked();
  });
}

converse("customer", customer);
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
converse("courier", courier);
const message = { order_id: orderId, text: "I am on my way 🚗" };
await tell("message", message);
await customer.command("message", { order_id: orderId, text: "The blue gate, please" });
for (const step of ["reached_shop", "picked_up", "reached_door"]) {
  courier.position(place.lat, place.lng, Date.now(), 8);
  await tell("progress", { order_id: orderId, step });
}
await tell("progress", { order_id: orderId, step: "delivered", pin });
await end;
customer.typing(orderId);
await customer.command("message", { order_id: orderId, quick_reply: "thanks" });
await thanks;
customer.read(orderId, 3);
await read;
const { returns, closes } = customer;
const told = { seen, answers, returns, closes, heard, markers };
console.log(JSON.stringify(told));
customer.close();
courier.close();
