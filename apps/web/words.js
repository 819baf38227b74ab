/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All that the page says, in each of its languages. `{name}` is put in by t(). An element with
 * `data-t="key"` has that text; `data-t-label` and `data-t-placeholder` are its name and its hint. */

import { browserStore } from "./stored.js";

const CODES = ["en", "ja"];
const STORED = "conic.language";

/* Characters of what others say that stand in a sentence of this page. */
const QUOTED_MAX = 160;

/* Each line: key: [English, 日本語] */
const TABLE = {
  title: ["Conic", "Conic"],
  skip: ["Skip to the picture", "映像へ移動"],
  close: ["Close", "閉じる"],
  cancel: ["Cancel", "キャンセル"],

  me: ["You", "あなた"],
  "me.id": ["Your id", "あなたの ID"],
  "me.save": ["Use it", "変更"],
  peers: ["Who is here", "接続中の相手"],
  "peers.more": ["And {count} more: type the id.", "ほかに {count} 件あります。ID を入力してください。"],
  "peers.none": ["Nobody else yet.", "まだ誰もいません。"],
  other: ["Somebody else, by id", "ID を入力して接続"],
  watch: ["Watch", "見る"],
  call: ["Call", "通話"],
  chat: ["Chat", "チャット"],
  "watch.peer": ["Watch {peer}", "{peer} を見る"],
  "call.peer": ["Call {peer}", "{peer} に発信"],
  "chat.peer": ["Chat with {peer}", "{peer} とチャット"],
  "share.peer": ["Show {peer} your screen", "{peer} に画面を見せる"],
  "id.empty": ["Type the id of somebody.", "相手の ID を入力してください。"],
  "id.bad": [
    "An id has 1 to 128 of the characters A–Z a–z 0–9 . _ ~ -",
    "ID は A–Z a–z 0–9 . _ ~ - の 1～128 文字です。",
  ],
  "id.own": ["That is you.", "それはあなた自身です。"],

  "hub.connecting": ["Connecting…", "接続中…"],
  "hub.registered": ["Connected", "接続済み"],
  "hub.waiting": ["Reconnecting…", "再接続中…"],
  "hub.closed": ["Not connected", "未接続"],
  "hub.retry": ["Try now", "今すぐ再試行"],
  "hub.lost": [
    "The hub can't be reached. Calls that run go on meanwhile.",
    "ハブに接続できません。進行中の通話はそのまま続きます。",
  ],
  "hub.next": ["Next try in {seconds} s", "{seconds} 秒後に再試行"],
  "hub.back": ["The hub is back.", "ハブに再接続しました。"],
  "hub.replaced": [
    "Your id is now used by another connection.",
    "あなたの ID は別の接続で使われています。",
  ],
  "hub.id_taken": [
    "Somebody is called “{id}” already. Choose another id.",
    "「{id}」は既に使われています。別の ID を選んでください。",
  ],
  "hub.id_held": [
    "Another connection still has your id “{id}”.",
    "あなたの ID「{id}」は、まだ別の接続で使われています。",
  ],
  "hub.denied": [
    "Whoever runs the hub doesn't allow the id “{id}”. Choose another one.",
    "ハブの管理者は ID「{id}」を許可していません。別の ID を選んでください。",
  ],
  "hub.refused": ["The hub refused: {reason}", "ハブに拒否されました: {reason}"],
  "hub.again": ["Connect again", "もう一度接続"],
  "hub.busy": ["The hub asks you to slow down.", "送信が多すぎると、ハブから通知がありました。"],

  "token.title": ["This hub wants a token", "このハブにはトークンが必要です"],
  "token.words": [
    "Whoever runs the hub gives you one. The hub said: {reason}",
    "トークンはハブの管理者から受け取ってください。ハブの応答: {reason}",
  ],
  "token.label": ["Token", "トークン"],
  "token.use": ["Connect", "接続"],
  "token.enter": ["Enter a token", "トークンを入力"],

  stage: ["Picture and sound", "映像と音声"],
  "idle.title": ["Nothing on screen yet", "まだ何も映っていません"],
  "idle.text": [
    "Watch a camera, or call somebody. What you see and say goes directly between the two of you.",
    "カメラを見たり、誰かと通話したりできます。映像と音声は相手と直接やり取りされます。",
  ],
  "idle.hint": ["No camera yet? This makes one:", "カメラがないときは、次のコマンドで試せます:"],
  unmute: ["Turn the sound on", "音を出す"],
  controls: ["Controls of the call", "通話の操作"],
  microphone: ["Microphone", "マイク"],
  camera: ["Camera", "カメラ"],
  speaker: ["Speaker", "スピーカー"],
  share: ["Share", "画面共有"],
  "share.stop": ["Stop sharing", "共有を停止"],
  sound: ["Sound", "音声"],
  devices: ["Devices", "デバイス"],
  full: ["Full screen", "全画面"],
  hangup: ["Hang up", "切る"],
  stop: ["Stop", "終了"],
  "device.default": ["As the browser chooses", "ブラウザーの既定"],
  "device.nameless": ["Device {n}", "デバイス {n}"],

  "call.calling": ["Calling {peer}…", "{peer} を呼び出し中…"],
  "call.connecting": ["Connecting to {peer}…", "{peer} に接続中…"],
  "call.waiting": [
    "{peer} isn't here. Waiting for it…",
    "{peer} はいません。接続を待っています…",
  ],
  "call.gone": [
    "{peer} is gone. Waiting for it to come back…",
    "{peer} が切断しました。戻るのを待っています…",
  ],
  "call.interrupted": ["Nothing arrives from {peer} at the moment…", "{peer} から何も届いていません…"],
  "call.sound": ["{peer}: sound only", "{peer}: 音声のみ"],
  "call.nothing": ["Connected to {peer}", "{peer} に接続しました"],
  "call.connected": ["Connected to {peer}", "{peer} に接続しました"],
  "call.again": ["Call again", "もう一度発信"],
  "watch.again": ["Watch again", "もう一度見る"],
  "chat.again": ["Connect again", "もう一度接続"],
  "call.ask": ["Call {peer}?", "{peer} に発信しますか？"],
  "call.share": ["Your screen is shown to {peer}", "{peer} に画面を共有しています"],
  "call.unshare": ["Your screen is no longer shown", "画面共有を終了しました"],

  "end.left": ["{peer} hung up.", "{peer} が通話を終了しました。"],
  "end.page": ["{peer} left.", "{peer} が退出しました。"],
  "end.declined": ["{peer} doesn't take the call.", "{peer} は応答を拒否しました。"],
  "end.busy": ["{peer} is busy.", "{peer} は通話中です。"],
  "end.answer": ["{peer} doesn't answer.", "{peer} は応答しません。"],
  "end.peer_not_found": [
    "There is no “{peer}” here, or you may not reach them.",
    "「{peer}」は見つからないか、接続が許可されていません。",
  ],
  "end.peer_slow": ["{peer} doesn't read what the hub sends.", "{peer} がハブのメッセージを受信していません。"],
  "end.path": [
    "No way to {peer} was found. Between some networks, the hub has to know a TURN server.",
    "{peer} への経路が見つかりません。ネットワークによっては、ハブに TURN サーバーの設定が必要です。",
  ],
  "end.silence": ["Nothing comes from {peer} any more.", "{peer} から何も届かなくなりました。"],
  "end.other": ["The call with {peer} ended: {reason}", "{peer} との接続が終了しました: {reason}"],

  "ring.title": ["{peer} is calling", "{peer} から着信"],
  "ring.call": ["They want to see and hear you.", "映像と音声での通話を求めています。"],
  "ring.voice": ["They want to talk to you.", "音声での通話を求めています。"],
  "ring.show": ["They want to show you something.", "映像または音声を送ろうとしています。"],
  "ring.watch": ["They want to watch you, and send nothing.", "あなたの映像または音声を見ようとしています。"],
  "ring.chat": ["They want to exchange messages and files.", "メッセージとファイルをやり取りしようとしています。"],
  "ring.ends": ["Answering ends what is on your screen now.", "応答すると、今の接続は終了します。"],
  "ring.camera": ["Answer with camera", "カメラで応答"],
  "ring.microphone": ["Answer with sound only", "音声のみで応答"],
  "ring.plain": ["Answer", "応答"],
  "ring.silent": ["Answer without either", "何も送らずに応答"],
  "ring.decline": ["Decline", "拒否"],
  "ring.missed": ["{peer} called and gave up.", "{peer} からの不在着信"],

  "media.insecure": [
    "Browsers let a page use the camera, the microphone and the screen only over https:// or from localhost.",
    "カメラ・マイク・画面共有は、https:// または localhost のページでのみ使えます。",
  ],
  "media.denied": [
    "The browser doesn't allow this page to use it. Allow it beside the address, and try again.",
    "ブラウザーの許可がありません。アドレスバーの横で許可してから、もう一度お試しください。",
  ],
  "media.none": ["There is no camera and no microphone.", "カメラもマイクも見つかりません。"],
  "media.nocamera": ["There is no camera, so only your voice is sent.", "カメラがないため、音声のみを送ります。"],
  "media.nomicrophone": ["There is no microphone, so only your picture is sent.", "マイクがないため、映像のみを送ります。"],
  "media.busy": [
    "The camera or the microphone is used by another program.",
    "カメラまたはマイクが他のプログラムで使われています。",
  ],
  "media.other": ["The camera or the microphone can't be used: {reason}", "カメラまたはマイクを使えません: {reason}"],
  "media.unable": ["This browser can't share a screen.", "このブラウザーは画面共有に対応していません。"],
  "browser.old": ["This browser has no WebRTC.", "このブラウザーは WebRTC に対応していません。"],

  stats: ["Live figures", "通信状況"],
  "stats.in": ["Received", "受信"],
  "stats.out": ["Sent", "送信"],
  "stats.frames": ["Frames", "フレーム"],
  "stats.trip": ["Round trip", "往復時間"],
  "stats.jitter": ["Jitter", "ジッター"],
  "stats.loss": ["Loss", "損失"],
  "unit.frames": ["/s", "/秒"],
  "path.host": ["direct", "直接接続"],
  "path.srflx": ["direct, through NAT", "NAT 越えの直接接続"],
  "path.prflx": ["direct, through NAT", "NAT 越えの直接接続"],
  "path.relay": ["through a relay", "中継経由"],

  talk: ["Chat and files", "チャットとファイル"],
  "talk.none": [
    "What you write and send goes directly to the other side, and is kept nowhere.",
    "メッセージとファイルは相手に直接届き、どこにも保存されません。",
  ],
  "talk.text": ["Message", "メッセージ"],
  "talk.send": ["Send", "送信"],
  "talk.attach": ["Send files", "ファイルを送る"],
  "talk.you": ["You", "あなた"],
  "talk.bytes": ["{count} bytes", "{count} バイト"],
  "talk.arrived": ["{peer}: {text}", "{peer}: {text}"],
  "talk.closed": ["There is nobody to send this to.", "送信先がありません。"],
  "file.offered": ["{peer} sends you {name} ({size})", "{peer} から {name}（{size}）"],
  "file.sending": ["You send {name} ({size})", "{name}（{size}）を送信"],
  "file.many": ["too many files are waiting already", "保留中のファイルが多すぎます"],
  "file.accept": ["Accept", "受け取る"],
  "file.decline": ["Decline", "断る"],
  "file.cancel": ["Cancel", "中止"],
  "file.save": ["Save", "保存"],
  "file.waits": ["Waiting for {peer} to accept it", "{peer} の承認を待っています"],
  "file.done": ["Sent", "送信しました"],
  "file.got": ["Received", "受信しました"],
  "file.failed": ["Not transferred: {reason}", "転送できませんでした: {reason}"],
  "file.progress": ["{done} of {size}", "{done} / {size}"],

  theme: ["Colours: {name}", "配色: {name}"],
  "theme.auto": ["as the device", "端末に合わせる"],
  "theme.light": ["light", "ライト"],
  "theme.dark": ["dark", "ダーク"],
};

