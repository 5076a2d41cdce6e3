// Questions about pictures over /v1/chat/vlm: spoken or typed, with what the camera shows or with files.

import { $, Refusal, Words, make, showFrame } from "/test/pages.js";
import { Tray, snapshot, thumbnail } from "/test/pictures.js";
import { Talk } from "/test/talk.js";
import { TALK_WORDS } from "/test/talk_words.js";

const words = new Words({
  en: {
    ...TALK_WORDS.en,
    title: "See and ask", welcome: "Show something and ask", welcomeHow: "Switch the camera on or choose pictures, then hold the button and speak, or write. Further questions are about the same picture.",
    pictures: "Pictures", cameraOn: "Camera", cameraOff: "Camera off", snap: "Snapshot", turnRound: "Other camera", choose: "Choose pictures",
    trayNone: "Without a picture, the question is about the last one.", trayCamera: "What the camera shows goes along with the question.", traySome: "They go along with the next question.",
    picture: "Picture", removePicture: "Remove the picture", question: "Your question", send: "Ask", upload: "Stored",
    noCamera: "No camera was found.", cameraRefused: "The browser may not use the camera. Allow it in the address bar, or choose a picture.",
  },
  zh: {
    ...TALK_WORDS.zh,
    title: "看图问答", welcome: "给我看，问我", welcomeHow: "打开摄像头或选择图片，然后按住按钮说话，或输入文字。可以就同一张图片继续提问。",
    pictures: "图片", cameraOn: "摄像头", cameraOff: "关闭摄像头", snap: "拍照", turnRound: "切换镜头", choose: "选择图片",
    trayNone: "没有图片时，问题针对上一张图片。", trayCamera: "提问时会附上摄像头的画面。", traySome: "随下一个问题发送。",
    picture: "图片", removePicture: "移除图片", question: "输入问题", send: "提问", upload: "已保存",
    noCamera: "没有找到摄像头。", cameraRefused: "浏览器没有摄像头权限。请在地址栏中允许，或选择图片。",
  },
});
const PACKET_BYTES = 32_768;

showFrame(words);
const tray = new Tray($("tray"), words, { onChange: showTray });
let isConnected = false;
const talk = new Talk("/v1/chat/vlm", words, { fields: { type: "audio" }, endsLate: true, onBegin: showAndUpload, onState: (state) => ((isConnected = state === "open"), showAskable()) });

// ------------------------------------------------------------------------------------------ the camera

let camera = null; // the stream that is shown
let facing = "environment";

async function openCamera() {
  closeCamera();
  try {
    if (!navigator.mediaDevices) throw new DOMException("insecure page", "SecurityError");
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1920 }, height: { ideal: 1080 } } });
  } catch (error) {
    const word = { NotAllowedError: "cameraRefused", SecurityError: "insecure" }[error.name] ?? "noCamera";
    return talk.complain(new Refusal(words.say(word)));
  }
  camera.getVideoTracks()[0].addEventListener("ended", closeCamera); // unplugged, or taken back by the reader
  $("video").srcObject = camera;
  $("video").classList.toggle("mirrored", facing === "user");
  await $("video").play();
  showCamera();
  const devices = await navigator.mediaDevices.enumerateDevices();
  $("turn-round").hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
}

function closeCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = $("video").srcObject = null;
  showCamera();
}

function showCamera() {
  $("video").hidden = $("snap").hidden = !camera;
  $("turn-round").hidden = true;
  $("camera").setAttribute("aria-pressed", String(Boolean(camera)));
  $("camera").dataset.word = camera ? "cameraOff" : "cameraOn";
  $("camera").textContent = words.say($("camera").dataset.word);
  showTray();
}

function showTray() {
  $("tray-note").textContent = words.say(tray.pictures.length ? "traySome" : camera ? "trayCamera" : "trayNone");
}

// ------------------------------------------------------------------------------------------ asking

/** Show the pictures of a question and send them: those that wait, else what the camera shows at this moment. */
async function showAndUpload(turn) {
  const row = make("div", "", "pictures");
  turn.root.prepend(row);
  const waiting = tray.take();
  const pictures = waiting.length || !camera ? waiting : [await snapshot($("video"))];
  row.append(...pictures.map((picture) => thumbnail(URL.createObjectURL(picture), words.say("picture"))));
  talk.scroll.toEnd();
  for (const [n, picture] of pictures.entries()) {
    const bytes = new Uint8Array(await picture.arrayBuffer());
    if (turn.stage !== "sending") return; // it was stopped, or refused
    talk.upload(turn, bytes, { packetBytes: PACKET_BYTES, fields: n ? { type: "image", image: n + 1 } : { type: "image" } });
  }
}

function ask() {
  talk.type($("question").value.trim());
  $("question").value = "";
  showAskable();
}

function showAskable() {
  $("send").disabled = !isConnected || !$("question").value.trim();
}

// ------------------------------------------------------------------------------------------ hands and keys

$("camera").addEventListener("click", () => (camera ? closeCamera() : openCamera()));
$("turn-round").addEventListener("click", () => {
  facing = facing === "user" ? "environment" : "user";
  openCamera();
});
$("snap").addEventListener("click", async () => tray.add([await snapshot($("video"))]));
$("file").addEventListener("click", () => $("picker").click());
$("picker").addEventListener("change", async () => {
  await tray.add($("picker").files);
  $("picker").value = "";
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!$("send").disabled) ask();
});
$("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("question").addEventListener("input", showAskable);
words.addEventListener("change", showTray);
addEventListener("pagehide", closeCamera);
tray.listen(document.body);
showTray();
