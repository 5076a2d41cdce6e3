// What every page has: its words in two languages, the key, the way to the other pages, the server's HTTP side.
// Vanilla modules, no build step, nothing from elsewhere. Text goes in as text: nothing is parsed as HTML.

export const $ = (id) => document.getElementById(id);

/** A new element with a text and a class. */
export function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing of lines in a square of 24. */
export function icon(path, { size = 20, className = "icon" } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: size, height: size, class: className, "aria-hidden": "true" })) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

// ---------------------------------------------------------------------------------------------- words

const COMMON = {
  en: {
    otherLanguage: "中文", pages: "Pages", skip: "To the content", settings: "Key and look",
    navTalk: "Talk", navChat: "Chat", navSee: "See", navHistory: "History", navDocs: "API",
    key: "API key", keyNote: "Stays in this tab only. A server on this machine may need none.", keyPlaceholder: "sk-…",
    theme: "Look", themeSystem: "As the system", themeLight: "Light", themeDark: "Dark",
    copy: "Copy", copied: "Copied", stop: "Stop", request: "Request {0}",
    unreachable: "The server cannot be reached. Is it running?", broken: "The answer broke off. What came is kept.",
    keyNeeded: "This server wants a key. Enter it above, it stays in this tab only.",
  },
  zh: {
    otherLanguage: "English", pages: "页面", skip: "跳到内容", settings: "密钥与外观",
    navTalk: "语音", navChat: "聊天", navSee: "看图", navHistory: "历史", navDocs: "接口",
    key: "API 密钥", keyNote: "只保存在本标签页。本机的服务可能不需要密钥。", keyPlaceholder: "sk-…",
    theme: "外观", themeSystem: "跟随系统", themeLight: "浅色", themeDark: "深色",
    copy: "复制", copied: "已复制", stop: "停止", request: "请求 {0}",
    unreachable: "无法连接服务器，请确认它正在运行。", broken: "回答中途断开，已收到的部分保留在此。",
    keyNeeded: "此服务器需要密钥。请在上方填写，它只保存在本标签页。",
  },
};

/** The page's words in the reader's language: `?lang=`, else what was chosen before, else the browser's.
 *
 *  Event "change": another language was chosen. Elements with `data-word`, `data-label` or `data-placeholder` follow. */
export class Words extends EventTarget {
  constructor(dictionary) {
    super();
    this.dictionary = { en: { ...COMMON.en, ...dictionary.en }, zh: { ...COMMON.zh, ...dictionary.zh } };
    const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("lang") ?? navigator.language;
    this.use(asked.startsWith("zh") ? "zh" : "en");
  }

  use(language) {
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-word], [data-label], [data-placeholder]")) this.#tell(element);
    this.dispatchEvent(new Event("change"));
  }

  toggle() {
    localStorage.setItem("lang", this.language === "zh" ? "en" : "zh");
    this.use(localStorage.getItem("lang"));
  }

  say(name, ...values) {
    return values.reduce((text, value, n) => text.replace(`{${n}}`, () => value), this.dictionary[this.language][name] ?? name);
  }

  /** A new element that says a word in the language of every moment. */
  make(tag, word, className = "") {
    const element = make(tag, "", className);
    element.dataset.word = word;
    this.#tell(element);
    return element;
  }

  /** A new button with a drawing, and a word for those who point or listen. */
  button(word, path, className = "icon-button") {
    const button = make("button", "", className);
    button.type = "button";
    button.append(icon(path));
    this.label(button, word);
    return button;
  }

  label(element, word) {
    element.dataset.label = word;
    this.#tell(element);
  }

  #tell(element) {
    const { word, label, placeholder } = element.dataset;
    if (word) element.textContent = this.say(word);
    if (label) element.ariaLabel = element.title = this.say(label);
    if (placeholder) element.placeholder = this.say(placeholder);
  }
}

// ---------------------------------------------------------------------------------------------- the key

const KEY = "api-key";
const KEY_PROTOCOL = "openai-insecure-api-key.";

