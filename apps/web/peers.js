/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of who is on the hub, and the field for somebody who isn't on it. */

import { showAvatar } from "./avatar.js";
import { formatNumber, onLanguage, t } from "./words.js";

/* Milliseconds between two looks; nobody looks while the page is hidden. */
const INTERVAL = 3000;

/* Rows of the list, and ids that the field suggests; a hub may have thousands. */
const ROWS_MAX = 200;
const KNOWN_MAX = 2000;

/* What can be done with a peer: the action, the key of its name, its icon. */
const ACTIONS = [
  ["watch", "watch.peer", "i-eye"],
  ["call", "call.peer", "i-phone"],
  ["share", "share.peer", "i-screen"],
  ["chat", "chat.peer", "i-chat"],
];

const ID = /^[A-Za-z0-9._~-]{1,128}$/;
const SVG = "http://www.w3.org/2000/svg";

const find = (id) => document.getElementById(id);

/** What is wrong with an id, in words; "" if nothing is. */
export function judgeId(id) {
  if (!id) return t("id.empty");
  return ID.test(id) ? "" : t("id.bad");
}

function makeIcon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** `act(action, peer)` is called for what the user wants; `warn(text)` tells what is wrong. */
export class Peers {
  #hub;
  #act;
  #rows = new Map();
  #ids = null; /* null: not asked yet */
  #asking = false;
  #list = find("peers");

  constructor(hub, act, warn) {
    this.#hub = hub;
    this.#act = act;
    hub.addEventListener("state", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.look(), INTERVAL);
    find("other").addEventListener("submit", (event) => {
      event.preventDefault();
      const id = find("other-id").value.trim();
      const problem = id && id === hub.id ? t("id.own") : judgeId(id);
      find("other-id").setAttribute("aria-invalid", String(problem !== ""));
      if (problem) warn(problem);
      else act(event.submitter?.value ?? "watch", id);
    });
    onLanguage(() => {
      for (const [id, row] of this.#rows) this.#name(id, row);
      this.#tellMore();
    });
  }

  /** Asks the hub now. */
  async look() {
    if (document.hidden || this.#asking || this.#hub.state !== "registered") return;
    this.#asking = true;
    try {
      this.#show(await this.#hub.peers());
    } catch {
      /* The connection went; what there was stays until there is another one. */
    } finally {
      this.#asking = false;
    }
  }

  #show(ids) {
    if (this.#ids && String(ids) === String(this.#ids)) return;
    this.#ids = ids;
    const shown = new Set(ids.slice(0, ROWS_MAX));
    for (const [id, row] of this.#rows)
      if (!shown.has(id)) {
        row.remove();
        this.#rows.delete(id);
      }
    /* Rows stay where they are, with the focus that they may have. */
    [...shown].forEach((id, n) => {
      if (!this.#rows.has(id)) this.#rows.set(id, this.#makeRow(id));
      const row = this.#rows.get(id);
      if (this.#list.children[n] !== row) this.#list.insertBefore(row, this.#list.children[n] ?? null);
    });
    find("peers-count").textContent = ids.length || "";
    find("known").replaceChildren(...ids.slice(0, KNOWN_MAX).map((id) => Object.assign(document.createElement("option"), { value: id })));
    find("peers-none").hidden = ids.length > 0;
    find("idle-hint").hidden = ids.length > 0;
    this.#tellMore();
  }

  #tellMore() {
    const more = (this.#ids?.length ?? 0) - ROWS_MAX;
    find("peers-more").hidden = more <= 0;
    find("peers-more").textContent = t("peers.more", { count: formatNumber(more) });
  }

  #makeRow(id) {
    const row = document.createElement("li");
    const avatar = document.createElement("span");
    const name = document.createElement("span");
    row.className = "peer";
    avatar.className = "avatar";
    avatar.setAttribute("aria-hidden", "true");
    showAvatar(avatar, id);
    name.className = "peer-name";
    name.textContent = id;
    name.title = id;
    row.append(avatar, name);
    for (const [action, , icon] of ACTIONS) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet square";
      button.dataset.action = action;
      button.append(makeIcon(icon));
      button.addEventListener("click", () => this.#act(action, id));
      row.append(button);
    }
    row.dataset.peer = id;
    this.#name(id, row);
    return row;
  }

  #name(id, row) {
    for (const [action, key] of ACTIONS) {
      const button = row.querySelector(`[data-action="${action}"]`);
      button.setAttribute("aria-label", t(key, { peer: id }));
      button.title = t(key, { peer: id });
    }
  }
}
