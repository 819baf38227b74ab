/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chat and files of a session: text messages on channels without a protocol, files on their own. */

import { FILE_PROTOCOL, Incoming, Outgoing } from "./files.js";
import { formatSize, getLanguage, onLanguage, quote, t } from "./words.js";

/* The channel that this page opens for chat, when there is none yet. */
const CHAT_LABEL = "chat";

/* Files that may wait to be accepted: each may have sent its first megabyte already. */
const OFFERS_MAX = 20;

/* Messages that stay, and characters that are shown of each and of its channel's name. */
const MESSAGES_MAX = 200;
const TEXT_MAX = 16000;
const LABEL_MAX = 40;

/* Pixels from the end of the log at which it is looked at, and so goes on to be. */
const AT_END = 40;

const find = (id) => document.getElementById(id);

function make(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

/* The card of one file on its way. */
class FileCard {
  #forget;
  #say;

  constructor(transfer, peer, own, say) {
    this.#say = say;
    this.transfer = transfer;
    this.peer = peer;
    this.own = own;
    this.accepted = own;
    this.element = make("div", "file");
    this.title = make("p", "file-title");
    this.bar = make("progress", "file-bar");
    this.words = make("p", "file-words");
    this.buttons = make("div", "row");
    this.element.append(this.title, this.bar, this.words, this.buttons);
    transfer.addEventListener("progress", () => this.#look());
    for (const type of ["done", "failed"])
      transfer.addEventListener(type, () => {
        this.#finish();
        this.#say(`${transfer.name}: ${this.words.textContent}`);
      });
    this.#forget = onLanguage(() => this.#rename());
  }

  #button(key, action, className = "") {
    const button = make("button", className, t(key));
    button.type = "button";
    button.dataset.action = key.split(".")[1];
    button.addEventListener("click", action);
    return button;
  }

  #rename() {
    const { name, size } = this.transfer;
    this.title.textContent = t(this.own ? "file.sending" : "file.offered",
      { peer: this.peer, name, size: formatSize(size) });
    this.bar.setAttribute("aria-label", name);
    if (this.transfer.ended) this.#finish();
    else {
      const cancel = this.#button("file.cancel", () => this.transfer.fail("cancelled"));
      const answers = [this.#button("file.accept", () => this.#accept(), "primary"),
        this.#button("file.decline", () => this.transfer.decline())];
      this.buttons.replaceChildren(...(this.accepted ? [cancel] : answers));
      this.#look();
    }
  }

  #accept() {
    this.accepted = true;
    this.#rename();
    this.transfer.accept();
    this.buttons.querySelector("button")?.focus();
  }

  #look() {
    const { moved, size } = this.transfer;
    this.bar.max = Math.max(size, 1);
    this.bar.value = moved;
    this.words.textContent = moved > 0 ? t("file.progress", { done: formatSize(moved), size: formatSize(size) })
      : this.own ? t("file.waits", { peer: this.peer }) : "";
  }

  #finish() {
    const { error, blob } = this.transfer;
    this.bar.hidden = true;
    this.element.dataset.state = error ? "failed" : "done";
    this.words.textContent = error ? t("file.failed", { reason: quote(error) }) : t(this.own ? "file.done" : "file.got");
    const hadFocus = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren();
    if (!blob) return;
    this.link ??= Object.assign(make("a", "button primary"), { href: URL.createObjectURL(blob), download: this.transfer.name });
    this.link.textContent = t("file.save");
    this.buttons.append(this.link);
    if (hadFocus) this.link.focus();
  }

  /** Whether something would be lost with it. */
  get needed() {
    return !this.transfer.ended || this.link !== undefined;
  }

  /** Lets go of what it holds. */
  forget() {
    this.#forget();
    if (!this.transfer.ended) this.transfer.fail("the conversation was left");
    if (this.link) URL.revokeObjectURL(this.link.href);
  }
}

/** The part of the page for chat and files; `say(text)` announces, `warn(text)` tells of trouble. */
export class Talk {
  #session = null;
  #channels = new Set();
  #cards = new Map(); /* item of the log → FileCard */
  #peer = "";
  #following = true; /* the end of the log is looked at */
  #scrolling = false;
  #say;
  #warn;
  #section = find("talk");
  #log = find("log");
  #text = find("say-text");
  #chooser = find("say-file");

