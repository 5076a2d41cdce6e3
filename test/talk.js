// Turns on a page: the button that listens, the conversation, the packets and the stages underneath.
// Two pages use it, for /v1/chat/audio and /v1/chat/vlm, whose events differ in name only (docs/protocol.md §11).

import { showMarkdown } from "/test/markdown.js";
import { MESSAGE_WORDS, messageOf } from "/test/messages.js";
import { $, Refusal, Scroll, alarm, ask, make } from "/test/pages.js";
import { Connection, Microphone, Player, Upload, wavHeader } from "/test/voice.js";

export const TALK_WORDS = {
  en: {
    ...MESSAGE_WORDS.en,
    open: "Connected", connecting: "Connecting", closed: "Disconnected, trying again", refused: "Not let in",
    idle: "Hold to speak", opening: "Opening the microphone", recording: "Listening: let go to send", latched: "Listening: tap to send",
    sending: "Sending", hearing: "Recognising", thinking: "Thinking", speaking: "Speaking: hold to interrupt",
    space: "Space", welcomeSpace: "hold to speak", welcomeEscape: "stop",
    file: "Send a sound file", speak: "Hold to speak", stopTurn: "Stop (Esc)",
    packets: "Packets", packetsNote: "{0} sent, {1} acknowledged, {2} KB", packetsMissing: "{0} sent again",
    timeline: "Where the time went", microphone: "Microphone", echo: "Echo cancellation", clean: "Noise suppression and automatic gain",
    upload: "Recording stored", asr: "Recognition", first_token: "First word", first_sentence: "First sentence", tts_connect: "Voice ready",
    first_pcm: "Voice speaks", first_sent: "Sound sent", heard: "Sound heard", end: "Whole answer",
    save: "Save the sound", nothingHeard: "(nothing understood)", dropped: "(not sent)", unspoken: "could not be spoken",
    lost: "The connection broke in the middle of this turn. Please ask again.",
    noPermission: "The browser may not use the microphone. Allow it in the address bar, or use a file or the keyboard.",
    noMicrophone: "No microphone was found.",
    insecure: "Browsers give the microphone and the camera only to https:// and localhost pages.",
  },
  zh: {
    ...MESSAGE_WORDS.zh,
    open: "已连接", connecting: "正在连接", closed: "连接已断开，正在重试", refused: "未获准进入",
    idle: "按住说话", opening: "正在打开麦克风", recording: "正在聆听，松开发送", latched: "正在聆听，点一下发送",
    sending: "正在发送", hearing: "正在识别", thinking: "正在思考", speaking: "正在回答，按住可打断",
    space: "空格", welcomeSpace: "按住说话", welcomeEscape: "停止",
    file: "发送音频文件", speak: "按住说话", stopTurn: "停止（Esc）",
    packets: "数据包", packetsNote: "已发送 {0}，已确认 {1}，{2} KB", packetsMissing: "重发 {0}",
    timeline: "时间去哪儿了", microphone: "麦克风", echo: "回声消除", clean: "降噪与自动增益",
    upload: "录音已保存", asr: "语音识别", first_token: "首个词", first_sentence: "首句完成", tts_connect: "语音就绪",
    first_pcm: "开始合成", first_sent: "开始发送", heard: "开始播放", end: "全部完成",
    save: "保存声音", nothingHeard: "（没有听清）", dropped: "（未发送）", unspoken: "未能朗读",
    lost: "连接在这一轮中断了，请再问一次。",
    noPermission: "浏览器没有麦克风权限。请在地址栏中允许，或改用文件或键盘。",
    noMicrophone: "没有找到麦克风。",
    insecure: "浏览器只允许 https:// 或 localhost 页面使用麦克风和摄像头。",
  },
};

const TAP_MS = 350; // a shorter press is a tap, which latches
const EARLIER = 20; // messages that are shown of a conversation that goes on
const MICROPHONE_PACKET_BYTES = 3200; // 100 ms of sound

// ---------------------------------------------------------------------------------------------- a turn

/** One question and its answer. Its stages: sending → hearing → thinking → speaking → over. */
class Turn {
  constructor(talk) {
    this.talk = talk;
    this.stage = "sending";
    this.text = "";
    this.uploads = [];
    this.root = make("article", "", "turn");
    this.you = make("div", "…", "bubble you pending");
    this.answer = make("div", "", "bubble answer markdown");
    this.foot = make("div", "", "foot");
    this.root.append(this.you, this.answer, this.foot);
  }

  // --- the way up

  add(upload) {
    this.uploads.push(upload);
    this.talk.showPackets(this);
    return upload;
  }

  uploadOf({ type = "audio", image = 1 }) {
    return this.uploads.find((upload) => upload.type === type && upload.image === image);
  }

  packet_ack(body) {
    this.uploadOf(body)?.acked.add(body.seq);
    this.talk.showPackets(this);
  }

  sendAgain(body) {
    this.uploadOf(body)?.sendAgain(body.missing);
    this.talk.showPackets(this);
  }

  // --- the server's events

  transcription_started() {
    this.stage = "hearing";
    this.sentAt = performance.now();
  }

  chat_started({ user_message }) {
    this.stage = "thinking";
    this.sentAt ??= performance.now();
    this.answer.ariaBusy = "true"; // read out when it is whole
    this.understood(user_message ?? this.talk.words.say("nothingHeard"));
  }