/** The caller's key, kept in this tab. Event "change": it is another one now. */
export const key = new (class extends EventTarget {
  get value() {
    return sessionStorage.getItem(KEY) ?? "";
  }

  set value(text) {
    if (text.trim() === this.value) return;
    sessionStorage.setItem(KEY, text.trim());
    this.dispatchEvent(new Event("change"));
  }

  get headers() {
    return this.value ? { Authorization: `Bearer ${this.value}` } : {};
  }

  /** A WebSocket to a path of this server. Browsers can send a key only among the subprotocols, or in the address. */
  socket(path) {
    const url = new URL(path, location.href.replace(/^http/, "ws"));
    url.search = url.hash = "";
    if (!this.value) return new WebSocket(url);
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(this.value)) return new WebSocket(url, ["voice", KEY_PROTOCOL + this.value]);
    url.searchParams.set("token", this.value);
    return new WebSocket(url);
  }
})();

// ---------------------------------------------------------------------------------------------- the server

/** What the server, or the way to it, refused. `status` is 0 when nothing was answered. */
export class Refusal extends Error {
  constructor(message, { status = 0, code = null, requestId = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId });
  }
}

/** Ask the server; an answer that is an error is thrown as Refusal, a stop as AbortError. */
export async function ask(path, { body, method = body ? "POST" : "GET", signal } = {}) {
  const headers = { ...key.headers, ...(body ? { "Content-Type": "application/json" } : {}) };
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("", { code: "unreachable" });
  }
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

async function refusalOf(answer) {
  const { error } = await answer.json().catch(() => ({}));
  return new Refusal(error?.message ?? `HTTP ${answer.status}`, { status: answer.status, code: error?.code, requestId: answer.headers.get("x-request-id") ?? "" });
}

/** The events of a streamed answer, each as an object. Throws Refusal where the stream tells an error or has no end. */
export async function* eventsOf(answer) {
  const requestId = answer.headers.get("x-request-id") ?? "";
  for await (const line of linesOf(answer)) {
    if (!line.startsWith("data:")) continue;
    const data = line.slice(5).trim();
    if (data === "[DONE]") return;
    const event = JSON.parse(data);
    if (event.error) throw new Refusal(event.error.message, { code: event.error.code, requestId });
    yield event;
  }
  throw new Refusal("", { code: "broken", requestId });
}

async function* linesOf(answer) {
  let rest = "";
  for await (const text of piecesOf(answer.body.pipeThrough(new TextDecoderStream()))) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

/** What a stream brings, piece by piece. (Safari cannot loop over a stream itself.)  Throws Refusal when it breaks. */
export async function* piecesOf(stream) {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } catch (error) {
    throw error.name === "AbortError" ? error : new Refusal("", { code: "broken" });
  } finally {
    reader.cancel().catch(() => {}); // whoever stopped listening wants no more
  }
}

// ---------------------------------------------------------------------------------------------- alarms

/** What is said in the reader's language; for all else, the server's words stand. */
const OWN_WORDS = { unreachable: "unreachable", broken: "broken", missing_api_key: "keyNeeded" };

/** A box that tells a failure: its sentence, and for the operator its code and the request's id. */
export function alarm(words, error) {
  const box = make("div", "", "alarm");
  box.setAttribute("role", "alert");
  const own = OWN_WORDS[error.code];
  box.append(own ? words.make("span", own) : make("span", error.message));
  const facts = [own ? "" : error.code, error.requestId && words.say("request", error.requestId)].filter(Boolean);
  if (facts.length) box.append(make("small", facts.join(" · ")));
  if (error.status === 401) askForKey();
  return box;
}

/** Open the field for the key, where it waits for one. */
function askForKey() {
  if (!$("settings-panel").matches(":popover-open")) $("settings-panel").showPopover();
  $("key").focus();
}

// ---------------------------------------------------------------------------------------------- the frame

const PAGES = [
  ["navTalk", "/", ["/test/test_realtime_audio_stream.html"]],
  ["navChat", "/test/test_chat_web.html", []],
  ["navSee", "/test/test_vlm_stream.html", []],
  ["navHistory", "/test/test_history.html", []],
  ["navDocs", "/docs", ["/test/test_api_docs.html"]],
];
const KEY_DRAWING = "M15.5 3a5.5 5.5 0 0 0-5.3 7L3 17.2V21h3.8v-2.4h2.4v-2.4h2.2l1.6-1.6A5.5 5.5 0 1 0 15.5 3ZM17 7.5h.01";
const MARK_DRAWING = "M7 10v4M10.3 7v10M13.7 8.5v7M17 11v3";

