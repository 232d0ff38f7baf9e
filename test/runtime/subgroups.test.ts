// What an adapter says of its subgroups, and the variable that asks for their matrices.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MATRIX_FEATURE, matricesAsked, matricesOf, subgroupsOf } from '../../src/runtime/webgpu/subgroups.ts';
import { dualtokenIn, messageOf } from '../support/command.ts';

const test = suite('subgroups of an adapter');

const sizes = (subgroupMinSize: number, subgroupMaxSize: number) => ({ subgroupMinSize, subgroupMaxSize });
const all = new Set(['subgroups', 'subgroup-size-control', MATRIX_FEATURE]);

test('a size is set where there are several and the device lets one be set', () => {
  assert.equal(subgroupsOf(all, sizes(32, 32)), { min: 32, max: 32 });
  assert.equal(subgroupsOf(all, sizes(32, 64)), { min: 32, max: 64, set: 32 });
  assert.equal(subgroupsOf(all, sizes(8, 32)), { min: 8, max: 32, set: 16 });
  assert.equal(subgroupsOf(all, sizes(4, 8)), { min: 4, max: 8, set: 8 });
  assert.equal(subgroupsOf(new Set(['subgroups']), sizes(8, 32)), { min: 8, max: 32 });
  assert.is(subgroupsOf(new Set(), sizes(8, 32)), null);
});

test('matrices of floats, for subgroups of the size in use, where the device has the feature', () => {
  const config = (componentType: string, resultComponentType: string, more: object = {}) => ({
    componentType,
    resultComponentType,
    M: 8,
    N: 16,
    K: 32,
    ...more,
  });
  const info = {
    subgroupMatrixConfigs: [
      config('f16', 'f32'),
      config('i8', 'i32'),
      config('f32', 'f32', { minSubgroupSize: 32, maxSubgroupSize: 32 }),
      config('f16', 'f16', { minSubgroupSize: 16, maxSubgroupSize: 32 }),
    ],
  };
  const subgroups = { min: 8, max: 32, set: 16 };
  const [M, N, K] = [8, 16, 32];
  assert.equal(matricesOf(all, info, subgroups), [
    { component: 'f16', result: 'f32', M, N, K },
    { component: 'f16', result: 'f16', M, N, K },
  ]);
  assert.equal(matricesOf(new Set(['subgroups']), info, subgroups), []);
  assert.equal(matricesOf(all, {}, subgroups), []);
  assert.equal(matricesOf(all, info, null), []);
});

test('the variable is 0 or 1: anything else is one message', async () => {
  assert.is(matricesAsked(), process.env.DUALTOKEN_SUBGROUP_MATRIX === '1');
  const ran = await dualtokenIn({ DUALTOKEN_SUBGROUP_MATRIX: 'yes' }, 'explain', 'mini');
  assert.is(ran.code, 1);
  assert.is(ran.stdout, '');
  assert.match(messageOf(ran), /^dualtoken: DUALTOKEN_SUBGROUP_MATRIX is 'yes': set it to 1 .* or to 0$/);
});

test.run();
