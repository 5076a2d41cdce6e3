// What was said: the conversations of this key, their messages with sound and pictures. The address names the one shown.

import { MESSAGE_WORDS, messageOf, moment } from "/test/messages.js";
import { $, Words, alarm, ask, key, make, showFrame } from "/test/pages.js";

const words = new Words({
  en: {
    title: "History", conversations: "Conversations", search: "Search the beginnings", more: "Show more", none: "Nothing has been said yet.",
    noneFound: "None of {0} conversations begins like this.", choose: "Choose a conversation.", untitled: "(without words)", turns: "{0} turns", oneTurn: "1 turn",
    back: "← All", goOn: "Go on speaking", export: "Export", delete: "Delete", keep: "Keep it", sure: "Delete this conversation, its recordings and its pictures?",
    deleted: "The conversation was deleted.", ...MESSAGE_WORDS.en,
  },
  zh: {
    title: "历史", conversations: "对话列表", search: "搜索开头", more: "显示更多", none: "还没有对话。",
    noneFound: "{0} 个对话中没有这样开头的。", choose: "请选择一个对话。", untitled: "（无文字）", turns: "{0} 轮", oneTurn: "1 轮",
    back: "← 全部", goOn: "继续对话", export: "导出", delete: "删除", keep: "保留", sure: "删除这个对话及其录音和图片？",
    deleted: "对话已删除。", ...MESSAGE_WORDS.zh,
  },
});
const ROOT = "/v1/conversations";
const PAGE = 30;
const MOST_SEARCHED = 2000;

showFrame(words);
let conversations = []; // that have been loaded, the latest first
let hasMore = false;
let loading = null; // the next part of the list, on its way
let shown = ""; // the id of the conversation on the page

const read = async (path) => (await ask(path)).json();
const query = (fields) => new URLSearchParams(Object.entries(fields).filter(([, value]) => value)).toString();

/** Do something that asks the server; what it refuses is told where the conversation stands. */
async function attempt(deed) {
  try {
    return await deed();
  } catch (error) {
    $("talk").prepend(alarm(words, error));
    $("history").dataset.shows = "messages"; // on a phone, the list would hide it
  }
}

// ------------------------------------------------------------------------------------------ the list

/** Load the next part of the list; who asks while it is on its way waits for the same one. */
function loadMore(limit = PAGE) {
  loading ??= loadPage(limit).finally(() => (loading = null));
  return loading;
}

async function loadPage(limit) {
  const list = conversations;
  const page = await read(`${ROOT}?${query({ limit, after: list.at(-1)?.id })}`);
  if (list !== conversations) return; // another key's
  conversations.push(...page.data);
  hasMore = page.has_more;
  showList();
}

/** A search looks through everything, so everything is loaded, within reason. */
async function search() {
  showList();
  while ($("search").value && hasMore && conversations.length < MOST_SEARCHED) await loadMore(100);
}

function showList() {
  const wanted = $("search").value.trim().toLowerCase();
  const found = conversations.filter(({ title }) => title.toLowerCase().includes(wanted));
  $("list").replaceChildren(...found.map(row));
  $("more").hidden = !hasMore || Boolean(wanted);
  const note = conversations.length ? (found.length ? "" : "noneFound") : "none";
  $("list-note").textContent = note && words.say(note, conversations.length);
}

function row(conversation) {
  const item = make("li");
  const link = make("a");
  link.href = `#${conversation.id}`;
  if (conversation.id === shown) link.ariaCurrent = "true";
  const { turns } = conversation;
  link.append(make("strong", conversation.title || words.say("untitled")), make("small", `${moment(conversation.updated_at)} · ${words.say(turns === 1 ? "oneTurn" : "turns", turns)}`));
  item.append(link);
  return item;
}

// ------------------------------------------------------------------------------------------ one conversation

async function open() {
  shown = decodeURIComponent(location.hash.slice(1));
  $("history").dataset.shows = shown ? "messages" : "list";
  $("tools").hidden = !shown;
  $("more-messages").hidden = true;
  $("talk").replaceChildren(...(shown ? [] : [words.make("p", "choose", "welcome")]));
  showList();
  if (!shown) return;
  $("go-on").href = `/?conversation=${encodeURIComponent(shown)}`;
  const id = shown;
  const told = conversations.find((one) => one.id === id) ?? (await read(pathOf(id)));
  if (id !== shown) return; // another one was chosen meanwhile
  $("name").textContent = told.title || words.say("untitled");
  await loadMessages("");
  $("main").scrollTop = 0;
}

const pathOf = (id) => `${ROOT}/${encodeURIComponent(id)}`;

async function loadMessages(after) {
  const id = shown;
  const page = await read(`${pathOf(id)}/messages?${query({ limit: 50, order: "asc", after })}`);
  if (id !== shown) return;
  $("talk").append(...page.data.map((message) => messageOf(message, words)));
  $("more-messages").hidden = !page.has_more;
  $("more-messages").onclick = () => attempt(() => loadMessages(page.last_id));
}

// ------------------------------------------------------------------------------------------ export and delete

async function saveExport() {
  const link = make("a");
  link.href = URL.createObjectURL(await (await ask(`${pathOf(shown)}/export`)).blob());
  link.download = `${shown}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function deleteShown() {
  const id = shown;
  await ask(pathOf(id), { method: "DELETE" });
  conversations = conversations.filter((one) => one.id !== id);
  history.replaceState(null, "", location.pathname + location.search);
  await open();
  $("list-note").textContent = words.say("deleted");
}

// ------------------------------------------------------------------------------------------ hands and keys

$("search").addEventListener("input", () => attempt(search));
$("more").addEventListener("click", () => attempt(() => loadMore()));
$("export").addEventListener("click", () => attempt(saveExport));
$("delete").addEventListener("click", () => {
  $("sure-name").textContent = $("name").textContent;
  $("sure").returnValue = "";
  $("sure").showModal();
});
$("sure").addEventListener("close", () => $("sure").returnValue === "delete" && attempt(deleteShown));
addEventListener("hashchange", () => attempt(open));
words.addEventListener("change", () => attempt(open));
key.addEventListener("change", begin);

async function begin() {
  conversations = [];
  loading = null;
  $("talk").replaceChildren();
  await attempt(async () => {
    await loadMore();
    await open();
  });
}

await begin();
