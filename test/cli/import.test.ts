// `dualtoken import`: a tower, files that lack something, and files of something else; all names that do not meet are listed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wholeFile } from '../../src/checkpoints/source.ts';
import { type TensorData, writeSafetensors } from '../../src/data/index.ts';
import { variants } from '../../src/models/variants/index.ts';
import { dualtoken, messageOf, type Ran } from '../support/command.ts';
import { inFolder, run } from '../support/files.ts';
import { filled, published, type Tensors } from '../support/published.ts';

const test = suite('dualtoken import');

/** Tensors whose names `keep` takes, under other names, with more beside. */
const changed = (
  tensors: Tensors,
  keep: (name: string) => string | null,
  more: Readonly<Record<string, TensorData>> = {},
): Tensors =>
  new Map([
    ...[...tensors].flatMap(([name, t]) => {
      const kept = keep(name);
      return kept === null ? [] : [[kept, t] as const];
    }),
    ...Object.entries(more),
  ]);

interface Imported {
  readonly ran: Ran;
  readonly out: string;
  /** What --json prints. */
  readonly told: {
    readonly matched: number;
    readonly written: string | null;
    readonly faults: readonly { readonly _tag: string; readonly name: string }[];
    readonly anew: readonly { readonly name: string }[];
    readonly beside: readonly { readonly name: string }[];
    readonly unknown: readonly { readonly name: string }[];
    readonly unshared: readonly { readonly name: string }[];
  };
}
const importing = async (
  folder: string,
  tensors: Tensors,
  as: string,
  ...more: readonly string[]
): Promise<Imported> => {
  const [source, out] = [join(folder, 'source.safetensors'), join(folder, 'out.safetensors')];
  await run(writeSafetensors(source, tensors));
  const ran = await dualtoken(
    'import',
    source,
    '--as',
    as,
    '--out',
    out,
    '--dtype',
    'f32',
    '--backend',
    'wasm',
    '--json',
    ...more,
  );
  return { ran, out, told: JSON.parse(ran.stdout) };
};
const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);
/** The values that a written model has for a path. */
const storedValue = async (out: string, path: string) => (await (await run(wholeFile(out))).read([path])).get(path)!;

test('a tower alone: the rest is drawn anew and listed', () =>
  inFolder(async (folder) => {
    const mini = published(variants.mini!);
    const tower = changed(mini, (n) => (n.startsWith('siglip_model.') ? n.slice('siglip_model.'.length) : null), {
      'text_model.head.weight': filled([2, 2], () => 0),
      'vision_model.embeddings.position_ids': filled([1, 64], (i) => i),
      logit_scale: filled([1], () => 0),
      logit_bias: filled([1], () => 0),
    });
    const { ran, out, told } = await importing(folder, tower, 'mini');
    assert.is(ran.code, 0, ran.stderr);
    assert.equal(told.faults, []);
    assert.is(told.matched + told.beside.length, tower.size);
    assert.ok(names(told.anew).includes('decoder.conv_in.weight'));
    assert.ok(names(told.anew).includes('quantizer.codebook'));
    assert.ok(!names(told.anew).some((n) => n.startsWith('siglip_model')));
    assert.ok(names(told.beside).includes('text_model.head.weight'));
    const probe = 'siglip_model.vision_model.head.probe';
    assert.equal((await storedValue(out, probe)).data, mini.get(probe)!.data);
    const { data } = await storedValue(out, 'decoder.conv_in.weight');
    assert.ok(new Set(data).size > data.length / 2, 'it was drawn');
  }));

test('what is missing or does not fit is listed, and only --partial writes', () =>
  inFolder(async (folder) => {
    const broken = changed(
      published(variants.mini!),
      (n) => (n === 'decoder.conv_out.bias' || n === 'post_quant_conv.norm1.weight' ? null : n),
      {
        'post_quant_conv.norm1.weight': filled([3], () => 1),
        'decoder.conv_out.scale': filled([1], () => 1),
        'quantizer.codebooks.1.weight': filled([513, 32], () => 1),
      },
    );
    const { ran, out, told } = await importing(folder, broken, 'mini');
    assert.is(ran.code, 1);
    assert.match(messageOf(ran), /source\.safetensors: 3 tensors do not fit mini, so nothing was written\..*--partial/);
    assert.equal(
      told.faults.map(({ _tag, name }) => [_tag, name]),
      [
        ['Misshapen', 'post_quant_conv.norm1.weight'],
        ['Missing', 'decoder.conv_out.bias'],
      ],
    );
    assert.equal(names(told.unknown), ['decoder.conv_out.scale']);
    assert.equal(names(told.unshared), ['quantizer.codebooks.1.weight']);
    assert.is(told.written, null);
    assert.not(existsSync(out));

    const partial = await importing(folder, broken, 'mini', '--partial');
    assert.is(partial.ran.code, 0, partial.ran.stderr);
    assert.is((await storedValue(out, 'decoder.conv_out.bias')).data.length, 3);

    const text = await dualtoken('import', join(folder, 'source.safetensors'), '--as', 'mini', '--out', out);
    assert.is(text.code, 1);
    for (const row of [
      /^missing {4}decoder\.conv_out\.bias +\[3\]$/m,
      /^misshapen {2}post_quant_conv\.norm1\.weight +\[3\] +the model wants \[128\]$/m,
      /^unknown {4}decoder\.conv_out\.scale +\[1\] +no parameter has this name$/m,
      /^unshared {3}quantizer\.codebooks\.1\.weight +\[513, 32\] +the model has one codebook for all depths$/m,
      /^not used {3}quantizer\.codebooks\.0\.embed_ema /m,
    ])
      assert.match(text.stdout, row);
  }));

test('a file of something else, one that is not there, and a variant that is not', () =>
  inFolder(async (folder) => {
    const { ran } = await importing(folder, new Map([['x', filled([1], () => 0)]]), 'mini');
    assert.match(messageOf(ran), 'none of its tensors has the name of a parameter of mini');
    const [none, maxi] = await Promise.all([
      dualtoken('import', join(folder, 'none'), '--as', 'mini', '--out', join(folder, 'a')),
      dualtoken('import', join(folder, 'source.safetensors'), '--as', 'maxi', '--out', join(folder, 'a')),
    ]);
    assert.match(messageOf(none), 'no such file or folder');
    assert.match(messageOf(maxi), "there is no variant 'maxi'");
    assert.equal([ran.code, none.code, maxi.code], [1, 1, 1]);
  }));

test.run();
