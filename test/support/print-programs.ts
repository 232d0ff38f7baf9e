// A process of its own for history.test.ts: compiles what its arguments name, in that order, and prints a digest of each program.
import { createHash } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { graphOf, variantNamed } from '../../src/cli/graphs.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { compileGraph } from '../../src/compiler/compile.ts';
import type { Program } from '../../src/compiler/program.ts';
import { openRuntime, sum, type Tensor } from '../../src/index.ts';
import { gpujsCaps } from '../../src/runtime/gpujs/gpujs.ts';
import { findEngine } from '../../src/runtime/wasm/engine.ts';
import { wasmCaps } from '../../src/runtime/wasm/wasm.ts';
import { hardwareCaps } from './caps.ts';

const targets = { wgsl: hardwareCaps, wasm: wasmCaps(findEngine(), 2, {}), js: gpujsCaps };
const runtime = await openRuntime({ backend: 'null', cache: noCache });
const x = await runtime.upload(new Float32Array(64 * 128), [64, 128]);

type Matrix = Tensor<readonly [64, 128]>;
const [down, across] = [(m: Matrix) => sum(m, 0), (m: Matrix) => sum(m, 1)];
/** Two sums of one input, which one function makes in one order, and another in the other. */
const sums = {
  down: (m: Matrix) => {
    const first = down(m);
    return [first, across(m)];
  },
  across: (m: Matrix) => {
    const first = across(m);
    return [down(m), first];
  },
};

const made: Record<string, () => Promise<Program>> = {};
for (const [name, f] of Object.entries(sums)) made[`sums ${name}`] = () => runtime.compile(f).program(x);
for (const part of ['encode', 'decode'] as const)
  for (const [target, caps] of Object.entries(targets))
    made[`${part} ${target}`] = async () => {
      const compiled = compileGraph(graphOf(variantNamed('mini'), part, 1), caps);
      if (E.isLeft(compiled)) throw new Error(compiled.left._tag);
      return compiled.right;
    };

const digests: Record<string, string> = {};
for (const name of process.argv.slice(2)) {
  const program = await made[name]!();
  digests[name] = createHash('sha256').update(JSON.stringify(program)).digest('hex');
}
console.log(JSON.stringify(digests));
