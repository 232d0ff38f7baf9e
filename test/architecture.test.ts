// ARCHITECTURE.md names every source file, and no file that isn't there; and no import hides from the import rules.
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from './support/shared.ts';

const architecture = suite('ARCHITECTURE.md');

const read = (file: string) => readFileSync(join(projectDir, file), 'utf8');
const sources = readdirSync(join(projectDir, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file.split(sep).join('/')}`)
  .sort();

/** The line for a file, from the first sentence of its header comment, ready to paste. */
const line = (file: string) => {
  const header = /^(?:#!.*\n)?((?:\/\/ .*\n)+)/.exec(read(file))?.[1] ?? '';
  const [sentence = ''] = header
    .replaceAll(/^\/\/ |\n$/gm, '')
    .replaceAll('\n', ' ')
    .split(/(?<=\.) (?=[A-Z`])/);
  return `- \`${file}\`: ${sentence}`;
};

architecture('names each file once, in one line that says something', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/^- `(src\/[^`]+\.ts)`: \S.*$/gm)].map(([, file]) => file ?? '');
  const missing = sources.filter((file) => !named.includes(file));
  const gone = named.filter((file) => !sources.includes(file));
  const twice = named.filter((file, i) => named.indexOf(file) !== i);
  assert.ok(missing.length === 0, `add to ARCHITECTURE.md:\n${missing.map(line).join('\n')}`);
  assert.equal(gone, [], 'ARCHITECTURE.md names files that are not there');
  assert.equal(twice, [], 'ARCHITECTURE.md names files twice');
});

architecture("no file imports a type with import('...'), which the import rules can't see", () => {
  const type = /\btypeof import\(|\bimport\([^)]*\)\.(?!then\b|catch\b|finally\b)\w/;
  const hidden = sources.filter((file) => type.test(read(file)));
  assert.equal(hidden, []);
});

architecture.run();
