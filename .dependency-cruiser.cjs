/** Who may import whom: docs/architecture.md tells why. `$1` stands for the zone that the importing file is in. */
const zone = (name, allowed) => ({
  name: `${name}-imports-only-its-own`,
  severity: "error",
  from: { path: `^${name}/`, pathNot: "\\.test\\.tsx?$" },
  to: {
    dependencyTypesNot: ["npm", "npm-dev", "npm-peer", "npm-optional", "core"],
    pathNot: [`^${name}/`, ...allowed, "^node_modules/"],
  },
});

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: { pathNot: "_generated" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-unresolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: ["^fumadocs-mdx", "\\.css$"] },
    },
    zone("shared", []),
    {
      name: "shared-knows-two-packages",
      severity: "error",
      from: { path: "^shared/", pathNot: "\\.test\\.ts$" },
      to: {
        dependencyTypes: ["npm", "npm-dev", "npm-peer", "npm-optional", "core"],
        pathNot: "node_modules/(zod|libphonenumber-js)/",
      },
    },
    zone("convex", ["^shared/"]),
    {
      name: "only-node-files-use-node",
      severity: "error",
      from: { path: "^convex/", pathNot: "(Node|\\.test)\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "node-files-stay-apart",
      comment: "A file of the isolate that imports a Node file would not bundle.",
      severity: "error",
      from: { path: "^convex/", pathNot: ["Node\\.ts$", "_generated", "\\.test\\.ts$"] },
      to: { path: "^convex/.*Node\\.ts$" },
    },
    {
      name: "raw-builders-only-in-functions",
      severity: "error",
      from: {
        path: "^convex/",
        pathNot: ["^convex/functions\\.ts$", "^convex/http\\.ts$", "\\.test\\.ts$", "_generated"],
      },
      to: { path: "^convex/_generated/server", dependencyTypesNot: ["type-only"] },
    },
    zone("engine", []),
    zone("simulator", ["^shared/"]),
    zone("local", ["^engine/", "^simulator/", "^shared/"]),
    zone("src", ["^shared/", "^convex/_generated/", "^middleware\\.ts$"]),
    {
      name: "nobody-imports-routes",
      severity: "error",
      from: { pathNot: ["^src/app/", "^tests/", "\\.test\\.tsx?$"] },
      to: { path: "^src/app/" },
    },
    {
      name: "browser-code-stays-out-of-the-server",
      severity: "error",
      from: {
        path: "^src/(components|hooks|lib)/",
        pathNot: ["^src/lib/mcp-server\\.ts$", "\\.test\\.tsx?$"],
      },
      to: { path: "^src/(server|mcp)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "server-knows-no-screens",
      severity: "error",
      from: { path: "^src/(server|mcp)/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^src/(components|hooks|app)/" },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { pathNot: ["^tests/", "\\.test\\.tsx?$"] },
      to: { path: "^tests/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["\\.next", "^convex/_generated/api", "^tests/fixtures"] },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".d.ts", ".mjs", ".js", ".json"],
    },
  },
};
