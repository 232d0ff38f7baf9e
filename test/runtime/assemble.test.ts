// Node's assembler and the browser's: the same bytes of every kernel, and an error that names the kernel.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graphOf, variantNamed } from '../../src/cli/graphs.ts';
import { compileGraph } from '../../src/compiler/compile.ts';
import { RunFailure } from '../../src/runtime/error.ts';
import { assemble } from '../../src/runtime/wasm/assemble.ts';
import { assemble as assembleInBrowser } from '../../src/runtime/wasm/assemble-web.ts';
import { findEngine } from '../../src/runtime/wasm/engine.ts';
import { wasmCaps } from '../../src/runtime/wasm/wasm.ts';

const test = suite('runtime: assemblers');

const texts = new Set<string>();
for (const [part, options] of [
  ['decode', { relaxedSimd: true }],
  ['encode', { relaxedSimd: false, memory64: true }],
] as const) {
  const compiled = compileGraph(graphOf(variantNamed('mini'), part, 1), wasmCaps(findEngine(), 2, options));
  if (E.isRight(compiled)) for (const k of compiled.right.kernels) texts.add(k.text);
}

test('give the same bytes of every kernel of a model, also with 64-bit addresses', async () => {
  assert.ok(texts.size > 30, `${texts.size} kernels`);
  for (const text of texts) {
    const [node, browser] = [await assemble(text, ''), await assembleInBrowser(text, '')];
    assert.is(Buffer.compare(node, browser), 0, text);
  }
});

test('name the kernel whose text is wrong', async () => {
  for (const of of [assemble, assembleInBrowser]) {
    const thrown = await of('(module (func (i32.sum)))', 'a kernel').catch((e: unknown) => e);
    assert.ok(thrown instanceof RunFailure && thrown.error._tag === 'ShaderError');
    assert.is(thrown.error.kernel, 'a kernel');
  }
});

test.run();