  constructor(say, warn) {
    this.#say = say;
    this.#warn = warn;
    this.#log.addEventListener("scroll", ({ target }) => {
      this.#following = target.scrollHeight - target.scrollTop - target.clientHeight < AT_END;
    });
    find("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    find("say-attach").addEventListener("click", () => this.#chooser.click());
    this.#chooser.addEventListener("change", () => {
      this.#sendFiles([...this.#chooser.files]);
      this.#chooser.value = "";
    });
    this.#section.addEventListener("dragover", (event) => event.preventDefault());
    this.#section.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#sendFiles([...event.dataTransfer.files]);
    });
    onLanguage(() => {
      for (const [id, key] of [["say-attach", "talk.attach"], ["say-send", "talk.send"]]) {
        find(id).setAttribute("aria-label", t(key));
        find(id).title = t(key);
      }
    });
  }

  /** Shows the channels of a session; with the same peer as before, what was said stays. `quiet`: only
   * when there is something to be shown. */
  attach(session, quiet) {
    if (session.peer !== this.#peer) this.clear();
    this.#peer = session.peer;
    this.#session = session;
    this.#channels.clear();
    session.addEventListener("channel", ({ channel, remote }) => this.#addChannel(session, channel, remote));
    if (!quiet) this.#section.hidden = false;
  }

  focus() {
    this.#section.hidden = false;
    this.#text.focus();
  }

  clear() {
    for (const card of this.#cards.values()) card.forget();
    this.#cards.clear();
    this.#log.replaceChildren();
    this.#following = true;
    this.#section.hidden = true;
    this.#peer = "";
  }

  #addChannel(session, channel, remote) {
    if (session !== this.#session) return;
    if (channel.protocol === FILE_PROTOCOL) {
      if (remote) this.#offer(channel);
      return;
    }
    if (channel.protocol) return;
    this.#channels.add(channel);
    channel.addEventListener("close", () => this.#channels.delete(channel));
    channel.addEventListener("message", ({ data }) => {
      if (session === this.#session) this.#hear(channel, data);
    });
  }

  #hear(channel, data) {
    const all = typeof data === "string" ? data.replace(/\n$/, "") : t("talk.bytes", { count: data.byteLength });
    const text = all.length > TEXT_MAX ? `${all.slice(0, TEXT_MAX)}…` : all;
    this.#add(text, false, channel.label === CHAT_LABEL ? "" : quote(channel.label, LABEL_MAX));
    this.#say(t("talk.arrived", { peer: this.#peer, text: quote(text) }));
  }

  #add(text, own, label = "") {
    const item = make("li", own ? "own" : "theirs");
    const clock = new Date().toLocaleTimeString(getLanguage(), { hour: "2-digit", minute: "2-digit" });
    const head = make("span", "said-by", [own ? t("talk.you") : this.#peer, label, clock].filter(Boolean).join(" · "));
    const said = make("span", "said", text);
    said.dir = "auto";
    item.append(head, said);
    this.#append(item, own);
    return item;
  }

  #append(item, own) {
    const log = this.#log;
    this.#section.hidden = false;
    log.append(item);
    for (const old of [...log.children].slice(0, -MESSAGES_MAX))
      if (!this.#cards.get(old)?.needed) {
        this.#cards.get(old)?.forget();
        this.#cards.delete(old);
        old.remove();
      }
    if (own) this.#following = true;
    this.#follow();
  }

  /* Once for all that arrives between two pictures: where the end is takes long to find out. Who reads
   * further up isn't pulled down. */
  #follow() {
    if (this.#scrolling) return;
    this.#scrolling = true;
    requestAnimationFrame(() => {
      this.#scrolling = false;
      if (this.#following) this.#log.scrollTop = this.#log.scrollHeight;
    });
  }

  /* The channel to talk on: the one for chat, any other, or a new one. */
  #channel() {
    const open = [...this.#channels].filter(({ readyState }) => ["open", "connecting"].includes(readyState));
    return open.find(({ label }) => label === CHAT_LABEL) ?? open[0] ?? this.#session.createChannel(CHAT_LABEL);
  }

  async #submit() {
    const text = this.#text.value.trim();
    if (!text) return;
    if (!this.#session?.pc || this.#session.ended) {
      this.#warn(t("talk.closed"));
      return;
    }
    this.#text.value = "";
    const channel = this.#channel();
    const item = this.#add(text, true);
    try {
      if (!(await this.#session.ready(channel))) throw new Error(t("talk.closed"));
      channel.send(text);
    } catch (error) {
      item.remove();
      this.#text.value ||= text;
      this.#warn(error.message);
    }
  }

  #sendFiles(files) {
    if (!this.#session?.pc || this.#session.ended) {
      this.#warn(t("talk.closed"));
      return;
    }
    for (const file of files) this.#addCard(new Outgoing(this.#session, file), true);
  }

  #offer(channel) {
    const transfer = new Incoming(channel);
    transfer.addEventListener("offered", () => {
      const waiting = [...this.#cards.values()].filter((card) => !card.accepted && !card.transfer.ended);
      if (waiting.length >= OFFERS_MAX) {
        transfer.fail(t("file.many"));
        return;
      }
      this.#addCard(transfer, false);
      this.#say(t("file.offered", { peer: this.#peer, name: transfer.name, size: formatSize(transfer.size) }));
    });
  }

  #addCard(transfer, own) {
    const card = new FileCard(transfer, this.#peer, own, this.#say);
    const item = make("li", own ? "own" : "theirs");
    item.append(card.element);
    this.#cards.set(item, card);
    this.#append(item, own);
  }
}
