// The walk of openai_walk.py with the JavaScript SDK: the same steps, the same results.
//
//     node openai_walk.mjs SDK_FOLDER BASE_URL EMULATOR_URL KEY FOLDER   →  one JSON object: step → result

import fs from "node:fs";
import { createRequire } from "node:module";
import { File } from "node:buffer";

globalThis.File ??= File; // Node 18 has it, but not as a global

const [SDK, BASE_URL, EMULATOR_URL, KEY, FOLDER] = process.argv.slice(2);
const load = createRequire(`${SDK}/`);
const { OpenAI, APIError, toFile } = load("openai");
const { VERSION } = load("openai/version");
const SOUND = `${FOLDER}/question.wav`;
const QUESTION = [{ role: "user", content: "What is the weather today?" }];
const TOOLS = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } },
];
const PNG = `data:image/png;base64,${fs.readFileSync(`${FOLDER}/red.png`).toString("base64")}`;
const client = new OpenAI({ apiKey: KEY, baseURL: BASE_URL, maxRetries: 0 });

async function script(scenario = {}) {
  const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
  await fetch(`${EMULATOR_URL}/emulator/scenario`, { method: "POST", headers, body: JSON.stringify(scenario) });
}

const ask = (options = {}, speaker = client) =>
  speaker.chat.completions.create({ model: "qwen-plus", messages: QUESTION, ...options });

async function all(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof APIError) || !error.status) throw error;
    return [error.constructor.name, error.status, error.code ?? null, error.param ?? null, error.requestID?.slice(0, 4)];
  }
  return "not refused";
}

const hear = (options = {}) =>
  client.audio.transcriptions.create({ model: "whisper-1", file: fs.createReadStream(SOUND), ...options });

const plain = async (kind) => {
  const found = await hear({ response_format: kind });
  return typeof found === "string" ? found : found.text;
};

async function kept(name, bytes) {
  fs.writeFileSync(`${FOLDER}/${name}.pcm`, bytes);
  return bytes.length > 0;
}

const THROTTLED = { stage: "chat", kind: "status", status: 429, code: "Throttling.RateQuota" };
const WEATHER = { name: "get_weather", arguments: { city: "Paris" } };

