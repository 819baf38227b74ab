/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The session that is on screen: what comes, what is sent, its controls, and how it ended. */

import { showAvatar } from "./avatar.js";
import { chooseDevice, chosenDevice, listDevices, openMedia, openScreen, Sending } from "./media.js";
import { Stats } from "./stats.js";
import { has, onLanguage, quote, t } from "./words.js";

/* Milliseconds between two tries to watch a peer that isn't there, at first and at most. */
const RETRY_MIN = 1000;
const RETRY_MAX = 5000;

/* Milliseconds for somebody to answer a call. */
const ANSWER_TIME = 60000;

/* What peers say when they end a session, as this page and Conic's elements word it. */
const REASONS = {
  "hung up": "end.left",
  "the peer left": "end.page",
  "the page was left": "end.page",
  "the call was declined": "end.declined",
  "this peer takes no calls": "end.declined",
  "no answer": "end.answer",
  busy: "end.busy",
};

/* With which of these somebody who was watched may be back soon. */
const GONE = ["the peer left", "the page was left", "hung up"];

const find = (id) => document.getElementById(id);

export class Stage extends EventTarget {
  /** What goes on: `watch`, `call`, `share`, `chat`, `answer`; null when nothing does. */
  kind = null;
  peer = "";
  #hub;
  #talk;
  #say;
  #warn;
  #session = null;
  #sending = null;
  #stats = null;
  #timer = 0;
  #turn = 0;
  #tries = 0;
  #seen = false;
  #soundOn = true;
  #remote = find("remote");

  /** `say(text)` announces what happens, `warn(text)` tells of trouble. */
  constructor(hub, talk, say, warn) {
    super();
    this.#hub = hub;
    this.#talk = talk;
    this.#say = say;
    this.#warn = warn;
    this.#connectControls();
    onLanguage(() => this.#look());
  }

  get session() {
    return this.#session;
  }

  /* --- beginning --- */

  /** Shows what a peer sends, and again when it was gone. */
  watch(peer) {
    this.#begin("watch", peer, new Sending(null, this.#warn));
    this.#dial();
  }

  /** Calls a peer with camera and microphone. */
  async call(peer) {
    const stream = await this.#open(() => openMedia(["audio", "video"], this.#warn));
    if (!stream) return;
    this.#begin("call", peer, new Sending(stream, this.#warn));
    this.#dial();
  }

  /** Shows a peer the screen. */
  async share(peer) {
    const stream = await this.#open(openScreen);
    if (!stream) return;
    this.#begin("share", peer, new Sending(stream, this.#warn, true));
    this.#dial();
  }

  /** Connects for messages and files. */
  chat(peer) {
    if (this.peer !== peer || this.#session?.ended) {
      this.#begin("chat", peer, new Sending(null, this.#warn));
      this.#dial();
    }
    this.#talk.focus();
  }

  /** Answers a call, sending these kinds of `audio` and `video`. */
  async answer(session, kinds) {
    const stream = await this.#open(() => (kinds.length ? openMedia(kinds, this.#warn) : new MediaStream()));
    if (!stream || session.ended) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      session.decline();
      return;
    }
    this.#begin("answer", session.peer, new Sending(stream, this.#warn));
    this.#attach(session);
    session.accept({ stream });
  }

  /** Ends what is on screen. */
  leave() {
    this.#turn++;
    clearTimeout(this.#timer);
    const session = this.#session;
    this.#detach();
    session?.hangUp();
    this.#sending?.stop();
    this.#sending = null;
    this.kind = null;
    this.peer = "";
    this.#remote.srcObject = null;
    if (document.fullscreenElement) document.exitFullscreen();
    const hadFocus = find("stage").contains(document.activeElement);
    this.#look();
    /* What had it is gone. */
    if (hadFocus) find("stage").focus();
    this.dispatchEvent(new Event("change"));
  }

  /* Opens what is to be sent; null if there is none, or the user has done something else meanwhile. */
  async #open(open) {
    const turn = ++this.#turn;
    const stream = await open();
    if (turn === this.#turn) return stream;
    for (const track of stream?.getTracks() ?? []) track.stop();
    return null;
  }

  #begin(kind, peer, sending) {
    this.#turn++;
    if (this.kind) this.leave();
    this.kind = kind;
    this.peer = peer;
    this.#sending = sending;
    this.#tries = 0;
    this.#seen = false;
    sending.addEventListener("change", () => this.#look());
    this.dispatchEvent(new Event("change"));
  }

  #dial() {
    const kinds = { watch: ["audio", "video"], call: ["audio", "video"] }[this.kind] ?? [];
    this.#attach(this.#hub.call(this.peer, { stream: this.#sending.stream, receive: kinds }), true);
  }

