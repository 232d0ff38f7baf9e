import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeTemporaries, writeAtomic, writeAtomicFrom, writeFolderAtomic } from '../../src/data/atomic.ts';
import { DataFailure, datasetError, fileError, renderDataError } from '../../src/data/error.ts';
import { makeFolder } from '../../src/files/folder.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('atomic files');

test('writes text and bytes, makes folders, replaces, leaves nothing beside', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a', 'b', 'file.json');
    await run(writeAtomic(path, 'één'));
    assert.is(await readFile(path, 'utf8'), 'één');
    await run(writeAtomic(path, Uint8Array.of(1, 2, 3)));
    assert.equal([...(await readFile(path))], [1, 2, 3]);
    assert.equal(await readdir(join(folder, 'a', 'b')), ['file.json']);
  }));

test('a link stays and what it leads to is written; a pipe takes what is written to it', () =>
  inFolder(async (folder) => {
    const [real, link, pipe] = ['real', 'link', 'pipe'].map((name) => join(folder, name));
    await writeFile(real!, 'old');
    await symlink('real', link!);
    await run(writeAtomic(link!, 'new'));
    assert.ok((await lstat(link!)).isSymbolicLink());
    assert.is(await readFile(real!, 'utf8'), 'new');
    execFileSync('mkfifo', [pipe!]);
    const [read] = await Promise.all([readFile(pipe!, 'utf8'), run(writeAtomic(pipe!, 'through'))]);
    assert.is(read, 'through');
    assert.ok((await lstat(pipe!)).isFIFO());
    assert.equal((await readdir(folder)).sort(), ['link', 'pipe', 'real']);
  }));

test('chunks arrive in order', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'chunks');
    await run(
      writeAtomicFrom(path, async (write) => {
        for (let i = 0; i < 5; i++) await write(Uint8Array.of(i, i));
      }),
    );
    assert.equal([...(await readFile(path))], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  }));

test('a full disk half-way leaves the old file and nothing else', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'kept');
    await writeFile(path, 'old');
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    const message = await failure(
      writeAtomicFrom(path, async (write) => {
        await write(new Uint8Array(10));
        throw full;
      }),
    );
    assert.is(message, `cannot write ${path}: no space left on the device: free some, or choose another folder`);
    assert.is(await readFile(path, 'utf8'), 'old');
    assert.equal(await readdir(folder), ['kept']);
  }));

test('an error of data that the writing throws is the error', () =>
  inFolder(async (folder) => {
    const thrown = writeAtomicFrom(join(folder, 'x'), async () => {
      throw new DataFailure(datasetError('values', 'are no numbers'));
    });
    assert.is(await failure(thrown), 'data values: are no numbers');
    assert.equal(await readdir(folder), []);
  }));

test('a folder takes its name when all in it is written, over the one that was there', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a', 'model');
    const holding = (name: string) => writeFolderAtomic(path, (aside) => writeAtomic(join(aside, name), name));
    await run(holding('old'));
    await run(holding('new'));
    assert.equal(await readdir(path), ['new']);
    const stopped = writeFolderAtomic(path, (aside) =>
      pipe(
        writeAtomic(join(aside, 'half'), 'half'),
        TE.chain(() => TE.left(datasetError(aside, 'the rest is missing'))),
      ),
    );
    assert.match(await failure(stopped), 'the rest is missing');
    assert.equal(await readdir(path), ['new']);
    assert.equal(await readdir(join(folder, 'a')), ['model']);
    await writeFile(join(folder, 'file'), '');
    const through = writeFolderAtomic(join(folder, 'file', 'x'), () => TE.right(undefined));
    assert.match(await failure(through), `cannot write ${join(folder, 'file', 'x')}`);
  }));

test('the folder that was there is back when the new one cannot take its place', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'model');
    await run(writeFolderAtomic(path, (aside) => writeAtomic(join(aside, 'old'), 'old')));
    // As by another process that sweeps the folder.
    const swept = writeFolderAtomic(path, (aside) =>
      TE.tryCatch(() => rm(aside, { recursive: true }), fileError('write', aside)),
    );
    assert.match(await failure(swept), `cannot write ${path}`);
    assert.equal(await readdir(folder), ['model']);
    assert.equal(await readdir(path), ['old']);
  }));

