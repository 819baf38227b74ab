/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A client of a Conic hub, for web pages: who is there, calling them, being called.
 *
 * One file that needs no other, made to be copied; docs/web.md has examples, and docs/protocol.md
 * is what it speaks. It makes offers and answers, sees to candidates and to both sides calling at
 * once, and comes back when the hub was lost, while calls go on. What is in a call is yours:
 * `session.pc` is the browser's own RTCPeerConnection, and whatever you add to it is negotiated.
 *
 *     const hub = new Hub("wss://hub.example.org/ws");
 *     hub.addEventListener("session", ({ session }) => session.accept());
 *     hub.connect();
 *     const session = hub.call("camera", { receive: ["video"] });
 *     session.addEventListener("track", () => { video.srcObject = session.stream; });
 */

/* Milliseconds before the second try to reach the hub, and at most between two. Each is drawn between
 * half and all of that, so that those who lost the same hub don't all come at once. */
const DELAY_MIN = 1000;
const DELAY_MAX = 15000;

/* Milliseconds for a connection to the hub, with its registration, and for an answer of the hub: it sends
 * none to who has more waiting than there is room for. */
const CONNECT_TIME = 10000;
const ANSWER_TIME = 10000;

/* Messages kept while there is no hub, and candidates kept that came before their offer. */
const UNSENT_MAX = 256;
const EARLY_MAX = 128;

/* Sessions that one peer may have: one each way, and as many that are about to be replaced. */
const SESSIONS_PER_PEER = 4;

/* Milliseconds between a goodbye and the end of the connection: without the goodbye, that would look
 * like a loss to the other side. */
const CLOSE_DELAY = 300;

/* Milliseconds in which an offer's first candidate is there, if there will be any. */
const GATHER_TIME = 2000;

/* Bytes that may wait in a channel before ready() waits. */
const BUFFERED_MAX = 1 << 20;

/* The protocol of the channel on which Conic's elements say what becomes of the others. */
const FLOW_PROTOCOL = "conic.flow";

/* What the reason of a goodbye begins with when the session broke and its sender is still there. */
const LOST_PREFIX = "lost: ";

/**
 * What went wrong between the page and the hub. `code` is one of the hub's (docs/protocol.md), or:
 * - `unreachable`: nobody answers there; `closed`: the connection was lost, or there is none
 * - `no_token`: the function that is asked for the token has failed
 * - `refused`: the hub doesn't let this page in, or the URI isn't one; `unauthorized`: its token won't do
 * - `denied`: the hub's operator denies the id
 * - `replaced`: the id was taken over by whoever brought its resume token
 */
export class ConicError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "ConicError";
    this.code = code;
  }
}

function event(type, members) {
  return Object.assign(new Event(type), members);
}

/**
 * The hub that the page itself is from.
 * @returns {string} its URI
 */
export function ownHub() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
}

/**
 * A registered client of a hub.
 *
 * Events:
 * - `state`: `state` is another one, and perhaps `id`, `error` and `retryAt`
 * - `session`: somebody calls; `event.session` is ringing, for accept() or decline()
 * - `notice`: the hub says something that is no answer; `event.error` is a ConicError
 */
export class Hub extends EventTarget {
  /**
   * `waiting` is for the next try; `closed`, nobody called connect(), or `error` is for good.
   * @type {"closed"|"connecting"|"registered"|"waiting"}
   */
  state = "closed";
  /** Why it is closed or waiting. @type {?ConicError} */
  error = null;
  /** While waiting, when the next try is: milliseconds, as Date.now() counts. @type {number} */
  retryAt = 0;
  /** Those that have not ended. @type {Set<Session>} */
  sessions = new Set();
  /** What the hub told of for new sessions. @type {RTCIceServer[]} */
  iceServers = [];
  #socket = null;
  #attempts = 0;
  #timer = 0;
  #opened = 0;
  #listening;
  #resumeToken;
  #hasToken = false;
  #requests = new Map();
  #unsent = [];
  #early = [];
  #sent = 0;

