// Pictures on their way to the server: chosen, pasted, dropped or snapped, made small enough, shown as they wait.

import { make } from "/test/pages.js";

const LONGEST_SIDE = 2048; // pixels; models are shown no more
const SMALL_BYTES = 1_000_000; // goes as it is
export const MOST_PICTURES = 8;

/** A picture as it is worth sending. What the browser cannot read goes as it is: the server knows more kinds. */
export async function reduced(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image || (file.size <= SMALL_BYTES && Math.max(image.width, image.height) <= LONGEST_SIDE)) return file;
  return (await drawn(image, image.width, image.height)) ?? file;
}

/** What a camera shows at this moment. */
export const snapshot = (video) => drawn(video, video.videoWidth, video.videoHeight);

async function drawn(source, width, height) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const canvas = make("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // JPEG knows no transparency
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

/** A picture as an address that holds it. */
export function dataUri(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** One picture on the page. */
export function thumbnail(src, alt) {
  const box = make("span", "", "picture");
  const image = make("img");
  Object.assign(image, { src, alt, loading: "lazy" });
  box.append(image);
  return box;
}

/** The pictures that wait for the next question.  Words: `picture`, `removePicture`. */
export class Tray {
  pictures = [];

  constructor(root, words, { onChange = () => {} } = {}) {
    Object.assign(this, { root, words, onChange });
  }

  async add(files) {
    for (const file of files) {
      if (this.pictures.length >= MOST_PICTURES) break;
      this.#show(await reduced(file));
    }
  }

  /** Let pictures be pasted or dropped on an element. */
  listen(element) {
    const pictures = (transfer) => [...(transfer?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    const take = (event, transfer) => {
      if (!pictures(transfer).length) return;
      event.preventDefault();
      this.add(pictures(transfer));
    };
    element.addEventListener("paste", (event) => take(event, event.clipboardData));
    element.addEventListener("drop", (event) => take(event, event.dataTransfer));
    element.addEventListener("dragover", (event) => event.preventDefault());
  }

  /** The pictures, which then wait no more. */
  take() {
    const taken = this.pictures;
    this.pictures = [];
    this.root.replaceChildren();
    this.onChange();
    return taken;
  }

  #show(blob) {
    const box = thumbnail(URL.createObjectURL(blob), this.words.say("picture"));
    const remove = this.words.button("removePicture", "M6 6l12 12M18 6L6 18");
    remove.addEventListener("click", () => {
      this.pictures.splice(this.pictures.indexOf(blob), 1);
      box.remove();
      this.onChange();
    });
    box.append(remove);
    this.pictures.push(blob);
    this.root.append(box);
    this.onChange();
  }
}
