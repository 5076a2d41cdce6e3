// The conversation on a page: the button that listens, the questions, the answers as they come.
// Two pages use it, for /v1/chat/audio and /v1/chat/vlm, whose events differ in name only (docs/protocol.md §11).

import { messageOf } from "/test/messages.js";
import { $, Refusal, Scroll, alarm, ask } from "/test/pages.js";
import { showPackets } from "/test/stages.js";
import { Turn } from "/test/turn.js";
import { Connection, Microphone, Upload, wavHeader } from "/test/voice.js";

const TAP_MS = 350; // a shorter press is a tap, which latches
const EARLIER = 20; // messages that are shown of a conversation that goes on
const MICROPHONE_PACKET_BYTES = 3200; // 100 ms of sound

/** The conversation of one page. A page says what belongs to a question beside the sound:
 *
 *  `onBegin(turn)` is called when a question begins, and waited for before it is closed; `fields` stand in every packet of
 *  sound; `endsLate`: the question is closed only when every packet is acknowledged, so it can be stopped until then. */
export class Talk {
  mode = "idle"; // idle → opening → recording | latched → sending → idle
  turns = []; // that have not ended, oldest first: the protocol has no turn numbers (docs/protocol.md §4)
  recording = null; // the turn that is being spoken
  player = null; // of the newest answer: it plays on when its turn has ended
  packetBytes = MICROPHONE_PACKET_BYTES;
  #pressedAt = 0;
  #wantsMicrophone = false;

  constructor(path, words, { fields = {}, onBegin = () => {}, onState = () => {}, endsLate = false } = {}) {
    Object.assign(this, { words, fields, onBegin, onState, endsLate });
    this.scroll = new Scroll($("main"));
    this.microphone = new Microphone({ onSound: (bytes, level) => this.#onSound(bytes, level) });
    const conversation = new URLSearchParams(location.search).get("conversation");
    if (conversation) this.#showEarlier(conversation);
    this.connection = new Connection(path, { start: startOf(conversation) });
    this.connection.addEventListener("message", ({ detail: [name, body] }) => this.#take(name, body));
    this.connection.addEventListener("state", ({ detail }) => this.#state(detail));
    this.connection.addEventListener("refused", ({ detail }) => this.complain(detail));
    words.addEventListener("change", () => this.showState());
    this.#listen();
    this.state = "connecting";
    this.showState();
  }

  /** Show the end of the conversation that goes on. */
  async #showEarlier(conversation) {
    try {
      const page = await (await ask(`/v1/conversations/${encodeURIComponent(conversation)}/messages?order=desc&limit=${EARLIER}`)).json();
      $("talk").prepend(...page.data.reverse().map((message) => messageOf(message, this.words)));
      $("welcome").hidden = true;
      this.scroll.toEnd();
    } catch (error) {
      if (error.status !== 404) this.complain(error); // 404: it begins with this page
    }
  }

  // --- what comes

  #take(name, body) {
    if (name === "ready") this.packetBytes = body.max_packet_bytes;
    const newest = this.turns.at(-1);
    const isUpload = name === "packet_ack" || (name === "error" && (body.missing || newest?.stage === "sending"));
    const turn = isUpload ? newest : this.turns[0];
    if (!turn) return name === "error" && this.complain(body);
    turn[name.replace(/^vlm_(?=chat)/, "").replace(/^(vlm|audio)_complete$/, "complete")]?.(body);
    if (name === "packet_ack") this.#closeIfWhole(turn);
    this.showHint();
    if (!isUpload) this.scroll.follow();
  }

  #state(state) {
    if (state === "closed") for (const turn of [...this.turns]) turn.fail(new Refusal(this.words.say("lost"))), turn.end();
    if (state === "open") for (const box of $("talk").querySelectorAll(":scope > .alarm")) box.remove();
    else this.microphone.close();
    this.state = state;
    this.showState();
  }

  // --- questions

  /** Begin a question; the answer that runs is stopped. */
  begin() {
    if (this.#isOpenQuestion(this.turns.at(-1))) this.stop();
    this.interrupt();
    $("welcome").hidden = true;
    const turn = new Turn(this);
    $("talk").append(turn.root);
    this.turns.push(turn);
    turn.prepared = this.onBegin(turn);
    this.scroll.toEnd();
    this.showHint();
    return turn;
  }

  /** Send a whole file as part of a question. */
  upload(turn, bytes, { packetBytes = this.packetBytes, fields = this.fields } = {}) {
    return this.#add(turn, Upload.file(this.connection, bytes, { packetBytes: Math.min(packetBytes, this.packetBytes), fields }), fields);
  }

  ask(bytes) {
    const turn = this.begin();
    this.upload(turn, bytes, { packetBytes: 6000 });
    this.close(turn);
  }

  type(text) {
    const turn = this.begin();
    turn.understood(text);
    this.connection.send({ type: "text", text });
    this.close(turn);
  }

  /** Nothing more belongs to a question but what is being prepared. */
  async close(turn) {
    await turn.prepared;
    turn.isWhole = true;
    this.#closeIfWhole(turn);
  }

  #closeIfWhole(turn) {
    if (!this.endsLate || !turn.isWhole || turn.isClosed || turn.stage !== "sending" || !turn.uploads.every((upload) => upload.isAcknowledged)) return;
    this.#end(turn);
  }

  #end(turn) {
    turn.isClosed = true;
    this.connection.send({ type: "end", total: turn.live?.sent });
  }

