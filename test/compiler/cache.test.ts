// The program cache on disk: hits across processes, damage that is survived, two processes at once.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diskCache } from '../../src/compiler/cache/disk.ts';
import { type Compilation, digestOf } from '../../src/compiler/compile.ts';
import * as B from '../../src/dsl/core/build.ts';
import { hardwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('program cache');
const folder = mkdtempSync(join(tmpdir(), 'dualtoken-cache-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const compilation = (n: number): Compilation => {
  const x = B.input('x', [n], 'f32');
  return { inputs: [{ node: x, donated: false }], outputs: [B.exp(B.scale(x, 2))] };
};
const programOf = (n: number) => compiled(compilation(n).outputs, hardwareCaps);

test('what was put is got back, by digest', async () => {
  const program = programOf(5);
  assert.is(program.digest, digestOf(compilation(5), hardwareCaps, {}));
  await diskCache(folder).put(program);
  assert.equal(await diskCache(folder).get(program.digest), program);
  assert.is(await diskCache(folder).get(programOf(6).digest), null);
});

test('a folder that cannot be made costs one warning, and nothing waits for it', async () => {
  if (!existsSync('/proc/self')) return skip('a folder that cannot be made: there is no /proc here');
  const warnings: string[] = [];
  const cache = diskCache('/proc/nowhere/programs', (w) => warnings.push(w));
  for (const n of [5, 6]) await cache.put(programOf(n));
  assert.is(warnings.length, 1);
  assert.match(warnings[0]!, /^programs are not cached: \/proc\/nowhere\/programs cannot be written/);
});

test('other options, limits or constants have other digests', () => {
  const at = (caps = hardwareCaps, options = {}) => digestOf(compilation(5), caps, options);
  assert.is.not(at(), at({ ...hardwareCaps, fingerprint: 'another adapter' }));
  assert.is.not(at(), at(hardwareCaps, { fuse: false }));
});

test('a damaged entry is a miss, and is written anew', async () => {
  const program = programOf(7);
  await diskCache(folder).put(program);
  for (const name of readdirSync(folder))
    writeFileSync(join(folder, name), readFileSync(join(folder, name)).subarray(0, 40));
  assert.is(await diskCache(folder).get(program.digest), null);
  await diskCache(folder).put(program);
  assert.equal(await diskCache(folder).get(program.digest), program);
});

test('a folder that cannot be written is said once, and nothing fails', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const said: string[] = [];
  const cache = diskCache(join(file, 'below'), (m) => said.push(m));
  await cache.put(programOf(8));
  await cache.put(programOf(9));
  assert.is(said.length, 1);
  assert.match(said[0]!, /programs are not cached: .* cannot be written/);
});

test('what killed processes began to write goes after an hour, and counts until then', async () => {
  const inside = join(folder, 'begun');
  await diskCache(inside).put(programOf(5));
  const first = readdirSync(inside)[0]!;
  const hours = (n: number) => Date.now() / 1000 - n * 3600;
  utimesSync(join(inside, first), hours(3), hours(3));
  const begun = (name: string, bytes: number, age: number) => {
    writeFileSync(join(inside, name), '');
    truncateSync(join(inside, name), bytes);
    utimesSync(join(inside, name), hours(age), hours(age));
  };
  begun('.a.json.77.00000001.tmp', 300 * 2 ** 20, 2);
  begun('.b.json.77.00000002.tmp', 100, 0.5);
  await diskCache(inside).put(programOf(6));
  assert.equal(
    readdirSync(inside).filter((n) => n.endsWith('.tmp')),
    ['.b.json.77.00000002.tmp'],
  );
  assert.ok(existsSync(join(inside, first)), 'what is removed does not count');
  begun('.b.json.77.00000002.tmp', 300 * 2 ** 20, 0.5);
  await diskCache(inside).put(programOf(8));
  assert.not.ok(existsSync(join(inside, first)), 'the oldest entry goes for what is being written');
});

test('two processes write the same entries at once, and none is left half', async () => {
  const shared = join(folder, 'two');
  const script = `
    const { diskCache } = await import('./src/compiler/cache/disk.ts');
    const cache = diskCache(${JSON.stringify(shared)});
    const text = 'x'.repeat(200000);
    const program = (i) => ({ digest: 'd' + i, target: 'wgsl', kernels: [text], steps: [], slots: [], inputs: [], scalars: [], outputs: [] });
    for (let round = 0; round < 20; round++) for (let i = 0; i < 5; i++) {
      await cache.put(program(i));
      const got = await cache.get('d' + i);
      if (got === null || got.kernels[0].length !== text.length) process.exit(3);
    }`;
  const run = (): Promise<number | null> =>
    new Promise((done) => {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        cwd: projectDir,
        stdio: 'inherit',
      });
      child.on('close', done);
    });
  assert.equal(await Promise.all([run(), run()]), [0, 0]);
  assert.equal(
    readdirSync(shared).filter((n) => n.endsWith('.tmp')),
    [],
  );
});

test.run();
