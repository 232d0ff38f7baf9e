// The programs in test/types/cases: those that the type checker must refuse, with a message to act on, and those it must take.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';
import { checkCases } from './harness.ts';

const types = suite('types: programs that must and must not compile');
const folder = join(projectDir, 'test', 'types');

types('each case behaves as its comments say', async () => {
  if (!existsSync(join(folder, 'cases'))) return skip('test/types/cases is not there yet');
  const { faults, mustFail, mustCompile } = await checkCases(join(folder, 'tsconfig.json'));
  console.log(`${mustFail} programs must not compile, ${mustCompile} must`);
  assert.is(faults.length, 0, `\n${faults.join('\n')}`);
});

types.run();
