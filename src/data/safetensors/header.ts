// The table of contents of a safetensors file, checked strictly: what passes here can be read without further doubt.
// Layout: u64 little-endian length N, N bytes of JSON, then the tensors, contiguous, in any order.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { type DataError, describeCause, safetensorsError } from '../error.ts';
import { dtypeBytes, elementsOf } from './dtype.ts';

/** Bytes before the JSON: its length. */
export const lengthBytes = 8;

/** The format's own limit for the JSON. */
export const maxHeaderBytes = 100_000_000;

/** Where one tensor lies: `begin` and `end` are bytes from the start of the file. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order in which they lie in the file. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

const count = z.number().int().nonnegative();
const entrySchema = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const metadataSchema = z.record(z.string(), z.string());
const headerSchema = z.record(z.string(), z.unknown());

/** The first key that occurs twice in one object of a valid JSON text, or null; `JSON.parse` keeps the last silently. */
export const duplicateKey = (json: string): string | null => {
  const open: Set<string>[] = [];
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(?=(\s*:)?)|[{}]/g)) {
    const token = match[0];
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (match[1] !== undefined) {
      const key = String(JSON.parse(token));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
};

const parseJson = (path: string, bytes: Uint8Array): E.Either<DataError, Record<string, unknown>> => {
  const fail = (reason: string) => E.left(safetensorsError(path, null, reason));
  const text = E.tryCatch(
    () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    describeCause,
  );
  if (E.isLeft(text)) return fail('the header is not UTF-8: the file is damaged or not safetensors');
  const json = E.tryCatch((): unknown => JSON.parse(text.right), describeCause);
  if (E.isLeft(json)) return fail(`the header is not JSON (${json.left}): the file is damaged or not safetensors`);
  const object = headerSchema.safeParse(json.right);
  if (!object.success || Array.isArray(json.right)) return fail('the header is not a JSON object');
  const duplicate = duplicateKey(text.right);
  return duplicate === null ? E.right(object.data) : E.left(safetensorsError(path, duplicate, 'the name occurs twice'));
};

const parseEntry = (path: string, name: string, value: unknown, dataStart: number): E.Either<DataError, TensorInfo> => {
  const fail = (reason: string) => E.left(safetensorsError(path, name, reason));
  const entry = entrySchema.safeParse(value);
  if (!entry.success) {
    const issue = entry.error.issues[0];
    return fail(`its entry is malformed: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const {
    dtype,
    shape,
    data_offsets: [from, to],
  } = entry.data;
  const width = dtypeBytes.get(dtype);
  if (width === undefined) return fail(`unknown dtype ${dtype}; known: ${[...dtypeBytes.keys()].join(' ')}`);
  const bytes = elementsOf(shape) * width;
  if (!Number.isSafeInteger(bytes)) return fail(`shape [${shape.join(', ')}] is absurdly large`);
  if (to - from !== bytes)
    return fail(
      `${dtype} [${shape.join(', ')}] takes ${bytes} bytes, but its offsets ${from}..${to} hold ${to - from}`,
    );
  return E.right({ name, dtype, shape, file: path, begin: dataStart + from, end: dataStart + to });
};

/** Tensors must cover the data exactly: no overlap, no hole, nothing missing, nothing left over. */
const checkCoverage = (
  path: string,
  sorted: readonly TensorInfo[],
  dataStart: number,
  fileBytes: number,
): E.Either<DataError, null> => {
  let end = dataStart;
  let before = 'the header';
  for (const info of sorted) {
    const fail = (reason: string) => E.left(safetensorsError(path, info.name, reason));
    if (info.end > fileBytes)
      return fail(
        `the file is truncated: it needs ${info.end} bytes, the file has ${fileBytes}; it was not copied whole`,
      );
    if (info.begin < end) return fail(`its bytes overlap those of ${before}`);
    if (info.begin > end) return fail(`${info.begin - end} bytes between it and ${before} belong to no tensor`);
    end = info.end;
    before = `"${info.name}"`;
  }
  return end === fileBytes
    ? E.right(null)
    : E.left(safetensorsError(path, null, `${fileBytes - end} bytes after the last tensor belong to nothing`));
};

/** Whether a file begins as PyTorch's do: a zip, or, before 1.6, a pickle of protocol 2 or later. */
const isPyTorch = ([a, b = 0, c, d]: Uint8Array): boolean =>
  (a === 0x50 && b === 0x4b && c === 3 && d === 4) || (a === 0x80 && b >= 2 && b <= 5);

const fromPyTorch = (path: string): string => {
  const target = `${path.replace(/\.(pth|pt|ckpt|bin)$/i, '')}.safetensors`;
  return `this is a PyTorch file, not safetensors: convert it once by python -c "import torch, safetensors.torch as s; t = torch.load('${path}', map_location='cpu', weights_only=True); s.save_file({k: v.clone().contiguous() for k, v in t.get('state_dict', t).items() if torch.is_tensor(v)}, '${target}')"`;
};

/** The length of the JSON from the first 8 bytes of a file of `fileBytes` bytes. */
export const parseLength = (path: string, first: Uint8Array, fileBytes: number): E.Either<DataError, number> => {
  const fail = (reason: string) => E.left(safetensorsError(path, null, reason));
  if (first.length < lengthBytes) return fail(`the file has ${fileBytes} bytes: too short to be safetensors`);
  const length = new DataView(first.buffer, first.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    return fail(
      isPyTorch(first) ? fromPyTorch(path) : `a header of ${length} bytes is absurd: this is not safetensors`,
    );
  if (Number(length) > fileBytes - lengthBytes)
    return fail(
      `the file is truncated inside its header: ${length} bytes announced, ${fileBytes - lengthBytes} present`,
    );
  return E.right(Number(length));
};

/** Checks the JSON of a file of `fileBytes` bytes; the first fault is reported, with the tensor's name where it has one. */
export const parseHeader = (path: string, json: Uint8Array, fileBytes: number): E.Either<DataError, Header> => {
  const parsed = parseJson(path, json);
  if (E.isLeft(parsed)) return parsed;
  const { __metadata__: rawMetadata, ...entries } = parsed.right;
  const metadata = metadataSchema.safeParse(rawMetadata ?? {});
  if (!metadata.success) return E.left(safetensorsError(path, '__metadata__', 'must map strings to strings'));
  const dataStart = lengthBytes + json.length;
  const tensors: TensorInfo[] = [];
  for (const [name, value] of Object.entries(entries)) {
    const info = parseEntry(path, name, value, dataStart);
    if (E.isLeft(info)) return info;
    tensors.push(info.right);
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const covered = checkCoverage(path, tensors, dataStart, fileBytes);
  return E.isLeft(covered) ? covered : E.right({ tensors, metadata: metadata.data });
};
