// Attention's kernels, forward and backward, with and without subgroups, against the reference graph in doubles.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../src/dsl/core/build.ts';
import { topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { attention } from '../../src/dsl/fused/index.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { attentionGradSimd } from '../../src/kernels/attention/grad-simd.ts';
import { attentionSimd } from '../../src/kernels/attention/simd.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { right, wasm } from '../support/backends.ts';
import { bitsOf } from '../support/compiled.ts';
import { agree, type Bound, drawn, onDevice, type Schedules, withoutSubgroups } from './agree.ts';
import { disguised } from './device.ts';
import { everySchedule, withinLimits } from './products.ts';

const test = suite('kernels: attention');

interface Case {
  readonly batch: number;
  readonly keyHeads: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
  readonly causal: boolean;
  /** Which axes of the mask are whole; absent: no mask. */
  readonly mask?: readonly boolean[];
  readonly validKeys?: number;
  /** Whether a finite mask hides all keys of the first queries. Scores are whole multiples of what it leaves of their digits. */
  readonly hidden?: boolean;
  /** Whether their number is known when the program is made. */
  readonly known?: boolean;
}

interface Built {
  readonly forward: readonly Node[];
  readonly backward: readonly Node[];
  readonly bound: Bound;
}

const base: Case = {
  batch: 1,
  keyHeads: 2,
  group: 1,
  queries: 20,
  keys: 21,
  width: 16,
  valueWidth: 16,
  causal: false,
};

const build = (part: Partial<Case>): Built => {
  const c = { ...base, ...part };
  const heads = c.keyHeads * c.group;
  const multiples = (x: Node): Node => (c.hidden ? b.scale(b.map('round', b.scale(x, 4)), 1 / 4) : x);
  const q = multiples(b.input('q', [c.batch, heads, c.queries, c.width], 'f32'));
  const k = multiples(b.input('k', [c.batch, c.keyHeads, c.keys, c.width], 'f32'));
  const v = b.input('v', [c.batch, c.keyHeads, c.keys, c.valueWidth], 'f32');
  const full = [c.batch, heads, c.queries, c.keys];
  const hiding = (shape: readonly number[]): Node => {
    const query = b.iota(shape, 2);
    return b.where(b.lt(query, b.like(5, query)), b.full(-(2 ** 17), shape), b.full(0, shape));
  };
  const maskShape = c.mask && full.map((d, i) => (c.mask![i] ? d : 1));
  const mask = maskShape && (c.hidden ? hiding(maskShape) : b.input('mask', maskShape, 'f32'));
  const [valid, known] = [c.validKeys, c.known === true];
  const validKeys =
    valid === undefined ? undefined : known ? b.constant(valid, 'i32') : b.input('n', [], 'i32', 'scalar');
  const { out, logSumExp } = attention(q, k, v, {
    causal: c.causal,
    ...(mask ? { mask } : {}),
    ...(validKeys ? { validKeys } : {}),
  });
  const ct = b.input('ct', out.shape, 'f32');
  return {
    forward: [out, logSumExp],
    backward: gradients([out], [ct], [q, k, v]),
    bound: valid === undefined || known ? {} : { n: valid },
  };
};

/** Low tiles compile fast; the heights that the heuristic picks are tested once, below. */
const low: Schedules = {
  'attention-subgroup': { rows: 4, columns: 2 },
  'attention-grad-queries-subgroup': { rows: 5, columns: 1 },
  'attention-grad-keys-subgroup': { rows: 4, columns: 1 },
};

const holds = async (backend: Backend, part: Partial<Case>, template: string): Promise<void> => {
  const { forward, backward, bound } = build(part);
  const options = { bound, schedules: low };
  await agree(backend, forward, { ...options, template: `attention-${template}` });
  await agree(backend, backward.slice(0, 1), { ...options, template: `attention-grad-queries-${template}` });
  await agree(backend, backward.slice(1), { ...options, template: `attention-grad-keys-${template}` });
};

const cases: Readonly<Record<string, Partial<Case>>> = {
  'odd sizes and head widths': { queries: 17, keys: 29, width: 10, valueWidth: 7 },
  'grouped keys, causal': { batch: 2, group: 3, queries: 19, keys: 19, causal: true },
  'fewer queries than keys, causal, a mask of heads and keys': {
    queries: 5,
    keys: 40,
    causal: true,
    mask: [false, true, false, true],
  },
  'more queries than keys, causal': { queries: 40, keys: 5, causal: true },
  'a mask of each query and key': { batch: 2, group: 2, mask: [true, false, true, true] },
  'a mask that hides all keys': { mask: [false, false, true, true], hidden: true },
  'valid keys at run time': { group: 2, queries: 3, keys: 50, causal: true, validKeys: 20 },
  'fewer valid keys than queries': { queries: 7, keys: 50, causal: true, validKeys: 4 },
  'few valid keys, known beforehand': { queries: 7, keys: 50, validKeys: 4, known: true },
};
for (const [name, part] of Object.entries(cases)) {
  onDevice(test, name, (backend) => holds(backend, part, 'subgroup'));
  onDevice(test, `${name}, without subgroups`, (backend) => holds(withoutSubgroups(backend), part, 'invocation'));
  test(`${name} (wasm)`, async () => holds(await wasm(), part, 'simd'));
}

onDevice(test, 'as a graphics card, several keys a lane', async (backend) => {
  const card = disguised(backend, { software: false });
  const { forward, backward, bound } = build({
    queries: 37,
    keys: 70,
    width: 12,
    valueWidth: 10,
    mask: [true, true, true, true],
  });
  await agree(card, forward, { bound, template: 'attention-subgroup' });
  await agree(card, backward.slice(0, 1), { bound, template: 'attention-grad-queries-subgroup' });
  await agree(card, backward.slice(1), { bound, template: 'attention-grad-keys-subgroup' });
});

const onProcessors: Readonly<Record<string, Partial<Case>>> = {
  'several blocks, ragged rows': { queries: 21, keys: 150, width: 13, valueWidth: 14 },
  'rows narrower than a vector': { queries: 9, keys: 70, width: 3, valueWidth: 2 },
  'several blocks, causal, grouped keys': { group: 2, queries: 140, keys: 140, causal: true },
  'one query, many keys': { queries: 1, keys: 150, width: 24, valueWidth: 24 },
  'fewer valid keys, all seen alike': { group: 3, queries: 11, keys: 50, validKeys: 21 },
  'no valid key at all': { queries: 3, keys: 50, validKeys: 0 },
  'no valid key at all, known beforehand': { queries: 3, keys: 50, validKeys: 0, known: true },
  'whole blocks of valid keys, known beforehand': { queries: 9, keys: 150, validKeys: 128, known: true },
  'more valid keys than a block, known beforehand': { queries: 9, keys: 150, validKeys: 131, known: true },
  'wide heads': { keyHeads: 1, queries: 9, keys: 10, width: 260, valueWidth: 260 },
  'a vision transformer': { queries: 196, keys: 196, width: 64, valueWidth: 64 },
};
for (const [name, part] of Object.entries(onProcessors))
  test(`${name} (wasm)`, async () => holds(await wasm(), part, 'simd'));

const simd = [attentionSimd, ...attentionGradSimd];
const everywhere: Readonly<Record<string, Partial<Case>>> = {
  'ragged rows': { keyHeads: 1, group: 2, queries: 27, keys: 75, width: 13, valueWidth: 8, causal: true },
  'one query': { queries: 1, keys: 140, width: 8, valueWidth: 6, mask: [true, true, true, true] },
  'few keys': { queries: 70, keys: 3, validKeys: 2 },
};
for (const [name, part] of Object.entries(everywhere))
  test(`every schedule, ${name} (wasm)`, async () => {
    const backend = await wasm();
    const { forward, backward, bound } = build(part);
    const results = [forward, backward.slice(0, 1), backward.slice(1)];
    for (const [k, template] of simd.entries()) {
      const roots = results[k]!;
      const call = topological(roots).find((n) => template.refuses(n, backend.caps) === null)!;
      const schedules = [...template.space(call, backend.caps), template.heuristic(call, backend.caps)];
      await everySchedule(backend, roots, template, { bound, schedules });
    }
  });

test('equal bits on one thread and on three (wasm)', async () => {
  const { forward, backward, bound } = build({ batch: 2, queries: 75, keys: 83, width: 24, valueWidth: 24 });
  const bits: string[] = [];
  for (const threads of [1, 3]) {
    const backend = await right(openWasm({ threads }));
    const roots = [...forward, ...backward];
    bits.push(bitsOf(await runGraph(backend, roots, drawn(roots, bound))));
    backend.dispose();
  }
  assert.is(bits[0], bits[1]);
});

test('heads in half precision, as a decoder keeps its keys (wasm)', async () => {
  const on = await wasm();
  for (const dtype of ['f16', 'bf16'] as const)
    for (const width of [20, 13, 3]) {
      const of = (name: string, tokens: number): Node => b.cast(b.input(name, [1, 2, tokens, width], dtype), 'f32');
      const all = [of('q', 9), of('k', 75), of('v', 75)] as const;
      const { out, logSumExp } = attention(...all, { causal: true });
      const [dq, dk, dv] = gradients([out], [of('ct', 9)], all);
      await agree(on, [out, logSumExp], { template: 'attention-simd' });
      await agree(on, [dq!], { template: 'attention-grad-queries-simd' });
      await agree(on, [dk!, dv!], { template: 'attention-grad-keys-simd' });
    }
});

test('no workgroup asks for more scratch memory than there is (wasm)', async () => {
  const { caps } = await wasm();
  for (const width of [1, 64, 260, 700]) {
    const { forward, backward } = build({ queries: 100, keys: 300, width, valueWidth: width });
    const results = [forward, backward.slice(0, 1), backward.slice(1)];
    for (const [k, template] of simd.entries()) {
      const call = topological(results[k]!).find((n) => template.refuses(n, caps) === null);
      assert.ok(call, `${template.name} refuses heads of ${width}`);
      withinLimits(call, template, caps);
    }
  }
});

const forwardOnly: Readonly<Record<string, Partial<Case>>> = {
  'wide heads in whole tiles': { queries: 8, keys: 32, width: 72, valueWidth: 72 },
  'no valid key': { queries: 3, keys: 50, validKeys: 0 },
  'one query of many heads': { group: 7, queries: 1, keys: 50, width: 64, valueWidth: 64, causal: true, validKeys: 33 },
};
for (const [name, part] of Object.entries(forwardOnly))
  onDevice(test, name, async (backend) => {
    const { forward, bound } = build(part);
    await agree(backend, forward, { bound, schedules: low, template: 'attention-subgroup' });
  });

onDevice(test, 'heads split by views, results joined again', async (backend) => {
  const [tokens, heads, width] = [13, 3, 8];
  const split = (name: string): Node =>
    b.permute(b.reshape(b.input(name, [2, tokens, heads * width], 'f32'), [2, tokens, heads, width]), [0, 2, 1, 3]);
  const { out } = attention(split('q'), split('k'), split('v'));
  const joined = b.reshape(b.permute(out, [0, 2, 1, 3]), [2, tokens, heads * width]);
  await agree(backend, [joined], { schedules: low, template: 'attention-subgroup' });
  await agree(withoutSubgroups(backend), [joined], { template: 'attention-invocation' });
  await agree(await wasm(), [joined], { template: 'attention-simd' });
});

onDevice(test, 'heads too wide for registers go through contractions', async (backend) => {
  const { forward, backward } = build({ keyHeads: 1, queries: 5, keys: 6, width: 260, valueWidth: 260 });
  await agree(backend, [...forward, ...backward], { template: 'contract-subgroup' });
  await agree(withoutSubgroups(backend), forward, { template: 'contract-direct' });
});

onDevice(test, 'the heuristic picks tall tiles for much work', async (backend) => {
  const { forward, backward } = build({ keyHeads: 8, queries: 197, keys: 197, width: 64, valueWidth: 64 });
  await agree(backend, [...forward, ...backward], { template: 'attention-subgroup' });
});

onDevice(test, 'random shapes', (backend) =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        batch: fc.integer({ min: 1, max: 2 }),
        keyHeads: fc.integer({ min: 1, max: 2 }),
        group: fc.integer({ min: 1, max: 3 }),
        queries: fc.integer({ min: 1, max: 40 }),
        keys: fc.integer({ min: 1, max: 40 }),
        width: fc.integer({ min: 1, max: 24 }),
        valueWidth: fc.integer({ min: 1, max: 24 }),
        causal: fc.boolean(),
      }),
      fc.boolean(),
      async (part, subgroups) => {
        const { forward, backward } = build(part);
        const on = subgroups ? backend : withoutSubgroups(backend);
        const kind = subgroups ? 'subgroup' : 'invocation';
        await agree(on, forward, { schedules: low, template: `attention-${kind}` });
        await agree(on, backward, { schedules: low, template: `attention-grad-keys-${kind}` });
      },
    ),
    { numRuns: 4, seed: 20240501 },
  ),
);

test.run();