/** Fill the page's header: where we are, where else to go, the key, the language. `title` is a word. */
export function showFrame(words, { title = "title" } = {}) {
  applyTheme(localStorage.getItem("theme") ?? "");
  const heading = words.make("h1", title);
  $("bar").prepend(mark(), heading, navigation(words));
  $("bar").append(settingsButton(words), languageButton(words));
  $("bar").after(settingsPanel(words));
  document.body.prepend(skipLink(words));
  const sayTitle = () => (document.title = heading.textContent);
  words.addEventListener("change", sayTitle);
  sayTitle();
}

function mark() {
  const drawing = icon(MARK_DRAWING, { size: 28, className: "mark" });
  const circle = document.createElementNS(SVG, "circle");
  for (const name of ["cx", "cy", "r"]) circle.setAttribute(name, "12");
  drawing.prepend(circle);
  return drawing;
}

function skipLink(words) {
  const link = words.make("a", "skip", "skip");
  link.href = "#main";
  return link;
}

function navigation(words) {
  const nav = make("nav", "", "pages");
  words.label(nav, "pages");
  nav.title = "";
  for (const [word, path, others] of PAGES) {
    const link = words.make("a", word);
    link.href = path;
    if ([path, ...others].includes(location.pathname)) link.ariaCurrent = "page";
    nav.append(link);
  }
  return nav;
}

function languageButton(words) {
  const button = words.make("button", "otherLanguage", "quiet-button");
  button.type = "button";
  button.id = "language";
  button.addEventListener("click", () => words.toggle());
  return button;
}

function settingsButton(words) {
  const button = words.button("settings", KEY_DRAWING);
  button.id = "settings";
  button.setAttribute("popovertarget", "settings-panel");
  const show = () => (button.dataset.hasKey = String(Boolean(key.value)));
  key.addEventListener("change", show);
  show();
  return button;
}

function settingsPanel(words) {
  const panel = make("div", "", "panel");
  panel.id = "settings-panel";
  panel.popover = "auto";
  panel.append(keyField(words), words.make("p", "keyNote", "note"), themeField(words));
  return panel;
}

function keyField(words) {
  const input = make("input", "", "field");
  Object.assign(input, { id: "key", type: "password", autocomplete: "off", spellcheck: false, value: key.value });
  input.dataset.placeholder = "keyPlaceholder";
  input.placeholder = words.say("keyPlaceholder");
  input.addEventListener("change", () => (key.value = input.value));
  input.addEventListener("keydown", ({ key: pressed }) => {
    if (pressed === "Enter") (key.value = input.value), $("settings-panel").hidePopover();
  });
  return labelled(words, "key", input);
}

function themeField(words) {
  const select = make("select", "", "field");
  select.id = "theme";
  for (const [value, word] of [["", "themeSystem"], ["light", "themeLight"], ["dark", "themeDark"]]) {
    const option = words.make("option", word);
    option.value = value;
    select.append(option);
  }
  select.value = localStorage.getItem("theme") ?? "";
  select.addEventListener("change", () => {
    localStorage.setItem("theme", select.value);
    applyTheme(select.value);
  });
  return labelled(words, "theme", select);
}

/** A field under its name. */
export function labelled(words, word, field) {
  const label = make("label", "", "labelled");
  label.append(words.make("span", word), field);
  return label;
}

function applyTheme(theme) {
  document.documentElement.style.colorScheme = theme;
}

/** Keeps the end of a growing conversation in view, unless its reader has gone back to read. */
export class Scroll {
  constructor(element) {
    this.element = element;
    this.isAtEnd = true;
    element.addEventListener("scroll", () => (this.isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 60), { passive: true });
  }

  follow() {
    if (this.isAtEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  toEnd() {
    this.isAtEnd = true;
    this.follow();
  }
}

/** Put a text on the clipboard; the button says so for a moment. */
export async function copy(text, words, button) {
  await navigator.clipboard.writeText(text).catch(() => {});
  const { word, label } = button.dataset;
  const say = (name) => (word ? ((button.dataset.word = name), (button.textContent = words.say(name))) : words.label(button, name));
  say("copied");
  setTimeout(() => say(word ?? label), 1500);
}