  /**
   * @param {string} [uri] - of the hub: `ws://HOST:3000/ws` or `wss://…`; by default, of the hub that
   *   the page is from
   * @param {object} [options]
   * @param {string} [options.id] - the id to register; without one the hub assigns one
   * @param {string|function(): (string|Promise<string>)} [options.token] - what the hub lets in; a
   *   function is asked before each connection, and again later if it fails
   * @param {RTCConfiguration} [options.configuration] - for the sessions, besides the hub's servers
   */
  constructor(uri = ownHub(), { id = "", token = "", configuration = {} } = {}) {
    super();
    this.uri = uri;
    /** The own id once registered; till then, and while closed, the one to ask for. @type {string} */
    this.id = id;
    this.token = token;
    this.configuration = configuration;
  }

  /** Connects, registers, and does so again whenever the connection is lost, until close(). */
  connect() {
    if (this.state !== "closed") return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    addEventListener("online", () => this.retry(), { signal });
    addEventListener("pagehide", () => {
      for (const session of this.sessions) session.hangUp("the page was left");
    }, { signal });
    this.#open();
  }

  /** Tries at once, if it is waiting for the next try. */
  retry() {
    if (this.state === "waiting") this.#open();
  }

  /** Ends all sessions and leaves the hub. */
  close() {
    for (const session of this.sessions) session.hangUp();
    this.#stop(null);
    this.#unsent = [];
    this.#resumeToken = undefined;
  }

  /**
   * Who is on the hub, as far as it tells.
   * @returns {Promise<string[]>} the ids of the others, sorted; rejects with a ConicError if there is
   *   no connection, if that ends before there is an answer, or if there is none in ten seconds
   */
  async peers() {
    const { clients } = await this.#request("list_request");
    const ids = clients.map(({ client_id: id }) => id);
    return ids.filter((id) => id !== this.id).sort();
  }

  /**
   * Calls a peer; without a connection, as soon as there is one. What goes wrong later is the `ended`
   * of the session. If that peer is calling, this accepts.
   * @param {string} peer - its id
   * @param {object} [options]
   * @param {MediaStream} [options.stream] - what to send
   * @param {("audio"|"video")[]} [options.receive] - what else to ask for
   * @param {string[]} [options.channels] - labels of data channels to open; each is a `channel` event
   * @returns {Session}
   * @throws {TypeError|DOMException} what an option is that RTCPeerConnection doesn't take
   */
  call(peer, options = {}) {
    const ringing = this.#of(peer).find(({ state }) => state === "ringing");
    if (ringing) {
      ringing.accept(options);
      return ringing;
    }
    const session = this.#addSession(peer, crypto.getRandomValues(new Uint32Array(4)).join("-"));
    try {
      session._call(options);
    } catch (error) {
      session._end({ reason: error.message, by: "us" });
      throw error;
    }
    return session;
  }

  /* --- the connection --- */

