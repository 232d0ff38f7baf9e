// Configurations as programs: loaded without a build step, from folders that have no dualtoken; one sentence for each fault.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserFailure } from '../../src/cli/failure.ts';
import { loadConfig } from '../../src/cli/load-config.ts';
import * as train from '../../src/train/index.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('configurations as programs');

const files = (folder: string, texts: Readonly<Record<string, string>>): Promise<unknown> =>
  Promise.all(
    Object.entries(texts).map(async ([name, text]) => {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }),
  );

/** The sentence of a configuration that must not load. */
const refused = async (path: string): Promise<string> => {
  const thrown = await loadConfig(path).then(
    () => null,
    (e: unknown) => e,
  );
  assert.instance(thrown, UserFailure);
  const { message } = thrown as UserFailure;
  assert.not.match(message, /jiti|\n/);
  return message;
};

test('a default export that is a promise is waited for', () =>
  inFolder(async (folder) => {
    await files(folder, {
      'later.ts': 'export default Promise.resolve({ steps: 3 });',
      'never.ts': "export default Promise.reject(new Error('no disk'));",
    });
    assert.equal(await loadConfig(join(folder, 'later.ts')), { steps: 3 });
    assert.match(await refused(join(folder, 'never.ts')), /never\.ts.* throws while it is loaded: no disk$/);
  }));

test('what a program prints while it loads goes to standard error', () =>
  inFolder(async (folder) => {
    const printed = "console.log('a'); console.info('b'); await 0; console.table([1]); console.dir({ c: 1 });";
    await files(folder, { 'said.ts': `${printed} export default { steps: 3 };` });
    const [out, err] = [process.stdout.write, process.stderr.write];
    const said = ['', ''];
    const taking = (i: number) => (text: string | Uint8Array) => {
      said[i] += String(text);
      return true;
    };
    [process.stdout.write, process.stderr.write] = [taking(0), taking(1)];
    try {
      assert.equal(await loadConfig(join(folder, 'said.ts')), { steps: 3 });
      console.log('after');
    } finally {
      [process.stdout.write, process.stderr.write] = [out, err];
    }
    assert.is(said[0], 'after\n');
    assert.match(said[1]!, /^a\nb\n[\s\S]*c: 1/);
  }));

test('TypeScript: types, enums, imports of files and of Node, top-level await', () =>
  inFolder(async (folder) => {
    await files(folder, {
      'run.ts': `import { basename } from 'node:path';
        import type { Nothing } from 'not-installed';
        import { width } from './parts/width';
        import { height } from './parts/height.ts';
        enum Size { small = 3 }
        const other: number = await Promise.resolve(4);
        export default { width, height, size: Size.small, other, name: basename(import.meta.url) } satisfies object;`,
      'parts/width.ts': 'export const width: number = 5;',
      'parts/height.ts': "import { width } from './width.ts';\nexport const height = width! * 2;",
    });
    assert.equal(await loadConfig(join(folder, 'run.ts')), { width: 5, height: 10, size: 3, other: 4, name: 'run.ts' });
    assert.equal((await readdir(folder)).sort(), ['parts', 'run.ts'], 'nothing is written beside it');
  }));

test('defineConfig refuses what train would, each fault with its path', () =>
  inFolder(async (folder) => {
    await files(folder, {
      'deep.ts': `import { defineConfig } from 'dualtoken/train';
        export default defineConfig({ model: { taps: { pixle: 3 } }, steps: 0 });`,
    });
    const thrown = await loadConfig(join(folder, 'deep.ts')).catch((e: unknown) => e);
    assert.instance(thrown, UserFailure);
    assert.match(
      (thrown as UserFailure).message,
      /deep\.ts:\n {2}steps: .*\n {2}model\.taps\.pixle: .*nearest is 'pixel'/,
    );
    assert.throws(
      () => train.defineConfig({ variant: 'mini', model: { taps: { pixel: 33 } } }),
      (e: unknown) => e instanceof train.ConfigFailure && /model\.taps\.pixel 33/.test(e.faults.join()),
    );
    assert.equal(train.defineConfig({ steps: 3 }), { steps: 3 });
  }));

test('JavaScript in both systems of modules, and JSON', () =>
  inFolder(async (folder) => {
    const config = { steps: 3, data: { folder: 'photos' } };
    const text = JSON.stringify(config);
    await files(folder, {
      'a.js': `export default ${text};`,
      'b.mjs': `export default ${text};`,
      'c.cjs': `module.exports = ${text};`,
      'd.json': text,
      'mark.json': `\ufeff${text}`,
      'with space.mts': `export default ${text};`,
      'common/package.json': '{"type": "commonjs"}',
      'common/e.js': `module.exports = ${text};`,
    });
    for (const name of ['a.js', 'b.mjs', 'c.cjs', 'd.json', 'mark.json', 'with space.mts', 'common/e.js'])
      assert.equal(await loadConfig(join(folder, name)), config, name);
  }));

