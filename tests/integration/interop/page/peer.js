/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A browser's end of a call: one RTCPeerConnection, signaled in the envelope dialect. The test calls
 * the functions below and judges what they return. */

"use strict";

const call = { id: null, peer: null, session: null, pc: null, channels: {}, ended: null, log: [] };
let socket = null;
let wanted = {};
let early = [];

/* What the microphone hears, and not what is left of it when the echo is taken out. */
const asHeard = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

const video = document.querySelector("video");

/* Resolves once `condition()` is true, looked at whenever something happens. */
const watchers = new Set();
function happened(what) {
  call.log.push(what);
  for (const watcher of [...watchers]) watcher();
}
function until(condition) {
  return new Promise((resolve) => {
    const look = () => {
      const value = condition();
      if (!value) return;
      watchers.delete(look);
      resolve(value);
    };
    watchers.add(look);
    look();
  });
}

/* --- signaling --- */

function send(type, data) {
  const session = call.session ? { session_id: call.session } : {};
  socket.send(JSON.stringify({
    id: crypto.randomUUID(),
    type,
    timestamp: new Date().toISOString(),
    data: { from_id: call.id, to_id: call.peer, ...session, ...data },
  }));
}

async function describe() {
  await call.pc.setLocalDescription();
  send("sdp", { session_description: call.pc.localDescription });
}

async function onDescription({ from_id, session_id, session_description }) {
  if (session_description.type === "offer" && !call.pc) {
    call.peer = from_id;
    call.session = session_id;
    connect();
  }
  await call.pc.setRemoteDescription(session_description);
  for (const candidate of early.splice(0)) await call.pc.addIceCandidate(candidate);
  if (session_description.type === "offer") {
    addMedia();
    await describe();
  }
  happened(session_description.type);
}

async function onMessage({ type, data }) {
  if (type === "register_response") {
    if (!data.success) throw new Error(JSON.stringify(data));
    call.id = data.client_id;
  } else if (type === "sdp") {
    await onDescription(data);
  } else if (type === "candidate") {
    if (call.pc && call.pc.remoteDescription) await call.pc.addIceCandidate(data.candidate);
    else early.push(data.candidate);
  } else if (type === "bye") {
    call.ended = data.reason;
  } else if (type === "error") {
    call.error = data;
  }
  happened(type);
}

/* Registers; `wants` says what a call shall have:
 *   send      tracks of the camera and the microphone: ["audio", "video"]
 *   receive   the same, for an offer
 *   channels  labels of data channels to open
 *   codec     the video codec to prefer in an offer: "video/H264" */
async function join(uri, id, wants = {}) {
  wanted = wants;
  if (wanted.send?.length)
    wanted.stream = await navigator.mediaDevices.getUserMedia({
      audio: wanted.send.includes("audio") && asHeard,
      video: wanted.send.includes("video"),
    });
  socket = new WebSocket(uri);
  let last = Promise.resolve();
  socket.onmessage = (event) => {
    last = last.then(() => onMessage(JSON.parse(event.data)));
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`the hub at ${uri} doesn't let ${origin} in`));
  });
  socket.send(JSON.stringify({ id: "1", type: "register_request", data: { client_id: id } }));
  await until(() => call.id);
  return call.id;
}

/* --- the connection --- */

function addMedia() {
  const senders = call.pc.getSenders();
  for (const track of wanted.stream?.getTracks() ?? [])
    if (!senders.some((sender) => sender.track === track)) call.pc.addTrack(track, wanted.stream);
}

function preferCodec(transceiver) {
  const kind = transceiver.receiver.track.kind;
  if (kind !== "video" || !wanted.codec) return;
  const codecs = RTCRtpReceiver.getCapabilities(kind).codecs;
  transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === wanted.codec));
}

function connect() {
  const stream = new MediaStream();

  call.pc = new RTCPeerConnection(wanted.configuration);
  call.pc.onicecandidate = ({ candidate }) => {
    if (candidate) send("candidate", { candidate });
  };
  call.pc.ontrack = ({ track }) => {
    stream.addTrack(track);
    video.srcObject = stream;
    happened(`track ${track.kind}`);
  };
  call.pc.ondatachannel = ({ channel }) => watchChannel(channel);
  call.pc.onconnectionstatechange = () => happened(call.pc.connectionState);
}

