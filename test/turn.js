// One question and its answer on a page, told by the server's events (docs/protocol.md §5).

import { showMarkdown } from "/test/markdown.js";
import { $, alarm, make } from "/test/pages.js";
import { showStages } from "/test/stages.js";
import { Player } from "/test/voice.js";

/** One question and its answer. Its stages: sending → hearing → thinking → speaking → over. */
export class Turn {
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
