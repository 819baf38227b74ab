/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a session's connection is like, each second, as numbers and small plots. */

import { t, formatNumber, onLanguage } from "./words.js";

const INTERVAL = 1000;

/* Samples that a plot shows: a minute; and how many are as wide as the plot at the beginning. */
const SAMPLES = 60;
const SAMPLES_MIN = 16;

/* The size of a plot in its own units; the style says how large it is shown. */
const WIDTH = 120;
const HEIGHT = 32;

const SVG = "http://www.w3.org/2000/svg";

/* What is plotted: the key of its name, the samples' member, digits, unit, and the least that the
 * plot's height stands for, so that small wobbles look small. */
const PLOTS = [
  { key: "stats.in", member: "rateIn", unit: () => "Mbit/s", digits: 2, least: 0.1 },
  { key: "stats.out", member: "rateOut", unit: () => "Mbit/s", digits: 2, least: 0.1 },
  { key: "stats.frames", member: "frames", unit: () => t("unit.frames"), digits: 0, least: 30 },
  { key: "stats.trip", member: "trip", unit: () => "ms", digits: 0, least: 20 },
  { key: "stats.jitter", member: "jitter", unit: () => "ms", digits: 0, least: 10 },
  { key: "stats.loss", member: "loss", unit: () => "%", digits: 1, least: 2 },
];

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/* A tile with a name, a number and a plot. */
class Plot {
  #samples = [];

  constructor(kind, parent) {
    this.kind = kind;
    this.tile = document.createElement("div");
    this.tile.className = "plot";
    this.tile.dataset.plot = kind.member;
    this.name = document.createElement("span");
    this.name.className = "plot-name";
    this.value = document.createElement("span");
    this.value.className = "plot-value";
    this.unit = document.createElement("span");
    this.unit.className = "plot-unit";
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.area = svg("path", { class: "plot-area" });
    this.line = svg("path", { class: "plot-line" });
    picture.append(this.area, this.line);
    const words = document.createElement("p");
    words.append(this.name, this.value, this.unit);
    this.tile.append(words, picture);
    parent.append(this.tile);
  }

  rename() {
    this.name.textContent = `${t(this.kind.key)} `;
    this.unit.textContent = ` ${this.kind.unit()}`;
  }

  add(sample) {
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
    this.tile.hidden = this.#samples.every((one) => one === null);
    this.value.textContent = sample === null ? "–" : formatNumber(sample, this.kind.digits);
    const most = Math.max(this.kind.least, ...this.#samples) * 1.1;
    const step = WIDTH / (Math.max(this.#samples.length, SAMPLES_MIN) - 1);
    const points = this.#samples.map((one, n) => {
      const x = WIDTH - (this.#samples.length - 1 - n) * step;
      const y = HEIGHT - 1 - ((one ?? 0) / most) * (HEIGHT - 2);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    const first = points[0].split(" ")[0];
    this.line.setAttribute("d", `M${points.join("L")}`);
    this.area.setAttribute("d", `M${first} ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}z`);
  }
}

function sum(reports, member) {
  return reports.reduce((total, report) => total + (report[member] ?? 0), 0);
}

/* What the browser counts, in one look. */
async function count(pc) {
  const reports = [...(await pc.getStats()).values()];
  const of = (type) => reports.filter((report) => report.type === type);
  const transport = of("transport")[0];
  const pair = reports.find(({ id }) => id === transport?.selectedCandidatePairId) ??
    of("candidate-pair").find((one) => one.nominated && one.state === "succeeded");
  const incoming = of("inbound-rtp");
  const outgoing = of("outbound-rtp");
  const theirs = of("remote-inbound-rtp");
  const pictures = [...incoming, ...outgoing].find(({ kind }) => kind === "video");
  const local = reports.find(({ id }) => id === pair?.localCandidateId);
  const remote = reports.find(({ id }) => id === pair?.remoteCandidateId);
  const codecs = new Set([...incoming, ...outgoing].map(({ codecId }) => reports.find(({ id }) => id === codecId)?.mimeType)
    .filter(Boolean).map((type) => type.split("/")[1].toUpperCase()));
  return {
    time: performance.now(),
    bytesIn: sum(incoming, "bytesReceived"),
    bytesOut: sum(outgoing, "bytesSent"),
    received: sum(incoming, "packetsReceived"),
    lost: sum(incoming, "packetsLost"),
    sending: outgoing.length > 0,
    receiving: incoming.length > 0,
    frames: pictures?.framesPerSecond ?? (pictures ? 0 : null),
    trip: pair?.currentRoundTripTime ?? theirs.find((one) => one.roundTripTime)?.roundTripTime ?? null,
    jitter: (incoming.find(({ kind }) => kind === "video") ?? incoming[0] ?? theirs[0])?.jitter ?? null,
    theirLoss: theirs.length ? Math.max(...theirs.map((one) => one.fractionLost ?? 0)) : null,
    size: pictures?.frameWidth ? `${pictures.frameWidth}×${pictures.frameHeight}` : "",
    codecs: [...codecs].join(" + "),
    way: [local, remote].some((one) => one?.candidateType === "relay") ? "relay" : local?.candidateType,
  };
}

/* What happened between two looks. */
function compare(before, now) {
  const seconds = (now.time - before.time) / 1000;
  const rate = (bytes) => Math.max(bytes, 0) * 8 / 1e6 / seconds;
  const received = now.received - before.received;
  const lost = Math.max(now.lost - before.lost, 0);
  const loss = received + lost > 0 ? (100 * lost) / (received + lost) : 0;
  return {
    rateIn: now.receiving ? rate(now.bytesIn - before.bytesIn) : null,
    rateOut: now.sending ? rate(now.bytesOut - before.bytesOut) : null,
    frames: now.frames,
    trip: now.trip === null ? null : now.trip * 1000,
    jitter: now.jitter === null ? null : now.jitter * 1000,
    loss: now.receiving ? loss : now.theirLoss === null ? null : 100 * now.theirLoss,
  };
}

/** The figures of one session, in these elements, until stop(). */
export class Stats {
  #plots;
  #timer;
  #forget;
  #before = null;
  #stopped = false;

  constructor(session, { section, plots, path }) {
    this.section = section;
    this.path = path;
    plots.replaceChildren();
    this.#plots = PLOTS.map((kind) => new Plot(kind, plots));
    this.#timer = setInterval(() => this.#look(session.pc), INTERVAL);
    this.#forget = onLanguage(this.#rename);
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#forget();
    this.section.hidden = true;
  }

  #rename = () => {
    for (const plot of this.#plots) plot.rename();
    this.#describe();
  };

  async #look(pc) {
    if (pc.connectionState === "closed") return;
    const now = await count(pc);
    if (this.#stopped) return;
    const before = this.#before;
    this.#before = now;
    this.#describe();
    if (!before) return;
    const sample = compare(before, now);
    for (const plot of this.#plots) plot.add(sample[plot.kind.member]);
    this.section.hidden = false;
  }

  #describe() {
    const now = this.#before;
    const way = now?.way ? t(`path.${now.way}`) : "";
    this.path.textContent = [now?.size, now?.codecs, way].filter(Boolean).join(" · ");
  }
}
