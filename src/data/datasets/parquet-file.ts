// One Parquet file with pictures: its row groups, and rows of a group. hyparquet decodes; only the columns in use are read.

import { stat } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { codeOf, type DataError, datasetError, describeCause, fileError } from '../error.ts';
import { type ByteSource, fileSource } from '../range.ts';
import { type Columns, chooseColumns, classNames, type ParquetOptions } from './parquet-columns.ts';

/** Rows that are stored together. */
export interface RowGroup {
  /** The first row. */
  readonly start: number;
  readonly size: number;
  /** Of pictures and captions, unpacked. */
  readonly bytes: number;
  /** Reads them; rejects with what is wrong. */
  readonly rows: () => Promise<readonly Row[]>;
}

export interface Row {
  /** Null where the file holds no bytes of it. */
  readonly image: Uint8Array | null;
  readonly captions: readonly string[];
}

export interface ParquetFile {
  readonly path: string;
  readonly size: number;
  readonly groups: readonly RowGroup[];
  readonly captions: boolean;
  readonly labels: Int32Array | null;
  readonly classes: readonly string[] | undefined;
}

type Rows = readonly Readonly<Record<string, unknown>>[];

const asyncBuffer = ({ size, read }: ByteSource): AsyncBuffer => ({
  byteLength: size,
  slice: async (start, end = size) => (await read(start, Math.min(end, size) - start)).buffer,
});

const imageOf = (value: unknown): Uint8Array | null => {
  const bytes: unknown = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value;
  return bytes instanceof Uint8Array ? bytes : null;
};

const captionsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((x: unknown) =>
    typeof x === 'string' && x.trim() !== '' ? [x.trim()] : [],
  );

/** Labels as numbers from 0 on, -1 for none; null where a value is no such number. */
const labelOf = (value: unknown): number | null => {
  if (value === null || value === undefined) return -1;
  const number = Number(value);
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? Math.max(number, -1) : null;
};

/** The row groups that have rows, with `rows` to read each. */
const groupsOf = (
  metadata: FileMetaData,
  columns: readonly string[],
  rows: (start: number, end: number) => Promise<readonly Row[]>,
): readonly RowGroup[] => {
  let start = 0;
  const groups = metadata.row_groups.map(({ num_rows, columns: chunks }): RowGroup => {
    const size = Number(num_rows);
    const used = chunks.flatMap(({ meta_data }) =>
      meta_data !== undefined && columns.includes(meta_data.path_in_schema[0] ?? '') ? [meta_data] : [],
    );
    const bytes = used.reduce((sum, { total_uncompressed_size }) => sum + Number(total_uncompressed_size), 0);
    const begin = start;
    start += size;
    return { start: begin, size, bytes, rows: () => rows(begin, begin + size) };
  });
  return groups.filter(({ size }) => size > 0);
};

const readError =
  (path: string) =>
  (cause: unknown): DataError =>
    codeOf(cause) === ''
      ? datasetError(path, `it is not a whole Parquet file (${describeCause(cause)}): get it again`)
      : fileError('read', path)(cause);

const readLabels = async (
  path: string,
  column: string,
  read: (columns: string[]) => Promise<Rows>,
): Promise<E.Either<DataError, Int32Array>> => {
  const rows = await read([column]);
  const labels = new Int32Array(rows.length);
  for (const [n, row] of rows.entries()) {
    const label = labelOf(row[column]);
    if (label === null)
      return E.left(datasetError(path, `row ${n}: the label ${String(row[column])} is no class’s number`));
    labels[n] = label;
  }
  return E.right(labels);
};

/** Opens a file: reads its footer, and the column of classes if there is one. */
export const openParquetFile =
  (options: ParquetOptions) =>
  (path: string): TE.TaskEither<DataError, ParquetFile> => {
    const reading = <A>(work: () => Promise<A>) => TE.tryCatch(work, readError(path));
    const opened = async () => {
      const file = asyncBuffer(fileSource(path, (await stat(path)).size));
      return { file, metadata: await parquetMetadataAsync(file) };
    };
    return pipe(
      reading(opened),
      TE.bind('columns', ({ metadata }) => TE.fromEither(chooseColumns(path, metadata, options))),
      TE.bind('labels', ({ file, metadata, columns: { label } }) =>
        label === null
          ? TE.right(null)
          : pipe(
              reading(() =>
                readLabels(path, label, (columns) => parquetReadObjects({ file, metadata, columns, compressors })),
              ),
              TE.chainEitherK((labels) => labels),
            ),
      ),
      TE.map(({ file, metadata, columns, labels }) => parquetFile(path, file, metadata, columns, labels)),
    );
  };

const parquetFile = (
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  { image, caption, label }: Columns,
  labels: Int32Array | null,
): ParquetFile => {
  const columns = caption === null ? [image] : [image, caption];
  const read = async (rowStart: number, rowEnd: number): Promise<readonly Row[]> => {
    // Without utf8, bytes that are not marked as text stay bytes.
    const options = { file, metadata, columns, rowStart, rowEnd, compressors, utf8: false };
    const rows: Rows = await parquetReadObjects(options);
    if (rows.length !== rowEnd - rowStart) throw new Error(`${rows.length} rows are there`);
    return rows.map((row) => ({
      image: imageOf(row[image]),
      captions: caption === null ? [] : captionsOf(row[caption]),
    }));
  };
  return {
    path,
    size: Number(metadata.num_rows),
    groups: groupsOf(metadata, columns, read),
    captions: caption !== null,
    labels,
    classes: label === null ? undefined : classNames(metadata, label),
  };
};
