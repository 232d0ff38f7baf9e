// One kernel of a program by itself: the same nodes from what it loads to what it stores, on operands of its own.
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph, type KernelOf } from '../../src/compiler/compile.ts';
import { renderCompileError } from '../../src/compiler/error.ts';
import { input } from '../../src/dsl/core/build.ts';
import { substitute } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { orThrow } from '../../src/runtime/attempt.ts';
import type { Backend, StepTime } from '../../src/runtime/backend.ts';
import { median } from '../../src/runtime/tune/median.ts';
import { makeOperands } from '../../src/runtime/tune/operands.ts';

export interface KernelGraph extends KernelOf {
  readonly call: Node;
}

const RUNS = 15;

/** Milliseconds of a run after the first: the median. Throws Error where it does not become the same kernel. */
export const msAlone = async (backend: Backend, { call, origin, outputs, loads }: KernelGraph): Promise<number> => {
  const inputs = loads.map((n, i) => input(`operand${i}`, n.shape, n.dtype));
  const own = substitute(outputs, new Map(loads.map((n, i) => [n, inputs[i]!])));
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
  try {
    const times: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const profile = (all: readonly StepTime[]): void => {
        const time = all.find(({ step }) => step === at);
        if (run > 0 && time) times.push(time.durationNs / 1e6);
      };
      for (const out of await orThrow(executable.run(operands, {}, { profile }))) out.free();
    }
    return median(times);
  } finally {
    executable.dispose();
    for (const b of operands) b.free();
  }
};
