/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page: connects its parts with each other and with the hub that it is from.
 *
 *   Hub (conic.js) ─► Peers ─► Stage ─► Session (conic.js) ─► Talk, Stats
 *        └──────────► Ring ─────┘
 *
 * Links: `#watch=PEER` watches at once, `#call=PEER` asks first; beside them `id=`, `token=`, `lang=`. */

import { showAvatar } from "./avatar.js";
import { Hub, ownHub } from "./conic.js";
import { judgeId, Peers } from "./peers.js";
import { Ring } from "./ring.js";
import { Stage } from "./stage.js";
import { browserStore, tabStore } from "./stored.js";
import { Talk } from "./talk.js";
import { has, onLanguage, otherLanguage, quote, setLanguage, startLanguage, t } from "./words.js";

const STORED_ID = "conic.id";
const STORED_TOKEN = "conic.token";
const STORED_THEME = "conic.theme";
const THEMES = ["auto", "light", "dark"];

/* Milliseconds that a message about something that went wrong stays. */
const TOAST_TIME = 8000;
const TOASTS_MAX = 3;

const find = (id) => document.getElementById(id);

/* --- telling --- */

/** For those who don't see the screen. */
function say(text) {
  find("live").textContent = text;
}

/** What went wrong, or what has to be known. */
function warn(words) {
  const text = quote(words);
  const toasts = find("toasts");
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "alert");
  toast.textContent = text;
  for (const old of [...toasts.children]) if (old.textContent === text) old.remove();
  while (toasts.children.length >= TOASTS_MAX) toasts.firstChild.remove();
  toasts.append(toast);
  /* Shown anew, it is above a dialog that has been opened since. */
  toasts.hidePopover?.();
  toasts.showPopover?.();
  setTimeout(() => toast.remove(), TOAST_TIME);
}

/* --- look and language --- */

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  find("theme-icon").setAttribute("href", `#i-${theme}`);
  find("theme").setAttribute("aria-label", t("theme", { name: t(`theme.${theme}`) }));
  find("theme").title = find("theme").getAttribute("aria-label");
}

function storedTheme() {
  const theme = browserStore.get(STORED_THEME);
  return THEMES.includes(theme) ? theme : "auto";
}

find("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(storedTheme()) + 1) % THEMES.length];
  browserStore.set(STORED_THEME, next);
  setTheme(next);
});

find("language").addEventListener("click", () => setLanguage(otherLanguage().code, true));

/* --- links --- */

/* What stands behind the # of the address. A token doesn't stay there. */
function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  if (link.has("token")) {
    tabStore.set(STORED_TOKEN, link.get("token"));
    /* It may be for another id. */
    tabStore.set(STORED_ID, "");
    link.delete("token");
    const rest = String(link);
    history.replaceState(null, "", rest ? `#${rest}` : location.pathname);
  }
  return link;
}

/* What is watched is again after a reload, with the id and in the language that the link asked for. */
function writeLink() {
  const before = readLink();
  const link = new URLSearchParams();
  if (stage.kind === "watch") link.set("watch", stage.peer);
  if (before.has("id")) link.set("id", chosenId);
  if (before.has("lang")) link.set("lang", before.get("lang"));
  const text = String(link);
  history.replaceState(null, "", text ? `#${text}` : location.pathname);
}

function followLink() {
  const link = readLink();
  const watched = link.get("watch");
  const called = link.get("call");
  for (const [action, peer] of [["watch", watched], ["call", called]]) {
    if (!peer || (stage.kind === action && stage.peer === peer)) continue;
    if (judgeId(peer)) warn(judgeId(peer));
    else if (action === "watch") act("watch", peer);
    else askToCall(peer);
  }
}

/* A link for somebody else begins anew. */
function onLink() {
  const id = readLink().get("id") ?? hub.id;
  if (id !== hub.id || (tabStore.get(STORED_TOKEN) ?? "") !== token) location.reload();
  else followLink();
}

/* A link alone turns no camera on. */
function askToCall(peer) {
  find("ask-title").textContent = t("call.ask", { peer });
  find("ask-yes").textContent = t("call");
  find("ask-yes").onclick = () => {
    find("ask").close();
    act("call", peer);
  };
  find("ask").showModal();
}

find("ask-no").addEventListener("click", () => find("ask").close());

/* The address stays as it is: it may be a link to what is watched. */
find("skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("stage").focus();
});

/* --- the hub --- */

function makeId() {
  return `web-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36).slice(-4).padStart(4, "0")}`;
}

startLanguage(readLink().get("lang"));

let token = tabStore.get(STORED_TOKEN) ?? "";
let chosenId = readLink().get("id") ?? "";
/* With a token, the hub knows which id it is for. */
const firstId = chosenId || tabStore.get(STORED_ID) || (token ? "" : makeId());
const hub = new Hub(ownHub(), { id: firstId, token: () => token });
const talk = new Talk(say, warn);
const stage = new Stage(hub, talk, say, warn);
/* What can't be answered in one way rings on, to be answered in another. */
const ring = new Ring((session, kinds) => attempt(() => stage.answer(session, kinds), () => ring.add(session)), warn,
  () => stage.kind !== null);
