// Writing and reading back, sharded checkpoints, and one clear error for every way in which a file can be broken.
import { appendFile, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { safetensorsError } from '../../src/data/error.ts';
import {
  openSafetensors,
  type PendingTensor,
  readAllValues,
  type TensorData,
  withSafetensors,
  writeSafetensors,
  writeSafetensorsFrom,
  writeShards,
} from '../../src/data/safetensors/index.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { safetensorsBytes } from '../support/safetensors.ts';
import { sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('safetensors');

const everyDtype: ReadonlyMap<string, TensorData> = new Map<string, TensorData>([
  ['f32', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0.5, 3e38, Number.POSITIVE_INFINITY) }],
  ['f16', { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 1) }],
  ['bf16', { dtype: 'BF16', shape: [1, 3], data: Uint16Array.of(0x3f80, 0xc000, 0x4049) }],
  ['i32', { dtype: 'I32', shape: [1], data: Int32Array.of(-7) }],
  ['u32', { dtype: 'U32', shape: [], data: Uint32Array.of(4294967295) }],
  ['i64', { dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 1n << 40n) }],
  ['u8', { dtype: 'U8', shape: [0, 5], data: new Uint8Array(0) }],
  ['bool', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
]);

test('every dtype, an empty tensor and a scalar come back as they went', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'all.safetensors');
    await run(writeSafetensors(path, everyDtype, { metadata: { format: 'pt', note: 'é' } }));
    const back = await run(readAllValues(path));
    for (const [name, tensor] of everyDtype) assert.equal(back.get(name), tensor, name);
    await run(
      withSafetensors(path)((file) => async () => {
        assert.equal(file.metadata, { format: 'pt', note: 'é' });
        assert.equal((await run(file.floats('bf16'))).data, Float32Array.of(1, -2, 3.140625));
        assert.equal((await run(file.floats('f16'))).data, Float32Array.of(1, -2, 2 ** -24));
        assert.equal([...(await run(file.raw('i32'))).bytes], [0xf9, 0xff, 0xff, 0xff]);
        assert.match(await failure(file.floats('i64')), /tensor "i64": is I64; F32, F16 or BF16 was expected/);
        assert.match(await failure(file.floats('x.f16')), /tensor "x.f16": there is no such tensor; it has bf16, f16/);
        return E.right(null);
      }),
    );
    const bytes = await readFile(path);
    assert.is((8 + Number(bytes.readBigUInt64LE(0))) % 8, 0, 'tensors start on 8 bytes');
  }));

test('floats stored as f16 or bf16 are rounded; what does not fit is an error and writes nothing', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'half.safetensors');
    const floats = (...values: number[]) =>
      new Map<string, TensorData>([['w', { dtype: 'F32', shape: [values.length], data: Float32Array.from(values) }]]);
    await run(writeSafetensors(path, floats(1 / 3, -1e-8, Number.POSITIVE_INFINITY), { floats: 'F16' }));
    assert.equal((await run(readAllValues(path))).get('w')?.data, Uint16Array.of(0x3555, 0x8000, 0x7c00));
    await run(writeSafetensors(path, floats(1 / 3), { floats: 'BF16' }));
    assert.equal((await run(readAllValues(path))).get('w')?.data, Uint16Array.of(0x3eab));
    const other = join(folder, 'other.safetensors');
    const message = await failure(writeSafetensors(other, floats(1, 70000), { floats: 'F16' }));
    assert.is(message, `safetensors ${other}, tensor "w": 70000 is too large for F16: store it as F32`);
    assert.match(await failure(openSafetensors(other)), /no such file/);
    const wrong = new Map<string, TensorData>([['w', { dtype: 'F32', shape: [3], data: new Float32Array(2) }]]);
    assert.match(await failure(writeSafetensors(other, wrong)), /tensor "w": shape \[3\] does not hold 2 values/);
  }));

test('a PyTorch file, zip or pickle, is told by name, with the line that converts it', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'weights.pth');
    const zip = [0x50, 0x4b, 3, 4, 0, 0, 8, 8];
    for (const start of [zip, [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46]]) {
      await writeFile(path, Uint8Array.from([...start, ...new Uint8Array(64)]));
      const message = await failure(openSafetensors(path));
      assert.match(message, /weights.pth: this is a PyTorch file, not safetensors: convert it once by python -c "/);
      assert.match(message, /torch.load\('.*weights.pth', .*save_file\(.*, '.*weights.safetensors'\)"$/);
    }
  }));

/** Opens a hand-made file and returns the error's text after the path. */
const complaint = (header: string, data = 8, length?: bigint): Promise<string> =>
  inFolder(async (folder) => {
    const path = join(folder, 'bad.safetensors');
    await writeFile(path, safetensorsBytes(header, data, length));
    const message = await failure(openSafetensors(path));
    assert.ok(message.startsWith(`safetensors ${path}`), message);
    return message.slice(`safetensors ${path}`.length);
  });

