// The nearest code's kernels against distances in doubles: equal indices, ties to the lowest.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as b from '../../src/dsl/core/build.ts';
import { sizeOf } from '../../src/dsl/core/node.ts';
import { nearestCode } from '../../src/dsl/fused/index.ts';
import { nearestSimd } from '../../src/kernels/nearest/simd.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { values } from '../support/draw.ts';
import { agree, onDevice, onProcessor, withoutSubgroups } from './agree.ts';
import { disguised } from './device.ts';

const test = suite('kernels: nearest code');

/** Small whole numbers: distances are exact in f32, so that ties are ties, and there are many. */
const coarse = (n: number, seed: number): Float32Array => Float32Array.from(values(n, seed), (v) => Math.round(v * 2));

const holds = async (
  backend: Backend,
  lead: readonly number[],
  width: number,
  codes: number,
  rows?: number,
): Promise<void> => {
  const root = nearestCode(b.input('x', [...lead, width], 'f32'), b.input('codebook', [codes, width], 'f32'));
  const bound = { x: coarse(sizeOf(lead) * width, 3), codebook: coarse(codes * width, 5) };
  const schedules = rows === undefined ? {} : { 'nearest-subgroup': { rows } };
  await agree(backend, [root], { bound, template: 'nearest-subgroup', schedules, exact: true });
  await agree(withoutSubgroups(backend), [root], { bound, template: 'nearest-workgroup', exact: true });
};

const cases: Readonly<Record<string, readonly [lead: readonly number[], width: number, codes: number]>> = {
  'whole tiles': [[16], 32, 64],
  'odd rows, width and codes': [[2, 13], 7, 45],
  'one code': [[5], 4, 1],
  'one row': [[], 3, 100],
  'more codes than lanes': [[3, 2, 3], 8, 1000],
};
for (const [name, [lead, width, codes]] of Object.entries(cases))
  onDevice(test, name, (backend) => holds(backend, lead, width, codes, 4));

for (const [name, [lead, width, codes]] of Object.entries(cases))
  onProcessor(test, name, async (backend) => {
    const root = nearestCode(b.input('x', [...lead, width], 'f32'), b.input('codebook', [codes, width], 'f32'));
    const bound = { x: coarse(sizeOf(lead) * width, 3), codebook: coarse(codes * width, 5) };
    for (const schedule of nearestSimd.space(root.src[0]!, backend.caps)) {
      const schedules = { 'nearest-simd': schedule };
      await agree(backend, [root], { bound, template: 'nearest-simd', schedules, exact: true });
    }
  });

onDevice(test, 'the heights of the heuristic', (backend) => holds(backend, [67], 32, 512));

onDevice(test, 'as a graphics card', async (backend) => {
  const card = disguised(backend, { software: false });
  for (const [rows, codes] of [
    [3, 70],
    [21, 300],
    [9, 1100],
  ] as const) {
    const root = nearestCode(b.input('x', [rows, 12], 'f32'), b.input('codebook', [codes, 12], 'f32'));
    const bound = { x: coarse(rows * 12, 3), codebook: coarse(codes * 12, 5) };
    await agree(card, [root], { bound, template: 'nearest-subgroup', exact: true });
    const schedules = { 'nearest-subgroup': { rows: 8, parts: 4 } };
    await agree(card, [root], { bound, template: 'nearest-subgroup', schedules, exact: true });
  }
});

onDevice(test, 'the codebook may be computed in place', async (backend) => {
  const x = b.input('x', [9, 12], 'f32');
  const codebook = b.scale(b.permute(b.input('codebook', [12, 40], 'f32'), [1, 0]), 2);
  const bound = { x: coarse(9 * 12, 7), codebook: coarse(12 * 40, 9) };
  await agree(backend, [nearestCode(x, codebook)], { bound, template: 'nearest-subgroup', exact: true });
});

onDevice(test, 'random sizes', (backend) =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 90 }),
      (rows, width, codes) => holds(backend, [rows], width, codes, 3),
    ),
    { numRuns: 4, seed: 20240501 },
  ),
);

test.run();
