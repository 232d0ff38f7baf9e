// Picks the backend and says why in one line; without an adapter, what to install.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../compiler/ir/caps.ts';
import type { Backend } from './backend.ts';
import { type RunError, renderRunError } from './error.ts';
import { openGpuJs } from './gpujs/gpujs.ts';
import { inNode } from './in-node.ts';
import { openNull } from './null.ts';
import { openWasm } from './wasm/wasm.ts';
import { openWebGpu } from './webgpu/webgpu.ts';

export interface ChooseOptions {
  /** The one to use; without it WebGPU, or gpu.js where no adapter answers. */
  readonly backend?: Backend['name'];
  /**
   * Allows what tuning found faster though it changes last bits: measured schedules that add up in another order, and settings of a
   * software driver, which it reads once a process.
   */
  readonly fast?: boolean;
  /** Takes each line of what was chosen. */
  readonly log?: (line: string) => void;
}

const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;

/** What an adapter offers, in a few words. */
export const describeCaps = (caps: Caps): string =>
  [
    caps.name,
    caps.software ? 'software' : 'hardware',
    ...(caps.f16 ? ['f16'] : []),
    ...(caps.subgroups ? [`subgroups of ${[...new Set([caps.subgroups.min, caps.subgroups.max])].join(' to ')}`] : []),
    ...(caps.subgroupMatrices.length > 0 ? ['subgroup matrices'] : []),
    `${mib(caps.limits.binding)} a binding`,
  ].join(', ');

const notice = [
  'Without one, gpu.js runs on one core of the processor, far slower: it is meant for tests and small models.',
  "Install the graphics card's driver, or software Vulkan: Mesa 24 or newer, packages mesa-vulkan-drivers and libvulkan1 (apt; on Debian 12 from bookworm-backports), vulkan-loader (dnf), vulkan-swrast (pacman).",
];

/** Opens a backend. NoAdapter only where `backend: 'webgpu'` was asked for. */
export const openBackend =
  ({ backend, fast = false, log = () => {} }: ChooseOptions = {}): TaskEither<RunError, Backend> =>
  async () => {
    const asked = backend ? 'asked for' : '';
    if (backend === 'null') {
      log(`backend null: ${asked}; nothing is computed`);
      return E.right(openNull());
    }
    if (backend === 'gpujs') {
      log(`backend gpujs: ${asked}; on the processor, in doubles`);
      return E.right(openGpuJs());
    }
    if (backend === 'wasm') {
      const opened = await openWasm({ warn: log })();
      if (E.isRight(opened)) log(`backend wasm: ${asked}; ${opened.right.caps.name}`);
      return opened;
    }
    if (fast && inNode()) await (await import('./tune/environment.ts')).applyEnvironment();
    const opened = await openWebGpu();
    if (E.isRight(opened)) {
      log(`backend webgpu: ${asked || 'an adapter answers'}; ${describeCaps(opened.right.caps)}`);
      return opened;
    }
    if (backend === 'webgpu' || opened.left._tag !== 'NoAdapter') return opened;
    log(`backend gpujs: ${renderRunError(opened.left)}`);
    for (const line of notice) log(line);
    return E.right(openGpuJs());
  };
