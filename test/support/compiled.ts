// Graphs compiled for a device, and programs that run as often as a test asks.
import * as E from 'fp-ts/lib/Either.js';
import { type CompileOptions, compileGraph } from '../../src/compiler/compile.ts';
import { renderCompileError } from '../../src/compiler/error.ts';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import type { Program } from '../../src/compiler/program.ts';
import type { HostArray } from '../../src/dsl/core/dtype.ts';
import { isKind, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { orThrow } from '../../src/runtime/attempt.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { lending } from '../../src/runtime/owned.ts';
import { type HostTensor, takeHome } from '../../src/runtime/tensor.ts';

interface Options extends CompileOptions {
  /** Default: the inputs below the outputs that are no scalars. */
  readonly inputs?: readonly Node[];
  /** Those of them whose buffers the program may write. */
  readonly donated?: readonly Node[];
}

const operandsOf = (outputs: readonly Node[]): readonly Node[] =>
  topological(outputs).filter((n) => isKind(n, 'input') && n.op.role !== 'scalar');

/** The program of `outputs`. Throws the reason where they do not compile. */
export const compiled = (
  outputs: readonly Node[],
  caps: Caps,
  { inputs = operandsOf(outputs), donated = [], ...options }: Options = {},
): Program => {
  const leaves = inputs.map((node) => ({ node, donated: donated.includes(node) }));
  const made = compileGraph({ inputs: leaves, outputs }, caps, options);
  if (E.isLeft(made)) throw new Error(renderCompileError(made.left));
  return made.right;
};

/** Results of `times` runs of one program, all with the same values. */
export const runs = async (
  backend: Backend,
  program: Program,
  values: Readonly<Record<string, HostArray | number>>,
  times: number,
): Promise<readonly (readonly HostTensor[])[]> => {
  const scalars = Object.fromEntries(program.scalars.map((name) => [name, Number(values[name])]));
  const executable = await orThrow(backend.load(program));
  try {
    return await lending(async (own) => {
      const buffers = await Promise.all(
        program.inputs.map(async ({ name, shape, dtype, slot }) => {
          if (slot < 0) return null;
          const value = values[name];
          if (value === undefined || typeof value === 'number') throw new Error(`input '${name}' has no values`);
          return own(orThrow(backend.upload(value, shape, dtype)));
        }),
      );
      const results: (readonly HostTensor[])[] = [];
      for (let i = 0; i < times; i++) results.push(await takeHome(await orThrow(executable.run(buffers, scalars))));
      return results;
    });
  } finally {
    executable.dispose();
  }
};

/** The bits of results, as text that is equal where they are. */
export const bitsOf = (results: readonly HostTensor[]): string =>
  results.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')).join();
