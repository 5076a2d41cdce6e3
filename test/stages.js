// What happens underneath a turn: the packets on their way up, and where the time went.

import { $, make } from "/test/pages.js";

const MOST_DOTS = 160;

/** Show every packet of some uploads as a dot: sent, acknowledged or missed. */
export function showPackets(uploads, words) {
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

/** Show the stages of a turn as bars, each from the moment at which it could begin. `stages`: ms by name. */
export function showStages(stages, words) {
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
