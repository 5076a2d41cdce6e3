// What the voice pages share: the connection to the server, the microphone, the player, the two languages.
// Vanilla modules, no build step. The protocol is told in docs/protocol.md.
//
// This file is also the audio worklet's module (see Microphone): the part for that thread is at the very end.

// ---------------------------------------------------------------------------------------------- connection

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

/** A WebSocket that comes back by itself.
 *
 *  Events: "state" (detail: "connecting" | "open" | "closed"), "message" (detail: [name, body]).
 *  A binary message is told as sound: ["audio_stream", {event: "data", bytes}]. */
export class Connection extends EventTarget {
  #socket = null;
  #retryMs = FIRST_RETRY_MS;
  #timer = 0;

  constructor(path, { start } = {}) {
    super();
    this.url = new URL(path, location.href.replace(/^http/, "ws")).href;
    this.start = start;
    addEventListener("online", () => this.#connect());
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    this.#tell("state", "connecting");
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => this.#retry();
    this.#socket = socket;
  }

  #take(data) {
    if (typeof data !== "string") {
      this.#tell("message", ["audio_stream", { event: "data", bytes: new Uint8Array(data) }]);
      return;
    }
    const [[name, body]] = Object.entries(JSON.parse(data));
    if (name === "connected") this.#greeted();
    if (body.event === "data") body.bytes = Uint8Array.from(atob(body.data), (char) => char.charCodeAt(0));
    this.#tell("message", [name, body]);
  }

  #greeted() {
    this.#retryMs = FIRST_RETRY_MS;
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

/** One recording on its way up, cut into packets of equal size; packets the server misses are sent again. */
export class Upload {
  #connection;
  #packets = [];
  #waiting = new Uint8Array(0);
  #size;
  #total;

  constructor(connection, { packetBytes = 3200, total } = {}) {
    this.#connection = connection;
    this.#size = packetBytes;
    this.#total = total;
    this.bytes = 0;
    this.acked = new Set();
  }

  get sent() {
    return this.#packets.length;
  }

  /** Send a whole file: its packets carry their total. */
  static file(connection, bytes, { packetBytes = 6000 } = {}) {
    const upload = new Upload(connection, { packetBytes, total: Math.max(1, Math.ceil(bytes.length / packetBytes)) });
    upload.add(bytes);
    upload.#flush();
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

  /** Close a live recording. */
  end() {
    this.#flush();
    this.#connection.send({ type: "end", total: this.sent });
  }

  sendAgain(missing) {
    for (const seq of missing) if (this.#packets[seq - 1]) this.#connection.send(this.#packets[seq - 1]);
  }

  #flush() {
    if (this.#waiting.length) this.#send(this.#waiting);
    this.#waiting = new Uint8Array(0);
  }

  #send(bytes) {
    const packet = JSON.stringify({ seq: this.sent + 1, total: this.#total, data: base64(bytes) });
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
    await context.audioWorklet.addModule(import.meta.url);
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

// ---------------------------------------------------------------------------------------------- text

/** The page's words in the reader's language: `?lang=`, else what was chosen before, else the browser's. */
export class Words {
  constructor(dictionary) {
    this.dictionary = dictionary;
    const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("lang") ?? navigator.language;
    this.use(asked.startsWith("zh") ? "zh" : "en");
  }

  use(language) {
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-word]")) element.textContent = this.say(element.dataset.word);
    for (const element of document.querySelectorAll("[data-label]")) {
      element.ariaLabel = element.title = this.say(element.dataset.label);
    }
  }

  toggle() {
    this.use(this.language === "zh" ? "en" : "zh");
    localStorage.setItem("lang", this.language);
  }

  say(name, ...values) {
    return values.reduce((text, value, n) => text.replace(`{${n}}`, value), this.dictionary[this.language][name]);
  }
}

/** Show light Markdown (bold, code, fences, headings, list dots) as nodes. Text stays text: nothing is parsed as HTML. */
export function showMarkdown(element, text) {
  const nodes = text.split(/^```.*\n?/m).flatMap((part, n) => (n % 2 ? [make("pre", part.replace(/\n$/, ""))] : prose(part)));
  element.replaceChildren(...nodes);
}

function prose(text) {
  const plain = text.replace(/^#{1,6} +(.*)$/gm, "**$1**").replace(/^(\s*)[-*] +/gm, "$1• ");
  return plain.split(/(\*\*[^*\n]+\*\*|`[^`\n]+`)/).map((piece) => {
    if (/^\*\*.+\*\*$/.test(piece)) return make("strong", piece.slice(2, -2));
    if (/^`.+`$/.test(piece)) return make("code", piece.slice(1, -1));
    return document.createTextNode(piece);
  });
}

/** A new element with a text and a class. */
export function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

// ---------------------------------------------------------------------------------------------- the audio thread

if (typeof registerProcessor === "function") {
  const PIECE_MS = 60;

  registerProcessor("recorder", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.piece = new Int16Array(Math.round((sampleRate * PIECE_MS) / 1000));
      this.filled = 0;
      this.isRecording = false;
      this.port.onmessage = ({ data }) => this.obey(data);
    }

    obey(command) {
      this.isRecording = command === "record";
      if (this.isRecording) return;
      this.tell();
      this.port.postMessage({ flushed: true });
    }

    process([[samples]]) {
      if (!this.isRecording || !samples) return true;
      for (const sample of samples) {
        this.piece[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
        if (this.filled === this.piece.length) this.tell();
      }
      return true;
    }

    tell() {
      const pcm = this.piece.slice(0, this.filled);
      const power = pcm.reduce((sum, sample) => sum + sample * sample, 0) / (pcm.length || 1);
      this.port.postMessage({ pcm: pcm.buffer, level: Math.sqrt(power) / 32768 }, [pcm.buffer]);
      this.filled = 0;
    }
  });
}
