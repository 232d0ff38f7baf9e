// Settings of a software driver that a tuner remembered: what is read, what is not, and that a later process runs with them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBackend } from '../../src/runtime/choose.ts';
import { applyEnvironment, readEnvironment, writeEnvironment } from '../../src/runtime/tune/environment.ts';
import { right, webGpu } from '../support/backends.ts';
import { dualtokenIn } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { skip } from '../support/skip.ts';

const test = suite('settings of a software driver');
const WIDTH = 'LP_NATIVE_VECTOR_WIDTH';

/** `body` with these variables, and as they were after it. */
const withVariables = async (
  given: Readonly<Record<string, string | undefined>>,
  body: () => Promise<void>,
): Promise<void> => {
  const set = (all: typeof given): void => {
    for (const [name, value] of Object.entries(all))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
  const before = Object.fromEntries(Object.keys(given).map((name) => [name, process.env[name]]));
  set(given);
  await body().finally(() => set(before));
};

test('what was kept is set where the user did not set it; what no tuner wrote is not', async () => {
  await inFolder(async (folder) => {
    await withVariables({ DUALTOKEN_CACHE: folder, [WIDTH]: undefined }, async () => {
      assert.equal(await readEnvironment(), {});
      await writeEnvironment({ [WIDTH]: '512' });
      await applyEnvironment();
      assert.is(process.env[WIDTH], '512');
      process.env[WIDTH] = '128';
      await applyEnvironment();
      assert.is(process.env[WIDTH], '128');
      for (const text of ['{"LP_NATIVE_VECTOR_WIDTH":"4096"}', '{"PATH":"512"}', '{"LP_NATIVE', '[7]', 'null']) {
        await writeFile(join(folder, 'tuning', 'environment.json'), text);
        assert.equal(await readEnvironment(), {}, text);
      }
    });
    await withVariables({ DUALTOKEN_CACHE: 'off' }, async () => {
      await writeEnvironment({ [WIDTH]: '512' });
      assert.equal(await readEnvironment(), {});
    });
  });
});

test('a later run on WebGPU with --fast opens the adapter with it, and no other run does', async () => {
  const gpu = await webGpu();
  if (!gpu) return;
  if (!/llvmpipe/.test(gpu.caps.name)) return skip('settings of llvmpipe: another adapter is here');
  const lanes: number[] = [];
  await inFolder((folder) =>
    withVariables({ DUALTOKEN_CACHE: folder, [WIDTH]: undefined }, async () => {
      for (const bits of ['128', '512']) {
        await writeEnvironment({ [WIDTH]: bits });
        for (const more of [[], ['--fast']]) {
          const { stderr } = await dualtokenIn(
            {},
            'explain',
            'mini',
            '--part',
            'decode',
            '--backend',
            'webgpu',
            ...more,
          );
          lanes.push(Number(/subgroups of (\d+)/.exec(stderr)?.[1]));
        }
      }
    }),
  );
  assert.equal(lanes, [8, 4, 8, 16]);
});

test('other backends leave it alone', async () => {
  await inFolder((folder) =>
    withVariables({ DUALTOKEN_CACHE: folder, [WIDTH]: undefined }, async () => {
      await writeEnvironment({ [WIDTH]: '128' });
      const wasm = await right(openBackend({ backend: 'wasm', fast: true }));
      wasm.dispose();
      assert.is(process.env[WIDTH], undefined);
    }),
  );
});

test.run();
