// Messages of a conversation that was held before.

import { showMarkdown } from "/test/markdown.js";
import { make } from "/test/pages.js";
import { thumbnail } from "/test/pictures.js";

export const MESSAGE_WORDS = {
  en: { heardUntil: "interrupted; heard: {0}", interrupted: "interrupted", picture: "Picture", silent: "(nothing understood)" },
  zh: { heardUntil: "已打断，听到：{0}", interrupted: "已打断", picture: "图片", silent: "（没有听清）" },
};

/** A moment as people say it: of today, only the time. */
export function moment(seconds) {
  const then = new Date(seconds * 1000);
  const isToday = then.toDateString() === new Date().toDateString();
  const style = isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(document.documentElement.lang, style).format(then);
}

/** A message as /v1/conversations/{id}/messages tells it, with its sound and its pictures. */
export function messageOf(message, words) {
  const isAnswer = message.role === "assistant";
  const root = make("article", "", "turn");
  root.dataset.role = message.role;
  if (message.image_urls?.length) root.append(pictures(message.image_urls, words));
  root.append(isAnswer ? answer(message.text, words) : make("div", message.text || words.say("silent"), "bubble you"));
  if (message.audio_url) root.append(player(message.audio_url));
  root.append(foot(message, words));
  return root;
}

function answer(text, words) {
  const bubble = make("div", "", "bubble answer markdown");
  showMarkdown(bubble, text, words);
  return bubble;
}

function pictures(urls, words) {
  const box = make("div", "", "pictures");
  for (const url of urls) {
    const link = make("a");
    Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer" });
    link.append(thumbnail(url, words.say("picture")));
    box.append(link);
  }
  return box;
}

function player(url) {
  const audio = make("audio");
  Object.assign(audio, { controls: true, preload: "none", src: url });
  return audio;
}

function foot(message, words) {
  const box = make("div", "", message.role === "assistant" ? "foot" : "foot mine");
  box.append(make("time", moment(message.created_at)));
  if (message.heard) box.append(make("span", words.say("heardUntil", message.heard)));
  else if (message.interrupted) box.append(make("span", words.say("interrupted")));
  return box;
}
