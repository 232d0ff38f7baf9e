// The names and templates of zero-shot classes, from a file: open_clip's ImageNet metadata, OpenAI's prompts of other data sets, or one's own.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import { type DataError, datasetError } from '../../data/error.ts';
import { readJson } from '../../data/json.ts';

export interface ClassPrompts {
  readonly classes: readonly string[];
  /** Other names of the classes, such as WordNet's, by which folders call them. */
  readonly aliases: readonly string[];
  /** Sentences with `{}` in the place of the name. */
  readonly templates: readonly string[];
}

const names = z.array(z.string()).min(1);
const templates = z.array(z.string().includes('{}', 'a template has {} in the place of the class')).min(1);
const one = z.object({ classes: names, templates, aliases: names.optional() });
const imagenet = z
  .object({ wnids: names.optional(), openai_classnames: names, templates: z.record(z.string(), templates) })
  .transform((x) => ({ classes: x.openai_classnames, aliases: x.wnids, templates: x.templates }));
/** Only the one that is chosen must be whole. */
const many = z.record(z.string(), z.object({ classes: z.array(z.unknown()), templates: z.array(z.unknown()) }));

/** What is chosen of a file that holds several sets of classes, or of templates. */
export interface PromptChoice {
  /** Of OpenAI's file: CIFAR10, OxfordPets, … */
  readonly set?: string | undefined;
  /** Of the ImageNet file: part of the name of a list. Default OPENAI, the 80. */
  readonly templates?: string | undefined;
}

const chooseTemplates = (
  lists: Readonly<Record<string, readonly string[]>>,
  wanted = 'OPENAI',
): E.Either<string, readonly string[]> => {
  const found = Object.keys(lists).find((name) => name.toLowerCase().includes(wanted.toLowerCase()));
  return found === undefined
    ? E.left(`it has no templates '${wanted}'; there are ${Object.keys(lists).join(', ')}`)
    : E.right(lists[found]!);
};

const choose = (json: unknown, { set, templates: wanted }: PromptChoice): E.Either<string, ClassPrompts> => {
  const asImageNet = imagenet.safeParse(json);
  if (asImageNet.success)
    return pipe(
      chooseTemplates(asImageNet.data.templates, wanted),
      E.map((chosen) => ({ ...asImageNet.data, aliases: asImageNet.data.aliases ?? [], templates: chosen })),
    );
  const single = one.safeParse(json);
  if (single.success) return E.right({ ...single.data, aliases: single.data.aliases ?? [] });
  const several = many.safeParse(json);
  if (!several.success)
    return E.left(
      'it is none of: {"classes": […], "templates": ["a photo of a {}."]}, several of these by name, or open_clip’s {"wnids", "openai_classnames", "templates"}',
    );
  const sets = Object.keys(several.data).join(', ');
  if (set === undefined) return E.left(`it holds several sets of classes: choose one by 'set', of ${sets}`);
  const found = several.data[set];
  if (found === undefined) return E.left(`it has no set '${set}'; there are ${sets}`);
  const chosen = one.safeParse(found);
  if (chosen.success) return E.right({ ...chosen.data, aliases: chosen.data.aliases ?? [] });
  const { path, message } = chosen.error.issues[0]!;
  return E.left(`${set}.${path.join('.')}: ${message}`);
};

/** Reads a file of classes and templates. Left: it is of no form that is known, or lacks what was chosen. */
export const readClassPrompts = (path: string, choice: PromptChoice): TE.TaskEither<DataError, ClassPrompts> =>
  pipe(
    readJson(path),
    TE.chainEitherK((json) =>
      pipe(
        choose(json, choice),
        E.filterOrElse(
          ({ classes, aliases }) => aliases.length === 0 || aliases.length === classes.length,
          ({ classes, aliases }) => `it has ${classes.length} classes and ${aliases.length} other names for them`,
        ),
        E.mapLeft((reason) => datasetError(path, reason)),
      ),
    ),
  );
