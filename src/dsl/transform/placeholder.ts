// Fresh inputs that stand for a function's arguments while it is traced.
import { input } from '../core/build.ts';
import type { Node, Result } from '../core/types.ts';

let next = 0;

/** An input that no other graph has. Transformations replace it before they return. */
export const placeholder = (like: Result): Node => input(`~${next++}`, like.shape, like.dtype);

/** Calls `f` on placeholders for `args`; tells what stands for what. */
export const trace = <A>(
  args: readonly Result[],
  f: (stand: readonly Node[]) => A,
): { readonly stand: readonly Node[]; readonly out: A } => {
  const stand = args.map(placeholder);
  return { stand, out: f(stand) };
};

/** The replacement of each placeholder by its argument. */
export const binding = (stand: readonly Node[], args: readonly Node[]): ReadonlyMap<Node, Node> =>
  new Map(stand.map((s, i) => [s, args[i]!]));