let language = 0;
const listeners = new Set();

/** The words for a key, with `{name}` replaced by `values.name`. */
export function t(key, values = {}) {
  return TABLE[key][language].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** Whether there are words for a key. */
export function has(key) {
  return Object.hasOwn(TABLE, key);
}

/** The code of the language that the page speaks. */
export function getLanguage() {
  return CODES[language];
}

/** What somebody else says, fit for a sentence: not endless, on one line, and turning nothing around. */
export function quote(text, most = QUOTED_MAX) {
  const line = String(text).slice(0, most + 1).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** Numbers as that language writes them. */
export function formatNumber(number, digits = 0) {
  return number.toLocaleString(getLanguage(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A number of bytes for people. */
export function formatSize(bytes) {
  if (bytes < 1000) return t("talk.bytes", { count: bytes });
  const unit = ["kB", "MB", "GB", "TB"][Math.min(Math.floor(Math.log10(bytes) / 3), 4) - 1];
  const scaled = bytes / 1000 ** (["kB", "MB", "GB", "TB"].indexOf(unit) + 1);
  return `${formatNumber(scaled, scaled < 10 ? 1 : 0)} ${unit}`;
}

/** Has `listener` called now and whenever the language changes; returns how to end that. */
export function onLanguage(listener) {
  listeners.add(listener);
  listener();
  return () => listeners.delete(listener);
}

function apply() {
  document.documentElement.lang = getLanguage();
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]"))
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of document.querySelectorAll("[data-t-placeholder]"))
    element.placeholder = t(element.dataset.tPlaceholder);
  for (const listener of listeners) listener();
}

/** Switches to a language; `keep` remembers that for the next time. */
export function setLanguage(code, keep = false) {
  language = Math.max(CODES.indexOf(code), 0);
  if (keep) browserStore.set(STORED, getLanguage());
  apply();
}

/** The language that was chosen once, or the first of the browser's that there is. */
export function startLanguage(wanted) {
  const known = [wanted, browserStore.get(STORED), ...navigator.languages.map((tag) => tag.split("-")[0])];
  setLanguage(known.find((code) => CODES.includes(code)) ?? "en");
}

/** The other language, which a button switches to: its code and its own name. */
export function otherLanguage() {
  return language === 0 ? { code: "ja", name: "日本語" } : { code: "en", name: "English" };
}
