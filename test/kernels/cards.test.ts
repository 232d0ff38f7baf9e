// Graphics cards that are not there: for each, every template's kernels under a spread of their schedules are compiled, and Dawn's null
// device checks the shaders and makes the pipelines. Nothing runs.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import type { Kernel } from '../../src/compiler/program.ts';
import { candidatesFor } from '../../src/compiler/select/candidates.ts';
import type { Tuning } from '../../src/compiler/select/tuning.ts';
import * as B from '../../src/dsl/core/build.ts';
import type { DType } from '../../src/dsl/core/dtype.ts';
import { isKind, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { attention, crossEntropy, layerNorm, nearestCode, softmax } from '../../src/dsl/fused/index.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { contractTiled } from '../../src/kernels/contract/tiled.ts';
import { templates } from '../../src/kernels/index.ts';
import { Pipelines } from '../../src/runtime/webgpu/pipelines.ts';
import { attention as attentions } from '../ops/cases/attention.ts';
import { contract as contractions } from '../ops/cases/contract.ts';
import { fused } from '../ops/cases/fused.ts';
import { indexing } from '../ops/cases/indexing.ts';
import { reduce } from '../ops/cases/reduce.ts';
import { windows } from '../ops/cases/windows.ts';
import { cards, hardwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { same } from '../support/conv.ts';
import { graphsOf, odd } from '../support/family.ts';
import { type NullDevice, nullDevice } from '../support/null-device.ts';
import { skip } from '../support/skip.ts';
import { orders, product } from './products.ts';

const test = suite('graphics cards');

const input = (name: string, shape: readonly number[], dtype: DType = 'f32'): Node => B.input(name, shape, dtype);
const withGradients = (roots: readonly Node[]): readonly Node[] => [
  ...roots,
  ...gradients(
    roots,
    roots.map((r, i) => input(`ct${i}`, r.shape)),
    topological(roots).filter((n) => isKind(n, 'input') && n.dtype === 'f32'),
  ),
];
const heads = (name: string, count: number, tokens: number, width: number): Node =>
  input(name, [2, count, tokens, width]);

/** Calls of the sizes that models have, where tiles are large and many. */
const sizes: readonly Node[] = [
  ...orders.map((order) => product(394, 768, 3072, order)),
  ...orders.map((order) => product(67, 45, 130, order)),
  product(2048, 512, 2048, 'mk,nk'),
  product(64, 50000, 64, 'km,kn'),
  product(729, 1152, 4304, 'mk,nk', 'f16'),
  B.einsum('mk,kn->mn', input('a', [96, 256], 'f16'), input('b', [256, 80], 'f16')),
  B.einsum('mk,nk->mn', B.cast(input('a', [75, 130], 'f16'), 'f32'), B.cast(input('b', [70, 130], 'f16'), 'f32')),
  B.einsum('bmk,bkn->bmn', input('a', [12, 197, 64]), input('b', [12, 64, 197])),
  product(1, 4096, 4096, 'mk,nk', 'f16'),
  product(3, 1030, 515, 'mk,nk'),
  product(8, 1024, 1000, 'mk,kn'),
  ...withGradients([attention(heads('q', 4, 197, 64), heads('k', 4, 197, 64), heads('v', 4, 197, 64), {}).out]),
  ...withGradients([
    attention(heads('q', 4, 300, 72), heads('k', 2, 280, 72), heads('v', 2, 280, 72), { causal: true }).out,
  ]),
  B.conv2d(input('x', [1, 64, 96, 96]), input('w', [128, 64, 3, 3]), same),
  B.conv2d(input('x', [2, 24, 31, 30]), input('w', [30, 24, 3, 3]), { ...same, stride: [2, 2] }),
  nearestCode(input('x', [9000, 32]), input('codebook', [4096, 32])),
  nearestCode(input('x', [5, 30]), input('codebook', [100, 30])),
  ...withGradients([softmax(input('x', [12, 197, 197]))]),
  ...withGradients([layerNorm(input('x', [394, 768]), input('w', [768]), input('b', [768]), 1e-5)]),
  crossEntropy(input('x', [64, 5000]), input('at', [64], 'i32'), 0),
  B.argsort(input('x', [2, 5000])),
  B.scatter(input('x', [500, 64]), input('at', [4000], 'i32'), input('u', [4000, 64]), 'add', 0),
  B.randomBits(input('key', [2], 'u32'), [300]),
];
const small = graphsOf({ ...contractions, ...attentions, ...fused, ...indexing, ...reduce, ...windows }, odd);

/** The candidate of each call that lies at `share` of its list: at 0 what the heuristics choose. */
const spread = (caps: Caps, share: number): Tuning => ({
  digest: `${share}`,
  find: (call, takers) => {
    const list = candidatesFor(call, caps, takers)?.list ?? [];
    return list[Math.floor(share * list.length)];
  },
});

const used = new Set<string>();

const kernelsOf = (roots: readonly Node[], caps: Caps, share: number): ReadonlyMap<string, Kernel> => {
  const { kernels, steps } = compiled(roots, caps, {
    tuning: spread(caps, share),
    onCall: (_, template) => used.add(template.name),
  });
  return new Map(
    steps.flatMap((s) =>
      s.kind === 'dispatch' ? [[`${s.origin.label} by ${s.origin.schedule}`, kernels[s.kernel]!]] : [],
    ),
  );
};

/** The card with no more than the null device allows, so that its pipelines can be made. */
const within = (caps: Caps, { limits }: NullDevice): Caps => ({
  ...caps,
  limits: {
    ...caps.limits,
    storageBuffers: Math.min(caps.limits.storageBuffers, limits.maxStorageBuffersPerShaderStage),
    workgroupBytes: Math.min(caps.limits.workgroupBytes, limits.maxComputeWorkgroupStorageSize),
    invocations: Math.min(caps.limits.invocations, limits.maxComputeInvocationsPerWorkgroup),
    immediateBytes: Math.min(caps.limits.immediateBytes, limits.maxImmediateSize ?? 0),
  },
});

const checkShader = async (device: GPUDevice, label: string, code: string): Promise<void> => {
  const { messages } = await device.createShaderModule({ label, code }).getCompilationInfo();
  const errors = messages.filter((m) => m.type === 'error').map((m) => `line ${m.lineNum}: ${m.message}`);
  if (errors.length > 0) throw new Error(`${label}\n${errors.join('\n')}\n${code}`);
};

const lacks = (caps: Caps, { features }: NullDevice): string | undefined =>
  Object.entries({
    'shader-f16': caps.f16,
    subgroups: caps.subgroups !== null,
    'subgroup-size-control': caps.subgroups?.set !== undefined,
    'chromium-experimental-subgroup-matrix': caps.subgroupMatrices.length > 0,
  }).find(([feature, needed]) => needed && !features.has(feature))?.[0];

const onCard = (name: string, caps: Caps, body: (on: NullDevice) => Promise<void>): void => {
  test(`${caps.name}: ${name}`, async () => {
    const on = await nullDevice();
    const missing = on ? lacks(caps, on) : 'null backend';
    if (!on || missing) return skip(`shaders for '${caps.name}' were not checked: this Dawn has no ${missing}`);
    await body(on);
  });
};

const SHARES = [0, 0.25, 0.5, 0.75];
for (const caps of cards) {
  onCard('shaders are valid', caps, async ({ device }) => {
    const seen = new Set<string>();
    for (const [roots, shares] of [
      [sizes, SHARES],
      [small, [0]],
    ] as const)
      for (const share of shares)
        for (const [label, { text }] of kernelsOf(roots, caps, share)) {
          if (!seen.has(text)) await checkShader(device, label, text);
          seen.add(text);
        }
  });
  onCard('pipelines can be made', caps, async (on) => {
    const pipelines = new Pipelines(on.device);
    for (const share of [0, 0.5])
      await Promise.all(
        [...kernelsOf(sizes, within(caps, on), share)].map(([label, kernel]) => pipelines.get(kernel, label)),
      );
  });
}

test('every template was among them, but for those of processors', () => {
  const forProcessors = (name: string): boolean => name.endsWith('-simd');
  assert.equal(
    templates.map((t) => t.name).filter((name) => !used.has(name) && !forProcessors(name)),
    [],
  );
  assert.equal([...used].filter(forProcessors), []);
});

test('lanes of a phone keep fewer results than those of a card as wide', () => {
  const call = B.einsum('mk,kn->mn', B.input('a', [2048, 1024], 'f32'), B.input('b', [1024, 2048], 'f32'));
  const resultsOf = (vendor: string): number => {
    const { height, vectors } = contractTiled.heuristic(call, { ...hardwareCaps, vendor });
    return Number(height) * Number(vectors);
  };
  assert.ok(resultsOf('qualcomm') < resultsOf('nvidia'));
});

test.run();
