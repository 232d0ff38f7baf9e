// Functions with a gradient of their own: straight-through estimators, the rotation trick, reversible tricks of all kinds.
import { mark } from '../core/build.ts';
import { DslError } from '../core/error.ts';
import type { Mark } from '../core/op.ts';
import type { Node } from '../core/types.ts';

/** Cotangents of the arguments (`null` for zero) from the arguments, the result, and its cotangent. */
export type CustomRule = (args: readonly Node[], out: Node, ct: Node) => readonly (Node | null)[];

// Keyed by the mark object, which every rebuilt node keeps: a rule lives as long as a graph that names it.
const rules = new WeakMap<Mark, CustomRule>();
let next = 0;

/** A mark that names `rule`. */
export const defineRule = (rule: CustomRule): Mark => {
  const made: Mark = Object.freeze({ m: 'custom', rule: next++ });
  rules.set(made, rule);
  return made;
};

export const customRule = (m: Mark, n: Node): CustomRule =>
  rules.get(m) ??
  (() => {
    throw new DslError(
      'customVjp',
      'its rule is not in this process',
      [{ name: 'x', node: n }],
      'build the graph again, do not copy its nodes',
    );
  })();

/**
 * `f` with the gradient `rule`. Only the arguments get a gradient, through the rule: what `f` closes over gets none, and the
 * inside of `f` is not differentiated.
 */
export const customVjpNodes = (
  f: (...args: readonly Node[]) => Node,
  rule: CustomRule,
): ((...args: readonly Node[]) => Node) => {
  const m = defineRule(rule);
  return (...args) => mark(m, f(...args), ...args);
};
