// Expressions as text and as graphs, to read and to compare: one line or box a node, in order of construction.
import { describe } from './core/error.ts';
import { topological } from './core/node.ts';
import type { Node } from './core/types.ts';
import { isTensor, opName } from './tensor.ts';
import { flatten } from './tree.ts';

const rootsOf = (tree: unknown): readonly Node[] => flatten(tree, isTensor).leaves.map((l) => l.value.node);

/** Attributes that the name of an operation does not tell. */
const attributes = (n: Node): string => {
  const { op } = n;
  switch (op.kind) {
    case 'reduce':
      return `axes=[${op.axes}]`;
    case 'view':
      return Object.entries(op.view)
        .filter(([k]) => k !== 'v' && k !== 'to')
        .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
        .join(' ');
    case 'concat':
    case 'cumulate':
    case 'iota':
      return `axis=${op.axis}`;
    case 'fused':
      return Object.entries(op.attrs)
        .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
        .join(' ');
    case 'conv':
      return `stride=[${op.conv.stride}] padding=${JSON.stringify(op.conv.padding)} dilation=[${op.conv.dilation}] groups=${op.conv.groups}`;
    case 'gather':
      return `batch=${op.batch}`;
    case 'scatter':
      return `${op.combine} batch=${op.batch}`;
    default:
      return '';
  }
};

/** Calls with one result are shown as that result. */
const visible = (order: readonly Node[]): readonly Node[] =>
  order.filter((n) => n.op.kind !== 'pick' || n.src[0]!.outs.length > 1);
const through = (n: Node): Node => (n.op.kind === 'pick' && n.src[0]!.outs.length === 1 ? n.src[0]! : n);

/**
 * The graph of a tensor, or of a tree of them: `%2 = add %0 %1 : f32[2, 3]`, a line a node. Equal programs give equal texts.
 */
export const show = (tree: unknown): string => {
  const roots = rootsOf(tree);
  const order = visible(topological(roots));
  const number = new Map(order.map((n, i) => [n, `%${i}`]));
  const lines = order.map((n) =>
    [
      `${number.get(n)} =`,
      opName(n),
      ...n.src.map((s) => number.get(through(s))!),
      attributes(n),
      ':',
      describe(n),
      n.path ? `  in ${n.path}` : '',
    ]
      .filter((t) => t !== '')
      .join(' '),
  );
  return [...lines, `return ${roots.map((r) => number.get(through(r))).join(', ')}`].join('\n');
};

const boxes = (
  tree: unknown,
): {
  readonly nodes: readonly { id: string; label: string; input: boolean }[];
  readonly edges: readonly (readonly [string, string])[];
} => {
  const order = visible(topological(rootsOf(tree)));
  const number = new Map(order.map((n, i) => [n, `n${i}`]));
  return {
    nodes: order.map((n) => ({
      id: number.get(n)!,
      label: `${opName(n)} ${describe(n)}`,
      input: n.op.kind === 'input',
    })),
    edges: order.flatMap((n) => n.src.map((s) => [number.get(through(s))!, number.get(n)!] as const)),
  };
};

/** The graph for Mermaid. */
export const showMermaid = (tree: unknown): string => {
  const { nodes, edges } = boxes(tree);
  const quote = (s: string): string => s.replaceAll('"', "'");
  return [
    'flowchart TD',
    ...nodes.map((n) => (n.input ? `  ${n.id}(["${quote(n.label)}"])` : `  ${n.id}["${quote(n.label)}"]`)),
    ...edges.map(([a, b]) => `  ${a} --> ${b}`),
  ].join('\n');
};

/** The graph for Graphviz. */
export const showDot = (tree: unknown): string => {
  const { nodes, edges } = boxes(tree);
  return [
    'digraph {',
    '  node [shape=box fontname=monospace]',
    ...nodes.map((n) => `  ${n.id} [label=${JSON.stringify(n.label)}${n.input ? ' style=rounded' : ''}]`),
    ...edges.map(([a, b]) => `  ${a} -> ${b}`),
    '}',
  ].join('\n');
};
