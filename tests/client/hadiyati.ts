// A client of the socket, written from docs/protocol.md alone.

export type Bookmark = { epoch: string; offset: number };
export type State = { channel: string; version: number; bookmark: Bookmark | null; body: any };
export type Answer = { type: "reply" | "refused"; id: string; code?: string; body?: any };
type Listener = (state: State, how: "snapshot" | "update") => void;

const AGAIN = new Set(["temporarily_unavailable", "deadline_passed", "overloaded"]);
const CONNECT_MS = 10_000;
const PONG_MS = 10_000;
const ANSWER_MS = 10_000;
const MARK_AGAIN_MS = 1_000;

export class Client {
  userId = "";
  returns = { resumed: 0, snapshot: 0 };
  closes: number[] = [];
  private socket: WebSocket | null = null;
  private welcome = false;
  private ended = false;
  private tries = 0;
  private bookmarks = new Map<string, Bookmark | null>();
  private listeners = new Map<string, Listener>();
  private subscribed = new Set<string>();
  private waiting = new Map<
    string,
    { frame: object; done: (answer: Answer) => void; failed: (error: Error) => void }
  >();
  private patience = new Map<string, ReturnType<typeof setTimeout>>();
  private reading = new Map<string, number>();
  private pinging: ReturnType<typeof setInterval> | undefined;
  private line: ReturnType<typeof setTimeout> | undefined;
  private lastAt = 0;
  private number = 0;
  private readonly url: string;
  private readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  connect(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.welcome = false;
    this.line = setTimeout(() => this.lose(socket), CONNECT_MS);
    socket.onopen = () => {
      this.subscribed = new Set(this.bookmarks.keys());
      this.send({
        type: "authenticate",
        token: this.token,
        channels: Object.fromEntries(this.bookmarks),
        receipts: true,
      });
    };
    socket.onmessage = (event) => this.take(JSON.parse(String(event.data)));
    socket.onerror = () => undefined;
    socket.onclose = (event) => this.afterClose(event.code);
  }

  close(): void {
    this.ended = true;
    this.socket?.close();
  }

  listen(channel: string, listener: Listener): void {
    this.listeners.set(channel, listener);
    this.bookmarks.set(channel, null);
    if (this.welcome) this.subscribe(channel);
  }

  command(type: string, fields: object): Promise<Answer> {
    this.number += 1;
    const id = `${this.userId || "app"}-${process.pid}-${this.number}`;
    const frame = { type, id, ...fields };
    return new Promise((done, failed) => {
      this.waiting.set(id, { frame, done, failed });
      if (this.welcome) this.ask(id);
    });
  }

  private subscribe(channel: string): void {
    this.subscribed.add(channel);
    this.send({ type: "subscribe", channel });
  }

  // Who is not answered in time takes the line for lost, and asks again on the next.
  private ask(id: string): void {
    const asked = this.waiting.get(id);
    const socket = this.socket;
    if (asked === undefined || socket === null) return;
    this.send(asked.frame);
    clearTimeout(this.patience.get(id));
    this.patience.set(id, setTimeout(() => this.lose(socket), ANSWER_MS));
  }

  read(orderId: string, number: number): void {
    this.reading.set(orderId, number);
    if (this.welcome) this.send({ type: "read", order_id: orderId, number });
  }

  typing(orderId: string): void {
    if (this.welcome) this.send({ type: "typing", order_id: orderId });
  }

  position(lat: number, lng: number, at: number, accuracyM: number): void {
    if (!this.welcome || at <= this.lastAt) return;
    this.lastAt = at;
    const record = new DataView(new ArrayBuffer(20));
    record.setInt32(0, Math.round(lat * 1e7), true);
    record.setInt32(4, Math.round(lng * 1e7), true);
    record.setBigInt64(8, BigInt(at), true);
    record.setUint16(16, Math.round(accuracyM * 10), true);
    this.socket?.send(record.buffer as ArrayBuffer);
  }