  #setState(state, error = null) {
    this.state = state;
    this.error = error;
    this.dispatchEvent(new Event("state"));
  }

  /* `error`: why for good, or null if nobody wants it any more. */
  #stop(error) {
    const socket = this.#socket;
    this.#socket = null;
    this.#opened++;
    clearTimeout(this.#timer);
    this.#listening?.abort();
    socket?.close(1000);
    this.#rejectRequests();
    this.#attempts = 0;
    this.#setState("closed", error);
  }

  #wait(error) {
    const delay = Math.min(DELAY_MIN * 2 ** this.#attempts++, DELAY_MAX) * (0.5 + Math.random() / 2);
    this.#socket = null;
    this.#rejectRequests();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.retry(), delay);
    this.retryAt = Date.now() + delay;
    this.#setState("waiting", error);
  }

  async #open() {
    clearTimeout(this.#timer);
    this.#setState("connecting", this.error);
    const attempt = ++this.#opened;
    let { token } = this;
    let socket;
    try {
      if (typeof token === "function") token = await token();
    } catch (error) {
      if (attempt === this.#opened) this.#wait(new ConicError("no_token", error.message));
      return;
    }
    if (attempt !== this.#opened) return;
    try {
      socket = new WebSocket(this.uri, token ? ["conic", `bearer.${token}`] : ["conic"]);
    } catch (error) {
      this.#stop(new ConicError("refused", error.message));
      return;
    }
    this.#socket = socket;
    this.#hasToken = Boolean(token);
    this.#timer = setTimeout(() => this.#abandon(socket), CONNECT_TIME);
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#transmit("register_request", { client_id: this.id, resume_token: this.#resumeToken });
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#receive(JSON.parse(data));
    };
    socket.onclose = async ({ code }) => {
      if (this.#socket !== socket) return;
      const error = wasOpen ? null : await this.#askWhy(token);
      if (this.#socket === socket) this.#onLost(code, error);
    };
  }

  /* Its own timeout can be minutes. */
  #abandon(socket) {
    if (this.#socket !== socket) return;
    socket.onclose = null;
    socket.close();
    this.#wait(new ConicError("unreachable", `${new URL(this.uri).host} doesn't answer`));
  }

  #onLost(code, error) {
    if (code === 4001) this.#stop(new ConicError("replaced", "This id was taken over elsewhere"));
    else if (code === 4003 && typeof this.token !== "function")
      this.#stop(new ConicError("unauthorized", "The token has expired"));
    else if (error?.code === "unauthorized" || error?.code === "refused") this.#stop(error);
    else this.#wait(error ?? new ConicError("closed", "The connection to the hub was lost"));
  }

  /* A WebSocket doesn't tell why it failed; an HTTP request to the same place does. */
  async #askWhy(token) {
    const uri = new URL(this.uri.replace(/^ws/, "http"));
    const own = uri.origin === location.origin;
    const options = own && token ? { headers: { Authorization: `Bearer ${token}` } } : {};
    try {
      const answer = await fetch(uri, { cache: "no-store", mode: own ? "cors" : "no-cors", ...options });
      const text = own ? (await answer.text()).trim() : "";
      if (answer.status === 401) return new ConicError("unauthorized", text);
      if (answer.status === 403) return new ConicError("refused", text);
      /* Whom it has let in before it has no reason to refuse: a proxy may have answered for it. */
      if (!own && this.#resumeToken === undefined)
        return new ConicError("refused", "The hub is there, but doesn't let this page in: it wants " +
          `another token, or doesn't know the origin ${location.origin}`);
      return new ConicError("unreachable", answer.status === 426
        ? "The hub was there, but the WebSocket failed" : `${answer.status} ${text}`);
    } catch {
      return new ConicError("unreachable", `Nobody answers at ${uri.host}`);
    }
  }

  /* --- messages --- */

  #transmit(type, data) {
    const id = String(++this.#sent);
    this.#socket.send(JSON.stringify({ id, type, timestamp: new Date().toISOString(), data }));
    return id;
  }

  #request(type, data = {}) {
    if (this.state !== "registered")
      return Promise.reject(new ConicError("closed", "There is no connection to the hub"));
    const id = this.#transmit(type, data);
    const late = new ConicError("unreachable", "The hub doesn't answer");
    setTimeout(() => this.#takeRequest(id)?.reject(late), ANSWER_TIME);
    return new Promise((resolve, reject) => this.#requests.set(id, { resolve, reject }));
  }

  #rejectRequests() {
    for (const { reject } of this.#requests.values())
      reject(new ConicError("closed", "The connection to the hub was lost"));
    this.#requests.clear();
  }

  #send(session, type, members) {
    const data = { from_id: this.id, to_id: session.peer, ...members };
    if (session.id) data.session_id = session.id;
    if (this.state === "registered") {
      this.#transmit(type, data);
      return;
    }
    if (this.#unsent.length >= UNSENT_MAX) this.#unsent.shift();
    this.#unsent.push({ session, type, data });
  }

  /* Asked for by what only the hub says: a peer may put any `reply_to` into its messages. */
  #takeRequest(id) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  #receive({ type, reply_to: replyTo, data }) {
    switch (type) {
      case "register_response": this.#onRegistered(data); break;
      case "list_response": this.#takeRequest(replyTo)?.resolve(data); break;
      case "sdp": this.#onDescription(data); break;
      case "candidate": this.#onCandidate(data); break;
      case "bye": this.#find(data.from_id, data.session_id)?._receive(type, data); break;
      case "error": {
        const error = new ConicError(data.code, data.message);
        const request = this.#takeRequest(replyTo);
        if (request) request.reject(error);
        else this.#onError(error, data.to_id);
      }
    }
  }

  #onRegistered(data) {
    if (!data.success) {
      this.#onRefused(data.error?.code ?? "refused", data.error?.message ?? "");
      return;
    }
    clearTimeout(this.#timer);
    this.id = data.client_id;
    this.iceServers = data.ice_servers ?? [];
    this.#resumeToken = data.resume_token;
    this.#attempts = 0;
    this.#setState("registered");
    for (const { session, type, data: kept } of this.#unsent.splice(0))
      if (type === "bye" || session._wants(type)) this.#transmit(type, { ...kept, from_id: this.id });
    for (const session of this.sessions) session._resume();
  }

  #onRefused(code, message) {
    const socket = this.#socket;
    if (code === "id_taken" && this.#resumeToken !== undefined) {
      /* The answer that had the newer resume token was lost: the id is free when the hub has noticed. */
      this.#wait(new ConicError(code, message));
      socket.close(1000);
    } else {
      /* Without a token, there is none that won't do. */
      this.#stop(new ConicError(code === "unauthorized" && !this.#hasToken ? "denied" : code, message));
    }
  }

  #onError(error, peer) {
    this.dispatchEvent(event("notice", { error }));
    /* Those that are connected go on without the hub. */
    for (const session of this.#of(peer))
      if (["calling", "connecting"].includes(session.state))
        session._end({ reason: error.message, by: "hub", code: error.code });
  }

  /* --- sessions --- */

  #of(peer) {
    return [...this.sessions].filter((session) => session.peer === peer);
  }

  #find(peer, id) {
    return this.#of(peer).find((session) => !id || !session.id || session.id === id);
  }

  #addSession(peer, id) {
    const session = new Session(this, peer, id, {
      send: (type, data) => this.#send(session, type, data),
      ended: () => this.sessions.delete(session),
    });
    this.sessions.add(session);
    return session;
  }

  #onDescription(data) {
    const { from_id: peer, session_id: id = "", session_description: description } = data;
    let session = this.#find(peer, id);
    if (description.type !== "offer") {
      session?._receive("sdp", data);
      return;
    }
    if (session && !session._isContinuedBy(description)) {
      session._end({ reason: "it began anew", by: "peer" });
      session = null;
    }
    if (!session) {
      /* Both call at once: the call of the id that sorts lower is the one. */
      const calling = this.#of(peer).find(({ state }) => state === "calling");
      if (calling && this.id < peer) return;
      if (!calling && this.#of(peer).length >= SESSIONS_PER_PEER) {
        this.#send({ peer, id }, "bye", { reason: "this peer has no room for another session" });
        return;
      }
      if (calling) calling.id = id;
      session = calling ?? this.#addSession(peer, id);
    }
    const fresh = session.state === "new";
    session._receive("sdp", data);
    for (const early of this.#early)
      if (early.from_id === peer && (early.session_id ?? "") === id) session._receive("candidate", early);
    this.#early = this.#early.filter(({ from_id: from }) => from !== peer);
    if (fresh) this.dispatchEvent(event("session", { session }));
  }

  #onCandidate(data) {
    const session = this.#find(data.from_id, data.session_id);
    if (session) {
      session._receive("candidate", data);
      return;
    }
    if (this.#early.length >= EARLY_MAX) this.#early.shift();
    this.#early.push(data);
  }
}

