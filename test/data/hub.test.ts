// Fetching from a hub: what is wanted, transfers that stop and go on, checksums, refusals, and no hub at all.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDataError } from '../../src/data/error.ts';
import { retryAfter } from '../../src/data/hub/hub.ts';
import {
  downloadFile,
  type HubFile,
  listRepository,
  openRepository,
  type Repository,
  wantedFiles,
} from '../../src/data/hub/index.ts';
import { failure, inFolder, leftOf, rightOf, run } from '../support/files.ts';
import { type FakeHub, withHub } from '../support/hub.ts';

const test = suite('fetching from a hub');

const bytes = (n: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length: n }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24));

const large = bytes(300_000, 1);
const files = {
  'config.json': Buffer.from('{"hidden_size": 4}'),
  'model.safetensors': large,
  'pytorch_model.bin': bytes(1000, 2),
  'sub/höhe & breite.txt': Buffer.from('é'),
  'sub/empty.txt': Buffer.alloc(0),
  'README.md': Buffer.from('# tower'),
};

const repositoryAt = (hub: FakeHub, env: Readonly<Record<string, string>> = {}, revision = 'main'): Repository =>
  rightOf(openRepository('acme/tower', revision, { HF_ENDPOINT: `${hub.url}/`, ...env }));

const named = async (repository: Repository, path: string): Promise<HubFile> =>
  (await run(listRepository(repository))).find((file) => file.path === path)!;

/** What was asked for of large files. */
const ranges = (hub: FakeHub): readonly string[] =>
  hub.asked.filter(({ store }) => store).map(({ range }) => range ?? 'all');

const quick = { pause: 1 };

test('a repository, its hub and its token are named rightly, or said to be wrong', () => {
  assert.equal(rightOf(openRepository('a/b.c-d_e', 'main', {})), {
    hub: { endpoint: 'https://huggingface.co', token: null },
    name: 'a/b.c-d_e',
    revision: 'main',
  });
  const wrong = (name: string, env: Readonly<Record<string, string>>) =>
    renderDataError(leftOf(openRepository(name, 'main', env)));
  for (const name of ['tower', 'https://huggingface.co/a/b', 'a/b/c', 'a/../b', 'a/..', ''])
    assert.match(wrong(name, {}), /owner\/name/, name);
  assert.match(wrong('a/b', { HF_ENDPOINT: 'huggingface.co' }), /HF_ENDPOINT is 'huggingface\.co'/);
  assert.match(wrong('a/b', { HF_TOKEN: 'secret' }), /HF_TOKEN is no token/);
  assert.not.match(wrong('a/b', { HF_TOKEN: 'secret' }), /secret/);
});

test('a listing of several pages, and what of it is wanted', () =>
  withHub(files, async (hub) => {
    const repository = repositoryAt(hub);
    const all = await run(listRepository(repository));
    assert.equal(
      all.map(({ path, size }) => [path, size]),
      Object.entries(files).map(([path, data]) => [path, data.length]),
    );
    const wanted = async (...patterns: readonly string[]) =>
      (await run(wantedFiles(repository, all, patterns))).map(({ path }) => path);
    assert.equal(await wanted(), ['config.json', 'model.safetensors', 'sub/höhe & breite.txt', 'sub/empty.txt']);
    assert.equal(await wanted('*.bin', 'config.*'), ['config.json', 'pytorch_model.bin']);
    assert.equal(await wanted('empty.txt'), ['sub/empty.txt']);
    assert.equal(await wanted('sub/*'), ['sub/höhe & breite.txt', 'sub/empty.txt']);
    assert.match(await failure(wantedFiles(repository, all, ['*.json', '*.gguf'])), /'\*\.gguf'; .*holds config\.json/);
    assert.match(
      await failure(wantedFiles(repository, all, ['x[9-1]'])),
      /^acme\/tower: 'x\[9-1\]': the ends of a range/,
    );
    assert.match(await failure(wantedFiles(repository, all.slice(2, 3), [])), /pytorch_model\.bin: .*--file/);
    const elsewhere = repositoryAt(hub, {}, 'refs/pr/1');
    assert.is((await run(listRepository(elsewhere))).length, 6);
  }));

