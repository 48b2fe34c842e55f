// What an app does with the typed client: compiled against what is generated, never run.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/hadiyati";

const client = createClient<paths>({
  baseUrl: "https://api.hadiyati.example",
  headers: { "Hadiyati-Version": "2026-11-28", "Accept-Language": "ar" },
});

type Order = components["schemas"]["OrderShown"];

export async function order(quote: components["schemas"]["QuoteBody"], key: string): Promise<Order> {
  const quoted = await client.POST("/v1/quotes", { body: quote });
  if (quoted.data === undefined) throw new Error(quoted.error.code);
  const placed = await client.POST("/v1/orders", {
    params: { header: { "Idempotency-Key": key } },
    body: {
      quote_id: quoted.data.quote_id,
      gift: { description: "Roses" } as components["schemas"]["GiftBody"],
      recipient: { name: "Noura", phone: "" },
      shop: { ...quote.shop, name: "Flowers", address: "", notes: "" },
      door: { ...quote.door, name: "", address: "Building 7", notes: "" },
    },
  });
  if (placed.error?.code === "quote_expired") return order(quote, key);
  if (placed.data === undefined) throw new Error(placed.error.title);
  const shown = await client.GET("/v1/orders/{order_id}", {
    params: { path: { order_id: placed.data.order_id } },
  });
  if (shown.data === undefined) throw new Error(shown.error.title_ar);
  return shown.data;
}

export async function statement(cursor: string): Promise<number> {
  const told = await client.GET("/v1/wallet/statement", { params: { query: { cursor } } });
  const amounts: number[] = told.data?.lines.map((line) => line.amount) ?? [];
  // @ts-expect-error it is a text
  const kind: number | undefined = told.data?.kind;
  // @ts-expect-error there is no such operation
  await client.GET("/v1/nothing", {});
  return amounts.reduce((sum, amount) => sum + amount, kind ?? 0);
}
