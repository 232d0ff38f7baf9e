// The harness for type errors itself: what it must notice.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from '../support/shared.ts';
import { checkCases } from './harness.ts';

const harness = suite('types: harness');

const check = async (files: Record<string, string>) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dualtoken-types-')));
  try {
    mkdirSync(join(folder, 'cases'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'cases', name), text);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const tsconfig = join(folder, 'tsconfig.json');
    const compilerOptions = { types: [], moduleDetection: 'force' };
    const settings = { extends: join(projectDir, 'tsconfig.json'), compilerOptions, include: ['cases'], exclude: [] };
    writeFileSync(tsconfig, JSON.stringify(settings));
    return await checkCases(tsconfig);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

harness('cases that behave as they say have no faults, and are counted', async () => {
  const verdict = await check({
    'a.ts': `declare const take: (x: number) => number;
export const fine = take(1);
// error: 'string' is not assignable
export const bad = take(
  'x',
);

function layer<T extends number>(x: T) {
  // error: 'string'
  take(String(x));
  return take(x);
}
export const used = [
  layer(2),
  layer(3),
];
`,
    'b.ts': `// error: Type 'number' is not assignable
// error: to type 'string'
export const fine: string = 1;
export const also: string = '1';
`,
  });
  assert.equal(verdict, { faults: [], mustFail: 3, mustCompile: 3 });
});

harness('notices a missing error, a wrong message and an unexpected error', async () => {
  const { faults } = await check({
    'a.ts': `// error: not assignable
export const compiles: string = 'x';
// error: something else
export const wrong: string = 1;
export const unexpected: string = {
  a: 2,
};
`,
  });
  assert.is(faults.length, 3);
  assert.match(faults[0] ?? '', 'a.ts:2 compiles, but must not: "not assignable"');
  assert.match(faults[1] ?? '', /^a\.ts:4 must say "something else", but says:\nTS2322: Type 'number'/);
  assert.match(faults[2] ?? '', /^a\.ts:5 must compile, but: TS2322/);
});

harness('an error beside the marked statement is unexpected', async () => {
  const { faults } = await check({
    'a.ts': `// error: not assignable
export const bad: string = 1;
export const next: string = 2;
`,
  });
  assert.equal(faults.length, 1);
  assert.match(faults[0] ?? '', 'a.ts:3 must compile');
});

harness('a syntax error is a fault', async () => {
  const { faults } = await check({ 'a.ts': 'export const broken = (;\n' });
  assert.match(faults[0] ?? '', 'a.ts:1 must compile');
});

harness.run();
