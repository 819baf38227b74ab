/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files over data channels: docs/protocol.md, conic.file. Needs nothing but conic.js. */

export const FILE_PROTOCOL = "conic.file";

/* Bytes of a message, and those that may be on their way unconfirmed. */
const CHUNK = 16384;
const WINDOW = 1 << 20;

/* The receiver confirms when so many bytes more are stored. */
const CONFIRM = 256 * 1024;

/* Bytes kept as they came before they become a Blob, which a browser may put on disk. */
const PILE = 8 << 20;
const PILE_PARTS = 4096;

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * One file on its way. Events: `progress`, and at the end `done` or `failed`.
 * Members: `name`, `size` and `type`; `moved`, in bytes; `error`, in words.
 */
class Transfer extends EventTarget {
  moved = 0;
  error = null;
  ended = false;

  constructor(channel, { name, size, type = "" }) {
    super();
    this.channel = channel;
    this.name = name;
    this.size = size;
    this.type = type;
    channel.binaryType = "arraybuffer";
    channel.addEventListener("close", () => this.fail("the channel was closed", false));
  }

  /** Ends it before it is complete, and tells the other side why. */
  fail(reason, tell = true) {
    if (this.ended) return;
    if (tell && this.channel.readyState === "open") this.channel.send(JSON.stringify({ error: reason }));
    this.error = reason;
    this.end("failed");
  }

  end(how) {
    this.ended = true;
    this.dispatchEvent(new Event(how));
    this.channel.close();
  }

  advance(moved) {
    this.moved = moved;
    this.dispatchEvent(new Event("progress"));
  }
}

/** A file that this side sends: `new Outgoing(session, file)`; it begins at once. */
export class Outgoing extends Transfer {
  #session;
  #file;
  #sent = 0;
  #wake = () => {};

  constructor(session, file) {
    super(session.createChannel(file.name.slice(0, 64) || "file", { protocol: FILE_PROTOCOL }), file);
    this.#session = session;
    this.#file = file;
    this.channel.addEventListener("message", ({ data }) => this.#hear(parse(data)));
    this.channel.addEventListener("close", () => this.#wake());
    this.#send().catch((error) => this.fail(error.message));
  }

  #hear({ received, error }) {
    if (this.ended) return;
    if (error !== undefined) this.fail(String(error), false);
    else if (Number.isInteger(received) && received >= this.moved && received <= this.#sent) {
      this.advance(received);
      if (received === this.size) this.end("done");
    }
    this.#wake();
  }

  async #send() {
    const { channel, size } = this;
    if (!(await this.#session.ready(channel))) return;
    channel.send(JSON.stringify({ name: this.name, size, ...(this.type && { type: this.type }) }));
    while (this.#sent < size && !this.ended) {
      const end = Math.min(this.#sent + CONFIRM, size, this.moved + WINDOW);
      if (end === this.#sent) {
        await new Promise((wake) => { this.#wake = wake; });
        continue;
      }
      const piece = await this.#file.slice(this.#sent, end).arrayBuffer();
      if (this.ended || !(await this.#session.ready(channel))) return;
      this.#sent = end;
      for (let at = 0; at < piece.byteLength; at += CHUNK) channel.send(piece.slice(at, at + CHUNK));
    }
  }
}

/* What is left of a name that a peer made up: its last component, and nothing that can't be seen. */
function safeName(name) {
  const last = String(name ?? "").split(/[/\\]/).pop().replace(/[\p{C}]/gu, "").trim().slice(0, 200);
  return /^\.*$/.test(last) ? "file" : last;
}

/**
 * A file that the peer sends, from its channel with FILE_PROTOCOL. `offered` is an event when its name
 * and size are known; until accept() is called, no more than the first megabyte is sent.
 * When `done`, `blob` has it.
 */
export class Incoming extends Transfer {
  blob = null;
  #accepted = false;
  #known = false;
  #parts = [];
  #piled = 0;
  #got = 0;

  constructor(channel) {
    super(channel, { name: "", size: 0 });
    channel.addEventListener("message", ({ data }) => {
      if (this.ended) return;
      if (typeof data === "string") this.#hear(parse(data));
      else this.#take(data);
    });
  }

  accept() {
    this.#accepted = true;
    this.#confirm();
  }

  decline() {
    this.fail("declined");
  }

  #hear({ name, size, type, error }) {
    if (error !== undefined) {
      this.fail(String(error), false);
    } else if (this.#known || !Number.isSafeInteger(size) || size < 0) {
      this.fail("this isn't how a file begins");
    } else {
      this.#known = true;
      this.name = safeName(name);
      this.size = size;
      this.type = typeof type === "string" ? type : "";
      this.dispatchEvent(new Event("offered"));
    }
  }

  #take(data) {
    this.#got += data.byteLength;
    if (!this.#known || this.#got > this.size || (!this.#accepted && this.#got > WINDOW)) {
      this.fail("more came than was announced");
      return;
    }
    if (data.byteLength) this.#parts.push(data);
    this.#piled += data.byteLength;
    if (this.#piled >= PILE || this.#parts.length >= PILE_PARTS) {
      this.#parts = [new Blob(this.#parts)];
      this.#piled = 0;
    }
    if (this.#accepted) this.#confirm();
  }

  #confirm() {
    const complete = this.#got === this.size;
    if (!complete && this.#got - this.moved < CONFIRM) return;
    if (this.channel.readyState === "open") this.channel.send(JSON.stringify({ received: this.#got }));
    this.advance(this.#got);
    if (!complete) return;
    /* Bytes, whatever the peer calls them: it is there to be saved, not to be shown. */
    this.blob = new Blob(this.#parts, { type: "application/octet-stream" });
    this.#parts = [];
    this.ended = true;
    this.dispatchEvent(new Event("done"));
  }
}
