// What the README says is so: its programs type-check and run, its variant is the one in the source, its commands exist.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Command, type Option } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from './support/shared.ts';

const test = suite('README.md');
const read = (file: string): string => readFileSync(join(projectDir, file), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...read('README.md').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text]) => text!,
  );

// Inside the project, so that its own name is found.
mkdirSync(join(projectDir, '.cache'), { recursive: true });
const folder = mkdtempSync(join(projectDir, '.cache', 'readme-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const node = (...args: readonly string[]) =>
  spawnSync(process.execPath, args, { cwd: projectDir, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
const programs = blocks('ts').filter((text) => text.startsWith('import '));

test('its programs type-check', () => {
  assert.ok(programs.length >= 2);
  for (const [i, text] of programs.entries()) writeFileSync(join(folder, `program-${i}.ts`), text);
  const settings = { extends: join(projectDir, 'tsconfig.json'), include: ['*.ts'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, stdout } = node(tsc, '-p', folder);
  assert.is(status, 0, stdout);
});

for (const i of programs.keys())
  test(`program ${i} runs`, () => {
    const file = join(folder, `program-${i}.ts`);
    const { status, stderr } = node('--conditions=dualtoken-source', '--import', 'tsx', file);
    assert.is(status, 0, stderr);
  });

test('its variant is the one in the source', () => {
  const plain = (text: string): string => text.replaceAll(/\s|,(?=\s*[}\])])/g, '');
  const variant = blocks('ts')
    .find((text) => text.includes('export const mini'))
    ?.replace(/^import .*$/m, '');
  assert.ok(plain(read('src/models/variants/mini.ts')).endsWith(plain(variant ?? 'none')));
});

test('its commands and their options exist', async () => {
  const lines = blocks('sh')
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith('dualtoken '))
    .map((line) => line.replace(/\s+#.*$/, '').split(/\s+/));
  assert.ok(lines.length >= 6);
  for (const [, name = '', ...rest] of lines) {
    const module = await import(`../src/cli/commands/${name}.ts`);
    const options = module[`${name}Command`](new Command()).options.map(({ long }: Option) => long);
    for (const option of rest.filter((word) => word.startsWith('--')))
      assert.ok(options.includes(option), `${name} ${option}`);
  }
});

test('its scripts exist', () => {
  const { scripts } = JSON.parse(read('package.json'));
  for (const [, name] of read('README.md').matchAll(/npm run ([\w-]+)/g)) assert.ok(name! in scripts, name);
});

test.run();
