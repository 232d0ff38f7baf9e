// Finds how elementwise kernels of a size should go through their elements, by the heaviest of them: the update of AdamW.
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import { type Coarsening, coarseningFor, coarsenings } from '../../compiler/lower/generic.ts';
import type { ElementwiseEntry, MeasuredCoarsening } from '../../compiler/select/tuning.ts';
import * as B from '../../dsl/core/build.ts';
import type { Node } from '../../dsl/core/types.ts';
import { orThrow } from '../attempt.ts';
import type { Backend, DeviceBuffer } from '../backend.ts';
import { CompileFailure } from '../evaluate.ts';
import { sameBits } from './bits.ts';
import { median } from './median.ts';
import { makeOperands, readValues } from './operands.ts';

const RUNS = 9;
const FINALISTS = 4;
const FINAL_ROUNDS = 9;

/** Four vectors in, three out. */
const update = (p: Node, m: Node, v: Node, g: Node): readonly Node[] => {
  const mean = B.add(B.scale(m, 0.9), B.scale(g, 0.1));
  const square = B.add(B.scale(v, 0.999), B.scale(B.mul(g, g), 0.001));
  const step = B.div(mean, B.addConst(B.sqrt(B.abs(square)), 1e-8));
  return [B.sub(B.scale(p, 0.9999), B.scale(step, 1e-3)), mean, square];
};

interface Pace {
  readonly coarsening: Coarsening;
  readonly time: () => Promise<number>;
  readonly results: () => Promise<readonly ArrayLike<number>[]>;
  readonly dispose: () => void;
}

const paceOf = async (
  backend: Backend,
  inputs: readonly Node[],
  outputs: readonly Node[],
  operands: readonly DeviceBuffer[],
  coarsening: Coarsening,
): Promise<Pace> => {
  const tuning = { digest: JSON.stringify(coarsening), find: () => undefined, elementwise: () => coarsening };
  const made = compileGraph({ inputs: inputs.map((node) => ({ node, donated: false })), outputs }, backend.caps, {
    tuning,
  });
  if (E.isLeft(made)) throw new CompileFailure(renderCompileError(made.left));
  const executable = await orThrow(backend.load(made.right));
  const run = () => orThrow(executable.run(operands, {}));
  const free = (buffers: readonly DeviceBuffer[]): void => {
    for (const b of buffers) b.free();
  };
  return {
    coarsening,
    time: async () => {
      const from = performance.now();
      free(await run());
      await orThrow(backend.idle);
      return performance.now() - from;
    },
    results: async () => {
      const values = [];
      for (const b of await run()) values.push(await readValues(backend, b));
      return values;
    },
    dispose: () => executable.dispose(),
  };
};

export interface ElementwiseOptions {
  /** Heard once for every way that is dropped. */
  readonly onDrop: (coarsening: Coarsening, why: string) => void;
  /** Asked between the ways: true ends without an entry. */
  readonly stopped: () => boolean;
  /** Of the operands. */
  readonly seed?: number;
}

/**
 * Measures the ways to go through 2^exponent elements; all must give the heuristic's bits. Null where it was stopped. Throws RunFailure
 * where the device is lost or has no room.
 */
export const tuneElementwise = async (
  backend: Backend,
  exponent: number,
  { onDrop, stopped, seed }: ElementwiseOptions,
): Promise<ElementwiseEntry | null> => {
  const shape = [2 ** exponent];
  const inputs = ['p', 'm', 'v', 'g'].map((name) => B.input(name, shape, 'f32'));
  const outputs = update(...(inputs as [Node, Node, Node, Node]));
  const operands = await makeOperands(backend, outputs[0]!, inputs, 'fractions', seed);
  const own = coarseningFor(shape[0]! / 4, backend.caps);
  const others = coarsenings(shape[0]! / 4, backend.caps).filter(
    (c) => c.workgroup !== own.workgroup || c.elements !== own.elements,
  );
  const paces: { readonly pace: Pace; readonly ms: number }[] = [];
  try {
    let want: readonly ArrayLike<number>[] | null = null;
    for (const coarsening of [own, ...others]) {
      if (stopped()) return null;
      const pace = await paceOf(backend, inputs, outputs, operands, coarsening);
      const got = await pace.results();
      want ??= got;
      if (!sameBits(got, want)) {
        onDrop(coarsening, 'other values than those of the heuristic');
        pace.dispose();
        continue;
      }
      const times: number[] = [];
      for (let i = 0; i < RUNS; i++) times.push(await pace.time());
      paces.push({ pace, ms: Math.min(...times) });
    }
    const measured = ({ pace, ms }: (typeof paces)[number]): MeasuredCoarsening => ({ ...pace.coarsening, ms });
    const fastest = [...paces].sort((a, b) => a.ms - b.ms).slice(0, FINALISTS);
    const finalists = [...new Set([paces[0]!, ...fastest])].map(({ pace }) => ({ pace, times: [] as number[] }));
    for (let round = 0; round < FINAL_ROUNDS; round++) for (const f of finalists) f.times.push(await f.pace.time());
    const final = finalists.map(({ pace, times }) => measured({ pace, ms: median(times) }));
    return {
      heuristic: final[0]!,
      best: final.reduce((a, b) => (b.ms < a.ms ? b : a)),
      timed: paces.map(measured),
    };
  } finally {
    for (const { pace } of paces) pace.dispose();
    for (const b of operands) b.free();
  }
};
