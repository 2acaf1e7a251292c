import { spawnSync } from "node:child_process";

/**
 * The beginning of a command line: what follows it runs after `mounting` (a shell command), in mounts of its own that
 * end with it. Works for root, and for others where the kernel lets them have a user namespace.
 */
export const inOwnMounts = (mounting: string): string[] => [
  ...["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])],
  ...["sh", "-c", `${mounting} && exec "$@"`, "sh"],
];

/** Whether this machine lets us mount at all; containers often do not. */
export function mayMount(): boolean {
  const [command = "", ...args] = [...inOwnMounts("mount -t tmpfs -o size=64k tmpfs /mnt"), "true"];
  return spawnSync(command, args).status === 0;
}
