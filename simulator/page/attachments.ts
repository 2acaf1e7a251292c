import { type Act, attempt } from "./acts";
import { openDialog, openMenu } from "./dialogs";
import { button, element } from "./dom";
import { fileSize } from "./format";
import * as forms from "./forms";
import { type IconName, icon } from "./icons";
import { drawnFile, PHOTO_SAMPLES, type Sample, STICKER_SAMPLES } from "./samples";

type FileKind = "image" | "video" | "document" | "audio" | "voice" | "sticker";

interface KindOfFile {
  readonly icon: IconName;
  readonly label: string;
  /** What the browser offers to choose. */
  readonly accept: string;
  readonly captioned: boolean;
  readonly samples: readonly Sample[];
}

const FILES: Readonly<Record<FileKind, KindOfFile>> = {
  image: {
    icon: "photo",
    label: "Photo",
    accept: "image/jpeg,image/png",
    captioned: true,
    samples: PHOTO_SAMPLES,
  },
  video: { icon: "video", label: "Video", accept: "video/mp4,video/3gpp", captioned: true, samples: [] },
  document: { icon: "file", label: "Document", accept: "", captioned: true, samples: [] },
  audio: { icon: "music", label: "Audio", accept: "audio/*", captioned: false, samples: [] },
  voice: {
    icon: "mic",
    label: "Voice message",
    accept: "audio/ogg,.opus,.ogg",
    captioned: false,
    samples: [],
  },
  sticker: {
    icon: "sticker",
    label: "Sticker",
    accept: "image/webp",
    captioned: false,
    samples: STICKER_SAMPLES,
  },
};

/** WhatsApp: the largest file of any kind. */
const FILE_BYTES_MAX = 100 * 1024 * 1024;

/** Opens everything that can be sent beside words. */
export function openAttachments(anchor: HTMLElement, act: Act): void {
  const kinds: FileKind[] = ["image", "video", "document", "audio", "voice", "sticker"];
  const files = kinds.map((kind) => ({
    label: face(FILES[kind].icon, FILES[kind].label),
    run: () => sendFile(kind, act),
  }));
  const others: readonly (readonly [IconName, string, () => unknown])[] = [
    ["pin", "Location", () => forms.sendLocation(act)],
    ["person", "Contact", () => forms.sendContact(act)],
    ["bag", "Order", () => forms.sendOrder({ catalog: "194836987003835", products: [] }, act)],
    ["form", "Flow answer", () => forms.completeFlow("Complete a flow", undefined, act)],
    ["megaphone", "Come from an ad", () => forms.comeFromAd(act)],
    ["poll", "Unsupported", () => forms.sendUnsupported(act)],
  ];
  const items = others.map(([name, label, run]) => ({ label: face(name, label), run }));
  openMenu(anchor, "Send something else", [...files, ...items]);
}

function face(name: IconName, label: string): HTMLElement {
  return element("span", { class: "menu-face" }, icon(name), label);
}

/** Asks which file: one of the samples or one of the computer, with a caption where there can be one. */
function sendFile(kind: FileKind, act: Act): void {
  const { label, accept, captioned, samples } = FILES[kind];
  let chosen: File | Sample | null = samples[0] ?? null;
  const about = element("p", { class: "quiet", "aria-live": "polite" });
  const file = element("input", { type: "file", id: "file", accept });
  const caption = element("input", { type: "text", id: "caption", autocomplete: "off", maxlength: 1024 });
  const choices = element("div", { class: "samples", role: "group", "aria-label": "Samples" });
  const show = () => {
    about.textContent =
      chosen instanceof File
        ? `${chosen.name}, ${fileSize(chosen.size)}`
        : samples.length === 0
          ? "Without a file of yours a small sample is sent."
          : "";
    for (const one of choices.children)
      one.setAttribute("aria-pressed", String(samples[[...choices.children].indexOf(one)] === chosen));
  };
  for (const sample of samples) {
    choices.append(
      button(
        picture(sample, kind === "sticker" ? [320, 320] : [640, 480]),
        () => {
          chosen = sample;
          file.value = "";
          show();
        },
        { "aria-label": sample.name, title: sample.name },
      ),
    );
  }
  file.addEventListener("change", () => {
    chosen = file.files?.[0] ?? samples[0] ?? null;
    show();
  });
  const form = element(
    "form",
    { method: "dialog" },
    samples.length > 0 && choices,
    element("div", { class: "field" }, element("label", { for: "file" }, "From this computer"), file),
    about,
    captioned && element("div", { class: "field" }, element("label", { for: "caption" }, "Caption"), caption),
    element(
      "div",
      { class: "dialog-buttons" },
      button("Cancel", () => dialog.close()),
      element("button", { type: "submit", class: "primary" }, "Send"),
    ),
  );
  form.addEventListener(
    "submit",
    () => void attempt(async () => act(await fileMessage(kind, chosen, caption.value.trim()))),
  );
  const dialog = openDialog(`Send a ${label.toLowerCase()}`, form);
  show();
}

function picture({ draw }: Sample, [width, height]: readonly [number, number]): HTMLCanvasElement {
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  if (context !== null) draw(context);
  return canvas;
}

async function fileMessage(
  kind: FileKind,
  chosen: File | Sample | null,
  caption: string,
): Promise<Record<string, unknown>> {
  const base = { type: kind, ...(caption !== "" && { caption }) };
  if (chosen === null) return base;
  const blob =
    chosen instanceof File ? chosen : await drawnFile(chosen, kind === "sticker" ? "sticker" : "photo");
  if (blob.size > FILE_BYTES_MAX)
    throw new Error(`WhatsApp takes files of at most ${fileSize(FILE_BYTES_MAX)}.`);
  const data = await base64(blob);
  return {
    ...base,
    data,
    ...(blob.type !== "" && { mime_type: blob.type }),
    ...(kind === "document" && chosen instanceof File && { filename: chosen.name }),
  };
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^.*?,/, "")));
    reader.addEventListener("error", () => reject(new Error("The file can't be read.")));
    reader.readAsDataURL(blob);
  });
}
