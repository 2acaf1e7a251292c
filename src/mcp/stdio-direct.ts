import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type McpServer,
  type Transport,
} from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import * as z from "zod";
import type { Caller } from "../server/caller";
import { resolveCredential } from "../server/credentials";
import { logError } from "../server/log";
import { drainAudit } from "./audit";
import { NOT_NARROWED } from "./narrowing";
import { allowedSubscriptions, locate } from "./push/listen";
import { openStream, type PushStream } from "./push/streams";
import { parseUri } from "./resources/uris";
import { buildServer } from "./server";

export class UnusableCredential extends Error {
  override readonly name = "UnusableCredential";
}

/**
 * The server on this process's standard input and output, until the client closes them or the key ends.
 * @throws UnusableCredential, EnvError for settings that are missing, BackendUnavailable
 */
export async function serveStdioDirectly(key: string): Promise<void> {
  const caller = await resolveCredential(key);
  if (caller === null) throw new UnusableCredential();
  await new Promise<void>((resolve) => {
    let server: McpServer | undefined;
    const stream = openStream({
      caller,
      rights: null,
      write: (uri) => {
        stream.asked();
        server?.server.sendResourceUpdated({ uri }).catch((error: unknown) => logError("mcp stdio", error));
      },
      // A connection cannot be told to come back, so it ends with the key and with every change of it.
      close: () => void connection.close(),
    });
    stream.asked();
    const subscriptions = {
      add: addTo(stream, caller),
      remove: async (uri: string) => stream.unsubscribe(uri),
    };
    const transport = hearing(new StdioServerTransport(), async (message) => {
      if (!isJSONRPCRequest(message) || message.method !== "subscriptions/listen") return message;
      const { narrowed, located } = await allowedSubscriptions(caller, message);
      for (const { uri, target, places } of located) stream.subscribe(uri, target, places);
      return asMessage.parse(narrowed);
    });
    const connection = serveStdio(
      () => {
        server = buildServer({ caller, narrowing: NOT_NARROWED, subscriptions });
        return server;
      },
      { transport, onerror: (error) => logError("mcp stdio", error) },
    );
    transport.ended.then(() => {
      stream.stop();
      resolve(drainAudit());
    }, resolve);
  });
}

const asMessage = z.custom<JSONRPCMessage>((value) => typeof value === "object" && value !== null);

const addTo = (stream: PushStream, caller: Caller) => async (uri: string) => {
  const { located } = await locate(caller, [uri]);
  const [found] = located;
  const target = parseUri(uri);
  if (found === undefined || target === null) return false;
  stream.subscribe(uri, target, found.places);
  return true;
};

/** A transport that lets each message be looked at, one after the other, before the server gets it. */
function hearing(
  inner: Transport,
  admit: (message: JSONRPCMessage) => Promise<JSONRPCMessage>,
): Transport & { ended: Promise<void> } {
  let end: () => void = () => undefined;
  let turn = Promise.resolve();
  const outer: Transport & { ended: Promise<void> } = {
    ended: new Promise((resolve) => {
      end = resolve;
    }),
    start: async () => {
      inner.onmessage = (message, extra) => {
        turn = turn.then(async () => {
          try {
            outer.onmessage?.(await admit(message), extra);
          } catch (error) {
            logError("mcp stdio", error);
          }
        });
      };
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onclose = () => {
        outer.onclose?.();
        end();
      };
      await inner.start();
    },
    send: async (message, options) => await inner.send(message, options),
    close: async () => await inner.close(),
  };
  return outer;
}
