// `dualtoken variants`: what can be trained, made and imported, with sizes and numbers of parameters.
import type { Command } from 'commander';
import { partCounts, partKind } from '../../models/systems/counts.ts';
import { withSystem } from '../../models/systems/index.ts';
import { variants as known, type Variant } from '../../models/variants/index.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import { outputTo } from '../output.ts';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const grouped = (n: number): string => n.toLocaleString('en-US');

/** A variant as it is listed. */
const described = (name: string, variant: Variant) => {
  const parts = partCounts(variant);
  const byKind: Record<string, number> = {};
  for (const [part, count] of Object.entries(parts)) byKind[partKind(part)] = (byKind[partKind(part)] ?? 0) + count;
  return withSystem(variant, ({ size, grid, depth, vocabularies }) => ({
    name,
    title: variant.title,
    family: variant.family,
    imageSize: size,
    grid: [grid, grid],
    depth,
    vocabularies,
    parameters: { total: sum(Object.values(parts)), byKind, byPart: parts },
  }));
};
type Described = ReturnType<typeof described>;

const codesOf = ({ depth, vocabularies }: Described): string => {
  const each = Object.entries(vocabularies).map(([name, codes]) => `${name} of ${grouped(codes)}`);
  return each.length === 0 ? 'no codes' : `${depth} ${depth === 1 ? 'code' : 'codes'} each: ${each.join(', ')}`;
};

const lines = (d: Described): readonly string[] => [
  d.name,
  `  ${d.title}`,
  `  ${d.imageSize} px; ${d.grid.join(' x ')} positions, ${codesOf(d)}`,
  `  ${grouped(d.parameters.total)} parameters: ${Object.entries(d.parameters.byKind)
    .map(([kind, count]) => `${kind} ${grouped(count)}`)
    .join(', ')}`,
];

export const variants = (options: CommonOptions): void => {
  const output = outputTo(options.json);
  const all = Object.entries(known).map(([name, variant]) => described(name, variant));
  for (const d of all) for (const line of lines(d)) output.print(line);
  output.result({ variants: all });
};

export const variantsCommand = (program: Command): Command =>
  withCommon(
    program.command('variants').description('list all variants: picture size, codes, and parameters of each part'),
  ).action(variants);
