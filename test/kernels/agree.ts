// Holds hand-shaped kernels against the interpreter on the device, and says which templates a program was made of.
import type { Test } from 'uvu';
import type { CompileOptions } from '../../src/compiler/compile.ts';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import type { Program } from '../../src/compiler/program.ts';
import type { Tuning } from '../../src/compiler/select/tuning.ts';
import type { HostArray } from '../../src/dsl/core/dtype.ts';
import { isKind, sizeOf, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { KernelTemplate, Schedule } from '../../src/kernels/template.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import type { HostTensor } from '../../src/runtime/tensor.ts';
import { decode, encode } from '../support/agree.ts';
import { wasm, webGpu } from '../support/backends.ts';
import { compiled, runs } from '../support/compiled.ts';
import { values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';

export type Bound = Readonly<Record<string, HostArray | number>>;

export type Schedules = Readonly<Record<string, Schedule>>;

/** Forces schedules on templates by name: a call goes to the first of its takers that is named. */
export const forcing = (schedules: Schedules): Tuning => ({
  digest: JSON.stringify(schedules),
  find: (_, takers) => {
    const template = takers.find((t) => schedules[t.name])?.name ?? '';
    const schedule = schedules[template];
    return schedule && { template, schedule };
  },
});
const optionsOf = (schedules: Schedules = {}, templates?: readonly KernelTemplate[]): CompileOptions => ({
  tuning: forcing(schedules),
  ...(templates ? { templates } : {}),
});

export interface Agreement {
  /** Values of inputs; the other float inputs are drawn. */
  readonly bound?: Bound;
  /** The template that must have been used, once or more. */
  readonly template: string;
  /** Schedules by template; the others are the heuristic's. */
  readonly schedules?: Schedules;
  readonly tolerance?: number;
  /** Instead of the registry's. */
  readonly templates?: readonly KernelTemplate[];
  /** For results that must be equal, as indices. */
  readonly exact?: boolean;
  /** Made before, where one graph is held against it often; `bound` is then part of it. */
  readonly reference?: Reference;
}

/** Adapters that the kernels must also be right for: what the compiler is told of the device. */
export const withoutSubgroups = (backend: Backend): Backend => ({
  ...backend,
  caps: { ...backend.caps, subgroups: null, fingerprint: `${backend.caps.fingerprint} without subgroups` },
});

/** `bound`, and values drawn for the other inputs of `roots`. */
export const drawn = (roots: readonly Node[], bound: Bound): Bound => {
  const all: Record<string, HostArray | number> = { ...bound };
  topological(roots).forEach((n, i) => {
    if (isKind(n, 'input') && !(n.op.slot in all)) all[n.op.slot] = encode(values(sizeOf(n.shape), i + 1), n.dtype);
  });
  return all;
};

/** The numbers behind the inputs of `roots`, by name. */
const numbersIn = (roots: readonly Node[], data: Bound): ReadonlyMap<string, ArrayLike<number>> => {
  const dtypes = new Map(
    topological(roots).flatMap((n) => (isKind(n, 'input') ? [[n.op.slot, n.dtype] as const] : [])),
  );
  return new Map(
    Object.entries(data).map(([k, v]) => [k, typeof v === 'number' ? [v] : decode(v, dtypes.get(k) ?? 'f32')]),
  );
};

const namesIn = ({ steps }: Program): readonly string[] =>
  steps.flatMap((s) => (s.origin.schedule.includes('@') ? [s.origin.schedule.split('@')[0]!] : []));

/** Names of the templates in the program of `roots`, one a step. */
export const templatesOf = (roots: readonly Node[], caps: Caps): readonly string[] => namesIn(compiled(roots, caps));

/** Values for the inputs of a graph, and the interpreter's results. */
export interface Reference {
  readonly data: Bound;
  readonly want: readonly Float64Array[];
}
export const referenceOf = (roots: readonly Node[], bound: Bound = {}): Reference => {
  const data = drawn(roots, bound);
  return { data, want: interpret(roots, numbersIn(roots, data)) };
};

/** The results of `roots`, after two runs: equal bits, and within `tolerance` (of 1 + the largest value) of the interpreter. */
export const agreed = async (
  backend: Backend,
  roots: readonly Node[],
  { bound, template, schedules, templates, tolerance = 3e-6, exact = false, reference }: Agreement,
): Promise<readonly HostTensor[]> => {
  const program = compiled(roots, backend.caps, optionsOf(schedules, templates));
  const used = namesIn(program);
  if (!used.includes(template)) throw new Error(`'${template}' was not used, but ${used.join(', ') || 'no template'}`);
  const { data, want } = reference ?? referenceOf(roots, bound);
  const [got, again] = await runs(backend, program, data, 2);
  want.forEach((values, i) => {
    const [one, two] = [got![i]!, again![i]!].map((t) => decode(t.data, t.dtype)) as [
      ArrayLike<number>,
      ArrayLike<number>,
    ];
    const size = values.reduce((m, x) => (Math.abs(x) < 1e30 ? Math.max(m, Math.abs(x)) : m), 1);
    values.forEach((w, j) => {
      if (!Object.is(one[j], two[j])) throw new Error(`result ${i} at ${j}: ${one[j]}, then ${two[j]}`);
      const off = Math.abs(one[j]! - w) / Math.max(size, Math.abs(w));
      if (!(off <= (exact ? 0 : tolerance)))
        throw new Error(`result ${i} [${roots[i]!.shape}] at ${j}: ${one[j]} against ${w}`);
    });
  });
  return got!;
};

export const agree = async (backend: Backend, roots: readonly Node[], how: Agreement): Promise<void> => {
  await agreed(backend, roots, how);
};

/** Registers a test on threads of the processor. */
export const onProcessor = (suite: Test, name: string, body: (backend: Backend) => Promise<void>): void => {
  suite(`${name} (wasm)`, async () => body(await wasm()));
};

/** Registers a test that is a counted skip without an adapter. */
export const onDevice = (suite: Test, name: string, body: (backend: Backend) => Promise<void>): void => {
  suite(name, async () => {
    const backend = await webGpu();
    if (backend) await body(backend);
  });
};
