// Chat over POST /v1/chat/completions, streamed. The conversation stays in this tab.

import { showMarkdown } from "/test/markdown.js";
import { $, Scroll, Words, alarm, ask, copy, eventsOf, key, make, piecesOf, showFrame } from "/test/pages.js";
import { Tray, dataUri, thumbnail } from "/test/pictures.js";
import { Player } from "/test/voice.js";

const words = new Words({
  en: {
    title: "Chat", welcome: "Write to the model", welcomeHow: "Enter sends, Shift+Enter begins a new line. Pictures may be pasted.",
    options: "Options", model: "Model", standardModel: "The server's choice", otherModels: "More", system: "System prompt", systemExample: "You are a helpful assistant.",
    temperature: "Temperature", maxTokens: "Max tokens", standard: "default", voice: "Voice for reading aloud", standardVoice: "The server's choice",
    thinking: "Thinking", effortNone: "none", effortLow: "little", effortMedium: "some", effortHigh: "much",
    newConversation: "New conversation", question: "Your message", send: "Send", attach: "Attach pictures", picture: "Picture", removePicture: "Remove the picture",
    thought: "Thoughts", readAloud: "Read aloud", stopReading: "Stop reading", again: "Answer again", tryAgain: "Try again", stopped: "stopped",
    cut: "cut at max tokens", filtered: "withheld by the content filter", usage: "{0} + {1} tokens", seconds: "{0} s", answering: "The model is answering",
    answered: "The answer is complete", toolCall: "The model wants to call {0}",
  },
  zh: {
    title: "聊天", welcome: "写给模型", welcomeHow: "回车发送，Shift+回车换行。可以直接粘贴图片。",
    options: "选项", model: "模型", standardModel: "服务器默认", otherModels: "其他", system: "系统提示词", systemExample: "你是一个有用的助手。",
    temperature: "温度", maxTokens: "最多 token", standard: "默认", voice: "朗读的声音", standardVoice: "服务器默认",
    thinking: "思考", effortNone: "不思考", effortLow: "少", effortMedium: "中", effortHigh: "多",
    newConversation: "新对话", question: "输入消息", send: "发送", attach: "添加图片", picture: "图片", removePicture: "移除图片",
    thought: "思考过程", readAloud: "朗读", stopReading: "停止朗读", again: "重新回答", tryAgain: "重试", stopped: "已停止",
    cut: "已达 token 上限", filtered: "被内容审核拦截", usage: "{0} + {1} token", seconds: "{0} 秒", answering: "模型正在回答",
    answered: "回答完成", toolCall: "模型想调用 {0}",
  },
});
const DRAWINGS = {
  copy: "M9 9V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-4M5 9h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1Z",
  readAloud: "M5 9.500v5h3.500L13 18V6L8.500 9.500ZM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11",
  stopReading: "M7 7h10v10H7Z",
  again: "M19 12a7 7 0 1 1-2.100-5M17.500 3v4.500H13",
};

showFrame(words);
const scroll = new Scroll($("main"));
const tray = new Tray($("tray"), words, { onChange: showSendable });
let entries = []; // the conversation, oldest first
let stop = null; // of the answer that is being given
let reading = null; // the answer that is being read aloud

// ------------------------------------------------------------------------------------------ the conversation

/** One message on the page. `told` is what is kept: {role, text, pictures, reasoning, notes}. */
class Entry {
  constructor(told) {
    this.told = { text: "", pictures: [], reasoning: "", notes: [], ...told };
    this.root = make("article", "", "turn");
    this.bubble = make("div", "", this.isAnswer ? "bubble answer markdown" : "bubble you");
    this.foot = make("div", "", "foot");
    if (this.told.pictures.length) this.root.append(pictureRow(this.told.pictures));
    this.root.append(this.bubble, this.foot);
    $("talk").append(this.root);
    this.show();
  }

  get isAnswer() {
    return this.told.role === "assistant";
  }

  get isEmpty() {
    return !this.told.text && !this.told.reasoning;
  }

  /** As the API wants it. */
  get message() {
    const { role, text, pictures } = this.told;
    if (!pictures.length) return { role, content: text };
    const parts = pictures.map((url) => ({ type: "image_url", image_url: { url } }));
    return { role, content: text ? [...parts, { type: "text", text }] : parts };
  }