function watchChannel(channel) {
  const entry = { channel, received: [], isOpen: false };

  call.channels[channel.label] = entry;
  channel.binaryType = "arraybuffer";
  channel.onopen = () => {
    entry.isOpen = true;
    happened(`open ${channel.label}`);
  };
  channel.onclose = () => happened(`closed ${channel.label}`);
  channel.onmessage = ({ data }) => {
    entry.received.push(typeof data === "string" ? { text: data } : { binary: toBase64(data) });
    happened(`message ${channel.label}`);
  };
}

/* Calls a peer, in the order that most applications use. */
async function dial(peer) {
  call.peer = peer;
  call.session = crypto.randomUUID();
  connect();
  for (const label of wanted.channels ?? []) watchChannel(call.pc.createDataChannel(label));
  addMedia();
  for (const kind of wanted.receive ?? [])
    if (!wanted.send?.includes(kind)) call.pc.addTransceiver(kind, { direction: "recvonly" });
  call.pc.getTransceivers().forEach(preferCodec);
  await describe();
}

/* Changes what the call has, as `join` takes it, and offers that. */
async function change(wants) {
  wanted = { ...wanted, ...wants };
  if (wanted.send?.length && !wanted.stream)
    wanted.stream = await navigator.mediaDevices.getUserMedia({
      audio: wanted.send.includes("audio") && asHeard,
      video: wanted.send.includes("video"),
    });
  addMedia();
  await describe();
  await until(() => call.pc.signalingState === "stable");
}

/* Lets everything go in that direction only, such as "recvonly": the camera is off. */
async function turn(direction) {
  for (const transceiver of call.pc.getTransceivers()) transceiver.direction = direction;
  await describe();
  await until(() => call.pc.signalingState === "stable");
}

function connected() {
  return until(() => call.pc?.connectionState === "connected");
}

function hangUp() {
  send("bye", { reason: "hung up" });
  call.pc.close();
}

/* --- messages --- */

/* What is sent on a channel that says it is open, and hasn't told so, may be lost in Chromium. */
function untilOpen(label) {
  return until(() => call.channels[label]?.isOpen);
}

async function say(label, text) {
  await untilOpen(label);
  call.channels[label].channel.send(text);
}

async function sendBytes(label, base64) {
  await untilOpen(label);
  call.channels[label].channel.send(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}

/* The first `count` messages of a channel. */
function messages(label, count) {
  return until(() => {
    const received = call.channels[label]?.received ?? [];
    return received.length >= count && received.slice(0, count);
  });
}

/* --- what arrives --- */

function toBase64(data) {
  const bytes = new Uint8Array(data.buffer ?? data);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

/* The next picture that is shown: its width, its height and its pixels as RGBA. */
async function picture() {
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return { width: canvas.width, height: canvas.height, rgba: toBase64(pixels) };
}

/* The next two thirds of a second of sound: its rate and its samples as 32-bit floats. */
let analyser = null;
async function sound() {
  if (!analyser) {
    const context = new AudioContext();
    analyser = context.createAnalyser();
    analyser.fftSize = 32768;
    await until(() => video.srcObject?.getAudioTracks().length);
    context.createMediaStreamSource(video.srcObject).connect(analyser);
  }
  const before = analyser.context.currentTime;
  const length = analyser.fftSize / analyser.context.sampleRate;
  await new Promise((resolve) => {
    const look = () => {
      if (analyser.context.currentTime - before > length) resolve();
      else requestAnimationFrame(look);
    };
    look();
  });
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return { rate: analyser.context.sampleRate, samples: toBase64(samples) };
}

/* The members of the statistics of one type, of one kind if that is given. */
async function stats(type, kind) {
  const found = [];
  for (const report of (await call.pc.getStats()).values())
    if (report.type === type && (!kind || report.kind === kind)) found.push({ ...report });
  return found;
}