/**
 * A call: one RTCPeerConnection with one peer. Made by Hub.call() and by the event `session`.
 *
 * Events:
 * - `state`: `state` is another one
 * - `track`: the peer sends something more; `event.track`, which is in `stream`, too
 * - `channel`: a data channel, `event.channel`; `event.remote` says that the peer opened it
 * - `ended`: it is over; `ended` says why
 */
export class Session extends EventTarget {
  /**
   * `ringing` until accept(), `calling` until the peer answers, `interrupted` while nothing arrives.
   * @type {"ringing"|"calling"|"connecting"|"connected"|"interrupted"|"ended"}
   */
  state = "new";
  /** Null while ringing. @type {?RTCPeerConnection} */
  pc = null;
  /** All that comes; what the peer takes back is taken out. @type {MediaStream} */
  stream = new MediaStream();
  /**
   * What the peer wants, once it has called: the kinds that it sends and takes, `audio` and `video`.
   * @type {?{sends: string[], takes: string[], channels: boolean}}
   */
  offer = null;
  /**
   * How it ended. `reason` is the peer's words if it ended it, `code` the hub's, such as
   * `peer_not_found`; `lost`: the peer may be called again at once.
   * @type {?{reason: string, by: ("us"|"peer"|"hub"|"path"), code: ?string, lost: boolean}}
   */
  ended = null;
  #hub;
  #link;
  #pending = null; /* the offer that rings */
  #early = [];
  #work = Promise.resolve();
  #flow = new Flow();
  #origin;
  #gathered = false;
  #making = false;
  #ignoring = false;