  take({ choices, usage }) {
    if (usage) this.usage = usage;
    const [choice] = choices ?? [];
    this.told.text += choice?.delta.content ?? "";
    this.told.reasoning += choice?.delta.reasoning_content ?? "";
    for (const call of choice?.delta.tool_calls ?? []) if (call.function?.name) this.note("toolCall", call.function.name);
    if (choice?.finish_reason === "length") this.note("cut");
    if (choice?.finish_reason === "content_filter") this.note("filtered");
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.show();
    });
  }

  note(...words) {
    this.told.notes.push(words);
  }

  show() {
    if (this.told.reasoning) this.#showThoughts();
    if (this.isAnswer) showMarkdown(this.bubble, this.told.text, words);
    else this.bubble.textContent = this.told.text;
    scroll.follow();
  }

  #showThoughts() {
    if (!this.thoughts) {
      const box = make("details", "", "thoughts");
      this.thoughts = make("div", "", "markdown");
      box.append(words.make("summary", "thought"), this.thoughts);
      this.bubble.before(box);
    }
    showMarkdown(this.thoughts, this.told.reasoning, words);
  }

  /** The message is whole: show what can be done with it. */
  end() {
    cancelAnimationFrame(this.frame);
    this.show();
    this.bubble.ariaBusy = "false";
    this.root.dataset.over = "true";
    this.foot.replaceChildren(...(this.isAnswer ? this.#buttons() : []), ...this.told.notes.map((note) => make("span", words.say(...note))));
  }

  #buttons() {
    const buttons = ["copy", "readAloud", "again"].map((word) => words.button(word, DRAWINGS[word]));
    const [copying, speaking, again] = buttons;
    copying.addEventListener("click", () => copy(this.told.text, words, copying));
    speaking.addEventListener("click", () => readAloud(this, speaking));
    again.addEventListener("click", () => answerAgain(this));
    return buttons;
  }
}

function pictureRow(pictures) {
  const row = make("div", "", "pictures");
  row.append(...pictures.map((src) => thumbnail(src, words.say("picture"))));
  return row;
}

function add(told) {
  $("welcome").hidden = true;
  entries.push(new Entry(told));
  return entries.at(-1);
}

function remove(entry) {
  entries = entries.filter((other) => other !== entry);
  entry.root.remove();
}

// ------------------------------------------------------------------------------------------ asking

async function send() {
  const text = $("question").value.trim();
  const pictures = await Promise.all(tray.take().map(dataUri));
  $("question").value = "";
  grow();
  add({ role: "user", text, pictures }).end();
  scroll.toEnd();
  await answer();
}

async function answer() {
  for (const box of $("talk").querySelectorAll(".alarm")) box.remove();
  const body = request();
  const entry = add({ role: "assistant" });
  entry.bubble.ariaBusy = "true";
  setStop(new AbortController());
  const began = performance.now();
  try {
    const stream = await ask("/v1/chat/completions", { body, signal: stop.signal });
    for await (const event of eventsOf(stream)) entry.take(event);
    if (entry.usage) entry.note("usage", entry.usage.prompt_tokens, entry.usage.completion_tokens);
    entry.note("seconds", ((performance.now() - began) / 1000).toFixed(1));
  } catch (error) {
    fail(entry, error);
  } finally {
    setStop(null);
    entry.end();
    if (entry.isEmpty && !entry.told.notes.length) remove(entry);
    keep();
  }
}

function fail(entry, error) {
  if (error.name === "AbortError") return entry.note("stopped");
  const box = alarm(words, error);
  const again = words.make("button", "tryAgain", "quiet-button");
  again.type = "button";
  again.addEventListener("click", () => (entries.includes(entry) ? answerAgain(entry) : answer()));
  box.append(again);
  $("talk").append(box);
  scroll.follow();
}

function answerAgain(entry) {
  if (stop) return;
  for (const later of entries.slice(entries.indexOf(entry))) remove(later);
  answer();
}

function request() {
  const system = $("system").value.trim();
  const messages = [...(system ? [{ role: "system", content: system }] : []), ...entries.map(({ message }) => message)];
  return { ...options(), stream: true, stream_options: { include_usage: true }, messages };
}

/** What was chosen; a field left empty is not sent, so the model's default holds. */
function options() {
  const numbers = ["temperature", "max_tokens"].map((name) => [name, $(name).valueAsNumber]);
  const choices = ["model", "reasoning_effort"].map((name) => [name, $(name).value]);
  return Object.fromEntries([...numbers.filter(([, value]) => !Number.isNaN(value)), ...choices.filter(([, value]) => value)]);
}

// ------------------------------------------------------------------------------------------ reading aloud

async function readAloud(entry, button) {
  const isThis = reading?.entry === entry;
  reading?.end();
  if (isThis) return;
  const halt = new AbortController();
  const player = new Player($("audio"));
  const mine = (reading = { entry, end });
  showReading(button, true);
  $("audio").onended = end;
  try {
    const voice = $("voice").value ? { voice: $("voice").value } : { voice: "alloy" };
    const sound = await ask("/v1/audio/speech", { body: { model: "tts-1", input: entry.told.text, ...voice }, signal: halt.signal });
    for await (const bytes of piecesOf(sound.body)) player.add(bytes);
    player.finish();
  } catch (error) {
    end();
    if (error.name !== "AbortError") entry.root.append(alarm(words, error));
  }

  function end() {
    halt.abort();
    player.stop();
    showReading(button, false);
    if (reading === mine) reading = null;
  }
}