  understood(text) {
    this.you.textContent = text;
    this.you.classList.remove("pending");
  }

  chat_chunk({ chunk }) {
    this.text += chunk;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.showText();
    });
  }

  showText() {
    showMarkdown(this.answer, this.text, this.talk.words);
    this.talk.scroll.follow();
  }

  tts_started() {
    this.stage = "speaking";
    if (this.isStopped) return;
    this.player = this.talk.player = new Player($("audio"));
    $("audio").onplaying = () => this.showTimes({ heard: performance.now() - this.sentAt });
  }

  audio_stream({ event, bytes }) {
    if (event === "finished") this.player?.finish();
    else this.player?.add(bytes);
  }

  chat_tts_complete({ interrupted, tts_success }) {
    this.isInterrupted = interrupted;
    if (tts_success === false && !interrupted) this.foot.append(this.talk.words.make("span", "unspoken"));
  }

  timings({ stages }) {
    this.showTimes(stages);
  }

  /** The server's stages and our own moment of hearing come in any order. */
  showTimes(times) {
    this.times = { ...times, ...this.times };
    if (this.times.end !== undefined) showStages(this.times, this.talk.words);
  }

  complete() {
    this.end();
  }

  error(body) {
    if (body.missing) return this.sendAgain(body);
    const hasBegun = this.stage !== "sending";
    this.fail(body);
    if (hasBegun) return;
    this.talk.connection.send({ type: "cancel" }); // whatever of it has arrived is forgotten
    this.end();
  }

  fail(error) {
    this.root.append(alarm(this.talk.words, error));
    this.talk.scroll.follow();
  }

  end() {
    const { words } = this.talk;
    cancelAnimationFrame(this.frame);
    this.showText();
    this.stage = "over";
    this.answer.ariaBusy = "false";
    if (this.you.matches(".pending")) this.understood("");
    if (this.isInterrupted) this.foot.append(words.make("span", "interrupted"));
    if (this.player?.parts.length) this.foot.append(this.#saveLink());
    this.root.dataset.over = "true";
    this.talk.forget(this);
  }

  #saveLink() {
    const link = this.talk.words.make("a", "save");
    link.href = URL.createObjectURL(this.player.blob());
    link.download = "reply.mp3";
    return link;
  }
}

// ---------------------------------------------------------------------------------------------- the conversation

/** The conversation of one page. A page says what belongs to a question beside the sound:
 *
 *  `onBegin(turn)` is called when a question begins, and waited for before it is closed; `fields` stand in every packet of sound; `endsLate`: the question is
 *  closed only when every packet is acknowledged, so that it can be stopped until then. */
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

// ---------------------------------------------------------------------------------------------- packets and stages

const MOST_DOTS = 160;

function showPackets(uploads, words) {
  const states = uploads.flatMap((upload) => Array.from({ length: upload.sent }, (_, n) => stateOf(upload, n + 1)));
  const dots = $("dots");
  const shown = states.slice(-MOST_DOTS);
  $("packets").hidden = !states.length;
  while (dots.children.length > shown.length) dots.lastChild.remove();
  while (dots.children.length < shown.length) dots.append(make("i"));
  shown.forEach((state, n) => dots.children[n].className !== state && (dots.children[n].className = state));
  const bytes = uploads.reduce((sum, upload) => sum + upload.bytes, 0);
  const again = uploads.reduce((sum, upload) => sum + upload.missing.length, 0);
  const acked = states.filter((state) => state === "acked").length;
  const note = words.say("packetsNote", states.length, acked, (bytes / 1024).toFixed(0));
  $("packets-note").textContent = again ? `${note} · ${words.say("packetsMissing", again)}` : note;
}

function stateOf(upload, seq) {
  if (upload.acked.has(seq)) return "acked";
  return upload.missing.includes(seq) ? "missing" : "";
}

/** What each stage waited for: its bar begins where that one ended. Recording and voice run beside the rest. */
const BEGINS_AFTER = { first_token: "asr", first_sentence: "first_token", first_pcm: "first_sentence", first_sent: "first_pcm", heard: "first_sent", end: "first_sent" };
const ROWS = ["upload", "tts_connect", "asr", "first_token", "first_sentence", "first_pcm", "first_sent", "heard", "end"];

function showStages(stages, words) {
  const rows = ROWS.filter((name) => stages[name] !== undefined);
  const width = 1.15 * Math.max(...rows.filter((name) => name !== "end").map((name) => stages[name]), 1);
  $("timeline").hidden = false;
  $("stages").replaceChildren(...rows.flatMap((name) => stageRow(name, stages, width, words)));
}

function stageRow(name, stages, width, words) {
  const ms = stages[name];
  const begin = stages[BEGINS_AFTER[name]] ?? 0;
  const bar = make("span", "", [name === "upload" || name === "tts_connect" ? "beside" : "", ms > width ? "cut" : ""].join(" "));
  bar.style.left = `${Math.min(98, (100 * begin) / width)}%`;
  bar.style.width = `${(100 * Math.max(0, Math.min(ms, width) - begin)) / width}%`;
  const track = make("dd", "", "track");
  track.append(bar);
  return [words.make("dt", name), track, make("dd", ms < 9950 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`, "ms")];
}
