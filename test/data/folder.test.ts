import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path, { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandPaths, listImages } from '../../src/data/folder.ts';
import { globBase, globFolders, globMatcher } from '../../src/data/glob.ts';
import { failure, inFolder, run } from '../support/files.ts';

const test = suite('folders and patterns');

const withFiles = (files: readonly string[], use: (folder: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    for (const file of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), '');
    }
    await use(folder);
  });
const relative = (folder: string, files: readonly string[]) => files.map((file) => file.slice(folder.length + 1));

test('pictures are listed at every depth, sorted by code unit, hidden and other files left out', () =>
  withFiles(
    ['b.JPG', 'a/z.png', 'a/b/c.webp', 'B.jpeg', '.hidden.png', '.cache/x.png', 'notes.txt', 'é.png'],
    async (folder) => {
      assert.equal(relative(folder, await run(listImages(folder))), [
        'B.jpeg',
        'a/b/c.webp',
        'a/z.png',
        'b.JPG',
        'é.png',
      ]);
    },
  ));

test('links are followed, once', () =>
  withFiles(['real/x.png'], async (folder) => {
    await symlink(join(folder, 'real', 'x.png'), join(folder, 'link.png'));
    await symlink(folder, join(folder, 'real', 'loop'));
    await symlink(join(folder, 'gone'), join(folder, 'broken.png'));
    assert.equal(relative(folder, await run(listImages(folder))), ['link.png', 'real/x.png']);
  }));

test('a folder in a folder may hold more files than a call takes arguments', () =>
  inFolder(async (folder) => {
    const count = 12_000;
    mkdirSync(join(folder, 'class'));
    for (let i = 0; i < count; i++) closeSync(openSync(join(folder, 'class', `${i}.png`), 'w'));
    // A small stack has the limit of arguments far below the usual one.
    const [tsx, program] = ['tsx/esm/api', '../../src/data/folder.ts'].map((name) =>
      JSON.stringify(import.meta.resolve(name)),
    );
    const source = `import(${tsx}).then(async ({ register }) => {
      register();
      const { listImages } = await import(${program});
      const listed = await listImages(${JSON.stringify(folder)})();
      require('node:worker_threads').parentPort.postMessage(listed.right?.length ?? listed.left.reason);
    })`;
    const worker = new Worker(source, { eval: true, execArgv: [], resourceLimits: { stackSizeMb: 0.27 } });
    const [listed] = await once(worker, 'message');
    await worker.terminate();
    assert.is(listed, count);
  }));

test('an empty folder and a missing one are errors that name it', () =>
  withFiles(['notes.txt'], async (folder) => {
    assert.is(await failure(listImages(folder)), `data ${folder}: the folder holds no JPEG, PNG or WebP file`);
    const missing = join(folder, 'missing');
    assert.is(await failure(listImages(missing)), `cannot list ${missing}: no such file or folder`);
  }));

test('a folder below that cannot be listed is named, and a pattern that does not lead into it does not mind', () =>
  withFiles(['disk/a.png', 'disk/b.png', 'disk/c/d/e.png'], async (folder) => {
    const disk = join(folder, 'disk');
    await mkdir(Buffer.concat([Buffer.from(`${disk}/caf`), Buffer.of(0xe9)]));
    const sentence = `data ${disk}/caf\ufffd: the name of the folder is not UTF-8: rename it`;
    assert.is(await failure(listImages(disk)), sentence);
    for (const pattern of ['**/*.png', '*/d/*.png'])
      assert.is(await failure(expandPaths([join(disk, pattern)])), sentence);
    for (const [pattern, files] of [
      ['*.png', ['a.png', 'b.png']],
      ['{a,b}.*', ['a.png', 'b.png']],
      ['c/*/e.png', ['c/d/e.png']],
      ['{?,c/**/*}.png', ['a.png', 'b.png', 'c/d/e.png']],
    ] as const)
      assert.equal(relative(disk, await run(expandPaths([join(disk, pattern)]))), files, pattern);
  }));

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['*.png', ['a.png', '-.png'], ['a/b.png', '.a.png', 'a.pngx', 'xpng']],
  ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c', 'a/.b/c']],
  ['a/**/c', ['a/c', 'a/b/c', 'a/b/b/c'], ['ac', 'a/.b/c', 'b/c']],
  ['**/*.jpg', ['x.jpg', 'a/b/x.jpg'], ['.a/x.jpg', 'x.png']],
  ['a/**', ['a/b', 'a/b/c.png'], ['b/a', 'a/.b']],
  ['?.png', ['a.png', 'é.png', '😀.png'], ['ab.png', '.png']],
  ['[a-c]x[!0-9]', ['axb', 'cx-'], ['dxb', 'ax1']],
  ['x.{png,jpg}', ['x.png', 'x.jpg'], ['x.webp', 'x.{png,jpg}']],
  ['{a,b{1,2}}.png', ['a.png', 'b1.png', 'b2.png'], ['b.png']],
  ['a.b(c)+$^|', ['a.b(c)+$^|'], ['aXb(c)+$^|', 'a.bc']],
];
for (const [pattern, yes, no] of cases)
  test(`pattern ${pattern}`, () => {
    const matches = globMatcher(pattern);
    for (const path of yes) assert.ok(matches(path), path);
    for (const path of no) assert.not(matches(path), path);
  });

