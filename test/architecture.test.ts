// ARCHITECTURE.md names every source file by its own first sentence, an index names what lies beside it, and no import hides.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from './support/shared.ts';

const architecture = suite('ARCHITECTURE.md');

const read = (file: string) => readFileSync(join(projectDir, file), 'utf8');
const sources = readdirSync(join(projectDir, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file.split(sep).join('/')}`)
  .sort();

/** The comment that a file begins with, on one line. */
const headerOf = (file: string): string => {
  const comment = /^(?:#!.*\n)?((?:\/\/.*\n)+)/.exec(read(file))?.[1] ?? '';
  return comment
    .replaceAll(/^\/\/ */gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
};

/** Up to a full stop that is not an initial's (P. Esser) or that of "et al.". */
const firstSentence = (text: string): string => /^.*?\.(?<!(?: al|[ (][A-Z])\.)(?= |$)/.exec(text)?.[0] ?? '';

/** The line for a file. */
const line = (file: string) => `- \`${file}\`: ${firstSentence(headerOf(file))}`;

const lines = [...read('ARCHITECTURE.md').matchAll(/^- `(src\/[^`]+\.ts)`: \S.*$/gm)].map(([text, file = '']) => ({
  text,
  file,
}));

architecture('each file begins with a comment that says in a sentence what it is', () => {
  assert.equal(
    sources.filter((file) => firstSentence(headerOf(file)) === ''),
    [],
  );
});

architecture('names each file once', () => {
  const named = lines.map(({ file }) => file);
  const missing = sources.filter((file) => !named.includes(file));
  const gone = named.filter((file) => !sources.includes(file));
  const twice = named.filter((file, i) => named.indexOf(file) !== i);
  assert.ok(missing.length === 0, `add to ARCHITECTURE.md:\n${missing.map(line).join('\n')}`);
  assert.equal(gone, [], 'ARCHITECTURE.md names files that are not there');
  assert.equal(twice, [], 'ARCHITECTURE.md names files twice');
});

architecture('says of each file what its own first sentence says', () => {
  const stale = lines.filter(({ text, file }) => sources.includes(file) && text !== line(file));
  const both = stale.map(({ text, file }) => `${text}\n  the file: ${line(file)}`);
  assert.ok(stale.length === 0, `the line or the file's first comment is stale:\n${both.join('\n')}`);
});

architecture('an index names every file and folder beside it, after its first sentence', () => {
  const unnamed = sources
    .filter((file) => file.endsWith('/index.ts'))
    .flatMap((index) => {
      const header = headerOf(index);
      const names = header.slice(firstSentence(header).length).split(/[^\w-]+/);
      const beside = readdirSync(join(projectDir, dirname(index))).map((name) => name.replace(/\.ts$/, ''));
      return beside.filter((stem) => stem !== 'index' && !names.includes(stem)).map((stem) => `${index}: ${stem}`);
    });
  assert.equal(unnamed, []);
});

architecture("no file imports a type with import('...'), which the import rules can't see", () => {
  const type = /\btypeof import\(|\bimport\([^)]*\)\.(?!then\b|catch\b|finally\b)\w/;
  const hidden = sources.filter((file) => type.test(read(file)));
  assert.equal(hidden, []);
});

architecture.run();