test('files arrive whole, at their paths, and once', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const all = await run(listRepository(repository));
      let there = 0;
      const fetchAll = () =>
        run(
          TE.sequenceSeqArray(
            all.map((file) => downloadFile(repository, file, folder, { ...quick, onBytes: (n) => (there += n) })),
          ),
        );
      assert.equal(await fetchAll(), [true, true, true, true, true, true]);
      for (const [path, data] of Object.entries(files))
        assert.ok(data.equals(await readFile(join(folder, path))), path);
      assert.equal((await readdir(folder)).sort(), [
        'README.md',
        'config.json',
        'model.safetensors',
        'pytorch_model.bin',
        'sub',
      ]);
      const total = Object.values(files).reduce((sum, data) => sum + data.length, 0);
      assert.is(there, total);
      const before = hub.asked.length;
      assert.equal(await fetchAll(), [false, false, false, false, false, false]);
      assert.is(hub.asked.length, before, 'nothing is asked of the hub');
      await writeFile(join(folder, 'config.json'), '{"hidden_size": 5}');
      assert.equal(await fetchAll(), [true, false, false, false, false, false]);
    }),
  ));

test('a transfer that stops goes on: at once while it comes further, else when it is asked for again', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const file = await named(repository, 'model.safetensors');
      hub.cutEvery = 100_000;
      hub.cutAt = 220_000;
      const message = await failure(downloadFile(repository, file, folder, quick));
      const after =
        /^acme\/tower: model\.safetensors: the transfer stopped after (\d+) of 300000 bytes: run the command again/;
      assert.match(message, after);
      // What a connection held when it was cut is lost: where transfers stop depends on how fast they are read.
      const came = Number(after.exec(message)![1]);
      assert.ok(came > 0 && came <= 220_000, `${came}`);
      const starts = ranges(hub).map((range) => (range === 'all' ? 0 : Number(/^bytes=(\d+)-$/.exec(range)![1])));
      const last = starts.indexOf(came);
      assert.equal(starts.slice(last), [came, came, came]);
      starts.slice(1, last + 1).forEach((start, i) => {
        assert.ok(start >= starts[i]!, `${starts}`);
      });
      assert.equal(await readdir(folder), ['model.safetensors.part']);
      assert.is((await stat(join(folder, 'model.safetensors.part'))).size, came);
      hub.cutEvery = null;
      hub.cutAt = null;
      const changes: (readonly [number, boolean])[] = [];
      await run(
        downloadFile(repository, file, folder, { ...quick, onBytes: (n, fetched) => changes.push([n, fetched]) }),
      );
      assert.is(ranges(hub).at(-1), `bytes=${came}-`);
      assert.equal(changes[0], [came, false]);
      assert.is(
        changes.filter(([, fetched]) => fetched).reduce((sum, [n]) => sum + n, 0),
        300_000 - came,
      );
      assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
      assert.equal(await readdir(folder), ['model.safetensors']);
    }),
  ));

test('a connection that stays open and says nothing counts as stopped', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const file = await named(repository, 'model.safetensors');
      hub.cutEvery = 200_000;
      hub.silent = true;
      await run(downloadFile(repository, file, folder, { ...quick, silence: 500 }));
      assert.is(ranges(hub).length, 2);
      assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
    }),
  ));

test('a hub that is busy in the middle of a file is asked again, three times at most', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const file = await named(repository, 'model.safetensors');
      await writeFile(join(folder, 'model.safetensors.part'), large.subarray(0, 200_000));
      hub.busy = [503, 429];
      assert.is(await run(downloadFile(repository, file, folder, quick)), true);
      assert.equal(ranges(hub), Array(3).fill('bytes=200000-'));
      assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
      const other = await named(repository, 'pytorch_model.bin');
      for (const [status, sentence] of [
        [429, /^acme\/tower: the hub has had too many requests/],
        [502, /^acme\/tower: pytorch_model\.bin: the answer is 502/],
      ] as const) {
        hub.busy = [status, status, status];
        assert.match(await failure(downloadFile(repository, other, folder, quick)), sentence);
        assert.equal(hub.busy, []);
      }
    }),
  ));

test('what a hub asks to wait is waited, a minute at most', () => {
  const now = Date.parse('2025-01-01T00:00:00Z');
  const asked = [
    null,
    '',
    'soon',
    '0',
    '2',
    '9999',
    '-1',
    'Wed, 01 Jan 2025 00:00:05 GMT',
    'Tue, 31 Dec 2024 00:00:00 GMT',
  ];
  assert.equal(
    asked.map((header) => retryAfter(header, now)),
    [0, 0, 0, 0, 2000, 60_000, 0, 5000, 0],
  );
});