function showReading(button, isReading) {
  const word = isReading ? "stopReading" : "readAloud";
  button.setAttribute("aria-pressed", String(isReading));
  button.querySelector("path").setAttribute("d", DRAWINGS[word]);
  words.label(button, word);
}

// ------------------------------------------------------------------------------------------ choices

const KINDS = ["chat", "vision", "omni"];

/** Fill the choices from the server; what was chosen before stays chosen. */
async function loadChoices() {
  for (const box of $("talk").querySelectorAll(":scope > .alarm")) box.remove();
  try {
    const models = (await (await ask("/v1/models")).json()).data;
    const groups = [...KINDS, ""].map((kind) => [kind || words.say("otherModels"), models.filter(({ type = "" }) => type === kind).map(({ id }) => id)]);
    fill($("model"), "standardModel", groups);
    const { voices } = await (await ask("/v1/audio/voices")).json();
    fill($("voice"), "standardVoice", [["", voices.map(({ id, name }) => [id, name])]]);
  } catch (error) {
    $("talk").append(alarm(words, error));
  }
}

function fill(select, standard, groups) {
  const chosen = select.value || (JSON.parse(sessionStorage.getItem(SETTINGS) ?? "{}")[select.id] ?? "");
  const first = words.make("option", standard);
  first.value = "";
  select.replaceChildren(first);
  for (const [name, rows] of groups.filter(([, rows]) => rows.length)) {
    const group = name ? Object.assign(make("optgroup"), { label: name }) : select;
    group.append(...rows.map((row) => new Option(...(Array.isArray(row) ? [row[1], row[0]] : [row, row]))));
    if (group !== select) select.append(group);
  }
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = "";
}

// ------------------------------------------------------------------------------------------ what this tab keeps

const CHAT = "chat";
const SETTINGS = "chat-settings";
const KEPT = ["model", "system", "temperature", "max_tokens", "reasoning_effort", "voice"];

function keep() {
  const told = entries.map((entry) => entry.told);
  const attempts = [told, told.map((one) => ({ ...one, pictures: [] })), []]; // a tab keeps about 5 MB: pictures go first
  for (const attempt of attempts) {
    try {
      return sessionStorage.setItem(CHAT, JSON.stringify(attempt));
    } catch {
      continue;
    }
  }
}

function restore() {
  const settings = JSON.parse(sessionStorage.getItem(SETTINGS) ?? "{}");
  for (const [name, value] of Object.entries(settings)) $(name).value = value;
  for (const told of JSON.parse(sessionStorage.getItem(CHAT) ?? "[]")) add(told).end();
  scroll.toEnd();
}

$("options").addEventListener("change", () => sessionStorage.setItem(SETTINGS, JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, $(name).value])))));

// ------------------------------------------------------------------------------------------ hands and keys

function setStop(next) {
  stop = next;
  $("send").dataset.word = stop ? "stop" : "send";
  $("send").textContent = words.say($("send").dataset.word);
  $("news").textContent = words.say(stop ? "answering" : "answered");
  showSendable();
}

function showSendable() {
  $("send").disabled = !stop && !$("question").value.trim() && !tray.pictures.length;
  $("new").disabled = !entries.length;
}

function grow() {
  $("question").style.height = "auto";
  $("question").style.height = `${Math.min($("question").scrollHeight, 200)}px`;
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (stop) stop.abort();
  else if (!$("send").disabled) send();
});
$("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || stop) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
addEventListener("keydown", ({ key: pressed }) => {
  if (pressed === "Escape") stop?.abort(), reading?.end();
});
$("question").addEventListener("input", () => (grow(), showSendable()));
$("attach").addEventListener("click", () => $("picker").click());
$("picker").addEventListener("change", async () => {
  await tray.add($("picker").files);
  $("picker").value = "";
});
$("new").addEventListener("click", () => {
  stop?.abort();
  reading?.end();
  entries = [];
  $("talk").replaceChildren($("welcome"));
  $("welcome").hidden = false;
  keep();
  showSendable();
  $("question").focus();
});
key.addEventListener("change", loadChoices);
words.addEventListener("change", () => entries.filter((entry) => entry.root.dataset.over).forEach((entry) => entry.end()));
tray.listen(document.body);

$("options").open = matchMedia("(min-width: 821px)").matches;
restore();
showSendable();
await loadChoices();