test('what a killed process had kept of a folder is back where none took its place, and gone where one did', () =>
  inFolder(async (folder) => {
    const kept = (name: string, hex: string) => join(folder, `.${name}.77.${hex}.old`);
    const folders = [kept('lost', '00000001'), kept('lost', '00000002'), kept('there', '00000003')];
    for (const [n, path] of [...folders, join(folder, 'there')].entries()) {
      await mkdir(path);
      await writeFile(join(path, `of ${n}`), '');
      await utimes(path, n, n);
    }
    await run(removeTemporaries(folder));
    assert.equal((await readdir(folder)).sort(), ['lost', 'there']);
    assert.equal(await readdir(join(folder, 'lost')), ['of 1'], 'the newest');
    assert.equal(await readdir(join(folder, 'there')), ['of 3']);
  }));

test('a path through a file, and a path that is a folder, name the path', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const through = join(file, 'x.png');
    assert.match(await failure(writeAtomic(through, '')), new RegExp(`^cannot write ${through}: a `));
    const taken = join(folder, 'taken');
    await mkdir(taken);
    await writeFile(join(taken, 'x'), '');
    assert.is(await failure(writeAtomic(taken, '')), `cannot write ${taken}: this is a folder, not a file`);
    assert.equal((await readdir(folder)).sort(), ['file', 'taken']);
  }));

test('folders: made with those above, by several at once, and never for ever', () =>
  inFolder(async (folder) => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(join(folder, 'a', 'd'))]);
    assert.equal((await readdir(join(folder, 'a'))).sort(), ['b', 'd']);
    await writeFile(join(deep, 'file'), '');
    const refusal = await makeFolder(join(deep, 'file')).then(
      () => 'made',
      (e) => e.code,
    );
    assert.is(refusal, 'EEXIST');
    // Node's own recursion does not come back from /proc.
    if (existsSync('/proc/self'))
      assert.match(
        await failure(writeAtomic('/proc/nowhere/x/file', '')),
        /cannot write \/proc\/nowhere\/x\/file: its folder/,
      );
  }));

test('what killed processes left behind goes, and nothing else', () =>
  inFolder(async (folder) => {
    const [inside, empty] = [join(folder, 'run'), join(folder, 'none')];
    const left: string[] = [];
    const stopped = writeFolderAtomic(join(inside, 'checkpoint'), (aside) => async () => {
      left.push(aside);
      throw new Error('killed');
    });
    await stopped().catch(() => undefined);
    assert.ok(existsSync(left[0]!), 'a folder that was being written');
    const others = ['.hidden.tmp', 'a.1.0123abcd.tmp', '.gitignore', 'log.jsonl'];
    for (const name of others) await writeFile(join(inside, name), '');
    await writeFile(join(inside, '.model.safetensors.77.0123abcd.tmp'), 'half');
    await run(removeTemporaries(inside));
    assert.equal((await readdir(inside)).sort(), [...others].sort());
    await run(removeTemporaries(empty));
  }));

test('what an interrupted process left half written goes before the next write into the folder', () =>
  inFolder(async (folder) => {
    const model = join(folder, 'model');
    const atomic = pathToFileURL(join(projectDir, 'src/data/atomic.ts')).href;
    const program = `
      const { writeFolderAtomic } = await import(process.argv[1]);
      await writeFolderAtomic(process.argv[2], () => async () => process.kill(process.pid, 'SIGKILL'))();
    `;
    const args = ['--conditions=dualtoken-source', '--import', 'tsx', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, [...args, atomic, model], { cwd: projectDir, stdio: 'inherit' });
    await once(child, 'close');
    const [left] = await readdir(folder);
    assert.match(left!, /^\.model\.\d+\.[0-9a-f]{12}\.tmp$/);
    // Of a process that lives, and of another machine.
    const others = [
      left!.replace(`.${child.pid}.`, `.${process.ppid}.`),
      left!.replace(/[0-9a-f]{12}/, 'g'),
      '.model.1.0123abcd.tmp',
    ];
    for (const name of others) await writeFile(join(folder, name), '');
    await run(writeFolderAtomic(model, (aside) => writeAtomic(join(aside, 'new'), 'new')));
    assert.equal((await readdir(folder)).sort(), ['model', ...others].sort());
  }));

test('system errors become sentences', () => {
  const say = (code: string) => renderDataError(fileError('write', 'out')(Object.assign(new Error('raw'), { code })));
  assert.match(say('EACCES'), /permission denied: choose another folder/);
  assert.match(say('EROFS'), /read-only/);
  assert.is(say('EWHAT'), 'cannot write out: raw');
});

test.run();
