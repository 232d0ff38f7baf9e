// The programs in test/types/cases: those that the type checker must refuse, with a message to act on, and those it must take.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from '../support/shared.ts';
import { checkCases } from './harness.ts';

const types = suite('types: programs that must and must not compile');
const folder = join(projectDir, 'test', 'types');

types('each case behaves as its comments say', async () => {
  const { faults, mustFail, mustCompile } = await checkCases(join(folder, 'tsconfig.json'));
  console.log(`${mustFail} programs must not compile, ${mustCompile} must`);
  assert.is(faults.length, 0, `\n${faults.join('\n')}`);
  assert.ok(mustFail >= 40 && mustCompile >= 40, `${mustFail} that must not and ${mustCompile} that must, of 40 each`);
});

types.run();