const STEPS = {
  models_listed: async () => (await all(client.models.list())).map((model) => model.id),
  model_retrieved: async () => {
    const model = await client.models.retrieve("qwen-plus");
    return [model.id, model.object, Number.isInteger(model.created), Boolean(model.owned_by)];
  },
  model_with_slash: async () => (await client.models.retrieve("my/model")).id,
  model_unknown: () => refusal(() => client.models.retrieve("no/such-model")),

  chat_whole: async () => {
    const answer = await ask();
    const { message, finish_reason } = answer.choices[0];
    return [message.content, message.role, finish_reason, answer.usage.total_tokens > 0];
  },
  chat_alias: async () => (await ask({ model: "gpt-4o-mini" })).choices[0].message.content,
  chat_stream: async () => {
    const chunks = await all(ask({ stream: true }));
    const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
    const ids = new Set(chunks.map((chunk) => chunk.id));
    return [text, chunks[0].choices[0].delta.role, chunks.at(-1).choices[0].finish_reason, ids.size];
  },
  chat_stream_usage: async () => {
    const chunks = await all(ask({ stream: true, stream_options: { include_usage: true } }));
    const last = chunks.pop();
    return [last.choices, last.usage.total_tokens > 0, chunks.every((chunk) => chunk.usage === null)];
  },
  chat_tools: async () => {
    await script({ tool_calls: [WEATHER], replies: ["It is sunny."] });
    const asked = (await ask({ tools: TOOLS })).choices[0];
    const call = asked.message.tool_calls[0];
    const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
    const answer = await ask({ messages: [...QUESTION, asked.message, result], tools: TOOLS });
    const said = answer.choices[0].message.content;
    return [asked.finish_reason, call.function.name, JSON.parse(call.function.arguments), said];
  },
  chat_tools_stream: async () => {
    await script({ tool_calls: [WEATHER] });
    const chunks = await all(ask({ tools: TOOLS, stream: true }));
    const calls = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
    const names = calls.map((call) => call.function.name).filter(Boolean);
    const text = calls.map((call) => call.function.arguments ?? "").join("");
    return [chunks.at(-1).choices[0].finish_reason, names, JSON.parse(text), calls.filter((call) => call.id).length];
  },
  chat_json: async () => {
    const messages = [{ role: "user", content: "Answer in JSON." }];
    const answer = await ask({ messages, response_format: { type: "json_object" } });
    return typeof JSON.parse(answer.choices[0].message.content) === "object" ? "<class 'dict'>" : "no object";
  },
  chat_picture: async () => {
    const parts = [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: PNG } }];
    const answer = await ask({ model: "qwen3-vl-plus", messages: [{ role: "user", content: parts }] });
    return answer.choices[0].message.content;
  },
  chat_extra: async () => {
    await script({ reasoning: "Let me think.", replies: ["Sunny."] });
    return (await ask({ model: "qwen3.7-plus", enable_thinking: false })).choices[0].message.content;
  },

  wrong_key: () => {
    const stranger = new OpenAI({ apiKey: "sk-invalid-key", baseURL: BASE_URL, maxRetries: 0 });
    return refusal(() => ask({}, stranger));
  },
  wrong_model: () => refusal(() => ask({ model: "no-such-model" })),
  wrong_parameter: () => refusal(() => ask({ temperature: "hot" })),
  wrong_parameter_stream: () => refusal(() => all(ask({ temperature: "hot", stream: true }))),
  busy: async () => {
    await script({ faults: [THROTTLED] });
    return refusal(ask);
  },
  busy_once_then_answered: async () => {
    await script({ faults: [THROTTLED], replies: ["ok"] });
    const patient = new OpenAI({ apiKey: KEY, baseURL: BASE_URL, maxRetries: 1 });
    return (await ask({}, patient)).choices[0].message.content;
  },
  broken_stream: async () => {
    await script({ replies: ["a long answer ".repeat(9)], faults: [{ stage: "chat", kind: "error_event", after: 3 }] });
    let count = 0;
    try {
      for await (const _ of await ask({ stream: true })) count += 1;
    } catch (error) {
      if (!(error instanceof APIError)) throw error;
      return [count > 0, error.type, error.code];
    }
    return "not raised";
  },

  transcript: async () => (await hear()).text,
  transcript_verbose: async () => {
    const found = await hear({ response_format: "verbose_json", timestamp_granularities: ["segment", "word"] });
    const first = found.segments[0];
    const duration = Number(found.duration);
    return [found.text, duration, first.text, first.start < first.end, found.words.length > 1];
  },
  transcript_text: () => plain("text"),
  transcript_srt: () => plain("srt"),
  transcript_vtt: () => plain("vtt"),
  transcript_stream: async () => {
    const events = await all(hear({ model: "gpt-4o-mini-transcribe", stream: true }));
    const deltas = events.filter((event) => event.type === "transcript.text.delta").map((event) => event.delta);
    return [deltas.join(""), events.at(-1).type, events.at(-1).text];
  },
  transcript_bytes: async () => (await hear({ file: await toFile(fs.readFileSync(SOUND)) })).text,
  transcript_garbage: () =>
    refusal(async () => hear({ file: await toFile(Buffer.from("no sound at all"), "a.wav") })),

  speech: async () => {
    const request = { model: "tts-1", voice: "alloy", input: "你好，世界。", response_format: "pcm" };
    const answer = await client.audio.speech.create(request);
    return kept("speech", Buffer.from(await answer.arrayBuffer()));
  },
  speech_stream: async () => {
    const request = { model: "gpt-4o-mini-tts", voice: "nova", input: "你好，世界。", response_format: "pcm" };
    return kept("speech_stream", Buffer.concat(await all((await client.audio.speech.create(request)).body)));
  },
  speech_mp3: async () => {
    const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "你好。" });
    return [answer.headers.get("content-type"), (await answer.arrayBuffer()).byteLength > 500];
  },
  speech_bad_voice: () =>
    refusal(() => client.audio.speech.create({ model: "tts-1", voice: "nobody-at-all", input: "你好。" })),

  // --- the brush

  picture: async () => {
    const wish = { model: "dall-e-3", prompt: "a cat", size: "1024x1024", response_format: "b64_json" };
    const { data } = await client.images.generate(wish);
    return [data.length, data[0].b64_json.slice(0, 5), data[0].url ?? null];
  },
  picture_links: async () => {
    const { data } = await client.images.generate({ model: "dall-e-2", prompt: "a cat", n: 3, size: "512x512" });
    return data.map((image) => image.url.startsWith("http"));
  },
  picture_edited: async () => {
    const image = [fs.createReadStream(`${FOLDER}/red.png`), fs.createReadStream(`${FOLDER}/red.png`)];
    const wish = { model: "dall-e-2", image, prompt: "a hat", response_format: "b64_json" };
    return (await client.images.edit(wish)).data[0].b64_json.slice(0, 5);
  },
  picture_varied: async () => {
    const image = fs.createReadStream(`${FOLDER}/red.png`);
    return (await client.images.createVariation({ image, n: 2, size: "1024x1024" })).data.length;
  },
  picture_stream: async () => {
    const wish = { model: "gpt-image-1", prompt: "a cat", stream: true, partial_images: 1 };
    const events = [];
    for await (const event of await client.images.generate(wish)) events.push(event.type, event.b64_json.slice(0, 5));
    return events;
  },
  picture_bad_count: () => refusal(() => client.images.generate({ model: "dall-e-2", prompt: "a cat", n: 11 })),

  // --- the camera

  video: async () => {
    const begun = await client.videos.create({ model: "sora-2", prompt: "a cat", seconds: "8", size: "1280x720" });
    const done = await client.videos.retrieve(begun.id);
    const film = Buffer.from(await (await client.videos.downloadContent(done.id)).arrayBuffer());
    return [begun.status, done.status, done.size, done.seconds, film.subarray(4, 8).toString()];
  },
  video_kept: async () => {
    const picture = fs.createReadStream(`${FOLDER}/red.png`);
    const source = await client.videos.create({ prompt: "a cat", input_reference: picture });
    const remix = await client.videos.remix(source.id, { prompt: "a dog" });
    const listed = (await all(client.videos.list({ limit: 1 }))).map((video) => video.id);
    const gone = await client.videos.delete(source.id);
    return [remix.remixed_from_video_id === source.id, listed.includes(remix.id), listed.includes(source.id), gone.object];
  },
  video_refused: () => refusal(() => client.videos.create({ prompt: "a cat", size: "640x480" })),
};

const results = { version: VERSION };
for (const [name, step] of Object.entries(STEPS)) {
  await script();
  try {
    results[name] = await step();
  } catch (error) {
    results[name] = `failed: ${error?.constructor?.name}: ${error?.message}`; // a result to look at
  }
}
process.stdout.write(`\n${JSON.stringify(results)}\n`);
