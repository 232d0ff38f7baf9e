// The calls of compiled graphs that are worth measuring: one of each class, with how often a program makes it.
import * as E from 'fp-ts/lib/Either.js';
import { type Compilation, type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { callClass } from '../../compiler/select/call-class.ts';
import type { Node } from '../../dsl/core/types.ts';
import { CompileFailure } from '../evaluate.ts';

export interface CountedCall {
  /** Its class, the key of tables. */
  readonly key: string;
  readonly call: Node;
  readonly count: number;
  readonly flops: number;
}

type Template = Parameters<NonNullable<CompileOptions['onCall']>>[1];

/** Scatters and random bits depend on their values, or are over at once. */
const kinds: ReadonlySet<string> = new Set(['contract', 'conv', 'fused', 'sort', 'cumulate']);

/** What has one schedule only is not measured either. */
const measurable = (call: Node, template: Template, caps: Caps): boolean =>
  kinds.has(call.op.kind) && template.space(call, caps).length > 1;

/** Calls of all `graphs`, those with most work first. Throws CompileFailure. */
export const callsOf = (caps: Caps, graphs: readonly Compilation[]): readonly CountedCall[] => {
  const found = new Map<string, CountedCall>();
  for (const graph of graphs) {
    const made = compileGraph(graph, caps, {
      onCall: (call, template) => {
        if (!measurable(call, template, caps)) return;
        const key = callClass(call);
        const known = found.get(key);
        const { flops } = template.work(call);
        found.set(key, { key, call: known?.call ?? call, count: (known?.count ?? 0) + 1, flops });
      },
    });
    if (E.isLeft(made)) throw new CompileFailure(renderCompileError(made.left));
  }
  return [...found.values()].sort((a, b) => b.flops * b.count - a.flops * a.count);
};