  /** Only a Hub makes sessions. */
  constructor(hub, peer, id, link) {
    super();
    this.#hub = hub;
    this.#link = link;
    /** The other side's id. @type {string} */
    this.peer = peer;
    /** What tells several sessions with a peer apart; "" if the peer knows of none. @type {string} */
    this.id = id;
  }

  /**
   * Takes the call; while it doesn't ring, does nothing.
   * @param {object} [options]
   * @param {MediaStream} [options.stream] - what to send; of it, what the peer takes
   * @param {string[]} [options.channels] - as for Hub.call()
   */
  accept({ stream, channels } = {}) {
    if (this.state !== "ringing") return;
    const { takes } = this.offer;
    this.#connect();
    this.#setState("connecting");
    this.#enqueue(async () => {
      await this.#answer(this.#pending, () => {
        for (const track of stream?.getTracks() ?? [])
          if (takes.includes(track.kind)) this.pc.addTrack(track, stream);
      });
      for (const label of channels ?? []) this.createChannel(label);
    });
  }

  /**
   * Refuses the call.
   * @param {string} [reason] - for the peer
   */
  decline(reason = "the call was declined") {
    this.hangUp(reason);
  }

  /**
   * Ends the session; once it has ended, does nothing.
   * @param {string} [reason] - for the peer
   */
  hangUp(reason = "hung up") {
    if (this.state === "ended") return;
    this.#link.send("bye", { reason });
    this._end({ reason, by: "us" });
  }

  /**
   * Opens a data channel, which is told in a `channel` event as well.
   * @param {string} label
   * @param {RTCDataChannelInit} [options]
   * @returns {RTCDataChannel} with the `binaryType` `arraybuffer`
   * @throws {TypeError|DOMException} while ringing, when it has ended, or for options that won't do
   */
  createChannel(label, options = {}) {
    return this.#addChannel(this.pc.createDataChannel(label, options), false);
  }

  /**
   * Waits until a channel is open, less than 1 MiB waits in it, and the peer keeps up with it.
   * @param {RTCDataChannel} channel - of createChannel() or a `channel` event
   * @returns {Promise<boolean>} whether more can be sent; if not, it is closed
   */
  ready(channel) {
    return this.#flow.ready(channel);
  }

  /* --- for the hub --- */

  _call({ stream, receive = [], channels = [] }) {
    this.#setState("calling");
    this.#connect();
    const kinds = stream?.getTracks().map((track) => track.kind) ?? [];
    for (const track of stream?.getTracks() ?? []) this.pc.addTrack(track, stream);
    for (const kind of receive)
      if (!kinds.includes(kind)) this.pc.addTransceiver(kind, { direction: "recvonly" });
    this.#addChannel(this.pc.createDataChannel(FLOW_PROTOCOL, { protocol: FLOW_PROTOCOL }), false);
    for (const label of channels) this.createChannel(label);
  }

  /* Whether a message that waited for the hub is still to be sent: an offer is made again. */
  _wants(type) {
    return this.state !== "ended" && !(type === "sdp" && this.state === "calling");
  }

  /* The hub was lost meanwhile, and what was on its way with it. */
  _resume() {
    if (this.state === "calling" && this.pc.localDescription)
      this.#link.send("sdp", { session_description: this.pc.localDescription });
  }

  /* A peer that knows nothing of session ids calls anew without another one. */
  _isContinuedBy({ sdp }) {
    return !this.#origin || this.#origin === originOf(sdp);
  }

  _receive(type, data) {
    if (type === "bye") {
      const reason = data.reason ?? "";
      const lost = reason.startsWith(LOST_PREFIX);
      this._end({ reason: lost ? reason.slice(LOST_PREFIX.length) : reason, by: "peer", lost });
    } else if (type === "candidate") {
      this.#enqueue(() => this.#onCandidate(data.candidate));
    } else {
      const description = data.session_description;
      if (description.type === "offer" || description.type === "answer") this.#origin = originOf(description.sdp);
      if (description.type === "offer" && !this.pc) this.#ring(description);
      else this.#enqueue(() => this.#onDescription(description));
    }
  }

  _end(ended) {
    if (this.state === "ended") return;
    this.ended = { reason: "", code: null, lost: false, ...ended };
    this.#close(this.ended.by === "us" ? CLOSE_DELAY : 0);
    this.#flow.end();
    this.#link.ended();
    this.#setState("ended");
    this.dispatchEvent(new Event("ended"));
  }

  /* --- negotiation --- */

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  /* One step at a time; what fails ends the session. */
  #enqueue(step) {
    this.#work = this.#work.then(() => this.state === "ended" ? null : step()).catch((error) => {
      if (this.state === "ended") return;
      this.#link.send("bye", { reason: `${LOST_PREFIX}${error.message}` });
      this._end({ reason: error.message, by: "us", lost: true });
    });
  }

  #ring(description) {
    this.#pending = description;
    this.offer = readOffer(description.sdp);
    this.#setState("ringing");
  }

  #connect() {
    const pc = makeConnection(this.#hub);
    this.pc = pc;
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) => {
      this.#gathered = true;
      if (candidate?.candidate) this.#link.send("candidate", { candidate });
    };
    pc.ontrack = ({ track, streams }) => {
      this.stream.addTrack(track);
      for (const stream of streams) stream.onremovetrack = (gone) => this.stream.removeTrack(gone.track);
      this.dispatchEvent(event("track", { track }));
    };
    pc.ondatachannel = ({ channel }) => this.#addChannel(channel, true);
    pc.onconnectionstatechange = () => this.#onConnectionState(pc.connectionState);
  }

  #close(delay) {
    const { pc } = this;
    if (!pc) return;
    for (const type of ["connectionstatechange", "datachannel", "icecandidate", "negotiationneeded", "track"])
      pc[`on${type}`] = null;
    for (const sender of pc.getSenders()) sender.replaceTrack(null).catch(() => {});
    setTimeout(() => pc.close(), delay);
  }

  #onConnectionState(state) {
    if (state === "connected") this.#setState("connected");
    else if (state === "disconnected" && this.state === "connected") this.#setState("interrupted");
    else if (state === "failed") {
      const reason = this.state === "connecting" || this.state === "calling"
        ? "there is no path between the two" : "nothing comes from the other side any more";
      this.#link.send("bye", { reason: LOST_PREFIX + reason });
      this._end({ reason, by: "path", lost: true });
    }
  }

  #addChannel(channel, remote) {
    this.#flow.watch(channel);
    if (channel.protocol === FLOW_PROTOCOL) return channel;
    const tell = () => this.dispatchEvent(event("channel", { channel, remote }));
    /* The first message of theirs may be there already; of ours, nobody can know before it is opened. */
    if (remote) tell();
    else queueMicrotask(tell);
    return channel;
  }

  /* Perfect negotiation, as in the WebRTC specification, section 10.7: what changes on this side is
   * offered; when both sides do, the one whose id sorts lower ignores the other's offer, and the
   * other one takes its own back. */
  async #offer() {
    try {
      this.#making = true;
      await this.pc.setLocalDescription();
      this.#link.send("sdp", { session_description: this.pc.localDescription });
    } catch (error) {
      if (this.state !== "ended") console.warn(`Conic: ${error.message}`);
    } finally {
      this.#making = false;
    }
  }

  async #onDescription(description) {
    const { pc } = this;
    const stable = pc.signalingState === "stable";
    const offered = description.type === "offer";
    const collides = offered && (this.#making || !stable);
    this.#ignoring = collides && this.#hub.id < this.peer;
    if (this.#ignoring || (!offered && stable)) return;
    if (this.state === "calling") this.#setState("connecting");
    if (collides && !this.#gathered) await this.#untilGathered();
    if (offered) {
      await this.#answer(description);
      return;
    }
    await pc.setRemoteDescription(description);
    await this.#addEarly();
  }

  /* Chromium finds no candidates any more if it takes an offer back before the first one was there. */
  #untilGathered() {
    return new Promise((resolve) => {
      this.pc.addEventListener("icecandidate", resolve, { once: true });
      setTimeout(resolve, GATHER_TIME);
    });
  }

  async #answer(description, prepare = () => {}) {
    await this.pc.setRemoteDescription(description);
    prepare();
    await this.pc.setLocalDescription();
    this.#link.send("sdp", { session_description: this.pc.localDescription });
    await this.#addEarly();
  }

  async #addEarly() {
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
  }

  async #onCandidate(candidate) {
    if (this.pc?.remoteDescription) await this.#addCandidate(candidate);
    else if (this.#early.length < EARLY_MAX) this.#early.push(candidate);
  }

  async #addCandidate({ sdpMid = null, sdpMLineIndex = null, ...rest }) {
    const place = sdpMid === null && sdpMLineIndex === null ? 0 : sdpMLineIndex;
    try {
      await this.pc.addIceCandidate({ ...rest, sdpMid, sdpMLineIndex: place });
    } catch (error) {
      /* One that isn't understood is one way less, and no more. */
      if (!this.#ignoring) console.debug(`Conic: ${error.message}`);
    }
  }
}

