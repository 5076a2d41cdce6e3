// Spoken turns over /v1/chat/audio.

import { $, showFrame, Words } from "/test/pages.js";
import { Talk } from "/test/talk.js";
import { TALK_WORDS } from "/test/talk_words.js";

const words = new Words({
  en: {
    ...TALK_WORDS.en,
    title: "Voice assistant", welcome: "Hold the button and speak", welcomeTouch: "Let go to send. A short tap starts, the next one sends.",
  },
  zh: {
    ...TALK_WORDS.zh,
    title: "语音助手", welcome: "按住按钮，开始说话", welcomeTouch: "松开即发送；也可以轻点一下开始，再点一下发送。",
  },
});

showFrame(words);
const talk = new Talk("/v1/chat/audio", words, { onState: (state) => ($("file").disabled = state !== "open") });

$("file").addEventListener("click", () => $("picker").click());
$("picker").addEventListener("change", async () => {
  const [file] = $("picker").files;
  if (file && talk.connection.isOpen) talk.ask(new Uint8Array(await file.arrayBuffer()));
  $("picker").value = "";
});
