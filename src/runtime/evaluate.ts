// A graph run once and read back, past every cache and counter: for the search of a value that is not finite, and for tests.
import * as E from 'fp-ts/lib/Either.js';
import type { CompileOptions } from '../compiler/compile.ts';
import { compileGraph } from '../compiler/compile.ts';
import { renderCompileError } from '../compiler/error.ts';
import type { HostArray } from '../dsl/core/dtype.ts';
import { isKind, topological } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { boundData } from '../dsl/ops/inputs.ts';
import { badInput, orThrow } from './attempt.ts';
import type { Backend } from './backend.ts';
import { lending } from './owned.ts';
import { unfit } from './scalars.ts';
import { type HostTensor, takeHome } from './tensor.ts';

/** Values of named inputs, beside those that carry their own data; numbers bind scalars. */
export type Bindings = Readonly<Record<string, HostArray | number>>;

/** A graph that does not compile for the device. */
export class CompileFailure extends Error {
  override readonly name = 'CompileError';
}

/** Runs `roots` on `backend` and reads them back. Throws CompileFailure or RunFailure. */
export const runGraph = async (
  backend: Backend,
  roots: readonly Node[],
  bindings: Bindings = {},
  options: CompileOptions = {},
): Promise<readonly HostTensor[]> => {
  const leaves = topological(roots).filter((n) => isKind(n, 'input'));
  const inputs = leaves
    .filter((n) => isKind(n, 'input') && n.op.role !== 'scalar')
    .map((node) => ({ node, donated: false }));
  const compiled = compileGraph({ inputs, outputs: roots }, backend.caps, options);
  if (E.isLeft(compiled)) throw new CompileFailure(renderCompileError(compiled.left));
  const program = compiled.right;
  const scalars: Record<string, number> = {};
  for (const name of program.scalars) {
    const value = bindings[name];
    if (typeof value !== 'number') throw badInput(`scalar input '${name}' is not bound to a number`);
    const { dtype } = leaves.find((n) => isKind(n, 'input') && n.op.slot === name)!;
    const why = unfit(value, dtype);
    if (why !== null) throw badInput(`scalar input '${name}' is bound to ${value}: ${why}`);
    scalars[name] = value;
  }
  const executable = await orThrow(backend.load(program));
  try {
    return await lending(async (own) => {
      const buffers = await Promise.all(
        program.inputs.map(async (input, i) => {
          if (input.slot < 0) return null;
          const value = bindings[input.name] ?? boundData(inputs[i]!.node);
          if (value === undefined || typeof value === 'number')
            throw badInput(`input '${input.name}' is not bound to data`);
          return own(orThrow(backend.upload(value, input.shape, input.dtype)));
        }),
      );
      return takeHome(await orThrow(executable.run(buffers, scalars)));
    });
  } finally {
    executable.dispose();
  }
};
