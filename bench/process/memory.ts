// The most memory that this process ever had resident: on a software adapter, the device's too.
import { readFileSync } from 'node:fs';

export const peakBytes = (): number => {
  // getrusage counts what the parent had when it forked; the kernel's high-water mark does not.
  if (process.platform === 'linux') {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kib !== undefined) return Number(kib) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
};
