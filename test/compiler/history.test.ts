// What a process compiled before does not show in a program: kernels' texts, their order, slots and places in the user's code are
// equal, so caches of programs, of kernels and of drivers meet what they know.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { i32, int, ref } from '../../src/compiler/ir/expr.ts';
import { add, mul } from '../../src/compiler/ir/index-math.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('programs and what was compiled before them');

const names = [
  'sums down',
  'sums across',
  ...['encode', 'decode'].flatMap((part) => ['wgsl', 'wasm', 'js'].map((target) => `${part} ${target}`)),
];

const compiledIn = async (order: readonly string[]): Promise<Readonly<Record<string, string>>> => {
  const script = ['--conditions=dualtoken-source', '--import', 'tsx', 'test/support/print-programs.ts'];
  const { stdout } = await promisify(execFile)(process.execPath, [...script, ...order], { cwd: projectDir });
  return JSON.parse(stdout);
};

test('are equal in processes that compile them in other orders', async () => {
  const [forth, back] = [await compiledIn(names), await compiledIn([...names].reverse())];
  for (const name of names) {
    assert.ok(forth[name], name);
    assert.is(forth[name], back[name], name);
  }
});

test('a sum has its terms in an order of its own, with builtins before names that loops count', () => {
  const [j, group] = [ref('aCounter', i32, 0, 7), ref('group', i32, 0, 9)];
  const sums = [add(j, mul(group, int(8))), add(mul(group, int(8)), j)];
  assert.is(sums[0], sums[1]);
  assert.ok(sums[0]?.e === 'call' && sums[0].args[1] === j);
});

test.run();
