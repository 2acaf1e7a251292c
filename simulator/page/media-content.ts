import { get, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Message, State } from "./api";
import { button, element } from "./dom";
import { fileSize, hashTo } from "./format";
import { drawing, icon, path } from "./icons";

/** A picture of fewer pixels is there for tests alone; nothing would be seen of it. */
const SEEN_PX_MIN = 24;

/** A file of a message as the page can show it; what is given by link is fetched by the simulator, and not kept. */
interface ShownFile {
  readonly source: string | null;
  readonly mimeType: string;
  readonly bytes: number | null;
  readonly name: string;
  readonly link: string | null;
}

const MEDIA_TYPES: ReadonlySet<string> = new Set(["image", "video", "audio", "voice", "document", "sticker"]);

export function isMedia(type: string): boolean {
  return MEDIA_TYPES.has(type);
}

/** The picture, player or file of a message, by what is under its type's key. */
export function mediaContent(state: State, message: Message, type: string, content: JsonObject): HTMLElement {
  const file = fileOf(state, content);
  switch (type) {
    case "image":
      return picture(file, getText(content, "caption") ?? "Photo", "photo");
    case "sticker":
      return picture(file, "Sticker", "sticker");
    case "video":
      return video(file);
    case "audio":
    case "voice":
      return type === "voice" || get(content, "voice") === true ? voice(file, message.id) : audio(file);
    default:
      return documentCard(file);
  }
}

function fileOf(state: State, content: JsonObject): ShownFile {
  const id = getText(content, "id");
  const stored = state.media.find((media) => media.id === id);
  const link = getText(content, "link") ?? null;
  return {
    source: stored === undefined ? null : `/_sim/media/${stored.id}`,
    mimeType: stored?.mimeType ?? getText(content, "mime_type") ?? "",
    bytes: stored?.bytes ?? null,
    name: getText(content, "filename") ?? stored?.filename ?? link?.split("/").at(-1) ?? "Document",
    link,
  };
}

function picture(file: ShownFile, alt: string, name: "photo" | "sticker"): HTMLElement {
  if (file.source === null) return missing(name, file);
  const image = element("img", { src: file.source, alt, class: name, loading: "lazy" });
  const giveUp = () => image.replaceWith(missing(name, file));
  image.addEventListener("error", giveUp);
  image.addEventListener("load", () => {
    if (image.naturalWidth < SEEN_PX_MIN) giveUp();
  });
  return image;
}

function video(file: ShownFile): HTMLElement {
  if (file.source === null) return missing("video", file);
  const player = element("video", { src: file.source, controls: true, preload: "metadata", class: "photo" });
  const giveUp = () => player.replaceWith(missing("video", file));
  player.addEventListener("error", giveUp);
  // A file without frames opens and shows nothing.
  player.addEventListener("loadedmetadata", () => {
    if (player.videoWidth === 0) giveUp();
  });
  return player;
}

/** What stands where nothing can be shown: the file is elsewhere, gone, or cannot be decoded. */
function missing(kind: "photo" | "video" | "sticker", { link, bytes, mimeType }: ShownFile): HTMLElement {
  const size = bytes === null ? "File no longer kept" : `${mimeType} · ${fileSize(bytes)}`;
  return element(
    "div",
    { class: "no-preview" },
    icon(kind),
    element("span", {}, link === null ? size : `By link, which the page does not open: ${link}`),
  );
}

function audio(file: ShownFile): HTMLElement {
  const size = file.bytes === null ? "" : fileSize(file.bytes);
  if (file.source === null)
    return element("div", { class: "file" }, icon("music"), element("span", {}, "Audio"));
  return element(
    "div",
    { class: "audio" },
    element("div", { class: "file" }, icon("music"), element("span", {}, `Audio · ${size}`)),
    element("audio", { src: file.source, controls: true, preload: "metadata" }),
  );
}

const BARS = 34;

/** A voice message: one button and a drawing of the sound that fills as it plays. */
function voice(file: ShownFile, seed: string): HTMLElement {
  const player = element("audio", { preload: "metadata", ...(file.source !== null && { src: file.source }) });
  const time = element("span", { class: "length" }, "0:00");
  const wave = drawing(BARS * 4, 26, "wave");
  const bars = Array.from({ length: BARS }, (_, index) => {
    const height = 4 + hashTo(`${seed} ${index}`, 19) * (index % 7 === 0 ? 0.4 : 1);
    const bar = path(`M${index * 4 + 2} ${13 - height / 2}v${height}`);
    wave.append(bar);
    return bar;
  });
  const toggle = button(icon("play"), () => void (player.paused ? player.play() : player.pause()), {
    class: "play",
    "aria-label": "Play voice message",
    disabled: file.source === null,
  });
  const showState = () => {
    toggle.replaceChildren(icon(player.paused ? "play" : "pause"));
    toggle.setAttribute("aria-label", player.paused ? "Play voice message" : "Pause voice message");
  };
  const showTime = () => {
    const length = Number.isFinite(player.duration) ? player.duration : 0;
    const shown = Math.round(player.paused ? length : player.currentTime);
    time.textContent = `${Math.floor(shown / 60)}:${String(shown % 60).padStart(2, "0")}`;
    const done = length === 0 ? 0 : player.currentTime / length;
    for (const [index, bar] of bars.entries()) bar.classList.toggle("done", index / BARS < done);
  };
  for (const event of ["play", "pause", "ended"]) player.addEventListener(event, showState);
  for (const event of ["loadedmetadata", "timeupdate", "ended"]) player.addEventListener(event, showTime);
  return element(
    "div",
    { class: "voice" },
    toggle,
    wave,
    time,
    element("span", { class: "mic" }, icon("mic")),
    player,
  );
}

function documentCard({ source, name, mimeType, bytes, link }: ShownFile): HTMLElement {
  const kind = (name.includes(".") ? name.split(".").at(-1) : mimeType.split("/").at(-1)) ?? "";
  const about = [kind.toUpperCase(), bytes === null ? link : fileSize(bytes)].filter(Boolean).join(" · ");
  const card = element(
    "div",
    { class: "file" },
    icon("file"),
    element("span", {}, name, element("small", {}, about)),
  );
  if (source === null) return card;
  return element("a", { href: source, target: "_blank", rel: "noopener", class: "file-link" }, card);
}
