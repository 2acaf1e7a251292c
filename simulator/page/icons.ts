/** Pictures of the page, drawn on a grid of 24 with lines in the colour of the text. */
const PATHS = {
  phone: "M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zM10.5 18.5h3",
  log: "M4 6h16M4 12h16M4 18h10",
  controls: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5",
  back: "M15 5l-7 7 7 7",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  down: "M6 9.5l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  attach:
    "M19.5 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7L9.2 17.2a1.7 1.7 0 0 1-2.4-2.4l7.7-7.7",
  send: "M4 12l16-8-6 16-3-6.5z",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5c1.8 2.6 5.2 2.6 7 0M9 9.5v.01M15 9.5v.01",
  reply: "M10 6L4 11.5 10 17v-3.5c5 0 8 1 10 4.5-.5-6-4-9-10-9z",
  edit: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9.5v.01",
  video: "M3 6h12v12H3zM15 10.5l6-3.5v10l-6-3.5z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  music:
    "M9 18V5l10-2v13M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  sticker: "M5 4h14v9l-6 7H5zM13 20v-7h6M9 9.5v.01M14.5 9.5v.01",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21zM12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  bag: "M5 8h14l-1 13H6zM9 8V6.5a3 3 0 0 1 6 0V8",
  poll: "M5 20V10M12 20V4M19 20v-7",
  megaphone: "M4 10v4l3 .5L17 19V5L7 9.5zM7 14.5L8.5 20H11l-1-4.5M20 10v4",
  power: "M12 3v8M7 6a8 8 0 1 0 10 0",
  block: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.7 5.7l12.6 12.6",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4M4 4l16 16",
  hidden:
    "M4 4l16 16M10 6a9 9 0 0 1 11 6 12 12 0 0 1-2.5 3.5M6.5 7.5A11 11 0 0 0 3 12a9.5 9.5 0 0 0 13 5M10 10a3 3 0 0 0 4 4",
  robot: "M5 9h14v10H5zM12 9V5M9 13.5v.01M15 13.5v.01M9.5 16.5h5",
  window: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6v.01M4.5 12v.01M4.5 18v.01",
  link: "M14 4h6v6M20 4l-9 9M17 14v6H4V7h6",
  form: "M5 3h14v18H5zM8.5 8h7M8.5 12h7M8.5 16h4",
  call: "M6 3h3.5l1.5 5-2.5 1.5a12 12 0 0 0 6 6L16 13l5 1.5V18a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  tune: "M4 8h10M18 8h2M4 16h2M10 16h10M16 5.5v5M8 13.5v5",
  out: "M5 12h14M13 6l6 6-6 6",
  in: "M19 12H5M11 6l-6 6 6 6",
  again: "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
  snow: "M12 3v18M4 7.5l16 9M20 7.5l-16 9",
  forward: "M14 6l6 5.5-6 5.5v-3.5c-5 0-8 1-10 4.5.5-6 4-9 10-9z",
  warning: "M12 3.5L22 20H2zM12 10v4.5M12 17.2v.01",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  auto: "M3 5h18v12H3zM9 21h6M12 17v4",
  tick: "M5 12.5l4.5 4.5L19 7",
  ticks: "M2 12.5l4.5 4.5L16 7M11 16l1 1L22 7",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** A picture that says nothing to a screen reader: what it stands for is in words beside it or on its button. */
export function icon(name: IconName): SVGSVGElement {
  const svg = drawing(24, 24, "icon");
  svg.append(path(PATHS[name]));
  return svg;
}

/** An empty drawing of this size. */
export function drawing(width: number, height: number, name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

export function path(shape: string, name = ""): SVGPathElement {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("d", shape);
  if (name !== "") made.setAttribute("class", name);
  return made;
}