test('a search goes only into folders below which something can match', () => {
  const into = (pattern: string, folder: string) => globFolders(pattern)(folder);
  for (const [pattern, yes, no] of [
    ['*.png', [], ['a', 'a/b']],
    ['/*.png', [], ['/a']],
    ['/m/*/x?/*.tar', ['/m/a', '/m/a/x1'], ['/m/a/b', '/m/a/x1/c', '/m/.a']],
    ['a/**/c', ['a/b', 'a/b/d'], ['b']],
    ['**/c', ['a', 'a/b'], []],
    ['{a/b,c}/x', ['a', 'a/b', 'c'], ['b', 'c/d', 'a/c']],
  ] as const) {
    for (const folder of yes) assert.ok(into(pattern, folder), `${pattern} ${folder}`);
    for (const folder of no) assert.not(into(pattern, folder), `${pattern} ${folder}`);
  }
});

test('a search begins at the last folder without a wildcard', () => {
  assert.equal(['*.png', 'a/b/*.png', '/x/y*/z', '/*', 'a/b.png'].map(globBase), ['.', 'a/b', '/x', '/', 'a']);
});

test('command line: files, folders and patterns, in order, each once', () =>
  withFiles(['p/a.png', 'p/b.jpg', 'q/c.png', 'odd[1].png', 'r.txt'], async (folder) => {
    const expand = async (...paths: readonly string[]) =>
      relative(folder, await run(expandPaths(paths.map((path) => join(folder, path)))));
    assert.equal(await expand('q', 'p/*', 'p/a.png'), ['q/c.png', 'p/a.png', 'p/b.jpg']);
    assert.equal(await expand('**/*.{png,jpg}'), ['odd[1].png', 'p/a.png', 'p/b.jpg', 'q/c.png']);
    assert.equal(await expand('odd[1].png'), ['odd[1].png'], 'a file of that very name');
    assert.equal(await expand('r.txt'), ['r.txt'], 'a named file is taken as it is');
    assert.equal(await expand('*'), ['odd[1].png'], 'of a pattern pictures');
    assert.match(await failure(expandPaths([join(folder, '*.txt')])), /it matches none of pictures .*, but r\.txt$/);
    assert.match(await failure(expandPaths([join(folder, '*.gif')])), /^data .*\*\.gif: no file matches this pattern$/);
    assert.match(await failure(expandPaths([join(folder, 'x.png')])), /^cannot read .*x\.png: no such file/);
  }));

test('a pattern that is none is one error that names it', () =>
  withFiles(['a1.jpg'], async (folder) => {
    const fails = (pattern: string) => failure(expandPaths([join(folder, pattern)]));
    for (const pattern of ['a[9-1].jpg', '{b,a[9-1]}.jpg'])
      assert.is(
        await fails(pattern),
        `data ${join(folder, pattern)}: the ends of a range in [9-1] are the wrong way round`,
      );
    for (const pattern of ['a{0..9999999999}.jpg', '{0..9999}{0..9999}.jpg', 'a{99999999999999999999999..0}.jpg'])
      assert.is(
        await fails(pattern),
        `data ${join(folder, pattern)}: it stands for more than a million names: name fewer at once`,
      );
    assert.equal(relative(folder, await run(expandPaths([join(folder, 'a[!2-9].jpg')]))), ['a1.jpg']);
  }));

test('a pattern may hold //, /./ and /../ as any path may', () =>
  withFiles(['p/a.png', 'p/q/b.png'], async (folder) => {
    for (const pattern of ['//p/*.png', '/p//*.png', '/p/./*.png', '/./p/*.png', '/p/../p/*.png', '/p/q/../*.png'])
      assert.equal(relative(folder, await run(expandPaths([`${folder}${pattern}`]))), ['p/a.png'], pattern);
    const here = join('.', path.relative(process.cwd(), folder));
    for (const pattern of [`./${here}/p//*.png`, `${here}/./p/*.png`])
      assert.equal(await run(expandPaths([pattern])), [join(here, 'p/a.png')], pattern);
  }));

test.run();
