import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import type { FaultPoint } from "../../engine/faults";
import { setVariables } from "../../local/backend";
import { ROOT } from "../../local/env";
import { nodeArgs } from "../../local/process";
import { pushFunctions } from "../../local/push";
import { ADMIN_KEY, type Ports, tempDir } from "../support/engine-process";

/** What the functions call themselves; nothing listens there. */
const SITE_URL = "http://127.0.0.1:9";

const TOKEN_LIFE_SECONDS = 600;

export type Identity =
  | { use: "service" }
  | { use: "user"; userId: string }
  | { use: "mcp"; apiKeyId: string };

/** The functions of the product, pushed once by the official CLI into a directory that each week begins with a copy of. */
export class Template {
  private constructor(
    readonly ports: Ports,
    readonly dataDir: string,
    readonly identityKey: JWK,
  ) {}

  static async push(graphUrl: string, ports: Ports): Promise<Template> {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const identityKey = { ...(await exportJWK(privateKey)), kid: "week" };
    const template = new Template(ports, tempDir("week-template"), identityKey);
    const engine = await EngineChild.start(ports, template.dataDir, 0);
    const backend = { url: engine.url, adminKey: ADMIN_KEY };
    const { d: _private, ...publicKey } = identityKey;
    await setVariables(backend, {
      SITE_URL,
      CONVEX_IDENTITY_JWKS: JSON.stringify({ keys: [{ ...publicKey, alg: "ES256", use: "sig" }] }),
      SECRETS_KEYS: `k1:${"A".repeat(43)}`,
      API_KEY_PEPPER: "p1:pepper-of-the-week",
      WEBHOOK_VERIFY_TOKEN: "sim-verify-token",
      META_GRAPH_URL: graphUrl,
      META_GRAPH_VERSION: "v25.0",
      META_MEDIA_HOSTS: new URL(graphUrl).host,
      FACEBOOK_APP_SECRET: "sim-app-secret",
    });
    await pushFunctions(backend, { codegen: false });
    await engine.stop();
    return template;
  }

  remove(): void {
    fs.rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** One deployment that lives through a week: it can be killed, goes on with the same data, and its time is moved. */
export class Deployment {
  readonly dataDir = tempDir("week");
  readonly #template: Template;
  #aheadMs = 0;
  #engine: EngineChild | null = null;

  private constructor(template: Template) {
    this.#template = template;
    fs.cpSync(template.dataDir, this.dataDir, { recursive: true });
  }

  static async start(template: Template): Promise<Deployment> {
    const deployment = new Deployment(template);
    await deployment.#boot();
    return deployment;
  }

  async #boot(): Promise<void> {
    this.#engine = await EngineChild.start(this.#template.ports, this.dataDir, this.#aheadMs);
  }

  /** Virtual milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  async jump(ms: number): Promise<void> {
    this.#aheadMs += ms;
    await this.#running().tell({ jumpMs: ms });
  }

  /** `kill -9`, then a new process on the same data. */
  async killAndRestart(): Promise<void> {
    await this.#running().kill();
    await this.#boot();
  }

  /** Does something that brings the engine to a fault point, where it dies, then a new process on the same data. */
  async dieAt(point: FaultPoint, act: () => Promise<unknown>): Promise<void> {
    const engine = this.#running();
    await engine.tell({ dieAt: point });
    await act();
    await engine.ended;
    await this.#boot();
  }

  /** A client with the rights of the identity, by a token as the Next server makes it. */
  async as(identity: Identity): Promise<ConvexHttpClient> {
    const client = new ConvexHttpClient(this.#running().url, { logger: false });
    client.setAuth(await this.#token(identity));
    return client;
  }

  get admin() {
    return { url: this.#running().url, adminKey: ADMIN_KEY };
  }

  async stop(): Promise<void> {
    await this.#engine?.stop();
    fs.rmSync(this.dataDir, { recursive: true, force: true });
  }

  #running(): EngineChild {
    if (this.#engine === null) throw new Error("The deployment was not started.");
    return this.#engine;
  }

  async #token(identity: Identity): Promise<string> {
    const nowSeconds = Math.floor(this.now() / 1000);
    const subject =
      identity.use === "user" ? identity.userId : identity.use === "mcp" ? identity.apiKeyId : "service:next";
    const claims =
      identity.use === "mcp" ? { use: "mcp", apiKeyId: identity.apiKeyId } : { use: identity.use };
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: "week" })
      .setIssuer(SITE_URL)
      .setAudience("convex")
      .setSubject(subject)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + TOKEN_LIFE_SECONDS)
      .sign(await importJWK(this.#template.identityKey, "ES256"));
  }
}

class EngineChild {
  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
    readonly ended: Promise<unknown>,
  ) {}

  static async start(ports: Ports, dataDir: string, aheadMs: number): Promise<EngineChild> {
    const child = spawn(
      process.execPath,
      nodeArgs(path.join(ROOT, "tests/simulation/clocked-engine.ts"), [
        ...["--port", String(ports.port), "--site-port", String(ports.sitePort), "--isolation", "reuse"],
        ...["--data", dataDir, "--admin-key", ADMIN_KEY],
      ]),
      {
        cwd: ROOT,
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        env: { ...process.env, CLOCK_AHEAD_MS: String(aheadMs) },
      },
    );
    let log = "";
    child.stderr?.on("data", (data) => {
      log += data;
    });
    const ended = once(child, "close");
    await Promise.race([
      heard(child, "ready"),
      ended.then(() => Promise.reject(new Error(`The engine ended: ${log}`))),
    ]);
    return new EngineChild(`http://127.0.0.1:${ports.port}`, child, ended);
  }

  async tell(message: { jumpMs: number } | { dieAt: FaultPoint }): Promise<void> {
    const understood = heard(this.child, "heard");
    this.child.send(message);
    await understood;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await this.ended;
  }
}

function heard(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (message !== word) return;
      child.off("message", listen);
      resolve();
    };
    child.on("message", listen);
  });
}
