// The page of the API: what /openapi.json tells, and a box to try each route.

import { Operation, groups } from "/test/docs.js";
import { $, Words, key, showFrame } from "/test/pages.js";

const words = new Words({
  en: {
    title: "API", index: "Routes", skip: "To the routes",
    broken: "The description of the API could not be loaded: {0}",
    parameters: "Parameters", body: "Body", answers: "Answers", required: "required", fields: "fields", from: "from {0}", to: "to {0}",
    standard: "default {0}", public: "no key needed", websocket: "WebSocket", tryIt: "Try it", send: "Send",
    copy: "Copy curl", file: "File", waiting: "Waiting…", stopped: "Stopped", unreachable: "The server cannot be reached",
    tryElsewhere: "WebSockets are tried on the page for spoken turns.",
  },
  zh: {
    title: "接口", index: "接口", skip: "跳到接口",
    broken: "无法载入接口描述：{0}",
    parameters: "参数", body: "请求体", answers: "返回", required: "必填", fields: "字段", from: "不小于 {0}", to: "不大于 {0}",
    standard: "默认 {0}", public: "无需密钥", websocket: "WebSocket", tryIt: "试一试", send: "发送",
    copy: "复制 curl", file: "文件", waiting: "等待返回…", stopped: "已停止", unreachable: "无法连接服务器",
    tryElsewhere: "WebSocket 请在语音对话页面上试用。",
  },
});

const shown = [];

showFrame(words);
words.addEventListener("change", () => {
  for (const operation of shown) operation.say();
});

try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(answer.status);
  show(await answer.json());
} catch (error) {
  $("about").textContent = words.say("broken", error.message);
}

function show(api) {
  $("name").textContent = `${api.info.title} ${api.info.version}`;
  $("about").textContent = api.info.description;
  for (const group of groups(api)) {
    const section = group.section();
    for (const told of group.operations) {
      const operation = new Operation(api, told, { words, key: () => key.value });
      shown.push(operation);
      section.append(operation.root);
    }
    $("index").append(...group.index());
    $("main").append(section);
  }
  openChosen();
  addEventListener("hashchange", openChosen);
}

/** Open the operation that the address names, so that links to it lead to it. */
function openChosen() {
  const chosen = document.getElementById(location.hash.slice(1));
  if (!(chosen instanceof HTMLDetailsElement)) return;
  chosen.open = true;
  chosen.scrollIntoView();
}
