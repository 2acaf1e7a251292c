/** Pictures drawn on the spot, so that a demonstration has something to look at and nothing is fetched. */

const SIZE = { photo: [640, 480], sticker: [320, 320] } as const;

export interface Sample {
  readonly name: string;
  readonly draw: (canvas: CanvasRenderingContext2D) => void;
}

export const PHOTO_SAMPLES: readonly Sample[] = [
  { name: "Succulent", draw: (canvas) => scene(canvas, "#f4d9b8", "#c98a5a", succulent) },
  { name: "Cactus", draw: (canvas) => scene(canvas, "#bfe3ea", "#e2c290", cactus) },
  { name: "Broken pot", draw: (canvas) => scene(canvas, "#d9d4e8", "#8f8a9e", brokenPot) },
];

export const STICKER_SAMPLES: readonly Sample[] = [
  { name: "Happy cactus", draw: (canvas) => sticker(canvas, cactus) },
  { name: "Happy succulent", draw: (canvas) => sticker(canvas, succulent) },
];

/** The bytes of a sample: a JPEG, or for stickers a WebP with nothing behind it. */
export function drawnFile(sample: Sample, kind: keyof typeof SIZE): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = SIZE[kind];
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("This browser can't draw.");
  sample.draw(context);
  return new Promise((resolve, reject) => {
    const type = kind === "photo" ? "image/jpeg" : "image/webp";
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error("This browser can't make this picture.")) : resolve(blob)),
      type,
      0.86,
    );
  });
}

function scene(
  canvas: CanvasRenderingContext2D,
  wall: string,
  table: string,
  draw: (canvas: CanvasRenderingContext2D) => void,
): void {
  const light = canvas.createRadialGradient(180, 90, 20, 260, 180, 560);
  light.addColorStop(0, "#fffdf6");
  light.addColorStop(1, wall);
  canvas.fillStyle = light;
  canvas.fillRect(0, 0, 640, 480);
  canvas.fillStyle = table;
  canvas.fillRect(0, 352, 640, 128);
  canvas.fillStyle = "#00000022";
  canvas.beginPath();
  canvas.ellipse(340, 404, 150, 22, 0, 0, Math.PI * 2);
  canvas.fill();
  canvas.translate(160, 80);
  draw(canvas);
}

function sticker(canvas: CanvasRenderingContext2D, draw: (canvas: CanvasRenderingContext2D) => void): void {
  draw(canvas);
  canvas.fillStyle = "#2b1a12";
  for (const x of [140, 180]) circle(canvas, x, 262, 6);
  canvas.strokeStyle = "#2b1a12";
  canvas.lineWidth = 5;
  canvas.lineCap = "round";
  canvas.beginPath();
  canvas.arc(160, 268, 14, 0.2, Math.PI - 0.2);
  canvas.stroke();
}

/** Everything below is drawn on a square of 320. */
function pot(canvas: CanvasRenderingContext2D): void {
  canvas.fillStyle = "#b4552d";
  shape(canvas, [90, 224], [230, 224], [212, 312], [108, 312]);
  canvas.fillStyle = "#c9693c";
  canvas.fillRect(80, 206, 160, 28);
}

function succulent(canvas: CanvasRenderingContext2D): void {
  for (let ring = 0; ring < 3; ring++) {
    for (let leaf = 0; leaf < 9; leaf++) {
      const angle = Math.PI + (Math.PI / 8) * leaf;
      canvas.save();
      canvas.translate(160, 206);
      canvas.rotate(angle + Math.PI / 2);
      canvas.fillStyle = ["#3f8f6b", "#57ab80", "#85c9a0"][ring] ?? "#57ab80";
      canvas.beginPath();
      canvas.ellipse(0, -74 + ring * 22, 19 - ring * 3, 62 - ring * 16, 0, 0, Math.PI * 2);
      canvas.fill();
      canvas.restore();
    }
  }
  pot(canvas);
}

function cactus(canvas: CanvasRenderingContext2D): void {
  canvas.strokeStyle = "#3d9160";
  canvas.lineCap = "round";
  canvas.lineWidth = 58;
  stroke(canvas, [160, 210], [160, 66]);
  canvas.lineWidth = 28;
  stroke(canvas, [160, 160], [92, 150], [88, 100]);
  stroke(canvas, [160, 136], [228, 124], [232, 78]);
  canvas.fillStyle = "#f06a8a";
  for (const [x, y] of [
    [160, 38],
    [88, 84],
    [232, 62],
  ] as const)
    circle(canvas, x, y, 13);
  pot(canvas);
}

function brokenPot(canvas: CanvasRenderingContext2D): void {
  succulent(canvas);
  canvas.strokeStyle = "#3a1d10";
  canvas.lineWidth = 5;
  stroke(canvas, [140, 206], [158, 240], [142, 262], [166, 312]);
  canvas.fillStyle = "#b4552d";
  shape(canvas, [250, 318], [296, 300], [304, 326]);
  shape(canvas, [40, 322], [66, 298], [84, 324]);
}

function circle(canvas: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  canvas.beginPath();
  canvas.arc(x, y, radius, 0, Math.PI * 2);
  canvas.fill();
}

function shape(canvas: CanvasRenderingContext2D, ...points: readonly (readonly [number, number])[]): void {
  canvas.beginPath();
  for (const [x, y] of points) canvas.lineTo(x, y);
  canvas.closePath();
  canvas.fill();
}

function stroke(canvas: CanvasRenderingContext2D, ...points: readonly (readonly [number, number])[]): void {
  canvas.beginPath();
  for (const [x, y] of points) canvas.lineTo(x, y);
  canvas.stroke();
}
