import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

/** Rules of this repository that no linter expresses. Each failure names the file and says what to do. */

const ROOT = path.resolve(import.meta.dirname, "..");
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && fs.existsSync(path.join(ROOT, file)));

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
const matching = (pattern: RegExp): string[] => files.filter((file) => pattern.test(file));
const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file) || file.startsWith("tests/");

/** Places where `pattern` stands in the given files, as "file:line", comments and strings included. */
function places(inFiles: string[], pattern: RegExp): string[] {
  return inFiles.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

const sources = matching(/^(shared|convex|src|engine|simulator|local|tests)\/.*\.tsx?$/).filter(
  (file) => !file.includes("_generated/"),
);
const functions = matching(/^convex\/.*\.ts$/).filter(
  (file) => !file.includes("_generated/") && !isTest(file),
);

describe("sources", () => {
  test("leave nothing for later without saying where it is decided", () => {
    expect(
      places(
        sources.filter((file) => file !== "tests/tidy.test.ts"),
        /\b(TODO|FIXME|XXX|HACK)\b/,
      ),
    ).toEqual([]);
  });

  test("silence no compiler and skip no test", () => {
    const pattern = /@ts-(ignore|nocheck)|biome-ignore-all|\b(it|test|describe)\.(only|todo)\b/;
    expect(
      places(
        sources.filter((file) => file !== "tests/tidy.test.ts"),
        pattern,
      ),
    ).toEqual([]);
  });

  test("stay readable in one sitting: no file above 500 lines without a reason in its head", () => {
    const long = sources.filter(
      (file) =>
        read(file).split("\n").length > 500 && !/^\/\*\*[\s\S]{0,800}one file because/m.test(read(file)),
    );
    expect(long).toEqual([]);
  });

  test("are named in the style of their kind", () => {
    const odd = sources.filter((file) => {
      const name = path.basename(file).replace(/\.test\.tsx?$|\.tsx?$|\.d\.ts$/, "");
      if (file.startsWith("src/app/")) return false;
      if (file.startsWith("src/mcp/tools/")) return false;
      if (/\.tsx$/.test(file) && /^src\/components\/(?!ui\/)/.test(file))
        return !/^[A-Z][A-Za-z]+$/.test(name);
      if (/^(convex|tests\/fixtures)\//.test(file)) return !/^[a-z][A-Za-z.]*$/.test(name);
      return !/^[a-z0-9]+(-[a-z0-9]+)*(\.config)?$/.test(name);
    });
    expect(odd).toEqual([]);
  });

  test("listen on loopback only", () => {
    const running = sources.filter((file) => !isTest(file));
    const everywhere = /(\bhost(name)?\s*(:|\?\?|=(?!=))|listen\().*["'`](0\.0\.0\.0|::)["'`]/;
    expect(places(running, everywhere)).toEqual([]);
  });
});

describe("functions", () => {
  test("read through indexes: no .filter on a query, no unbounded collect", () => {
    expect(places(functions, /\.filter\(\s*\(?q\b|\.collect\(\)/)).toEqual([]);
  });

  test("call each other as internal functions only", () => {
    expect(places(functions, /[^.\w]api\.[a-z]/)).toEqual([]);
  });

  test("take their builders from functions.ts, which adds identity and tenant", () => {
    const raw = functions.filter(
      (file) =>
        !["convex/functions.ts", "convex/http.ts"].includes(file) &&
        /import\s*\{[^}]*\b(query|mutation|action|internalQuery|internalMutation|internalAction)\b[^}]*\}\s*from\s*"[^"]*_generated\/server"/.test(
          read(file),
        ),
    );
    expect(raw).toEqual([]);
  });

  test("declare arguments and results", () => {
    const missing = matching(/^convex\/[^/]+\.ts$/)
      .filter((file) => !isTest(file))
      .flatMap((file) => {
        const text = read(file);
        return [...text.matchAll(/export const (\w+) = \w*(?:Query|Mutation|Action)\(\{([\s\S]*?)handler/g)]
          .filter((match) => !/\bargs:/.test(match[2] ?? "") || !/\breturns:/.test(match[2] ?? ""))
          .map((match) => `${file}: ${match[1]}`);
      });
    expect(missing).toEqual([]);
  });

  test("use nothing newer than the self-hosted backend knows", () => {
    expect(
      places(functions, /\b(signJwt|getSnapshotTs|getServiceUrl|createServiceToken)\b|\.staged\(/),
    ).toEqual([]);
  });

  test("say in each table who writes and who reads it", () => {
    const silent = matching(/^convex\/tables\/[^/]+\.ts$/).filter((file) => {
      const tables = read(file).match(/defineTable\(/g)?.length ?? 0;
      const notes = read(file).match(/[Ww]ritten by/g)?.length ?? 0;
      const readers = read(file).match(/[Rr]ead by/g)?.length ?? 0;
      return tables > 0 && (notes === 0 || readers === 0);
    });
    expect(silent).toEqual([]);
  });
});

describe("tools", () => {
  const tools = matching(/^src\/mcp\/tools\/(?!index)[^/]+\.ts$/).filter((file) => !isTest(file));

  test("have one file each, named as the tool", () => {
    const misnamed = tools.filter((file) => !read(file).includes(`name: "${path.basename(file, ".ts")}"`));
    expect(tools.length).toBeGreaterThan(0);
    expect(misnamed).toEqual([]);
  });

  test("have a snapshot of their schema", () => {
    const bare = tools.filter(
      (file) => !files.includes(`src/mcp/__toolsnaps__/${path.basename(file, ".ts")}.json`),
    );
    expect(bare).toEqual([]);
  });
});

describe("documents", () => {
  const documents = matching(/\.mdx?$/);

  test("have one title each", () => {
    const odd = documents.filter((file) => {
      const body = read(file).replace(/```[\s\S]*?```/g, "");
      const titles = body.match(/^# /gm)?.length ?? 0;
      return file.endsWith(".mdx") ? titles > 0 || !/^---[\s\S]*?\btitle:/.test(read(file)) : titles !== 1;
    });
    expect(odd).toEqual([]);
  });

  test("link only to files that exist", () => {
    const broken = documents.flatMap((file) => {
      const body = read(file).replace(/```[\s\S]*?```/g, "");
      return [...body.matchAll(/\]\((?![a-z]+:|#|\/)([^)#\s]+)/g)]
        .map((match) => match[1] ?? "")
        .filter((target) => !fs.existsSync(path.resolve(ROOT, path.dirname(file), target)))
        .map((target) => `${file} -> ${target}`);
    });
    expect(broken).toEqual([]);
  });

  test("number decisions without gaps or repeats", () => {
    const numbers = matching(/^docs\/decisions\/\d{4}-.*\.md$/).map((file) =>
      Number(path.basename(file).slice(0, 4)),
    );
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });

  test("keep decisions to a page", () => {
    expect(
      matching(/^docs\/decisions\/.*\.md$/).filter((file) => read(file).split("\n").length > 61),
    ).toEqual([]);
  });
});

describe("the repository", () => {
  test("pins every dependency exactly", () => {
    const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> } =
      JSON.parse(read("package.json"));
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d/.test(version),
    );
    expect(loose).toEqual([]);
  });

  test("documents every environment variable that code reads by name", () => {
    const documented = new Set(
      [...read(".env.example").matchAll(/^([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]),
    );
    const schemas = ["local/env.ts", "src/server/env.ts"].map(read).join("\n");
    const named = [...schemas.matchAll(/^\s{2,4}([A-Z][A-Z0-9_]+):/gm)].map((match) => match[1] ?? "");
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !documented.has(name))).toEqual([]);
  });

  test("keeps the two matchers of the middleware pair equal", () => {
    const matcher = (file: string) => /matcher:\s*(\[[\s\S]*?\])/.exec(read(file))?.[1]?.replace(/\s+/g, "");
    expect(matcher("middleware.ts")).toBeDefined();
    expect(matcher("src/proxy.ts")).toBe(matcher("middleware.ts"));
  });

  test("carries no large file", () => {
    const large = files.filter(
      (file) => file !== "package-lock.json" && fs.statSync(path.join(ROOT, file)).size > 300_000,
    );
    expect(large).toEqual([]);
  });
});
