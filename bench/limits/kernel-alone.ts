// One kernel of a program by itself: the same nodes from what it loads to what it stores, on operands of its own.
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph, type KernelOf } from '../../src/compiler/compile.ts';
import { renderCompileError } from '../../src/compiler/error.ts';
import { full, input } from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { replaceAbove } from '../../src/dsl/core/walk.ts';
import { orThrow } from '../../src/runtime/attempt.ts';
import type { Backend, StepTime } from '../../src/runtime/backend.ts';
import { median } from '../../src/runtime/tune/median.ts';
import { makeOperands } from '../../src/runtime/tune/operands.ts';

export interface KernelGraph extends KernelOf {
  readonly call: Node;
}

const RUNS = 15;
/** What is written between runs: in a program, too, a kernel's operands have left the caches since they were made. */
const FLUSH = 64 * 2 ** 20;

/** A program that writes more memory than caches hold. */
const flusher = (backend: Backend) => {
  const made = compileGraph({ inputs: [], outputs: [full(1, [FLUSH / 4])] }, backend.caps);
  if (E.isLeft(made)) throw new Error(renderCompileError(made.left));
  return orThrow(backend.load(made.right));
};

/** Milliseconds of a run after the first, from memory and not from caches: the median. Throws Error where it does not become the same kernel. */
export const msAlone = async (backend: Backend, { call, origin, outputs, loads }: KernelGraph): Promise<number> => {
  const inputs = loads.map((n, i) => input(`operand${i}`, n.shape, n.dtype));
  const own = replaceAbove(outputs, new Map(loads.map((n, i) => [n, inputs[i]!])));
  const made = compileGraph({ inputs: inputs.map((node) => ({ node, donated: false })), outputs: own }, backend.caps);
  if (E.isLeft(made)) throw new Error(renderCompileError(made.left));
  // Operands may be packed for it first, by kernels that the step has too.
  const { steps } = made.right;
  const at = steps.findIndex((s) => s.origin.label === origin.label && s.origin.schedule === origin.schedule);
  if (at < 0)
    throw new Error(
      `${origin.label} alone is ${steps.map((s) => `${s.origin.label} ${s.origin.schedule}`).join('; ')}`,
    );
  const operands = await makeOperands(backend, call, inputs, 'fractions');
  const executable = await orThrow(backend.load(made.right));
  const flush = await flusher(backend);
  try {
    const times: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const profile = (all: readonly StepTime[]): void => {
        const time = all.find(({ step }) => step === at);
        if (run > 0 && time) times.push(time.durationNs / 1e6);
      };
      for (const out of await orThrow(flush.run([], {}))) out.free();
      for (const out of await orThrow(executable.run(operands, {}, { profile }))) out.free();
    }
    return median(times);
  } finally {
    executable.dispose();
    flush.dispose();
    for (const b of operands) b.free();
  }
};
