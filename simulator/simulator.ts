import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ofRecording, playBodies } from "./control/replay";
import { answerControl, CONTROL_PREFIX } from "./control/routes";
import { downloadMedia } from "./graph/media";
import { serveGraph } from "./graph/pipeline";
import { hasToken, isGraphPath, tooLarge } from "./graph/routes";
import { DOWNLOAD_PATH } from "./handset/media-store";
import { json, type ReceivedRequest, type Reply, readRequest, sendReply } from "./http";
import { answerDialog, isDialogPath, POPUP_SCRIPT, SDK_SCRIPT } from "./login/dialog";
import { type SimulatorOptions, settingsOf } from "./options";
import { pageAsset } from "./page/assets";
import { streamEvents } from "./page/events";
import { openRecording } from "./recording";
import { Simulation } from "./simulation";
import { openSnapshotFile } from "./snapshot-file";

export type { SimulatorOptions } from "./options";

export interface RunningSimulator {
  /** `http://127.0.0.1:4004` */
  readonly url: string;
  /** Stops serving, cuts open connections and ends everything that is planned. */
  close(): Promise<void>;
}

/** Idle connections stay longer than clients keep them, so that nothing is cut off but by a fault that was asked for. */
const KEEP_ALIVE_MS = 120_000;

/** Starts a simulator on 127.0.0.1. Rejects with the error of `listen`, such as EADDRINUSE, or of the snapshot file. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const settings = settingsOf(options);
  const simulation = new Simulation(settings);
  const replayed = settings.replay === null ? [] : await readRecording(settings.replay);
  const recording = settings.record === null ? null : await openRecording(simulation, settings.record);
  const file = settings.snapshot === null ? null : await openSnapshotFile(simulation, settings.snapshot);
  const server = createServer((incoming, response) => {
    void serve(simulation, incoming, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  // A server that listens on a port always has an address of this kind; only pipes have a string.
  if (address === null || typeof address === "string") throw new TypeError("The simulator has no port.");
  simulation.baseUrl = `http://127.0.0.1:${address.port}`;
  void playBodies(simulation, replayed);
  return {
    url: simulation.baseUrl,
    close: async () => {
      await file?.close();
      simulation.close();
      await recording?.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** The webhooks of a recording. Throws when the file cannot be read or is none. */
async function readRecording(file: string): Promise<readonly string[]> {
  const found = ofRecording(await readFile(file, "utf8"));
  if ("line" in found) throw new Error(`${file} is not a recording: line ${found.line} is wrong.`);
  return found.bodies;
}

async function serve(
  simulation: Simulation,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const request = await readRequest(incoming);
    if (request === null) {
      sendReply(response, tooLarge(simulation.ids.traceId()));
      incoming.destroy();
    } else if (isDialogPath(request.url.pathname)) sendReply(response, answerDialog(simulation, request));
    else if (isGraphPath(request.url.pathname)) await serveGraph(simulation, request, response);
    else if (request.url.pathname === `${CONTROL_PREFIX}events`) streamEvents(simulation, response);
    else sendReply(response, await answer(simulation, request));
  } catch (error) {
    // A client that went away needs no answer; anything else is a defect of the simulator, and says so.
    if (response.destroyed || incoming.destroyed) return;
    console.error("The simulator failed to answer:", error);
    if (!response.headersSent)
      sendReply(response, json(500, { error: { message: "The simulator failed." } }));
  }
}

async function answer(simulation: Simulation, request: ReceivedRequest): Promise<Reply> {
  const path = request.url.pathname;
  if (path === "/en_US/sdk.js") return script(SDK_SCRIPT);
  if (path === `${CONTROL_PREFIX}popup.js`) return script(POPUP_SCRIPT);
  if (path.startsWith(CONTROL_PREFIX)) return answerControl(simulation, request);
  if (path === DOWNLOAD_PATH) return downloadMedia(simulation, request, hasToken(simulation, request));
  const asset = request.method === "GET" ? await pageAsset(path) : null;
  return (
    asset ??
    json(404, { error: { message: "Nothing is here. Graph paths begin with a version, such as /v25.0/." } })
  );
}

function script(text: string): Reply {
  return {
    status: 200,
    headers: { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-store" },
    body: text,
  };
}