  #attach(session, dialled = false) {
    this.#session = session;
    this.#sending.attach(session);
    session.addEventListener("state", () => this.#onState(session));
    session.addEventListener("track", ({ track }) => this.#onTrack(session, track));
    session.addEventListener("ended", () => this.#onEnded(session));
    this.#talk.attach(session, this.kind === "watch");
    if (dialled && this.kind !== "watch")
      this.#timer = setTimeout(() => {
        if (session.state === "calling") session.hangUp("no answer");
      }, ANSWER_TIME);
    this.#look();
    if (session.ended) this.#onEnded(session);
  }

  /* --- what happens --- */

  #onState(session) {
    if (session !== this.#session) return;
    if (session.state === "connected" && !this.#stats) {
      this.#tries = 0;
      this.#seen = true;
      this.#stats = new Stats(session, { section: find("stats"), plots: find("plots"), path: find("stats-path") });
      this.#say(t("call.connected", { peer: this.peer }));
    }
    this.#look();
  }

  #onTrack(session, track) {
    if (session !== this.#session) return;
    for (const type of ["mute", "unmute", "ended"]) track.addEventListener(type, () => this.#look());
    if (this.#remote.srcObject !== session.stream) this.#remote.srcObject = session.stream;
    this.#play();
    this.#look();
  }

  #onEnded(session) {
    if (session !== this.#session) return;
    clearTimeout(this.#timer);
    this.#detach(false);
    if (this.kind === "watch" && this.#mayComeBack(session.ended)) {
      const delay = Math.min(RETRY_MIN * 1.5 ** this.#tries++, RETRY_MAX) * (0.7 + Math.random() * 0.6);
      this.#timer = setTimeout(() => this.#retry(), delay);
    } else {
      this.#sending.stop();
      this.#say(this.#endWords());
    }
    this.#look();
  }

  #mayComeBack({ by, code, lost, reason }) {
    return lost || code === "peer_not_found" || (by === "peer" && GONE.includes(reason));
  }

  #retry() {
    if (this.#hub.state === "registered") this.#dial();
    else this.#timer = setTimeout(() => this.#retry(), RETRY_MIN);
  }

  #detach(forget = true) {
    this.#stats?.stop();
    this.#stats = null;
    if (forget) this.#session = null;
  }

  /* --- sound --- */

  /* Without a click, browsers play pictures only: then a button asks for one. */
  async #play() {
    this.#remote.muted = !this.#soundOn;
    try {
      await this.#remote.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || this.#remote.muted) return;
      this.#soundOn = false;
      this.#remote.muted = true;
      find("unmute").hidden = this.#session.stream.getAudioTracks().length === 0;
      this.#remote.play().catch(() => {});
    }
    this.#look();
  }

  #setSound(on) {
    this.#soundOn = on;
    find("unmute").hidden = true;
    this.#play();
    this.#look();
  }

  /* --- what is seen --- */

