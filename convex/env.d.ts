/** The isolate has no Node types; of `process` it offers the deployment's variables and nothing else. */
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
