// Small Parquet files as Hugging Face has them: a struct of picture bytes and path, and columns beside it.
import { writeFile } from 'node:fs/promises';
import type { KeyValue, SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';

type Column =
  | { readonly kind: 'image'; readonly data: readonly ({ bytes: Uint8Array | null; path: string | null } | null)[] }
  | { readonly kind: 'bytes'; readonly data: readonly (Uint8Array | null)[] }
  | { readonly kind: 'text'; readonly data: readonly (string | null)[] }
  | { readonly kind: 'texts'; readonly data: readonly (readonly string[])[] }
  | { readonly kind: 'int'; readonly data: readonly (bigint | null)[] };

const optional = 'OPTIONAL' as const;
const bytes = 'BYTE_ARRAY' as const;
const text = { type: bytes, converted_type: 'UTF8', repetition_type: optional } as const;

const elements: Readonly<Record<Column['kind'], (name: string) => SchemaElement[]>> = {
  image: (name) => [
    { name, num_children: 2, repetition_type: optional },
    { name: 'bytes', type: bytes, repetition_type: optional },
    { name: 'path', ...text },
  ],
  bytes: (name) => [{ name, type: bytes, repetition_type: optional }],
  text: (name) => [{ name, ...text }],
  texts: (name) => [
    { name, num_children: 1, repetition_type: optional, converted_type: 'LIST' },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', ...text },
  ],
  int: (name) => [{ name, type: 'INT64', repetition_type: optional }],
};

export interface ParquetFileOptions {
  readonly rowGroupSize?: number;
  readonly codec?: 'SNAPPY' | 'UNCOMPRESSED';
  readonly metadata?: KeyValue[];
}

/** Writes a file of the given columns, all of one length. */
export const writeParquet = async (
  path: string,
  columns: Readonly<Record<string, Column>>,
  { rowGroupSize = 100, codec = 'SNAPPY', metadata = [] }: ParquetFileOptions = {},
): Promise<void> => {
  const named = Object.entries(columns);
  const buffer = parquetWriteBuffer({
    columnData: named.map(([name, { data }]) => ({ name, data: [...data] })),
    schema: [
      { name: 'root', num_children: named.length },
      ...named.flatMap(([name, { kind }]) => elements[kind](name)),
    ],
    rowGroupSize,
    codec,
    kvMetadata: metadata,
  });
  await writeFile(path, new Uint8Array(buffer));
};
