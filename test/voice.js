// The way of sound: the connection to the server, uploads, the microphone, the player.
// Vanilla modules, no build step. The protocol is told in docs/protocol.md.

import { Refusal, ask, key } from "/test/pages.js";

// ---------------------------------------------------------------------------------------------- connection

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

/** A WebSocket that comes back by itself, and with another key as soon as there is one.
 *
 *  Events: "state" (detail: "connecting" | "open" | "closed" | "refused"), "message" (detail: [name, body]),
 *  "refused" (detail: Refusal; it then waits for another key).
 *  A binary message is told as sound: ["audio_stream", {event: "data", bytes}]. */
export class Connection extends EventTarget {
  #socket = null;
  #retryMs = FIRST_RETRY_MS;
  #timer = 0;
  #isGreeted = false;

  constructor(path, { start } = {}) {
    super();
    this.path = path;
    this.start = start;
    addEventListener("online", () => this.#connect());
    key.addEventListener("change", () => this.#connectAnew());
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.isOpen) this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    this.#tell("state", "connecting");
    const socket = key.socket(this.path);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => this.#lost(socket);
    this.#socket = socket;
    this.#isGreeted = false;
  }

  #connectAnew() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    if (this.#isGreeted) this.#tell("state", "closed");
    this.#connect();
  }

  async #lost(socket) {
    if (socket !== this.#socket) return;
    const refusal = this.#isGreeted ? null : await this.#refusal();
    if (socket !== this.#socket) return;
    if (!refusal) return this.#retry();
    this.#tell("state", "refused");
    this.#tell("refused", refusal);
  }

  /** Why a connection did not come to be. Browsers do not tell, so another door with the same lock is tried. */
  async #refusal() {
    const why = await ask("/v1/models").catch((error) => error);
    return why instanceof Refusal && [401, 403].includes(why.status) ? why : null;
  }

  #take(data) {
    if (typeof data !== "string") {
      this.#tell("message", ["audio_stream", { event: "data", bytes: new Uint8Array(data) }]);
      return;
    }
    const [[name, body]] = Object.entries(JSON.parse(data));
    if (name === "connected") this.#greeted();
    if (body.conversation_id && this.start) this.start.conversation_id = body.conversation_id; // the next connection goes on with it
    if (body.event === "data") body.bytes = Uint8Array.from(atob(body.data), (char) => char.charCodeAt(0));
    this.#tell("message", [name, body]);
  }

  #greeted() {
    this.#retryMs = FIRST_RETRY_MS;
    this.#isGreeted = true;
    if (this.start) this.send({ type: "start", ...this.start });
    this.#tell("state", "open");
  }

  #retry() {
    this.#tell("state", "closed");
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// ---------------------------------------------------------------------------------------------- upload

/** Bytes as base64. */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** A recording or a picture on its way up, cut into packets of equal size; packets the server misses are sent again.
 *
 *  `fields` say in every packet what it belongs to: `{type: "image", image: 2}`. */
export class Upload {
  #connection;
  #packets = [];
  #waiting = new Uint8Array(0);
  #size;
  #fields;

  constructor(connection, { packetBytes = 3200, fields = {} } = {}) {
    this.#connection = connection;
    this.#size = packetBytes;
    this.#fields = fields;
    this.bytes = 0;
    this.acked = new Set();
    this.missing = [];
  }

  get sent() {
    return this.#packets.length;
  }

  get isAcknowledged() {
    return this.acked.size === this.sent;
  }

  /** Send a whole file: its packets carry their total. */
  static file(connection, bytes, { packetBytes = 6000, fields = {} } = {}) {
    const total = Math.max(1, Math.ceil(bytes.length / packetBytes));
    const upload = new Upload(connection, { packetBytes, fields: { ...fields, total } });
    upload.add(bytes);
    upload.flush();
    return upload;
  }

