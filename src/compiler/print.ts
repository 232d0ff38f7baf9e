// The text of a kernel in the language of a device.
import type { Caps } from './ir/caps.ts';
import type { KernelCode } from './ir/stmt.ts';
import { printJs } from './js/print.ts';
import { printWasm } from './wasm/print.ts';
import { printWgsl } from './wgsl/print.ts';

export interface Printed {
  readonly text: string;
  /** WebAssembly alone: bytes of memory that a thread lends the kernel. */
  readonly scratch?: number;
}
export const printKernel = (code: KernelCode, caps: Caps): Printed => {
  switch (caps.target) {
    case 'js':
      return { text: printJs(code) };
    case 'wasm':
      return printWasm(code, { relaxedSimd: caps.relaxedSimd ?? false, memory64: caps.memory64 ?? false });
    case 'wgsl': {
      const { f16, unrolls: keepLoops, limits } = caps;
      const immediates = 4 * code.scalars.length <= limits.immediateBytes;
      return { text: printWgsl(code, { f16, immediates, keepLoops, subgroupSize: caps.subgroups?.set }) };
    }
  }
};
