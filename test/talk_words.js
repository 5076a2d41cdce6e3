// The words of the pages with turns, in both languages.

import { MESSAGE_WORDS } from "/test/messages.js";

export const TALK_WORDS = {
  en: {
    ...MESSAGE_WORDS.en,
    open: "Connected", connecting: "Connecting", closed: "Disconnected, trying again", refused: "Not let in",
    idle: "Hold to speak", opening: "Opening the microphone", recording: "Listening: let go to send", latched: "Listening: tap to send",
    sending: "Sending", hearing: "Recognising", thinking: "Thinking", speaking: "Speaking: hold to interrupt",
    space: "Space", welcomeSpace: "hold to speak", welcomeEscape: "stop",
    file: "Send a sound file", speak: "Hold to speak", stopTurn: "Stop (Esc)",
    packets: "Packets", packetsNote: "{0} sent, {1} acknowledged, {2} KB", packetsMissing: "{0} sent again",
    timeline: "Where the time went", microphone: "Microphone", echo: "Echo cancellation", clean: "Noise suppression and automatic gain",
    upload: "Recording stored", asr: "Recognition", first_token: "First word", first_sentence: "First sentence", tts_connect: "Voice ready",
    first_pcm: "Voice speaks", first_sent: "Sound sent", heard: "Sound heard", end: "Whole answer",
    save: "Save the sound", nothingHeard: "(nothing understood)", dropped: "(not sent)", unspoken: "could not be spoken",
    lost: "The connection broke in the middle of this turn. Please ask again.",
    noPermission: "The browser may not use the microphone. Allow it in the address bar, or use a file or the keyboard.",
    noMicrophone: "No microphone was found.",
    insecure: "Browsers give the microphone and the camera only to https:// and localhost pages.",
  },
  zh: {
    ...MESSAGE_WORDS.zh,
    open: "已连接", connecting: "正在连接", closed: "连接已断开，正在重试", refused: "未获准进入",
    idle: "按住说话", opening: "正在打开麦克风", recording: "正在聆听，松开发送", latched: "正在聆听，点一下发送",
    sending: "正在发送", hearing: "正在识别", thinking: "正在思考", speaking: "正在回答，按住可打断",
    space: "空格", welcomeSpace: "按住说话", welcomeEscape: "停止",
    file: "发送音频文件", speak: "按住说话", stopTurn: "停止（Esc）",
    packets: "数据包", packetsNote: "已发送 {0}，已确认 {1}，{2} KB", packetsMissing: "重发 {0}",
    timeline: "时间去哪儿了", microphone: "麦克风", echo: "回声消除", clean: "降噪与自动增益",
    upload: "录音已保存", asr: "语音识别", first_token: "首个词", first_sentence: "首句完成", tts_connect: "语音就绪",
    first_pcm: "开始合成", first_sent: "开始发送", heard: "开始播放", end: "全部完成",
    save: "保存声音", nothingHeard: "（没有听清）", dropped: "（未发送）", unspoken: "未能朗读",
    lost: "连接在这一轮中断了，请再问一次。",
    noPermission: "浏览器没有麦克风权限。请在地址栏中允许，或改用文件或键盘。",
    noMicrophone: "没有找到麦克风。",
    insecure: "浏览器只允许 https:// 或 localhost 页面使用麦克风和摄像头。",
  },
};
