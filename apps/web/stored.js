/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the page remembers. Where the browser keeps nothing for pages, that lasts until it is left. */

class Store {
  #name;
  #kept = new Map();

  constructor(name) {
    this.#name = name;
  }

  /** What was set, also by an earlier page; null if nothing was. */
  get(key) {
    try {
      return globalThis[this.#name].getItem(key);
    } catch {
      return this.#kept.get(key) ?? null;
    }
  }

  set(key, value) {
    this.#kept.set(key, value);
    try {
      globalThis[this.#name].setItem(key, value);
    } catch {
      /* It is full, or not there for this page. */
    }
  }
}

/** For this browser, and for this tab. */
export const browserStore = new Store("localStorage");
export const tabStore = new Store("sessionStorage");
