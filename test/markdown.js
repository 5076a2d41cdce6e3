// Markdown as nodes: headings, lists, tables, quotes, code, links, emphasis. Text stays text: nothing is parsed as HTML,
// no picture is loaded, and a link leads to http, https or mailto only.  Source: CommonMark 0.31, GitHub's tables.

import { copy, make } from "/test/pages.js";

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*))?$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])(?:\s+(.*)|$)/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE_RULE = /^[ |:-]*-[ |:-]*$/;
const DEEPEST = 8; // of lists, quotes and emphasis within one another; deeper is shown as it is written
const LONGEST = 3000; // characters of an emphasis or a link: an unclosed mark must not cost the square of a page

/** Show a text that may still grow: only what has changed since the last time is made anew. */
export function showMarkdown(element, text, words) {
  const blocks = blocksOf(text.replace(/\r\n?/g, "\n").split("\n"), 0);
  const shown = element.markdown ?? [];
  let same = 0;
  while (same < blocks.length && shown[same] === blocks[same].source) same++;
  while (element.childNodes.length > same) element.lastChild.remove();
  for (const block of blocks.slice(same)) element.append(block.build(words));
  element.markdown = blocks.map(({ source }) => source);
}

// ------------------------------------------------------------------------------------------ blocks

/** The blocks of some lines: each with the text it was made of and a function that makes its node. */
function blocksOf(lines, depth) {
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) {
      at++;
      continue;
    }
    const { end, build } = blockAt(lines, at, depth);
    blocks.push({ source: lines.slice(at, end).join("\n"), build });
    at = end;
  }
  return blocks;
}

function blockAt(lines, at, depth) {
  const [line, next] = [lines[at], lines[at + 1]];
  if (FENCE.test(line)) return fence(lines, at);
  if (HEADING.test(line)) return { end: at + 1, build: () => heading(line) };
  if (RULE.test(line)) return { end: at + 1, build: () => make("hr") };
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (line.includes("|") && next !== undefined && next.includes("-") && TABLE_RULE.test(next) && cells(line).length === cells(next).length) return table(lines, at);
  return paragraph(lines, at);
}

function fence(lines, at) {
  const [, mark, language] = FENCE.exec(lines[at]);
  let end = at + 1;
  const closes = (line) => line.trim().startsWith(mark) && !line.trim().replaceAll(mark[0], "");
  while (end < lines.length && !closes(lines[end])) end++;
  const code = lines.slice(at + 1, end).join("\n");
  return { end: Math.min(end + 1, lines.length), build: (words) => codeBlock(code, language, words) };
}

function codeBlock(code, language, words) {
  const box = make("div", "", "code");
  const pre = make("pre");
  pre.tabIndex = 0; // what scrolls can be scrolled by keys
  pre.append(make("code", code));
  const head = make("div", "", "code-head");
  head.append(make("span", language));
  if (words) head.append(copyButton(code, words));
  box.append(head, pre);
  return box;
}

function copyButton(code, words) {
  const button = words.make("button", "copy", "quiet-button");
  button.type = "button";
  button.addEventListener("click", () => copy(code, words, button));
  return button;
}