  #hasPicture() {
    const tracks = this.#session?.stream.getVideoTracks() ?? [];
    return tracks.some((track) => track.readyState === "live" && !track.muted);
  }

  #endWords() {
    const { by, code, reason } = this.#session.ended;
    const values = { peer: this.peer, reason: quote(reason) };
    if (code && has(`end.${code}`)) return t(`end.${code}`, values);
    if (by === "path") return t(this.#seen ? "end.silence" : "end.path", values);
    return t(Object.hasOwn(REASONS, reason) ? REASONS[reason] : "end.other", values);
  }

  /* The words on the cover, or "" for none. */
  #coverWords() {
    const { state } = this.#session;
    const values = { peer: this.peer };
    if (state === "ended" && this.kind === "watch" && this.#mayComeBack(this.#session.ended))
      return t(this.#seen ? "call.gone" : "call.waiting", values);
    if (state === "ended") return this.#endWords();
    if (state === "calling") return t(this.#tries ? (this.#seen ? "call.gone" : "call.waiting") : "call.calling", values);
    if (state === "connecting") return t("call.connecting", values);
    if (state === "interrupted") return t("call.interrupted", values);
    if (this.#hasPicture()) return "";
    return t(this.#session.stream.getAudioTracks().length ? "call.sound" : "call.nothing", values);
  }

  #look() {
    const active = this.kind !== null && this.#session !== null;
    document.body.dataset.view = active ? "session" : "idle";
    find("idle").hidden = active;
    find("controls").hidden = !active || (this.#session.ended !== null && !this.#waits());
    find("nameplate").hidden = !active;
    find("cover").hidden = !active;
    if (!active) {
      find("unmute").hidden = true;
      find("self").hidden = true;
      return;
    }
    const words = this.#coverWords();
    find("cover").hidden = words === "";
    find("cover").dataset.state = this.#session.state;
    if (find("cover-words").textContent !== words) find("cover-words").textContent = words;
    showAvatar(find("cover-avatar"), this.peer);
    find("nameplate").textContent = this.peer;
    find("nameplate").hidden = words !== "";
    find("cover-actions").hidden = this.#session.ended === null || this.#waits();
    find("again").textContent = t({ watch: "watch.again", chat: "chat.again" }[this.kind] ?? "call.again");
    if (this.#session.ended) find("unmute").hidden = true;
    this.#lookAtControls();
  }

  /* Whether the next try is about to be made. */
  #waits() {
    return this.kind === "watch" && this.#session.ended !== null && this.#mayComeBack(this.#session.ended);
  }

  #lookAtControls() {
    const sending = this.#sending;
    /* Who only shows something takes nothing. */
    const twoWay = this.kind !== "watch" && !(this.kind === "answer" && this.#session.offer?.takes.length === 0 &&
      this.#session.offer.sends.length > 0);
    for (const id of ["microphone", "camera", "share", "choose"]) find(id).hidden = !twoWay;
    find("sound").hidden = !this.#session.stream.getAudioTracks().length;
    find("full").hidden = !this.#hasPicture();
    this.#press("microphone", sending.has("audio"));
    this.#press("camera", sending.has("video") && !sending.screen);
    this.#press("share", sending.screen);
    this.#press("sound", !this.#remote.muted);
    find("share").querySelector("span").textContent = t(sending.screen ? "share.stop" : "share");
    find("hang-up-words").textContent = t(this.kind === "watch" ? "stop" : "hangup");
    const self = find("self");
    self.hidden = !sending.has("video") || this.#session.ended !== null;
    self.classList.toggle("mirror", !sending.screen);
    if (self.srcObject !== sending.stream) self.srcObject = sending.stream;
    if (!self.hidden) self.play().catch(() => {});
  }

  #press(id, on) {
    find(id).setAttribute("aria-pressed", String(on));
  }

  /* --- controls --- */

  #connectControls() {
    const act = (id, action) => find(id).addEventListener("click", async () => {
      try {
        await action();
      } catch (error) {
        this.#warn(error.message);
      }
    });
    act("microphone", () => this.#sending.toggleMicrophone());
    act("camera", () => this.#sending.toggleCamera());
    act("share", async () => {
      const before = this.#sending.screen;
      await this.#sending.toggleScreen();
      if (this.#sending.screen !== before)
        this.#say(t(before ? "call.unshare" : "call.share", { peer: this.peer }));
    });
    act("sound", () => this.#setSound(this.#remote.muted));
    act("unmute", () => this.#setSound(true));
    act("full", () => this.#toggleFull());
    act("hang-up", () => this.leave());
    act("leave", () => this.leave());
    act("again", () => this[this.kind === "answer" ? "call" : this.kind](this.peer));
    find("devices").addEventListener("toggle", ({ newState }) => {
      if (newState === "open") this.#showDevices();
    });
    for (const [kind, track] of [["videoinput", "video"], ["audioinput", "audio"]])
      find(`choose-${kind}`).addEventListener("change", ({ target }) => {
        chooseDevice(kind, target.value);
        this.#sending?.useDevice(track).catch((error) => this.#warn(error.message));
      });
    find("choose-audiooutput").addEventListener("change", ({ target }) => {
      chooseDevice("audiooutput", target.value);
      this.#remote.setSinkId(target.value).catch((error) => this.#warn(error.message));
    });
    if (chosenDevice("audiooutput")) this.#remote.setSinkId?.(chosenDevice("audiooutput")).catch(() => {});
  }

  async #toggleFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (find("screen").requestFullscreen) await find("screen").requestFullscreen();
    else this.#remote.webkitEnterFullscreen();
  }

  async #showDevices() {
    find("choose-speaker").hidden = !this.#remote.setSinkId;
    for (const kind of ["videoinput", "audioinput", "audiooutput"]) {
      const devices = [{ id: "", name: t("device.default") }, ...(await listDevices(kind))];
      const select = find(`choose-${kind}`);
      select.replaceChildren(...devices.map(({ id, name }) => new Option(name, id)));
      select.value = devices.some(({ id }) => id === chosenDevice(kind)) ? chosenDevice(kind) : "";
    }
  }
}