test('a part is begun anew where the hub knows no ranges, and where it is of another revision', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const file = await named(repository, 'model.safetensors');
      const part = join(folder, 'model.safetensors.part');
      const fetched = async () => {
        let there = 0;
        await run(downloadFile(repository, file, folder, { ...quick, onBytes: (n) => (there += n) }));
        assert.is(there, large.length);
        assert.ok(large.equals(await readFile(join(folder, 'model.safetensors'))));
        assert.equal(await readdir(folder), ['model.safetensors']);
        await writeFile(join(folder, 'model.safetensors'), '');
      };
      hub.ranges = false;
      await writeFile(part, large.subarray(0, 1000));
      await fetched();
      hub.ranges = true;
      for (const stale of [bytes(5000, 9), bytes(large.length, 9), bytes(large.length + 7, 9)]) {
        await writeFile(part, stale);
        await fetched();
      }
    }),
  ));

test('a file that is not what the hub states is not kept', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      for (const path of ['model.safetensors', 'config.json']) hub.wrong.add(path);
      const repository = repositoryAt(hub);
      for (const path of hub.wrong) {
        const message = await failure(downloadFile(repository, await named(repository, path), folder, quick));
        assert.match(message, `acme/tower: ${path} does not have the checksum`);
      }
      assert.equal(await readdir(folder), []);
    }),
  ));

test('a token goes to the hub, and not to the server that files are kept on', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      hub.token = 'hf_right';
      const refusal = async (env: Readonly<Record<string, string>>) => failure(listRepository(repositoryAt(hub, env)));
      assert.match(await refusal({}), /^acme\/tower: .*no such repository, or it is private or gated: .*HF_TOKEN/);
      assert.match(await refusal({ HF_TOKEN: 'hf_wrong' }), /does not accept HF_TOKEN/);
      const repository = repositoryAt(hub, { HF_TOKEN: 'hf_right' });
      await run(downloadFile(repository, await named(repository, 'model.safetensors'), folder, quick));
      const [atStore, atHub] = [true, false].map(
        (store) => hub.asked.filter((one) => one.store === store).at(-1)?.authorization,
      );
      assert.equal([atStore, atHub], [undefined, 'Bearer hf_right']);
    }),
  ));

test('refusals are one sentence each', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const said = (status: number) => {
        hub.status = status;
        return failure(listRepository(repositoryAt(hub)));
      };
      assert.match(await said(403), /does not let this account in/);
      assert.match(await said(404), /no such repository at http.*, or it has no revision 'main'/);
      assert.match(await said(429), /too many requests/);
      assert.match(await said(503), /the answer is 503/);
      hub.status = null;
      assert.match(await failure(listRepository(repositoryAt(hub, {}, 'nowhere'))), /no revision 'nowhere'/);
      const repository = repositoryAt(hub);
      const file = await named(repository, 'config.json');
      hub.files.delete('config.json');
      assert.match(
        await failure(downloadFile(repository, file, folder, quick)),
        /config\.json is not there at revision 'main'/,
      );
      hub.files.set('../outside.json', Buffer.from('{}'));
      assert.match(
        await failure(listRepository(repository)),
        /'\.\.\/outside\.json', which would be written elsewhere/,
      );
      assert.equal(await readdir(folder), []);
    }),
  ));

test('no hub, and a server that is none', async () => {
  let gone: Repository | null = null;
  let file: HubFile | null = null;
  await withHub(files, async (hub) => {
    gone = repositoryAt(hub);
    file = await named(gone, 'config.json');
    const page = rightOf(
      openRepository('acme/tower', 'main', { HF_ENDPOINT: `${hub.url}/acme/tower/resolve/main/README.md?` }),
    );
    assert.match(await failure(listRepository(page)), /does not answer as a hub does: correct HF_ENDPOINT/);
  });
  await inFolder(async (folder) => {
    const silence =
      /^acme\/tower: the hub cannot be reached at http:\S+ \(ECONNREFUSED\): check the connection, or set HF_ENDPOINT/;
    assert.match(await failure(listRepository(gone!)), silence);
    assert.match(await failure(downloadFile(gone!, file!, folder, quick)), silence);
    assert.equal(await readdir(folder), []);
  });
});

test('a folder that cannot be written is named', () =>
  withHub(files, (hub) =>
    inFolder(async (folder) => {
      const repository = repositoryAt(hub);
      const file = await named(repository, 'config.json');
      await writeFile(join(folder, 'file'), '');
      assert.match(await failure(downloadFile(repository, file, join(folder, 'file'), quick)), /cannot write .*file/);
      await mkdir(join(folder, 'config.json'));
      assert.match(
        await failure(downloadFile(repository, file, folder, quick)),
        /cannot write .*config\.json: .*folder/,
      );
    }),
  ));

test.run();
