// Random bits on the device equal the reference's, for every shape and key.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as B from '../../src/dsl/core/build.ts';
import { check, onDevices } from './device.ts';

const test = suite('random template');

onDevices(test, 'bits of drawn shapes and keys', async (device) => {
  const backend = device;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
      fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
      async (shape, key) => {
        const bits = B.randomBits(B.input('key', [2], 'u32'), shape);
        await check(backend, [bits], { key: Uint32Array.from(key) }, { tolerance: 0 });
      },
    ),
    { numRuns: 12 },
  );
});

test.run();
