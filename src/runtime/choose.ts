// Picks the backend and says why in one line: a hardware adapter, else WebAssembly; a software adapter where it is asked for.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../compiler/ir/caps.ts';
import type { Backend } from './backend.ts';
import type { RunError } from './error.ts';
import { inNode } from './in-node.ts';
import { openNull } from './null.ts';
import { notIsolated, sharesMemory } from './wasm/engine.ts';
import { openWasm } from './wasm/wasm.ts';
import { openHardware, openWebGpu } from './webgpu/webgpu.ts';

/** Every backend by name, as `--backend` takes it. */
export const backendNames = ['webgpu', 'wasm', 'gpujs', 'null'] as const satisfies readonly Backend['name'][];

export interface ChooseOptions {
  /**
   * The one to use. Without it: WebGPU on a hardware adapter, else WebAssembly; where that has no memory that threads share (a page
   * that is not cross-origin isolated), a software adapter, and where there is none of these, WebAssembly on the page's own thread.
   */
  readonly backend?: Backend['name'];
  /**
   * Allows what tuning found faster though it changes last bits: measured schedules that add up in another order, and settings of a
   * software driver, which it reads once a process.
   */
  readonly fast?: boolean;
  /** Threads of WebAssembly; default: `DUALTOKEN_THREADS`, else as many as the machine runs at once. They change no bits. */
  readonly threads?: number;
  /** Takes each line of what was chosen. */
  readonly log?: (line: string) => void;
  /** Hears of what goes wrong and stops nothing, as a cache that cannot be written; default: `log`, of a runtime `console.warn`. */
  readonly warn?: (message: string) => void;
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

const remedy =
  "install the graphics card's driver, or software Vulkan (Mesa 24 or newer: packages mesa-vulkan-drivers and libvulkan1 with apt, " +
  "vulkan-loader with dnf, vulkan-swrast with pacman), or use the backend 'wasm', which needs no driver";

type Chosen = Promise<E.Either<RunError, Backend>>;

const openThreads = ({ threads, log = () => {}, warn = log }: ChooseOptions): Chosen =>
  openWasm({ warn, ...(threads === undefined ? {} : { threads }) })();

const openAsked = async (backend: Backend['name'], options: ChooseOptions): Chosen => {
  const { fast = false, log = () => {} } = options;
  switch (backend) {
    case 'null':
      log('backend null: asked for; nothing is computed');
      return E.right(openNull());
    case 'gpujs':
      log('backend gpujs: asked for; on the processor, in doubles');
      return E.right((await import('./gpujs/gpujs.ts')).openGpuJs());
    case 'wasm': {
      const opened = await openThreads(options);
      if (E.isRight(opened)) log(`backend wasm: asked for; ${opened.right.caps.name}`);
      return opened;
    }
    case 'webgpu': {
      if (fast && inNode()) await (await import('./tune/environment.ts')).applyEnvironment();
      const opened = await openWebGpu();
      if (E.isRight(opened)) log(`backend webgpu: asked for; ${describeCaps(opened.right.caps)}`);
      else if (opened.left._tag === 'NoAdapter')
        return E.left({ ...opened.left, why: `${opened.left.why}; ${inNode() ? remedy : "use the backend 'wasm'"}` });
      return opened;
    }
  }
};

const openBest = async (options: ChooseOptions): Chosen => {
  const { log = () => {} } = options;
  const hardware = await openHardware();
  if (E.isRight(hardware)) {
    log(`backend webgpu: an adapter answers; ${describeCaps(hardware.right.caps)}`);
    return hardware;
  }
  if (hardware.left._tag !== 'NoAdapter') return hardware;
  const { why } = hardware.left;
  if (!sharesMemory()) {
    const software = await openWebGpu();
    if (E.isRight(software)) {
      log(`backend webgpu: ${describeCaps(software.right.caps)}; ${notIsolated}`);
      return software;
    }
  }
  const wasm = await openThreads(options);
  if (E.isRight(wasm)) log(`backend wasm: ${why}; ${wasm.right.caps.name}`);
  return wasm;
};

/** Opens a backend: the one asked for, or the best there is. The error says what to do where there is none. */
export const openBackend =
  (options: ChooseOptions = {}): TaskEither<RunError, Backend> =>
  () =>
    options.backend ? openAsked(options.backend, options) : openBest(options);