const entry = (from: number, to: number, shape = '[2]', dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;

const broken: readonly (readonly [string, Parameters<typeof complaint>, RegExp])[] = [
  ['not JSON', ['{oops'], /^: the header is not JSON/],
  ['an array', ['[]'], /^: the header is not a JSON object/],
  ['announced longer than the file', ['{}', 0, 1000n], /^: the file is truncated inside its header/],
  ['absurd length', ['{}', 0, 1n << 60n], /^: a header of 1152921504606846976 bytes is absurd/],
  ['duplicate name', [`{"a":${entry(0, 8)},"a":${entry(0, 8)}}`], /^, tensor "a": the name occurs twice/],
  ['escaped duplicate', [`{"a":${entry(0, 8)},"\\u0061":${entry(0, 8)}}`], /^, tensor "a": the name occurs twice/],
  [
    'duplicate field',
    ['{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}'],
    /"dtype": the name occurs/,
  ],
  ['missing field', ['{"a":{"dtype":"F32","shape":[2]}}'], /^, tensor "a": its entry is malformed: data_offsets/],
  ['negative dim', [`{"a":${entry(0, 8, '[-2]')}}`], /^, tensor "a": its entry is malformed: shape.0/],
  ['fractional dim', [`{"a":${entry(0, 8, '[2.5]')}}`], /^, tensor "a": its entry is malformed: shape.0/],
  ['unknown dtype', [`{"a":${entry(0, 8, '[2]', 'F128')}}`], /^, tensor "a": unknown dtype F128/],
  ['absurd shape', [`{"a":${entry(0, 8, '[4000000000, 4000000000, 8]')}}`], /^, tensor "a": .* is absurdly large/],
  [
    'wrong size',
    [`{"a":${entry(0, 8, '[3]')}}`],
    /^, tensor "a": F32 \[3\] takes 12 bytes, but its offsets 0\.\.8 hold 8/,
  ],
  ['reversed', [`{"a":${entry(8, 0)}}`], /^, tensor "a": F32 \[2\] takes 8 bytes, but its offsets 8\.\.0 hold -8/],
  ['overlap', [`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12], /^, tensor "b": its bytes overlap those of "a"/],
  ['hole', [`{"a":${entry(0, 8)},"b":${entry(12, 20)}}`, 20], /^, tensor "b": 4 bytes between it and "a" belong to no/],
  ['hole at the start', [`{"a":${entry(4, 12)}}`, 12], /^, tensor "a": 4 bytes between it and the header/],
  ['truncated data', [`{"a":${entry(0, 8)}}`, 7], /^, tensor "a": the file is truncated: it needs \d+ bytes/],
  ['left over', [`{"a":${entry(0, 8)}}`, 9], /^: 1 bytes after the last tensor belong to nothing/],
  ['metadata', [`{"__metadata__":{"a":1}}`, 0], /^, tensor "__metadata__": must map strings to strings/],
];
for (const [name, args, expected] of broken)
  test(`broken: ${name}`, async () => {
    assert.match(await complaint(...args), expected);
  });

test('too short, not UTF-8, missing, a folder without weights', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x.safetensors');
    await writeFile(path, 'hello');
    assert.match(await failure(openSafetensors(path)), /has 5 bytes: too short/);
    await writeFile(path, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe));
    assert.match(await failure(openSafetensors(path)), /header is not UTF-8/);
    assert.match(await failure(openSafetensors(join(folder, 'none'))), /^cannot read .*none: no such file or folder$/);
    const empty = join(folder, 'empty');
    await mkdir(empty);
    assert.match(await failure(openSafetensors(empty)), /holds neither model.safetensors.index.json nor/);
  }));

const one = (value: number): TensorData => ({ dtype: 'F32', shape: [1], data: Float32Array.of(value) });
const shards = async (folder: string, map: Record<string, string>): Promise<void> => {
  await run(writeSafetensors(join(folder, 'm-1.safetensors'), new Map([['a', one(1)]])));
  await run(
    writeSafetensors(
      join(folder, 'm-2.safetensors'),
      new Map([
        ['b', one(2)],
        ['c', one(3)],
      ]),
    ),
  );
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
};
const goodMap = { a: 'm-1.safetensors', b: 'm-2.safetensors', c: 'm-2.safetensors' };

test('a sharded checkpoint opens by folder and by index', () =>
  inFolder(async (folder) => {
    await shards(folder, goodMap);
    for (const path of [folder, join(folder, 'model.safetensors.index.json')]) {
      const all = await run(readAllValues(path));
      assert.equal(
        [...all].map(([name, { data }]) => [name, Number(data[0])]),
        [
          ['a', 1],
          ['b', 2],
          ['c', 3],
        ],
      );
    }
  }));

/** Tensors of `length` values, which are their own number; `read` hears of each. */
const pendings = (count: number, length: number, read: (name: string) => void): readonly PendingTensor[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `t${i}`,
    dtype: 'F32',
    shape: [length],
    read: () => {
      read(`t${i}`);
      return Promise.resolve(E.right({ dtype: 'F32', shape: [length], data: new Float32Array(length).fill(i) }));
    },
  }));

test('tensors are written in their order, each read when its turn comes, in shards with an index', () =>
  inFolder(async (folder) => {
    const order: string[] = [];
    const tensors = pendings(11, 100, (name) => order.push(name));
    // 200 bytes each as F16: four to a shard.
    await run(writeShards(folder, tensors, 800, { floats: 'F16', metadata: { format: 'dualtoken' } }));
    assert.equal(
      order,
      tensors.map(({ name }) => name),
    );
    assert.equal((await readdir(folder)).sort(), [
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    const back = await run(readAllValues(folder));
    assert.equal([...back.keys()], order);
    assert.equal(back.get('t10'), { dtype: 'F16', shape: [100], data: new Uint16Array(100).fill(0x4900) });
    const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8'));
    assert.is(index.metadata.total_size, 2200);
    // One that no shard would hold has its own.
    await run(
      writeShards(
        join(folder, 'large'),
        pendings(2, 100, () => {}),
        10,
      ),
    );
    assert.is((await readdir(join(folder, 'large'))).length, 3);
  }));

test('a tensor that cannot be read, or is not what was announced, is the error, and nothing is left', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x.safetensors');
    const [first, second] = pendings(2, 3, () => {});
    const broken: PendingTensor = { ...second!, read: TE.left(safetensorsError('source', 't1', 'is gone')) };
    assert.is(await failure(writeSafetensorsFrom(path, [first!, broken])), 'safetensors source, tensor "t1": is gone');
    const longer: PendingTensor = { ...second!, shape: [4] };
    assert.match(await failure(writeSafetensorsFrom(path, [first!, longer])), /shape \[4\] does not hold 3 values/);
    assert.match(
      await failure(writeSafetensorsFrom(path, [first!, first!])),
      /tensor "t0": two tensors have this name/,
    );
    assert.match(await failure(writeShards(folder, [first!, broken], 12)), 'is gone');
    assert.equal(await readdir(folder), ['model-00001-of-00002.safetensors']);
  }));

test('an index that disagrees with its shards names the tensor', () =>
  inFolder(async (folder) => {
    await shards(folder, { ...goodMap, d: 'm-1.safetensors' });
    assert.match(await failure(openSafetensors(folder)), /tensor "d": the index places it in .*m-1.safetensors, which/);
    await shards(folder, { ...goodMap, a: '../m-1.safetensors' });
    assert.match(await failure(openSafetensors(folder)), /tensor "a": the index points outside its folder/);
    await shards(folder, { ...goodMap, a: 'm-3.safetensors' });
    assert.match(await failure(openSafetensors(folder)), /^cannot read .*m-3.safetensors: no such file/);
    await run(
      writeSafetensors(
        join(folder, 'm-1.safetensors'),
        new Map([
          ['a', one(1)],
          ['b', one(1)],
        ]),
      ),
    );
    await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: goodMap }));
    assert.match(await failure(openSafetensors(folder)), /m-2.safetensors, tensor "b": the name occurs twice/);
    await writeFile(join(folder, 'model.safetensors.index.json'), '{"weight_map": 3}');
    assert.match(await failure(openSafetensors(folder)), /no "weight_map"/);
  }));

test('a 5 GB file is opened and read by tensor, not as a whole', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'sparse.safetensors');
    const big = 5 * 2 ** 30;
    const header = `{"big":${entry(0, big, `[${big / 4}]`)},"small":${entry(big, big + 8)}}`;
    await writeFile(path, safetensorsBytes(header, 0));
    const handle = await open(path, 'r+');
    // A sparse file: its size is real, its bytes take no disk.
    await handle.truncate((await handle.stat()).size + big);
    await handle.close();
    await appendFile(path, new Uint8Array(Float32Array.of(1, 2).buffer));
    const before = process.memoryUsage().rss;
    await run(
      withSafetensors(path)((file) => async () => {
        assert.equal((await run(file.floats('small'))).data, Float32Array.of(1, 2));
        return E.right(null);
      }),
    );
    assert.ok(process.memoryUsage().rss - before < 200e6);
  }));

test('a file that shrinks while open is an error, not garbage', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.safetensors');
    await run(writeSafetensors(path, new Map([['a', one(1)]])));
    const file = await run(openSafetensors(path));
    const handle = await open(path, 'r+');
    await handle.truncate(20);
    await handle.close();
    assert.match(await failure(file.raw('a')), /tensor "a": the file became shorter/);
    await file.close();
  }));

test('real weights: every tensor of a published autoencoder', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('real safetensors weights need ../shared/data/taef2-autoencoder');
  const path = join(shared, 'data', 'taef2-autoencoder', 'taef2_decoder.safetensors');
  await run(
    withSafetensors(path)((file) => async () => {
      for (const [name, { dtype }] of file.tensors) {
        assert.is(dtype, 'F16', name);
        assert.ok((await run(file.floats(name))).data.every(Number.isFinite), name);
      }
      return E.right(null);
    }),
  );
});

test.run();