new Peers(hub, act, warn);

hub.addEventListener("session", ({ session }) => ring.add(session));
hub.addEventListener("notice", ({ error }) => {
  if (error.code === "rate_limited") warn(t("hub.busy"));
});
stage.addEventListener("change", writeLink);

/* Does what may fail; what went wrong is told. */
async function attempt(action, undo = () => {}) {
  try {
    await action();
  } catch (error) {
    undo();
    warn(error.message);
  }
}

/* What the user wants with a peer. */
function act(action, peer) {
  ring.welcome(peer);
  const ringing = [...hub.sessions].find((session) => session.peer === peer && session.state === "ringing");
  if (ringing) ring.forget(ringing);
  attempt(() => stage[action](peer));
  find("stage").scrollIntoView({ block: "nearest" });
}

/* Why there is no connection, in words, and what can be done: the key of a button and its action. */
function describeTrouble() {
  const { state, error } = hub;
  const values = { id: find("me-id").value, reason: quote(error?.message ?? "") };
  if (state === "waiting")
    return {
      words: t(error.code === "id_taken" ? "hub.id_held" : "hub.lost", values),
      key: "hub.retry",
      action: () => hub.retry(),
    };
  if (state !== "closed" || !error) return null;
  const key = `hub.${error.code}`;
  const words = t(has(key) ? key : "hub.refused", values);
  return error.code === "unauthorized" ? { words, key: "token.enter", action: askForToken }
    : { words, key: "hub.again", action: () => hub.connect() };
}

function showHub() {
  const { state } = hub;
  find("hub-state").dataset.state = state;
  find("hub-words").textContent = t(`hub.${state}`);
  const trouble = describeTrouble();
  /* While it tries, the banner stays as it is. */
  if (state === "connecting" && !find("banner").hidden) return;
  find("banner").hidden = trouble === null;
  if (!trouble) return;
  /* Said once; the seconds are there to be seen only. */
  if (find("banner-words").textContent !== trouble.words) find("banner-words").textContent = trouble.words;
  const seconds = Math.max(Math.ceil((hub.retryAt - Date.now()) / 1000), 0);
  find("banner-next").textContent = state === "waiting" ? t("hub.next", { seconds }) : "";
  find("banner-action").textContent = t(trouble.key);
  find("banner-action").onclick = trouble.action;
}

function onHubState() {
  const { state, error, id } = hub;
  if (state === "registered") {
    if (!find("banner").hidden) say(t("hub.back"));
    tabStore.set(STORED_ID, id);
    /* Somebody may be typing another one. */
    if (find("me-save").hidden || id === chosenId) find("me-id").value = id;
    find("me-save").hidden = find("me-id").value === id;
    showAvatar(find("me-avatar"), id);
    const own = hub.uri === "ws://127.0.0.1:3000/ws" || hub.uri === "ws://localhost:3000/ws" ? "" : ` uri=${hub.uri}`;
    find("idle-command").textContent = `gst-launch-1.0 videotestsrc is-live=true ! conicsink client-id=camera${own}`;
  }
  if (state === "closed" && error?.code === "id_taken" && !chosenId) {
    hub.id = makeId();
    hub.connect();
    return;
  }
  showHub();
  if (state === "closed" && error?.code === "unauthorized") askForToken();
}

hub.addEventListener("state", onHubState);
setInterval(() => {
  if (hub.state === "waiting") showHub();
}, 1000);

/* --- who one is --- */

function reconnect() {
  stage.leave();
  hub.close();
  hub.connect();
}

find("me-id").addEventListener("input", () => {
  find("me-save").hidden = find("me-id").value.trim() === hub.id;
});
find("me-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = find("me-id").value.trim();
  const problem = judgeId(id);
  find("me-id").setAttribute("aria-invalid", String(problem !== ""));
  if (problem) {
    warn(problem);
    return;
  }
  if (id === hub.id && hub.state === "registered") return;
  chosenId = id;
  hub.id = id;
  reconnect();
});

function askForToken() {
  find("token-words").textContent = t("token.words", { reason: hub.error?.message ?? "" });
  find("token-text").value = token;
  if (!find("token").open) find("token").showModal();
}

find("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("token-text").value.trim();
  tabStore.set(STORED_TOKEN, token);
  find("token").close();
  hub.id = chosenId;
  reconnect();
});

/* --- beginning --- */

onLanguage(() => {
  const other = otherLanguage();
  find("language").lang = other.code;
  find("language-name").textContent = other.name;
  setTheme(storedTheme());
  showHub();
});

if (globalThis.RTCPeerConnection) {
  /* The link waits for the hub. */
  hub.addEventListener("state", function first() {
    if (hub.state !== "registered") return;
    hub.removeEventListener("state", first);
    addEventListener("hashchange", onLink);
    followLink();
  });
  hub.connect();
} else {
  warn(t("browser.old"));
}
