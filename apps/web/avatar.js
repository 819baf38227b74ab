/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer's first letter in a colour of its own, so that names are told apart at a glance. */

/* Colours of style.css: .avatar[data-hue="0"] and so on. */
const HUES = 8;

export function showAvatar(element, id) {
  /* FNV-1a; its low bits alone don't tell similar names apart. */
  let hash = 0x811c9dc5;
  for (const character of id) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  element.dataset.hue = (((hash >>> 16) ^ hash) >>> 0) % HUES;
  element.textContent = (/[A-Za-z0-9]/.exec(id)?.[0] ?? "?").toUpperCase();
}