function heading(line) {
  const [, marks, text = ""] = HEADING.exec(line);
  const element = make(`h${Math.min(6, marks.length + 1)}`); // the page itself has the h1
  element.append(...inline(text.replace(/\s+#+\s*$/, "")));
  return element;
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => QUOTE.exec(line)[1]);
  return { end, build: (words) => filled("blockquote", inner, depth, words) };
}

function filled(tag, lines, depth, words) {
  const element = make(tag);
  element.append(...blocksOf(lines, depth + 1).map((block) => block.build(words)));
  return element;
}

function list(lines, at, depth) {
  const [, margin, number] = ITEM.exec(lines[at]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    const isNext = item && item[1].length <= margin.length + 1 && Boolean(item[2]) === Boolean(number) && !RULE.test(lines[end]);
    if (isNext) items.push([item[3] ?? ""]);
    else if (!belongsTo(lines, end, margin.length)) break;
    else items.at(-1).push(lines[end].slice(Math.min(indentOf(lines[end]), margin.length + (number ? 3 : 2))));
    end++;
  }
  while (!lines[end - 1].trim()) end--;
  return { end, build: (words) => listOf(items, number, depth, words) };
}

/** Whether a line goes on with the list's last item: it is indented, or it is text right below text. */
function belongsTo(lines, at, margin) {
  if (!lines[at].trim()) return at + 1 < lines.length && (indentOf(lines[at + 1]) > margin || ITEM.test(lines[at + 1]) || !lines[at + 1].trim());
  if (indentOf(lines[at]) > margin) return true;
  const isPlain = ![FENCE, HEADING, RULE, QUOTE, ITEM].some((kind) => kind.test(lines[at]));
  return isPlain && Boolean(lines[at - 1].trim()) && !lines[at].includes("|");
}

const indentOf = (line) => line.length - line.trimStart().length;

function listOf(items, number, depth, words) {
  const element = make(number ? "ol" : "ul");
  if (number && number !== "1") element.start = Number(number);
  for (const lines of items) element.append(listItem(lines, depth, words));
  return element;
}

function listItem(lines, depth, words) {
  const task = /^\[([ xX])\]\s+/.exec(lines[0]);
  if (task) lines = [`${task[1] === " " ? "☐" : "☑"} ${lines[0].slice(task[0].length)}`, ...lines.slice(1)];
  const item = filled("li", lines, depth, words);
  const [first] = item.children;
  if (first?.tagName === "P" && ![...item.children].slice(1).some(({ tagName }) => tagName === "P")) first.replaceWith(...first.childNodes);
  return item;
}

function table(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end++;
  const rows = lines.slice(at, end).map(cells);
  return { end, build: () => tableOf(rows) };
}

const cells = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

function tableOf([names, rules, ...rows]) {
  const sides = rules.map((rule) => (rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "right") : ""));
  const row = (tag, texts) => {
    const element = make("tr");
    element.append(...sides.map((side, n) => cellOf(tag, texts[n] ?? "", side)));
    return element;
  };
  const [head, body, element, box] = ["thead", "tbody", "table", "div"].map((tag) => make(tag));
  head.append(row("th", names));
  body.append(...rows.map((texts) => row("td", texts)));
  element.append(head, body);
  box.className = "table";
  box.tabIndex = 0;
  box.append(element);
  return box;
}

function cellOf(tag, text, side) {
  const cell = make(tag);
  if (side) cell.style.textAlign = side;
  cell.append(...inline(text));
  return cell;
}

function paragraph(lines, at) {
  let end = at + 1;
  const begins = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((kind) => kind.test(line));
  while (end < lines.length && lines[end].trim() && !begins(lines[end])) {
    if (lines[end].includes("|") && lines[end + 1]?.includes("-") && TABLE_RULE.test(lines[end + 1])) break;
    end++;
  }
  return { end, build: () => paragraphOf(lines.slice(at, end)) };
}

/** A line's end stays one: models write addresses and verses without CommonMark's two spaces. */
function paragraphOf(lines) {
  const element = make("p");
  element.append(...inline(lines.map((line) => line.trim()).join("\n")));
  return element;
}

// ------------------------------------------------------------------------------------------ within a line

const anything = `[^]{1,${LONGEST}}?`;
const INLINE = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@[-\`{-~])`,
    String.raw`(?<ticks>\`+)(?<code>[^\`]|[^\`]${anything}[^\`])\k<ticks>(?!\`)`,
    String.raw`!?\[(?<text>[^[\]]{0,${LONGEST}})\]\((?<target>[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+"[^"]*")?\)`,
    String.raw`\*\*\*(?=\S)(?<both>${anything})(?<=\S)\*\*\*`,
    String.raw`\*\*(?=\S)(?<bold>${anything})(?<=\S)\*\*(?!\*)`,
    String.raw`(?<![\w_])__(?=\S)(?<bold2>${anything})(?<=\S)__(?![\w_])`,
    String.raw`\*(?=[^\s*])(?<italic>[^*]{1,${LONGEST}}?)(?<=\S)\*(?!\*)`,
    String.raw`(?<![\w_])_(?=[^\s_])(?<italic2>[^_]{1,${LONGEST}}?)(?<=\S)_(?![\w_])`,
    String.raw`~~(?=\S)(?<struck>${anything})(?<=\S)~~`,
    String.raw`<(?<framed>https?:\/\/[^\s<>]{1,${LONGEST}})>`,
    String.raw`(?<address>https?:\/\/[^\s<>"'\`（）【】《》，。；：！？、]+)`,
  ].join("|"),
);
const TAGS = { bold: "strong", bold2: "strong", italic: "em", italic2: "em", struck: "s" };

/** The nodes of one passage of text. */
export function inline(text, depth = 0) {
  const nodes = [];
  while (text) {
    const found = depth < DEEPEST && INLINE.exec(text);
    if (!found) break;
    if (found.index) nodes.push(document.createTextNode(text.slice(0, found.index)));
    const [node, used] = nodeOf(found, depth);
    nodes.push(node);
    text = text.slice(found.index + used);
  }
  if (text) nodes.push(document.createTextNode(text));
  return nodes;
}

function nodeOf({ 0: whole, groups }, depth) {
  if (groups.escaped) return [document.createTextNode(groups.escaped), whole.length];
  if (groups.code) return [make("code", groups.code.replace(/^ (.*\S.*) $/, "$1")), whole.length];
  if (groups.target !== undefined) return [link(groups.target, inline(groups.text || groups.target, depth + 1)), whole.length];
  if (groups.framed) return [link(groups.framed, [document.createTextNode(groups.framed)]), whole.length];
  if (groups.address) return bareLink(groups.address);
  if (groups.both) return [within("strong", [within("em", inline(groups.both, depth + 2))]), whole.length];
  const [name, inner] = Object.entries(groups).find(([group, text]) => TAGS[group] && text !== undefined);
  return [within(TAGS[name], inline(inner, depth + 1)), whole.length];
}

/** An address as it stands in a sentence: the marks that end the sentence are none of it. */
function bareLink(address) {
  const bare = address.replace(/[.,;:!?*_)\]]+$/, "");
  return [link(bare, [document.createTextNode(bare)]), bare.length];
}

function within(tag, nodes) {
  const element = make(tag);
  element.append(...nodes);
  return element;
}

function link(target, nodes) {
  const element = within("a", nodes);
  if (!/^(https?:|mailto:)/i.test(target)) return within("span", nodes); // javascript: and its like lead nowhere
  Object.assign(element, { href: target, target: "_blank", rel: "noopener noreferrer" });
  return element;
}
