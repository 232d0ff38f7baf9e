// Errors of the language: what failed, each operand with dtype, shape, name and source line, why, and a hint.

import { captureSite } from './provenance.ts';
import type { Node } from './types.ts';

export interface Operand {
  readonly name: string;
  readonly node: Node;
}

/** The name that the program gave an input; empty for anything else. */
const given = ({ op }: Node): string => (op.kind === 'input' && !/^(literal\.|~)/.test(op.slot) ? `'${op.slot}'` : '');

const line = ({ name, node }: Operand): string =>
  [`  ${name.padEnd(4)} ${describe(node)}`, given(node), node.site(), node.path].filter((s) => s !== '').join('   ');

/** `f32[2, 729, 1152]` */
export const describe = (n: { readonly dtype: string; readonly shape: readonly number[] }): string =>
  `${n.dtype}[${n.shape.join(', ')}]`;

/** A mistake in the text of a program: thrown where the expression is built. */
export class DslError extends Error {
  readonly _tag = 'DslError';
  readonly op: string;
  readonly why: string;
  readonly operands: readonly Operand[];
  constructor(op: string, why: string, operands: readonly Operand[] = [], hint?: string) {
    const site = captureSite(64)();
    super(
      [
        `${op}: ${why}`,
        ...operands.map(line),
        ...(site === '' ? [] : [`  at   ${site}`]),
        ...(hint === undefined ? [] : [`  hint: ${hint}`]),
      ].join('\n'),
    );
    this.name = 'DslError';
    this.op = op;
    this.why = why;
    this.operands = operands;
    // Printed as its message: the nodes would bury it.
    for (const field of ['op', 'why', 'operands', '_tag']) Object.defineProperty(this, field, { enumerable: false });
  }
}
