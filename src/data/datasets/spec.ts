// What a data set is opened from, as a configuration may say it: a path, or an object with its kind and options.
import * as z from 'zod';

const path = z.string().min(1);
/** One path, pattern (`*`, `{a,b}`, `{0000..0255}`) or folder, or several. */
const paths = z.union([path, z.array(path).min(1)]);

/** The forms of data sets, each with its options: see `FolderOptions`, `WebDatasetOptions`, `ParquetOptions`. */
const forms = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folder'),
    path,
    labels: z.boolean().optional(),
    captions: path.nullable().optional(),
    split: z.string().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('webdataset'),
    path: paths,
    image: z.string().optional(),
    caption: z.string().optional(),
    label: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('parquet'),
    path: paths,
    image: z.string().optional(),
    caption: z.string().optional(),
    label: z.string().optional(),
  }),
  z.strictObject({ kind: z.enum(['cifar10', 'cifar100']), path, split: z.enum(['train', 'test']).optional() }),
]);

/** A path whose kind is told by what lies there, or a form with its options. */
export const datasetSpecSchema = z.union([path, forms]);

export type DatasetSpec = z.output<typeof datasetSpecSchema>;
export type DatasetForm = z.output<typeof forms>;

const kinded = z.object({ kind: z.unknown() });

/** An object with every key that a form of this kind may have, for those who tell what is wrong with one; empty for an unknown kind. */
export const formExample = (form: unknown): Readonly<Record<string, unknown>> => {
  const kind = kinded.safeParse(form).data?.kind;
  return forms.options.find(({ shape }) => shape.kind.safeParse(kind).success)?.shape ?? {};
};
