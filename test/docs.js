// What the documentation page shows of /openapi.json: groups of operations, schemas as tables, and a box to try each.
// Vanilla modules, no build step. All text goes in as text: nothing of the document is parsed as HTML.

import { inline } from "/test/markdown.js";
import { make } from "/test/pages.js";

const DEEPEST = 6; // a schema may hold itself

/** The operations of the document, by tag, in the document's order. */
export function groups(api) {
  return api.tags.map((tag) => new Group(tag, api));
}

class Group {
  constructor(tag, api) {
    this.tag = tag;
    this.operations = Object.entries(api.paths).flatMap(([path, item]) =>
      Object.entries(item).filter(([, told]) => told.tags[0] === tag.name).map(([method, told]) => ({ path, method: method.toUpperCase(), ...told })));
  }

  section() {
    const section = make("section", "", "group");
    section.append(make("h2", this.tag.name), make("p", this.tag.description));
    return section;
  }

  index() {
    const links = this.operations.map(({ operationId, path }) => {
      const link = make("a", path);
      link.href = `#${operationId}`;
      return link;
    });
    return [make("h2", this.tag.name), ...links];
  }
}

/** One operation on the page. Its inside is made when it is first opened, and again when the language changes. */
export class Operation {
  constructor(api, told, { words, key }) {
    Object.assign(this, { api, told, words, key });
    this.root = make("details", "", "card operation");
    this.root.id = told.operationId;
    this.root.append(this.#summary());
    this.root.ontoggle = () => this.root.open && !this.inside && this.say();
  }

  /** Say everything in the language of now. */
  say() {
    this.inside?.remove();
    this.inside = null;
    if (!this.root.open) return;
    this.inside = make("div", "", "inside");
    if (this.told.description) this.inside.append(prose("p", this.told.description));
    this.inside.append(...this.#notes(), this.#try(), ...this.#parameters(), ...this.#body(), this.#answers());
    this.root.append(this.inside);
  }

  #summary() {
    const summary = make("summary");
    const method = make("span", this.told.method, "method");
    method.dataset.method = this.told.method;
    summary.append(method, make("code", this.told.path, "path"), make("span", this.told.summary, "what"));
    return summary;
  }

  #notes() {
    const notes = [];
    if (!this.told.security.length) notes.push(this.words.say("public"));
    if (this.told["x-websocket"]) notes.push(this.words.say("websocket"));
    return notes.length ? [make("p", notes.join(" · "), "note")] : [];
  }

