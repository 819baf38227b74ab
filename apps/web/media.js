/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The own camera, microphone and screen: opening them, choosing among them, what went wrong in words,
 * and what of them a session gets. */

import { browserStore } from "./stored.js";
import { t } from "./words.js";

const STORED = "conic.devices";

/* The kinds of tracks, and what the browser calls the devices that they come from. */
const DEVICE = { video: "videoinput", audio: "audioinput" };

/** What went wrong with the camera, the microphone or the screen, in words. */
export class MediaProblem extends Error {}

function explain(error) {
  if (!isSecureContext) return t("media.insecure");
  switch (error.name) {
    case "NotAllowedError": return t("media.denied");
    case "NotFoundError": return t("media.none");
    case "NotReadableError":
    case "AbortError": return t("media.busy");
    default: return t("media.other", { reason: error.message });
  }
}

function chosen() {
  try {
    return JSON.parse(browserStore.get(STORED)) ?? {};
  } catch {
    return {};
  }
}

/** The id of the device of a kind that was chosen, or "" for the browser's own choice. */
export function chosenDevice(kind) {
  return chosen()[kind] ?? "";
}

export function chooseDevice(kind, id) {
  browserStore.set(STORED, JSON.stringify({ ...chosen(), [kind]: id }));
}

/** The devices of a kind: `{ id, name }`. Their names are known only once one was allowed. */
export async function listDevices(kind) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default")
    .map((device, n) => ({ id: device.deviceId, name: device.label || t("device.nameless", { n: n + 1 }) }));
}

function constraint(kind) {
  const id = chosenDevice(DEVICE[kind]);
  const wish = kind === "video" ? { width: { ideal: 1280 }, height: { ideal: 720 } } : {};
  return id ? { ...wish, deviceId: { ideal: id } } : wish;
}

async function open(kinds) {
  const wanted = Object.fromEntries(kinds.map((kind) => [kind, constraint(kind)]));
  if (!navigator.mediaDevices) throw new MediaProblem(t("media.insecure"));
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw Object.assign(new MediaProblem(explain(error)), { missing: error.name === "NotFoundError" });
  }
}

/** Opens these kinds of `audio` and `video`; if one isn't there, the other, and `note` is told. */
export async function openMedia(kinds, note) {
  try {
    return await open(kinds);
  } catch (error) {
    if (!error.missing || kinds.length < 2) throw error;
  }
  try {
    const stream = await open(["audio"]);
    note(t("media.nocamera"));
    return stream;
  } catch (error) {
    if (!error.missing) throw error;
  }
  const stream = await open(["video"]);
  note(t("media.nomicrophone"));
  return stream;
}

/** Opens a screen, a window or a tab, as the user chooses; null if they choose none. */
export async function openScreen() {
  if (!isSecureContext) throw new MediaProblem(t("media.insecure"));
  if (!navigator.mediaDevices?.getDisplayMedia) throw new MediaProblem(t("media.unable"));
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
  } catch (error) {
    if (error.name === "NotAllowedError") return null;
    throw new MediaProblem(explain(error));
  }
}

/**
 * What a session sends. `change` is an event when any of it is another; `stream` is what to show of
 * it, `screen` says whether that is the screen.
 */
export class Sending extends EventTarget {
  stream;
  screen = false;
  #session = null;
  #note;

  constructor(stream, note, screen = false) {
    super();
    this.stream = stream ?? new MediaStream();
    this.screen = screen;
    this.#note = note;
    for (const track of this.stream.getTracks()) this.#watch(track);
  }

  /** From now on, what changes is sent in that session. */
  attach(session) {
    this.#session = session;
  }

  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /** Whether that kind is sent at the moment: a microphone may be silenced. */
  has(kind) {
    return this.track(kind)?.enabled ?? false;
  }

  /** Turns the microphone on or off. */
  async toggleMicrophone() {
    const track = this.track("audio");
    if (track) track.enabled = !track.enabled;
    else await this.#put("audio", (await open(["audio"])).getTracks()[0]);
    this.#changed();
  }

  /** Turns the camera on or off; off, its light is off, too. */
  async toggleCamera() {
    const on = this.has("video") && !this.screen;
    await this.#put("video", on ? null : (await open(["video"])).getTracks()[0]);
    this.screen = false;
    this.#changed();
  }

  /** Shows the screen instead of the camera, or the camera again. */
  async toggleScreen() {
    if (this.screen) {
      await this.#endScreen();
      return;
    }
    const stream = await openScreen();
    if (!stream) return;
    this.cameraBefore = this.has("video");
    for (const track of stream.getAudioTracks()) track.stop();
    await this.#put("video", stream.getVideoTracks()[0]);
    this.screen = true;
    this.#changed();
  }

  /** Takes another device for what is sent. */
  async useDevice(kind) {
    if (!this.has(kind) || (kind === "video" && this.screen)) return;
    await this.#put(kind, (await open([kind])).getTracks()[0]);
    this.#changed();
  }

  stop() {
    for (const track of this.stream.getTracks()) track.stop();
    this.#session = null;
  }

  async #endScreen() {
    const again = this.cameraBefore;
    await this.#put("video", again ? (await open(["video"])).getTracks()[0] : null);
    this.screen = false;
    this.#changed();
  }

  /* Sends a track (null: nothing) in place of what there is of that kind. With nothing, the direction
   * says so, or the other side would keep the last picture. */
  async #put(kind, track) {
    const pc = this.#session?.pc;
    /* It ended while the browser was asking. */
    if (!pc) {
      track?.stop();
      return;
    }
    const before = this.track(kind);
    const place = pc.getTransceivers().find((one) => one.receiver.track.kind === kind && one.sender.track === before &&
      one.direction !== "stopped");
    if (before) {
      this.stream.removeTrack(before);
      before.stop();
    }
    if (track) {
      this.stream.addTrack(track);
      this.#watch(track);
    }
    if (place) {
      await place.sender.replaceTrack(track);
      place.direction = track ? "sendrecv" : "recvonly";
    } else if (track) {
      pc.addTrack(track, this.stream);
    }
  }

  /* A share that is ended beside the page, a device that is unplugged. */
  #watch(track) {
    track.addEventListener("ended", () => {
      if (this.track(track.kind) !== track || !this.#session) return;
      if (this.screen && track.kind === "video") this.#endScreen().catch((error) => this.#note(error.message));
      else this.#put(track.kind, null).then(() => this.#changed());
    });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