test("the package's own names are the running command's modules, though the folder has no dualtoken, or another one", () =>
  inFolder(async (folder) => {
    const manifest: { exports: Record<string, unknown> } = JSON.parse(
      await readFile(join(projectDir, 'package.json'), 'utf8'),
    );
    const parts = Object.keys(manifest.exports).filter((part) => !part.endsWith('.json'));
    const imports = parts.map((part, i) => `import * as part${i} from 'dualtoken${part.slice(1)}';`);
    await files(folder, {
      'all.ts': `${imports.join('\n')}\nexport default [${parts.map((_, i) => `Object.keys(part${i}).length`)}];`,
      'schedule.ts': "import { schedule } from 'dualtoken/train';\nexport default schedule;",
      'other/node_modules/dualtoken/package.json': '{"name": "dualtoken", "main": "index.js"}',
      'other/node_modules/dualtoken/index.js': "exports.version = 'another';",
      'other/run.ts': "import { version } from 'dualtoken';\nexport default version;",
    });
    const counts = await loadConfig(join(folder, 'all.ts'));
    assert.ok(Array.isArray(counts) && counts.length >= 5 && counts.every((n) => n > 3), JSON.stringify(counts));
    assert.is(await loadConfig(join(folder, 'schedule.ts')), train.schedule);
    assert.is.not(await loadConfig(join(folder, 'other/run.ts')), 'another');
  }));

test('each fault is one sentence that names the file, and the line', () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await files(folder, {
      'syntax.ts': 'const a = 1;\nexport default { steps: , };\n',
      'open.ts': 'export default {\n  steps: 1\n',
      'inner.ts': "import { a } from './syntax.ts';\nexport default a;\n",
      'none.ts': 'export const steps = 3;\n',
      'empty.mjs': '',
      'throws.ts': "const a = 1;\n\nthrow new Error('no photos here');\nexport default a;\n",
      'plain.js': "throw 'no photos';\n",
      'deep.ts': "import { of } from './called.ts';\n\nexport default of(undefined);\n",
      'called.ts': '\nexport const of = (x: any) =>\n  x.steps;\n',
      'package.ts': "import x from 'not-installed';\nexport default x;\n",
      'file.ts': "import x from './nowhere';\nexport default x;\n",
      'own.ts': "import x from 'dualtoken/nowhere';\nexport default x;\n",
      'config.yaml': 'steps: 3\n',
      'bad.json': '{"steps": 3',
      'folder.ts/x.txt': '',
    });
    assert.is(await refused(at('missing.ts')), `cannot read ${at('missing.ts')}: no such file or folder`);
    assert.match(await refused(at('missing.json')), 'no such file');
    assert.is(await refused(at('syntax.ts')), `${at('syntax.ts')}:2: syntax error: Unexpected token`);
    assert.match(await refused(at('open.ts')), /open\.ts:3: syntax error: Unexpected token, expected ","$/);
    assert.match(await refused(at('inner.ts')), /syntax\.ts:2: syntax error/);
    assert.match(await refused(at('none.ts')), /none\.ts has no default export: .*export default/);
    assert.match(await refused(at('empty.mjs')), /empty\.mjs has no default export/);
    assert.is(await refused(at('throws.ts')), `${at('throws.ts')}:3 throws while it is loaded: no photos here`);
    assert.is(await refused(at('plain.js')), `${at('plain.js')} throws while it is loaded: no photos`);
    assert.match(await refused(at('deep.ts')), /called\.ts:3 throws while it is loaded: .*'steps'/);
    assert.match(await refused(at('package.ts')), /package\.ts imports 'not-installed', which is not there/);
    assert.match(await refused(at('file.ts')), /file\.ts imports '\.\/nowhere', which is not there/);
    assert.match(await refused(at('own.ts')), /own\.ts imports 'dualtoken\/nowhere', which is not there/);
    assert.match(await refused(at('config.yaml')), /config\.yaml is no configuration: .*\.ts/);
    assert.match(await refused(at('bad.json')), /cannot read .*bad\.json: this is not JSON/);
    assert.match(await refused(at('folder.ts')), /cannot read .*folder\.ts: this is a folder, not a file/);
  }));

test.run();
