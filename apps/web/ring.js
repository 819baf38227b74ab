/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that come: one after the other they ring, until they are answered or declined. */

import { showAvatar } from "./avatar.js";
import { onLanguage, t } from "./words.js";

/* Milliseconds for which a peer that was declined isn't heard: a program calls again by itself. */
const DECLINED_TIME = 60000;

/* Calls that may wait behind the one that rings: somebody may call by a thousand names. */
const WAITING_MAX = 8;

/* Milliseconds before a call can be answered: who was about to click on what lay there doesn't. */
const SETTLE_TIME = 500;

/* The sound: two notes (Hz), seconds each, and milliseconds until the next ones. */
const NOTES = [659, 523];
const NOTE_SECONDS = 0.18;
const TONE_INTERVAL = 2500;

const find = (id) => document.getElementById(id);

/**
 * `answer(session, kinds)` is called with what the user wants to send: `audio`, `video`; `note(text)`
 * tells of missed calls; `busy()` says whether answering ends something.
 */
export class Ring {
  #waiting = [];
  #session = null;
  #declined = new Map();
  #answer;
  #note;
  #busy;
  #timer = 0;
  #settling = 0;
  #audio = null;
  #dialog = find("ring");

  constructor(answer, note, busy) {
    this.#answer = answer;
    this.#note = note;
    this.#busy = busy;
    for (const [id, kinds] of [["ring-camera", ["audio", "video"]], ["ring-microphone", ["audio"]], ["ring-plain", []]])
      find(id).addEventListener("click", () => this.#take(kinds));
    find("ring-decline").addEventListener("click", () => this.#refuse());
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#refuse();
    });
    onLanguage(() => this.#describe());
  }

  /** A call that rings. */
  add(session) {
    if (session.state !== "ringing") return;
    if (Date.now() - (this.#declined.get(session.peer) ?? 0) < DECLINED_TIME) {
      session.decline();
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      session.decline("busy");
      return;
    }
    this.#waiting.push(session);
    session.addEventListener("ended", () => this.#drop(session));
    if (!this.#session) this.#next();
  }

  /** The user wants that peer after all. */
  welcome(peer) {
    this.#declined.delete(peer);
  }

  /** Takes a call off the list that is answered in another way. */
  forget(session) {
    this.#waiting = this.#waiting.filter((one) => one !== session);
    if (this.#session === session) this.#next();
  }

  #next() {
    this.#session = this.#waiting.shift() ?? null;
    clearInterval(this.#timer);
    document.title = t("title");
    if (!this.#session) {
      this.#dialog.close();
      return;
    }
    this.#describe();
    if (!this.#dialog.open) this.#dialog.showModal();
    /* Whoever is typing goes on typing, into nothing. */
    this.#dialog.focus();
    this.#settle();
    this.#timer = setInterval(() => this.#sound(), TONE_INTERVAL);
    this.#sound();
  }

  #settle() {
    const buttons = ["ring-camera", "ring-microphone", "ring-plain"].map(find);
    for (const button of buttons) button.disabled = true;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      for (const button of buttons) button.disabled = false;
    }, SETTLE_TIME);
  }

  #describe() {
    if (!this.#session) return;
    const { peer, offer } = this.#session;
    const { sends, takes } = offer;
    showAvatar(find("ring-avatar"), peer);
    const title = t("ring.title", { peer });
    find("ring-title").textContent = title;
    document.title = `☎ ${title}`;
    const words = takes.includes("video") && sends.length ? "ring.call" : takes.length && sends.length ? "ring.voice"
      : takes.length ? "ring.watch" : sends.length ? "ring.show" : "ring.chat";
    find("ring-words").textContent = t(words);
    find("ring-ends").hidden = !this.#busy();
    find("ring-camera").hidden = !takes.includes("video");
    find("ring-microphone").hidden = !takes.includes("audio");
    find("ring-microphone").classList.toggle("primary", !takes.includes("video"));
    find("ring-plain").classList.toggle("primary", takes.length === 0);
    find("ring-plain").textContent = t(takes.length ? "ring.silent" : "ring.plain");
  }

  #take(kinds) {
    const session = this.#session;
    const { takes } = session.offer;
    this.#next();
    this.#answer(session, kinds.filter((kind) => takes.includes(kind)));
  }

  #refuse() {
    const session = this.#session;
    this.#declined.set(session.peer, Date.now());
    this.#next();
    session.decline();
  }

  /* The caller gave up. */
  #drop(session) {
    if (session !== this.#session && !this.#waiting.includes(session)) return;
    this.forget(session);
    this.#note(t("ring.missed", { peer: session.peer }));
  }

  /* A browser plays nothing before the user has touched the page; then it rings silently. */
  #sound() {
    if (!navigator.userActivation?.hasBeenActive) return;
    this.#audio ??= new AudioContext();
    const gain = this.#audio.createGain();
    gain.gain.value = 0.08;
    gain.connect(this.#audio.destination);
    NOTES.forEach((frequency, n) => {
      const note = this.#audio.createOscillator();
      const start = this.#audio.currentTime + n * NOTE_SECONDS;
      note.frequency.value = frequency;
      note.connect(gain);
      note.start(start);
      note.stop(start + NOTE_SECONDS);
    });
    navigator.vibrate?.(200);
  }
}