  // A line that is dead does not say so: nobody waits for its goodbye.
  private lose(socket: WebSocket): void {
    if (socket !== this.socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    this.afterClose(1006);
  }

  private send(frame: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private take(frame: any): void {
    clearTimeout(this.line);
    switch (frame.type) {
      case "authenticated":
        this.greeted(frame);
        break;
      case "snapshot":
        this.returns.snapshot += 1;
        this.show(frame, "snapshot");
        break;
      case "update":
        if (frame.kind === "state") this.show(frame, "update");
        break;
      case "resumed":
        this.returns.resumed += 1;
        for (const update of frame.updates) this.show(update, "update");
        this.confirm(frame.channel, this.newer(frame.channel, frame.bookmark));
        break;
      case "reply":
      case "refused":
        for (const id of [frame.id, ...(frame.also ?? [])]) this.answered({ ...frame, id });
        break;
      case "error":
        this.marksAgain(frame);
        break;
    }
  }

  private greeted(frame: any): void {
    this.userId = frame.user_id;
    this.welcome = true;
    this.tries = 0;
    for (const id of this.waiting.keys()) this.ask(id);
    // What came up while the token was on its way was not named beside it.
    for (const one of this.bookmarks.keys()) if (!this.subscribed.has(one)) this.subscribe(one);
    // A marker is not answered, and never goes back: it is said again on each line.
    for (const [order_id, number] of this.reading) this.send({ type: "read", order_id, number });
    clearInterval(this.pinging);
    this.pinging = setInterval(() => {
      const socket = this.socket;
      this.send({ type: "ping" });
      clearTimeout(this.line);
      this.line = setTimeout(() => socket && this.lose(socket), PONG_MS);
    }, (frame.silence_s * 1000) / 3);
  }

  private show(state: State, how: "snapshot" | "update"): void {
    const told = state.bookmark;
    const mark = told == null || how === "snapshot" ? told : this.newer(state.channel, told);
    if (mark === told) this.listeners.get(state.channel)?.(state, how);
    if (mark != null) this.confirm(state.channel, mark);
  }

  // Of what is told again, also by `resumed`, the app keeps the bookmark that it has.
  private newer(channel: string, told: Bookmark): Bookmark {
    const known = this.bookmarks.get(channel);
    const isRepeated = known != null && known.epoch === told.epoch && told.offset <= known.offset;
    return isRepeated ? known : told;
  }

  private confirm(channel: string, bookmark: Bookmark): void {
    if (!this.listeners.has(channel)) return;
    this.bookmarks.set(channel, bookmark);
    this.send({ type: "received", channel, bookmark });
  }

  private answered(answer: Answer): void {
    const asked = this.waiting.get(answer.id);
    if (asked === undefined) return;
    clearTimeout(this.patience.get(answer.id));
    this.patience.delete(answer.id);
    if (answer.code !== undefined && AGAIN.has(answer.code)) {
      setTimeout(() => this.welcome && this.ask(answer.id), Math.random() * 2_000);
      return;
    }
    this.waiting.delete(answer.id);
    asked.done(answer);
  }

  // A marker is not answered: what was wrong with it is told with its channel.
  private marksAgain(error: any): void {
    const orderId = String(error.channel ?? "").replace(/^conversation:/, "");
    const number = this.reading.get(orderId);
    if (number === undefined || !AGAIN.has(error.code)) return;
    setTimeout(() => this.welcome && this.read(orderId, number), MARK_AGAIN_MS);
  }

  private afterClose(code: number): void {
    this.socket = null;
    this.welcome = false;
    clearInterval(this.pinging);
    clearTimeout(this.line);
    for (const timer of this.patience.values()) clearTimeout(timer);
    this.patience.clear();
    this.closes.push(code);
    if (this.ended) return;
    if (code >= 4400 && code < 4500) {
      for (const one of this.waiting.values()) one.failed(new Error(`closed for good: ${code}`));
      this.waiting.clear();
      return;
    }
    const bound = Math.min(30_000, 500 * 2 ** this.tries);
    this.tries += 1;
    setTimeout(() => this.connect(), Math.random() * bound);
  }
}