  /** Take more of a live recording; what fills a packet goes out at once. */
  add(bytes) {
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    let at = 0;
    for (; all.length - at >= this.#size; at += this.#size) this.#send(all.subarray(at, at + this.#size));
    this.#waiting = all.slice(at);
  }

  /** Send what has not filled a packet. */
  flush() {
    if (this.#waiting.length) this.#send(this.#waiting);
    this.#waiting = new Uint8Array(0);
  }

  sendAgain(missing) {
    this.missing = missing;
    for (const seq of missing) if (this.#packets[seq - 1]) this.#connection.send(this.#packets[seq - 1]);
  }

  #send(bytes) {
    const packet = JSON.stringify({ seq: this.sent + 1, ...this.#fields, data: base64(bytes) });
    this.#packets.push(packet);
    this.bytes += bytes.length;
    this.#connection.send(packet);
  }
}

// ---------------------------------------------------------------------------------------------- microphone

const SPEECH_HZ = 16_000;
const KEEP_OPEN_MS = 30_000; // a second question starts at once, yet the microphone is not held for ever

/** The microphone as 16-bit mono sound.  `onSound(bytes, level)` is called about every 60 ms while recording. */
export class Microphone {
  #context = null;
  #stream = null;
  #node = null;
  #closing = 0;
  #flushed = null;

  constructor({ onSound }) {
    this.onSound = onSound;
    this.constraints = {};
  }

  get rateHz() {
    return this.#context?.sampleRate ?? SPEECH_HZ;
  }

  /** Begin to record; asks for permission the first time. Throws what getUserMedia throws. */
  async open() {
    clearTimeout(this.#closing);
    if (this.#node) return;
    if (!navigator.mediaDevices) throw new DOMException("insecure page", "SecurityError");
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...this.constraints } });
    const context = new AudioContext({ sampleRate: SPEECH_HZ });
    try {
      await this.#connect(context);
    } catch {
      context.close();
      await this.#connect(new AudioContext()); // Firefox: a microphone is only connected at its own rate
    }
  }

  async #connect(context) {
    await context.audioWorklet.addModule("/test/recorder.js");
    const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => (data.flushed ? this.#flushed?.() : this.onSound(new Uint8Array(data.pcm), data.level));
    context.createMediaStreamSource(this.#stream).connect(node);
    this.#context = context;
    this.#node = node;
    await context.resume();
  }

  record() {
    this.#node.port.postMessage("record");
  }

  /** Stop recording; resolves when the last of the sound has been told. */
  async pause() {
    if (!this.#node) return;
    const flushed = new Promise((resolve) => (this.#flushed = resolve));
    this.#node.port.postMessage("pause");
    await flushed;
    this.#closing = setTimeout(() => this.close(), KEEP_OPEN_MS);
  }

  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#flushed?.();
    this.#context = this.#stream = this.#node = null;
  }
}

/** The header of a WAV file whose length is not known yet. */
export function wavHeader(rateHz) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, chars) => [...chars].forEach((char, n) => view.setUint8(at + n, char.charCodeAt(0)));
  text(0, "RIFF"), view.setUint32(4, 0xffffffff, true), text(8, "WAVEfmt "), view.setUint32(16, 16, true);
  view.setUint16(20, 1, true), view.setUint16(22, 1, true), view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * 2, true), view.setUint16(32, 2, true), view.setUint16(34, 16, true);
  text(36, "data"), view.setUint32(40, 0xffffffff, true);
  return new Uint8Array(view.buffer);
}

// ---------------------------------------------------------------------------------------------- player

const KEEP_PLAYED_S = 60;

/** Plays one answer while it arrives.  Where the browser cannot play MP3 piece by piece, it plays at the end. */
export class Player {
  #audio;
  #source = null;
  #buffer = null;
  #waiting = [];
  #isFinished = false;
  #isStopped = false;

  /** Shown by tests and the page: how many bytes the browser has taken. */
  appendedBytes = 0;
  parts = [];

  constructor(audio) {
    this.#audio = audio;
    this.isStreaming = Boolean(window.MediaSource?.isTypeSupported("audio/mpeg"));
    if (this.isStreaming) this.#openSource();
  }

  #openSource() {
    this.#source = new MediaSource();
    this.#source.addEventListener("sourceopen", () => {
      if (this.#isStopped) return;
      this.#buffer = this.#source.addSourceBuffer("audio/mpeg");
      this.#buffer.addEventListener("updateend", () => this.#feed());
      this.#feed();
    }, { once: true });
    this.#play(this.#source);
  }

  #play(source) {
    this.#audio.src = URL.createObjectURL(source);
    this.#audio.play().catch((error) => (this.#audio.controls ||= error.name === "NotAllowedError")); // then a tap plays it
  }

  get playedMs() {
    return Math.round(this.#audio.currentTime * 1000);
  }

  add(bytes) {
    this.parts.push(bytes);
    this.#waiting.push(bytes);
    this.#feed();
  }

  finish() {
    this.#isFinished = true;
    if (!this.isStreaming && !this.#isStopped && this.parts.length) this.#play(this.blob());
    this.#feed();
  }

  stop() {
    this.#isStopped = true;
    this.#waiting = [];
    this.#audio.pause();
  }

  blob() {
    return new Blob(this.parts, { type: "audio/mpeg" });
  }

  #feed() {
    if (!this.#buffer || this.#buffer.updating || this.#isStopped || this.#source.readyState !== "open") return;
    if (this.#forget()) return;
    if (this.#waiting.length) this.#append();
    else if (this.#isFinished) this.#source.endOfStream();
  }

  #append() {
    const bytes = this.#waiting[0];
    try {
      this.#buffer.appendBuffer(bytes);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      setTimeout(() => this.#feed(), 1000); // full: wait until more has been played and forgotten
      return;
    }
    this.#waiting.shift();
    this.appendedBytes += bytes.length;
  }

  /** Free what was played long ago, so that an answer may be longer than the browser's buffer. */
  #forget() {
    const { buffered } = this.#buffer;
    const until = this.#audio.currentTime - KEEP_PLAYED_S;
    if (!buffered.length || until - buffered.start(0) < KEEP_PLAYED_S) return false;
    this.#buffer.remove(0, until);
    return true;
  }
}