  #section(word, extra = "") {
    const section = make("div", "", "section");
    const title = make("h3", this.words.say(word));
    if (extra) title.append(make("code", extra));
    section.append(title);
    return section;
  }

  #parameters() {
    if (!this.told.parameters) return [];
    const section = this.#section("parameters");
    const rows = make("div", "", "rows");
    for (const { name, schema, required, description } of this.told.parameters) rows.append(this.#row(name, { ...schema, description }, required, 0));
    section.append(rows);
    return [section];
  }

  #body() {
    const content = this.told.requestBody?.content;
    if (!content) return [];
    const bySchema = Map.groupBy(Object.entries(content), ([, { schema }]) => JSON.stringify(schema));
    return [...bySchema.values()].map((entries) => {
      const section = this.#section("body", entries.map(([type]) => type).join(" · "));
      section.append(this.#fields(entries[0][1].schema, 0));
      return section;
    });
  }

  #answers() {
    const section = this.#section("answers");
    const rows = make("div", "", "rows");
    for (const [status, { description, content = {} }] of Object.entries(this.told.responses)) rows.append(this.#answer(status, description, content));
    section.append(rows);
    return section;
  }

  #answer(status, description, content) {
    const row = make("div", "", "row");
    const name = make("span", status, "status");
    name.dataset.kind = status[0];
    row.append(name, prose("span", description, "words"));
    if (status[0] !== "2") return row;
    for (const [type, { schema }] of Object.entries(content)) row.append(...this.#nested(type, schema, 0));
    return row;
  }

  // --- schemas

  #resolve(schema) {
    const name = schema.$ref?.split("/").pop();
    return name ? this.api.components.schemas[name] : schema;
  }

  /** The schemas with fields that a schema can be. */
  #objects(schema) {
    const found = this.#resolve(schema);
    if (found.anyOf) return found.anyOf.flatMap((one) => this.#objects(one));
    if (found.items) return this.#objects(found.items);
    if (found.contentSchema) return this.#objects(found.contentSchema);
    if (found.properties?.data?.contentSchema) return this.#objects(found.properties.data); // an event of a stream
    return found.properties ? [found] : [];
  }

  #fields(schema, depth) {
    const rows = make("div", "", "rows");
    for (const object of this.#objects(schema)) {
      if (object.description && depth) rows.append(prose("p", object.description, "note"));
      for (const [name, field] of Object.entries(object.properties)) rows.append(this.#row(name, field, object.required?.includes(name), depth));
    }
    return rows;
  }

  #row(name, schema, isRequired, depth) {
    const row = make("div", "", "row");
    const title = make("span", "", "name");
    title.append(make("code", name));
    if (isRequired) title.append(make("span", this.words.say("required"), "must"));
    row.append(title, make("span", [this.#kind(schema), ...this.#limits(schema)].join(" · "), "kind"));
    const words = schema.description ?? "";
    if (words) row.append(prose("span", words, "words"));
    row.append(...this.#nested(this.words.say("fields"), schema, depth + 1));
    return row;
  }

  /** What can be opened to see a schema's fields; they are made when it is. */
  #nested(title, schema, depth) {
    if (depth > DEEPEST) return [];
    if (!this.#objects(schema).length) return depth ? [] : [make("code", title, "words")];
    const inner = make("details", "", "inner");
    inner.append(make("summary", title));
    inner.ontoggle = () => inner.childElementCount === 1 && inner.append(this.#fields(schema, depth + 1));
    return [inner];
  }

  #kind(schema) {
    const found = this.#resolve(schema);
    if (found.anyOf) return [...new Set(found.anyOf.map((one) => this.#kind(one)))].filter((kind) => kind !== "null").join(" | ");
    if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
    if ("const" in found) return JSON.stringify(found.const);
    if (found.type === "array") return `${this.#kind(found.items ?? {})}[]`;
    if (found.format === "binary") return "binary";
    return schema.$ref ? found.title : (found.type ?? "any");
  }

  #limits(schema) {
    const found = [schema, ...(schema.anyOf ?? [])];
    const first = (name) => found.map((one) => one[name]).find((value) => value !== undefined);
    const low = first("minimum") ?? first("minLength"), high = first("maximum") ?? first("maxLength");
    const standard = schema.default;
    return [
      low === undefined ? "" : this.words.say("from", low),
      high === undefined ? "" : this.words.say("to", high),
      standard === undefined || standard === null || standard === "" ? "" : this.words.say("standard", JSON.stringify(standard)),
    ].filter(Boolean);
  }

  #try() {
    if (this.told["x-websocket"]) return make("p", this.words.say("tryElsewhere"), "note");
    return new Trial(this.told, this.words, this.key, (schema) => this.#objects(schema)).root;
  }
}

// ------------------------------------------------------------------------------------------ trying

/** A box that sends one request and shows what comes. */
class Trial {
  #stop = null;

  constructor(told, words, key, objects) {
    Object.assign(this, { told, words, key });
    this.content = told.requestBody?.content ?? {};
    this.type = this.content["multipart/form-data"] && this.#wantsFile(objects) ? "multipart/form-data" : Object.keys(this.content)[0];
    this.root = make("form", "", "try");
    this.root.append(make("strong", words.say("tryIt")), ...this.#inputs(), this.#buttons());
    this.curl = make("pre", "", "curl");
    this.outcome = make("div", "", "outcome");
    this.outcome.role = "status";
    this.shown = make("div", "", "shown");
    this.root.append(this.curl, this.outcome, this.shown);
    this.root.oninput = () => this.#showCurl();
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.root.requestSubmit();
    });
    this.#showCurl();
  }

  #wantsFile(objects) {
    return objects(this.content["multipart/form-data"].schema).some(({ properties }) => Object.values(properties).some(({ format }) => format === "binary"));
  }

  #inputs() {
    this.values = new Map();
    const inputs = (this.told.parameters ?? []).map(({ name, in: where }) => {
      const input = make("input", "", "field");
      this.values.set(name, { where, input });
      return this.#labelled(name, input);
    });
    if (this.type === "multipart/form-data") inputs.push(this.#filePicker());
    if (this.type) inputs.push(this.#editor());
    return inputs;
  }

  #labelled(text, input) {
    const label = make("label", text);
    label.append(input);
    return label;
  }

  #filePicker() {
    this.file = make("input", "", "field");
    this.file.type = "file";
    return this.#labelled(this.words.say("file"), this.file);
  }

  #editor() {
    this.body = make("textarea");
    this.body.spellcheck = false;
    this.body.value = JSON.stringify(this.content[this.type].example ?? {}, null, 2);
    return this.#labelled(this.words.say("body"), this.body);
  }

  #buttons() {
    const buttons = make("div", "", "buttons");
    this.button = make("button", this.words.say("send"), "send");
    const copy = make("button", this.words.say("copy"), "quiet-button");
    copy.type = "button";
    copy.onclick = async () => {
      await navigator.clipboard.writeText(this.curl.textContent);
      copy.textContent = this.words.say("copied");
    };
    buttons.append(this.button, copy);
    return buttons;
  }

  // --- the request

  get #url() {
    let path = this.told.path;
    const query = new URLSearchParams();
    for (const [name, { where, input }] of this.values) {
      if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(name, input.value);
    }
    return location.origin + path + (query.size ? `?${query}` : "");
  }

  get #fields() {
    return Object.entries(JSON.parse(this.body.value || "{}"));
  }

  #showCurl() {
    const parts = [`curl ${quoted(this.#url)}`];
    if (this.told.method !== "GET") parts.push(`-X ${this.told.method}`);
    if (this.told.security.length) parts.push('-H "Authorization: Bearer $API_KEY"');
    try {
      parts.push(...this.#curlBody());
      this.body?.removeAttribute("aria-invalid");
    } catch {
      this.body.ariaInvalid = "true"; // JSON that is being typed
    }
    this.curl.textContent = parts.join(" \\\n  ");
  }

  #curlBody() {
    if (!this.type) return [];
    if (this.file) return [`-F ${quoted(`file=@${this.file.files[0]?.name ?? "speech.wav"}`)}`, ...this.#fields.map(([name, value]) => `-F ${quoted(`${name}=${plain(value)}`)}`)];
    return ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(Object.fromEntries(this.#fields)))}`];
  }

  #request() {
    const headers = {};
    if (this.key()) headers.Authorization = `Bearer ${this.key()}`;
    if (!this.type) return { headers };
    if (!this.file) return { headers: { ...headers, "Content-Type": "application/json" }, body: this.body.value };
    const body = new FormData();
    if (this.file.files[0]) body.set("file", this.file.files[0]);
    for (const [name, value] of this.#fields) body.set(name, plain(value));
    return { headers, body };
  }

  async #send() {
    if (this.#stop) return this.#stop.abort();
    this.#stop = new AbortController();
    this.button.textContent = this.words.say("stop");
    this.shown.replaceChildren();
    this.outcome.textContent = this.words.say("waiting");
    const began = performance.now();
    try {
      const answer = await fetch(this.#url, { method: this.told.method, signal: this.#stop.signal, ...this.#request() });
      this.#tell(answer, began);
      await this.#show(answer);
      this.#tell(answer, began);
    } catch (error) {
      this.outcome.textContent = error.name === "AbortError" ? this.words.say("stopped") : error instanceof SyntaxError ? error.message : this.words.say("unreachable");
    } finally {
      this.#stop = null;
      this.button.textContent = this.words.say("send");
    }
  }

  // --- the answer

  #tell(answer, began) {
    const status = make("span", `${answer.status} `, "status");
    status.dataset.kind = String(answer.status)[0];
    const facts = [answer.headers.get("content-type"), `${Math.round(performance.now() - began)} ms`, answer.headers.get("x-request-id")];
    this.outcome.replaceChildren(status, facts.filter(Boolean).join(" · "));
  }

  async #show(answer) {
    const type = answer.headers.get("content-type") ?? "";
    if (type.startsWith("audio/")) return this.#play(await answer.blob(), type);
    const pre = make("pre");
    this.shown.replaceChildren(pre);
    if (type.startsWith("application/json")) pre.textContent = JSON.stringify(await answer.json(), null, 2);
    else for await (const piece of textOf(answer)) pre.append(piece);
  }

  #play(sound, type) {
    const player = make("audio");
    player.controls = true;
    player.src = URL.createObjectURL(sound);
    const link = make("a", `${type} · ${sound.size} B`);
    link.href = player.src;
    link.download = "speech";
    this.shown.replaceChildren(player, link);
  }
}

/** A new element with words in which `code` is marked. */
function prose(tag, text, className) {
  const element = make(tag, "", className);
  element.append(...inline(text));
  return element;
}

async function* textOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/** A form's value: texts as they are, everything else as JSON. */
function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A text as one word of a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
