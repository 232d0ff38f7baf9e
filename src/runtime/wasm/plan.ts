// A program as its threads run it: steps cut into chunks, short ones done in a row by one thread.
import type { Kernel, Origin, Program, Step } from '../../compiler/program.ts';
import { scalarSources } from '../scalars.ts';
import type { Phase, ThreadStep } from './messages.ts';

/** Chunks a thread gets of a long step: enough that none waits long for the last, and that the engine can change to faster code between. */
const CHUNKS_A_THREAD = 8;
/** Chunks of one step; the threads count them in 10 bits. */
const MAX_CHUNKS = 1023;
/** Work below which a chunk costs more to share than to do. */
const CHUNK_BYTES = 8 * 1024;
const CHUNK_FLOPS = 16 * 1024;
/** Bytes that a group of a copy copies. */
const COPY_BYTES = 64 * 1024;

/** Copies of a slot into an output that cannot take the slot over; `to` counts on after the program's slots. */
export interface OutputCopy {
  readonly from: number;
  /** First byte in `from`. */
  readonly offset?: number;
  readonly to: number;
  readonly bytes: number;
}

const copyStep = (index: number, { from, offset = 0, to, bytes }: OutputCopy): ThreadStep => ({
  index,
  kernel: -1,
  groups: Math.ceil(bytes / COPY_BYTES),
  slots: [from, to],
  offsets: [offset, 0],
  scalars: [],
  scratch: false,
  bytes,
  groupBytes: COPY_BYTES,
});

const kernelStep = (
  index: number,
  step: Extract<Step, { readonly kind: 'dispatch' }>,
  kernel: Kernel,
  id: number,
  program: Program,
): ThreadStep => ({
  index,
  kernel: id,
  groups: kernel.groups,
  slots: step.buffers.map((b) => b.slot),
  offsets: step.buffers.map((b) => b.offset ?? 0),
  scalars: scalarSources(program, step.scalars),
  scratch: kernel.scratch !== undefined,
  bytes: 0,
  groupBytes: 0,
});

/** A step of unknown cost is shared by all. */
const chunksOf = (
  { groups }: ThreadStep,
  { bytes, flops }: Pick<Origin, 'bytes' | 'flops'>,
  threads: number,
): number => {
  const worth = bytes === 0 && flops === 0 ? groups : Math.ceil(Math.max(bytes / CHUNK_BYTES, flops / CHUNK_FLOPS));
  return Math.max(1, Math.min(groups, worth, threads * CHUNKS_A_THREAD, MAX_CHUNKS));
};

/** `ids`: of each kernel of the program in the threads. */
export const planPhases = (
  program: Program,
  ids: readonly number[],
  copies: readonly OutputCopy[],
  threads: number,
): readonly Phase[] => {
  const phases: { readonly step: ThreadStep; readonly chunks: number; readonly tail: ThreadStep[] }[] = [];
  const add = (step: ThreadStep, cost: Pick<Origin, 'bytes' | 'flops'>): void => {
    if (step.groups === 0) return;
    const chunks = chunksOf(step, cost, threads);
    const before = phases.at(-1);
    if (chunks === 1 && before) before.tail.push(step);
    else phases.push({ step, chunks, tail: [] });
  };
  program.steps.forEach((step, index) => {
    if (step.kind === 'copy') add(copyStep(index, step), { bytes: step.bytes, flops: 0 });
    else add(kernelStep(index, step, program.kernels[step.kernel]!, ids[step.kernel]!, program), step.origin);
  });
  copies.forEach((copy, k) => {
    add(copyStep(program.steps.length + k, copy), { bytes: copy.bytes, flops: 0 });
  });
  return phases;
};
