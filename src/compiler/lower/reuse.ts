// Regions of one structure share their code: the layers of a tower are emitted and printed once.
import { textOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { KernelTemplate, Schedule } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import { coresOf, isLeaf, type Region } from '../partition/region.ts';
import { type EmittedRegion, emitRegion } from './emit.ts';
import type { Coarsening } from './generic.ts';

interface Structure {
  /** Equal for regions that differ only in which nodes they load. */
  readonly key: string;
  /** The region's nodes and those it loads, in the key's numbering. */
  readonly nodes: readonly Node[];
}

const opText = (n: Node): string => {
  const { op } = n;
  if (op.kind === 'mark') return op.mark.m;
  return textOf(op);
};

const structureOf = (region: Region, stored: ReadonlySet<Node>): Structure => {
  const loaded = (n: Node): boolean => !region.members.has(n) && (isLeaf(n) || stored.has(n));
  const found = new Set<Node>();
  const stack: Node[] = [...region.outputs, ...coresOf(region)];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (found.has(n)) continue;
    found.add(n);
    if (!loaded(n)) stack.push(...n.src);
  }
  const nodes = [...found].sort((a, b) => a.id - b.id);
  const number = new Map(nodes.map((n, i) => [n, i]));
  const lines = nodes.map((n) => {
    const type = `${n.dtype}[${n.shape}]`;
    if (loaded(n)) return `load ${type}`;
    return `${opText(n)}(${n.src.map((s) => number.get(s))}) ${type}${region.members.has(n) ? '*' : ''}`;
  });
  const ends = `${region.outputs.map((o) => number.get(o))}/${number.get(region.seed)}/${coresOf(region).map((c) => number.get(c))}`;
  return { key: `${lines.join('\n')}\n${ends}`, nodes };
};

/** emitRegion, remembering by structure. One for each compilation or device. */
export class RegionEmitters {
  readonly #known = new Map<string, { readonly made: EmittedRegion; readonly bound: readonly number[] }>();

  emit(
    region: Region,
    stored: ReadonlySet<Node>,
    template: KernelTemplate | undefined,
    schedule: Schedule | undefined,
    caps: Caps,
    coarsening?: Coarsening,
  ): EmittedRegion {
    const { key, nodes } = structureOf(region, stored);
    const full = `${template?.name ?? ''} ${JSON.stringify([schedule, coarsening])}\n${key}`;
    const known = this.#known.get(full);
    if (known) {
      const seed = region.core ?? region.outputs.at(-1)!;
      const origin = { ...known.made.origin, why: region.why, site: seed.site(), path: seed.path };
      return { code: known.made.code, bound: known.bound.map((i) => nodes[i]!), origin };
    }
    const made = emitRegion(region, stored, template, schedule, caps, coarsening);
    this.#known.set(full, { made, bound: made.bound.map((n) => nodes.indexOf(n)) });
    return made;
  }
}