  #add(turn, upload, { type = "audio", image = 1 }) {
    return turn.add(Object.assign(upload, { type, image }));
  }

  forget(turn) {
    this.turns.splice(this.turns.indexOf(turn), 1);
    if (this.recording === turn && this.mode !== "sending") this.finish();
    this.showHint();
    this.scroll.follow();
  }

  /** Stop: the answer's sound ends now and the server is told how much was heard; a question half asked is dropped. */
  interrupt() {
    this.player?.stop();
    const turn = this.turns[0];
    if (turn && turn.stage !== "sending") {
      turn.isStopped = true; // its own end is still to come
      this.connection.send({ type: "cancel", played_ms: turn.player?.playedMs ?? 0 });
    }
    this.showHint();
  }

  stop() {
    const newest = this.turns.at(-1);
    if (!this.#isOpenQuestion(newest)) return this.interrupt();
    this.connection.send({ type: "cancel" });
    newest.understood(this.words.say("dropped"));
    newest.end();
  }

  /** Whether the server cannot have begun to answer yet. */
  #isOpenQuestion(turn) {
    return turn?.stage === "sending" && !turn.isClosed && (this.endsLate || turn === this.recording);
  }

  // --- speaking

  async press() {
    if (this.mode === "latched") return this.finish();
    if (this.mode !== "idle" || !this.connection.isOpen) return;
    this.#pressedAt = performance.now();
    this.#wantsMicrophone = true;
    this.setMode("opening");
    this.interrupt();
    const clean = $("clean").checked;
    this.microphone.constraints = { echoCancellation: $("echo").checked, noiseSuppression: clean, autoGainControl: clean };
    try {
      await this.microphone.open();
    } catch (error) {
      this.setMode("idle");
      return this.complain(new Refusal(this.words.say({ NotAllowedError: "noPermission", SecurityError: "insecure" }[error.name] ?? "noMicrophone")));
    }
    this.#record();
  }

  #record() {
    if (!this.connection.isOpen) return this.setMode("idle"); // lost while the browser asked for permission
    this.recording = this.begin();
    const packetBytes = Math.min(MICROPHONE_PACKET_BYTES, this.packetBytes);
    this.recording.live = this.#add(this.recording, new Upload(this.connection, { packetBytes, fields: this.fields }), this.fields);
    this.recording.live.add(wavHeader(this.microphone.rateHz));
    this.microphone.record();
    this.setMode(this.#wantsMicrophone ? "recording" : "latched");
  }

  release() {
    const isTap = performance.now() - this.#pressedAt < TAP_MS;
    this.#wantsMicrophone = false;
    if (this.mode === "recording" && isTap) this.setMode("latched");
    else if (this.mode === "recording") this.finish();
  }

  async finish() {
    const turn = this.recording;
    this.setMode("sending");
    await this.microphone.pause(); // the last of the sound comes before it resolves
    if (turn.stage === "sending") this.#finished(turn);
    this.recording = null;
    this.setMode("idle");
  }

  #finished(turn) {
    turn.live.flush();
    if (this.endsLate) this.close(turn);
    else this.#end(turn);
  }

  #onSound(bytes, level) {
    if (this.recording?.stage !== "sending") return;
    this.recording.live.add(bytes);
    $("speak").style.setProperty("--level", Math.min(1, level * 5).toFixed(2));
    this.showPackets(this.recording);
  }

  // --- what the reader sees

  setMode(mode) {
    this.mode = mode;
    $("speak").setAttribute("aria-pressed", String(mode === "recording" || mode === "latched"));
    if (mode === "idle") $("speak").style.setProperty("--level", 0);
    this.showHint();
  }

  showHint() {
    const isPlaying = !$("audio").paused && !$("audio").ended;
    const stage = this.turns[0]?.stage;
    const name = this.mode !== "idle" ? this.mode : stage ?? (isPlaying ? "speaking" : "idle");
    $("hint").textContent = this.words.say(name);
    $("stop").disabled = !(stage && stage !== "sending") && !isPlaying && !this.#isOpenQuestion(this.turns.at(-1));
  }

  showState() {
    $("state").hidden = false;
    $("state").dataset.state = this.state;
    $("state").textContent = this.words.say(this.state);
    $("speak").disabled = this.state !== "open";
    this.onState(this.state);
    this.showHint();
  }

  showPackets(turn) {
    showPackets(turn.uploads, this.words);
  }

  complain(error) {
    $("talk").append(alarm(this.words, error));
    this.scroll.follow();
  }

  // --- hands and keys

  #listen() {
    const speak = $("speak");
    speak.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      speak.setPointerCapture(event.pointerId);
      this.press();
    });
    for (const name of ["pointerup", "pointercancel"]) speak.addEventListener(name, () => this.release());
    speak.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => this.#keyUp(event));
    addEventListener("blur", () => this.release());
    $("stop").addEventListener("click", () => this.stop());
    for (const name of ["play", "pause", "ended", "playing"]) $("audio").addEventListener(name, () => this.showHint());
    for (const id of ["echo", "clean"]) $(id).addEventListener("change", () => this.microphone.close());
    $("timeline").open = matchMedia("(min-width: 821px)").matches; // a phone shows the conversation first
    if (new URLSearchParams(location.search).has("raw")) $("clean").checked = false;
  }

  #keyDown(event) {
    if (event.key === "Escape") this.stop();
    if (!isSpeakKey(event)) return;
    event.preventDefault();
    if (!event.repeat) this.press();
  }

  #keyUp(event) {
    if (!isSpeakKey(event)) return;
    event.preventDefault();
    this.release();
  }
}

const startOf = (conversation) => ({ timings: true, full_response: false, ...(conversation ? { conversation_id: conversation } : {}) });

const isSpeakKey = ({ code, key, target }) =>
  (code === "Space" && (target === document.body || target === $("speak"))) || (key === "Enter" && target === $("speak"));
