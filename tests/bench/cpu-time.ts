import fs from "node:fs";

/** Ticks of Linux's process statistics, which are hundredths of a second whatever the kernel was built with (proc(5)). */
const TICK_MS = 10;

/** Fields of /proc/PID/stat behind the command's name, which alone may have spaces: utime and stime (proc(5)). */
const USER_TICKS_AT = 11;
const SYSTEM_TICKS_AT = 12;

/**
 * Processor time that a process has used so far (ms), which other processes of a busy machine hardly change; null where
 * the system does not tell.
 */
export function cpuTimeMs(pid: number): number | null {
  const file = `/proc/${pid}/stat`;
  if (!fs.existsSync(file)) return null;
  const text = fs.readFileSync(file, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS_AT]) + Number(fields[SYSTEM_TICKS_AT])) * TICK_MS;
}
