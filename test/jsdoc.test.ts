// Calls in the comments of what the package exports type-check as a user would write them: the names are there, and take that.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as language from '../src/index.ts';
import * as models from '../src/models/index.ts';
import * as train from '../src/train/index.ts';
import { projectDir } from './support/shared.ts';

const test = suite('examples in comments');

/** What the examples leave open, as a reader takes it. */
const GIVEN = `
declare const x: Tensor<Rank3>, y: Tensor<any>, w: Tensor<any>, a: Tensor<any>, b: Tensor<any>, table: Tensor<any>, xs: Tensor<any>;
declare const ids: Tensor<any, 'i32'>, ok: Tensor<any, 'bool'>, k: Key, heads: number;
declare const f: (x: Tensor<Rank1>) => Tensor<Rank1>;
`;

const packages = { dualtoken: language, 'dualtoken/models': models, 'dualtoken/train': train };
const exported = new Set(Object.values(packages).flatMap((module) => Object.keys(module)));

/** Calls of exported functions between backticks, in comments before declarations; \`..\` stands for what is left out. */
const examplesIn = (file: string): readonly string[] =>
  [...readFileSync(join(projectDir, 'src', file), 'utf8').matchAll(/\/\*\*([\s\S]*?)\*\//g)]
    .flatMap(([, comment = '']) => [...comment.replaceAll(/\n\s*\* ?/g, ' ').matchAll(/`([^`]+)`/g)])
    .map(([, text = '']) => text)
    .filter((text) => {
      const name = /^(?:const .*? = )?(?:await )?(\w+)\(.*\)$/.exec(text)?.[1];
      return name !== undefined && !text.includes('..') && (name === 'pipe' || exported.has(name));
    });

test('each type-checks', () => {
  const files = readdirSync(join(projectDir, 'src'), { encoding: 'utf8', recursive: true }).sort();
  const examples = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith(join('dsl', 'core')))
    .flatMap((file) => examplesIn(file).map((text) => ({ file, text })));
  assert.ok(examples.length >= 20, `${examples.length} examples`);
  // Inside the project, so that its own name is found.
  mkdirSync(join(projectDir, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(projectDir, '.cache', 'jsdoc-'));
  try {
    const imports = Object.entries(packages).map(([name, module]) => {
      const names = Object.keys(module).filter((key) =>
        examples.some(({ text }) => new RegExp(`\\b${key}\\b`).test(text)),
      );
      return `import { ${names.join(', ')} } from '${name}';`;
    });
    const head = [
      "import { pipe } from 'fp-ts/lib/function.js';",
      "import type { Key, Rank1, Rank3, Tensor } from 'dualtoken';",
      ...imports,
      GIVEN.trim(),
    ].join('\n');
    const lines = examples.map(({ text }) => `{ ${text}; }`);
    writeFileSync(join(folder, 'examples.ts'), `${head}\n${lines.join('\n')}\n`);
    const settings = { extends: join(projectDir, 'tsconfig.json'), include: ['*.ts'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
    const first = head.split('\n').length + 1;
    const faults = [...stdout.matchAll(/examples\.ts\((\d+),\d+\): error (.*)/g)].map(([, line, message]) => {
      const at = examples[Number(line) - first];
      return `${at?.file}: ${at?.text}: ${message}`;
    });
    assert.is(faults.length, 0, faults.join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
