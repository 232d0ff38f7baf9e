// Which columns of a Parquet file hold pictures, captions and classes, by name or as Hugging Face has them.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { FileMetaData, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import * as z from 'zod';
import { type DataError, datasetError } from '../error.ts';

/** Names of columns. */
export interface ParquetOptions {
  /** Pictures: bytes, or a struct of `bytes` and `path`. Default: image, or else the only column of such structs. */
  readonly image?: string | undefined;
  /** Captions: text, or a list of it. Default: the first there is of caption, captions, text. */
  readonly caption?: string | undefined;
  /** Classes: whole numbers. Default: label, where that is one. */
  readonly label?: string | undefined;
}

export interface Columns {
  readonly image: string;
  readonly caption: string | null;
  readonly label: string | null;
}

type Kind = 'picture struct' | 'bytes' | 'text' | 'list of text' | 'whole number' | 'other';

const leafKind = ({ element: { type, converted_type, logical_type } }: SchemaTree): Kind => {
  if (type === 'BYTE_ARRAY') {
    if (converted_type === 'UTF8' || logical_type?.type === 'STRING') return 'text';
    return converted_type === undefined && logical_type === undefined ? 'bytes' : 'other';
  }
  const plain = logical_type === undefined || logical_type.type === 'INTEGER';
  return (type === 'INT32' || type === 'INT64') && plain ? 'whole number' : 'other';
};

const kindOf = (column: SchemaTree): Kind => {
  const { children, element } = column;
  if (children.length === 0) return element.repetition_type === 'REPEATED' ? 'other' : leafKind(column);
  if (children.some((child) => child.element.name === 'bytes' && leafKind(child) === 'bytes')) return 'picture struct';
  const item = children[0]?.children[0];
  const isList = element.converted_type === 'LIST' || element.logical_type?.type === 'LIST';
  return isList && item !== undefined && item.children.length === 0 && leafKind(item) === 'text'
    ? 'list of text'
    : 'other';
};

const describe = (column: SchemaTree): string => {
  const kind = kindOf(column);
  const { name, type } = column.element;
  if (kind === 'picture struct') return `${name} (struct of bytes)`;
  return `${name} (${kind === 'other' ? (type ?? 'nested').toLowerCase() : kind})`;
};

const all = (columns: readonly SchemaTree[]): string => `its columns are ${columns.map(describe).join(', ') || 'none'}`;

/** The column of a name that must be there, or one found otherwise; an error where a named one is missing or of another kind. */
const named = (
  path: string,
  columns: readonly SchemaTree[],
  option: 'image' | 'caption' | 'label',
  name: string,
  kinds: readonly Kind[],
): E.Either<DataError, string> => {
  const column = columns.find(({ element }) => element.name === name);
  if (column === undefined)
    return E.left(datasetError(path, `there is no column ${name}; ${all(columns)}: name the right one with ${option}`));
  return kinds.includes(kindOf(column))
    ? E.right(name)
    : E.left(datasetError(path, `the column ${describe(column)} is not a ${kinds.join(' or ')}; ${all(columns)}`));
};

const pictures: readonly Kind[] = ['picture struct', 'bytes'];
const texts: readonly Kind[] = ['text', 'list of text'];
const numbers: readonly Kind[] = ['whole number'];

const usual = (columns: readonly SchemaTree[], names: readonly string[], kinds: readonly Kind[]): string | null =>
  names.find((name) => columns.some((column) => column.element.name === name && kinds.includes(kindOf(column)))) ??
  null;

/** Chooses the columns; an error names those that there are. */
export const chooseColumns = (
  path: string,
  metadata: FileMetaData,
  options: ParquetOptions,
): E.Either<DataError, Columns> => {
  const columns = parquetSchema(metadata).children;
  const structs = columns.filter((column) => kindOf(column) === 'picture struct');
  const only = structs.length === 1 ? structs[0]!.element.name : null;
  const optional = (option: 'caption' | 'label', names: readonly string[], kinds: readonly Kind[]) => {
    const name = options[option];
    return name === undefined ? E.right(usual(columns, names, kinds)) : named(path, columns, option, name, kinds);
  };
  return pipe(
    E.Do,
    E.apS(
      'image',
      named(path, columns, 'image', options.image ?? usual(columns, ['image'], pictures) ?? only ?? 'image', pictures),
    ),
    E.apS('caption', optional('caption', ['caption', 'captions', 'text'], texts)),
    E.apS('label', optional('label', ['label'], numbers)),
  );
};

/** The names of classes that Hugging Face's `datasets` writes beside the column of a label; undefined where it wrote none. */
export const classNames = ({ key_value_metadata }: FileMetaData, label: string): readonly string[] | undefined => {
  const text = key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  const schema = z.object({
    info: z.object({ features: z.object({ [label]: z.object({ names: z.array(z.string()) }) }) }),
  });
  const json = E.tryCatch((): unknown => JSON.parse(text ?? 'null'), E.toError);
  const parsed = schema.safeParse(E.isRight(json) ? json.right : null);
  return parsed.success ? parsed.data.info.features[label]?.names : undefined;
};
