// Vercel's AI SDK, which most pages and servers in JavaScript talk to models with, against this server.
//
//     node ai_sdk_walk.mjs SDK_FOLDER BASE_URL EMULATOR_URL KEY FOLDER   →  one JSON object: step → result

import fs from "node:fs";
import { createRequire } from "node:module";

const [SDK, BASE_URL, EMULATOR_URL, KEY, FOLDER] = process.argv.slice(2);
const load = createRequire(`${SDK}/`);
const ai = load("ai");
const { createOpenAI } = load("@ai-sdk/openai");
const { z } = load("zod");
globalThis.AI_SDK_LOG_WARNINGS = false;

const openai = createOpenAI({ baseURL: BASE_URL, apiKey: KEY });
const model = openai.chat("qwen-plus");
const prompt = "What is the weather today?";
const inputSchema = z.object({ city: z.string() });
const options = { model, prompt, maxRetries: 0 };

async function script(scenario = {}) {
  const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
  await fetch(`${EMULATOR_URL}/emulator/scenario`, { method: "POST", headers, body: JSON.stringify(scenario) });
}

const STEPS = {
  text: async () => {
    const { text, finishReason, usage } = await ai.generateText(options);
    return [text, finishReason, usage.totalTokens > 0];
  },
  stream: async () => {
    const answer = ai.streamText(options);
    let text = "";
    for await (const piece of answer.textStream) text += piece;
    return [text, await answer.finishReason, (await answer.usage).totalTokens > 0];
  },
  tool: async () => {
    await script({ tool_calls: [{ name: "get_weather", arguments: { city: "Paris" } }], replies: ["It is sunny."] });
    const get_weather = ai.tool({ inputSchema, execute: async ({ city }) => `sunny in ${city}` });
    const { text, steps } = await ai.generateText({
      ...options,
      tools: { get_weather },
      stopWhen: ai.stepCountIs(2),
    });
    return [steps[0].toolCalls[0].input, steps[0].toolResults[0].output, text];
  },
  object: async () => {
    await script({ replies: ['{"city":"Paris"}'] });
    const messages = { ...options, prompt: "Answer in JSON: which city has the Eiffel tower?" };
    return (await ai.generateObject({ ...messages, schema: inputSchema })).object;
  },
  transcript: async () => {
    const audio = fs.readFileSync(`${FOLDER}/question.wav`);
    const providerOptions = { openai: { timestampGranularities: ["segment"] } };
    const ear = openai.transcription("whisper-1");
    const heard = await ai.experimental_transcribe({ model: ear, audio, providerOptions, maxRetries: 0 });
    return [heard.text, heard.segments.length > 0, heard.durationInSeconds > 0.5];
  },
  speech: async () => {
    const voice = openai.speech("tts-1");
    const wish = { model: voice, text: "你好，世界。", voice: "alloy", outputFormat: "pcm", maxRetries: 0 };
    const { audio } = await ai.experimental_generateSpeech(wish);
    fs.writeFileSync(`${FOLDER}/speech.pcm`, audio.uint8Array);
    return audio.uint8Array.length > 0;
  },
  refusal: async () => {
    try {
      await ai.generateText({ ...options, model: openai.chat("no-such-model") });
    } catch (error) {
      return [error.name, error.statusCode, error.message.includes("no-such-model")];
    }
    return "not refused";
  },
};

const results = {};
for (const [name, step] of Object.entries(STEPS)) {
  await script();
  try {
    results[name] = await step();
  } catch (error) {
    results[name] = `failed: ${error?.name}: ${error?.message}`; // a result to look at
  }
}
process.stdout.write(`\n${JSON.stringify(results)}\n`);