/* What Conic's elements say about data channels: docs/protocol.md, conic.flow. Answering it is how
 * they know that all has arrived, and notice within seconds that this page is gone. */
class Flow {
  #channels = new Map(); /* those that are not closed, and what is known of each */
  #waiting = new Set();
  #spoken = false;
  #ended = false;

  watch(channel) {
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = BUFFERED_MAX / 2;
    channel.addEventListener("bufferedamountlow", () => this.#look());
    channel.addEventListener("close", () => {
      this.#channels.delete(channel);
      this.#look();
    });
    if (channel.protocol === FLOW_PROTOCOL) {
      channel.addEventListener("open", () => channel.send("hello"));
      channel.addEventListener("message", ({ data }) => this.#hear(channel, data));
      return;
    }
    const known = { channel, received: 0, expected: Infinity, control: null, paused: false };
    this.#channels.set(channel, known);
    channel.addEventListener("open", () => this.#look());
    channel.addEventListener("message", () => {
      known.received++;
      /* After the page's own listeners. */
      setTimeout(() => this.#confirm(known));
    });
  }

  ready(channel) {
    return new Promise((resolve) => {
      if (this.#ended) resolve(false);
      else this.#waiting.add({ channel, resolve });
      this.#look();
    });
  }

  end() {
    this.#ended = true;
    for (const { resolve } of this.#waiting) resolve(false);
    this.#waiting.clear();
  }

  #look() {
    for (const waiting of this.#waiting) {
      const { channel, resolve } = waiting;
      const open = channel.readyState === "open";
      const full = this.#channels.get(channel)?.paused || channel.bufferedAmount > BUFFERED_MAX;
      if (channel.readyState === "connecting" || (open && full)) continue;
      this.#waiting.delete(waiting);
      resolve(open);
    }
  }

  #hear(control, text) {
    const [word, number, count] = String(text).split(" ");
    const known = [...this.#channels.values()].find(({ channel }) => channel.id === Number(number));
    if (!this.#spoken) control.send("hello");
    this.#spoken = true;
    if (word === "ping" && control.bufferedAmount < BUFFERED_MAX) control.send(`pong ${Number(number)}`);
    if (!known) return;
    if (word === "pause" || word === "resume") known.paused = word === "pause";
    if (word === "end") Object.assign(known, { control, expected: Number(count) });
    this.#confirm(known);
    this.#look();
  }

  #confirm(known) {
    if (known.received < known.expected) return;
    known.expected = Infinity;
    if (known.control.readyState === "open") known.control.send(`ended ${known.channel.id}`);
  }
}

/* Servers that the browser can't make sense of are no reason to do without a connection. */
function makeConnection({ configuration, iceServers }) {
  try {
    const all = [...(configuration.iceServers ?? []), ...iceServers];
    return new RTCPeerConnection({ ...configuration, iceServers: all });
  } catch (error) {
    console.warn(`Conic: the hub's ICE servers: ${error.message}`);
    return new RTCPeerConnection(configuration);
  }
}

/* --- session descriptions --- */

function originOf(sdp) {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1];
}

/* What an offer's sender wants to send and to get, and whether it wants data channels. */
function readOffer(sdp) {
  const sends = new Set();
  const takes = new Set();
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const kind = section.split(" ", 1)[0];
    const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(section)?.[1] ?? "sendrecv";
    if (direction.startsWith("send")) sends.add(kind);
    if (direction.includes("recv")) takes.add(kind);
  }
  const channels = sends.delete("application");
  takes.delete("application");
  return { sends: [...sends], takes: [...takes], channels };
}
