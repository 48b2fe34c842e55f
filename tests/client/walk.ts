// A whole delivery by two phones on a bad line; what they saw is printed as JSON.
// Whatever goes otherwise than it should ends it with 1, and with what it waited for.
// node walk.ts URL CUSTOMER_TOKEN COURIER_TOKEN COURIER_ID ORDER_ID

import { Client } from "./hadiyati.ts";

const [url, customerToken, courierToken, courierId, orderId] = process.argv.slice(2) as string[];
const customer = new Client(url, customerToken);
const courier = new Client(url, courierToken);
const seen: object[] = [];
const PATIENCE_MS = 90_000;
let awaited = "";
const impatience = setTimeout(() => {
  console.error(`nothing came in ${PATIENCE_MS / 1000} s of ${awaited}`);
  console.error(JSON.stringify({ answers, heard, markers, seen, closes: [customer.closes, courier.closes] }));
  process.exit(1);
}, PATIENCE_MS);
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
const answers: object[] = [];
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

async function until<T>(what: string, coming: Promise<T>): Promise<T> {
  awaited = what;
  return coming;
}
async function done(app: Client, type: string, fields: object): Promise<void> {
  const answer = await until(`the answer to ${type}`, app.command(type, fields));
  if (app === courier) answers.push({ asked: type, type: answer.type, code: answer.code });
  if (answer.type === "refused") throw new Error(`${type} was refused: ${answer.code}`);
}
const tell = (type: string, fields: object) => done(courier, type, fields);

const place = { lat: 24.7, lng: 46.67 };
const duty = { duty: "on", name: "Salem", vehicle: "car", capacity_units: 4, ...place };
await tell("duty", duty);
const offer_id = await until("an offer", offer);
await tell("acknowledge", { offer_id });
await tell("accept", { offer_id });
converse("courier", courier);
const message = { order_id: orderId, text: "I am on my way 🚗" };
await tell("message", message);
await done(customer, "message", { order_id: orderId, text: "The blue gate, please" });
for (const step of ["reached_shop", "picked_up", "reached_door"]) {
  courier.position(place.lat, place.lng, Date.now(), 8);
  await tell("progress", { order_id: orderId, step });
}
await tell("progress", { order_id: orderId, step: "delivered", pin });
await until("the end of the order", end);
customer.typing(orderId);
await done(customer, "message", { order_id: orderId, quick_reply: "thanks" });
await until("three messages at both", thanks);
customer.read(orderId, 3);
await until("the markers", read);
clearTimeout(impatience);
const { returns, closes } = customer;
const told = { seen, answers, returns, closes, heard, markers };
console.log(JSON.stringify(told));
customer.close();
courier.close();
