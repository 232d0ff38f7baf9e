// What may be measured for a call: every schedule of every template that takes it.
import type { Node } from '../../dsl/core/types.ts';
import { templates } from '../../kernels/index.ts';
import type { KernelTemplate } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import { type Choice, type TuningEntry, versionsOf } from './tuning.ts';

export interface Candidate extends Choice {
  /** The order in which it adds up: candidates of one order keep the bits. */
  readonly order: string;
}

export interface Candidates {
  /** What the heuristics choose comes first. */
  readonly list: readonly Candidate[];
  /** What an entry of a table says of the templates that it was measured with. */
  readonly versions: string;
  readonly work: { readonly flops: number; readonly bytes: number };
}

/** null where no template of `from` takes the call. */
export const candidatesFor = (
  call: Node,
  caps: Caps,
  from: readonly KernelTemplate[] = templates,
): Candidates | null => {
  const takers = from.filter((t) => t.refuses(call, caps) === null);
  const [first] = takers;
  if (!first) return null;
  const all = takers.flatMap((t) =>
    [t.heuristic(call, caps), ...t.space(call, caps)].map(
      (schedule): Candidate => ({ template: t.name, schedule, order: t.order(schedule) }),
    ),
  );
  const byText = new Map(all.map((c) => [`${c.template} ${JSON.stringify(c.schedule)}`, c]));
  return { list: [...byText.values()], versions: versionsOf(takers), work: first.work(call) };
};

/** Whether an entry was measured with the templates as they are now: a compilation uses no other. */
export const isCurrent = (entry: TuningEntry | undefined, call: Node, caps: Caps): boolean =>
  entry !== undefined && entry.templates === candidatesFor(call, caps)?.versions;
