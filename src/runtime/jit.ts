// compile(f): traces a function over expressions once for each shape signature, and runs its program from then on.
import * as E from 'fp-ts/lib/Either.js';
import { noCache, type ProgramCache } from '../compiler/cache/cache.ts';
import { type Compilation, type CompileOptions, compileGraph, digestOf } from '../compiler/compile.ts';
import { renderCompileError } from '../compiler/error.ts';
import type { Program } from '../compiler/program.ts';
import { input } from '../dsl/core/build.ts';
import type { DType, HostArray } from '../dsl/core/dtype.ts';
import { DslError } from '../dsl/core/error.ts';
import { isKind, topological, withOwnNodes } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { boundData } from '../dsl/ops/inputs.ts';
import type { Shape } from '../dsl/shape.ts';
import { type AnyTensor, isTensor, type Tensor, wrap } from '../dsl/tensor.ts';
import { type Flat, flatten } from '../dsl/tree.ts';
import { orThrow } from './attempt.ts';
import type { Backend, DeviceBuffer, Executable, RunOptions, StepTime } from './backend.ts';
import { CompileFailure } from './evaluate.ts';
import { assertFinite } from './finite.ts';
import { lending, type Own, owning } from './owned.ts';
import { DeviceTensor, HostTensor, ScalarValue } from './tensor.ts';

/** What may stand for a tensor in a call: a value on the device or the host; a number for a scalar. */
export type Value = DeviceTensor | HostTensor | ScalarValue | number;
/** Arguments of a compiled function: its trees with values for tensors. */
export type Values<T> = T extends AnyTensor
  ? Value
  : T extends readonly unknown[] | object
    ? { readonly [K in keyof T]: Values<T[K]> }
    : T;
/** Results of a compiled function: its trees with device tensors for expressions. */
export type Results<T> =
  T extends Tensor<infer S, infer D>
    ? DeviceTensor<S, D>
    : T extends AnyTensor
      ? DeviceTensor
      : T extends object
        ? { readonly [K in keyof T]: Results<T[K]> }
        : T;

export interface JitOptions {
  readonly name?: string;
  /** Positions of arguments whose buffers the program may reuse for its results: their tensors are gone after the call. */
  readonly donate?: readonly number[];
  readonly fuse?: boolean;
  /** As that of the runtime, for this function alone. */
  readonly checkFinite?: boolean;
}

export interface Compiled<A extends readonly unknown[], B> {
  (...args: { readonly [K in keyof A]: Values<A[K]> }): Promise<Results<B>>;
  /** The program for arguments like these, without running it. */
  readonly program: (...args: { readonly [K in keyof A]: Values<A[K]> }) => Promise<Program>;
  /** Lets go of its programs and their temporaries, once what runs is over; a call after that compiles anew. */
  readonly free: () => Promise<void>;
}

export interface JitHost {
  readonly backend: Backend;
  readonly cache?: ProgramCache;
  readonly warn: (message: string) => void;
  readonly counters: { traces: number; compiles: number; cacheHits: number };
  readonly compileOptions?: CompileOptions;
  readonly onRun?: (program: Program, times: readonly StepTime[]) => void;
  readonly onProgress?: (program: Program, share: number) => void;
  /** Reads every result back and fails at the first infinity or NaN, naming the operation that made it. */
  readonly checkFinite?: boolean;
}

/** A program on the device, and what a call needs beside its arguments. */
interface Entry {
  readonly program: Program;
  readonly executable: Executable;
  /** Tensors of host data inside the function, uploaded once. */
  readonly constants: ReadonlyMap<string, DeviceBuffer>;
  readonly rebuild: Flat<AnyTensor>['rebuild'];
  readonly outputs: readonly Node[];
}

/** More signatures than this in one function are usually a length that should be a run-time scalar. */
const STORM = 8;

const isValue = (x: unknown): x is Value =>
  x instanceof DeviceTensor || x instanceof HostTensor || x instanceof ScalarValue || typeof x === 'number';
const typeOf = (v: Value): { readonly dtype: DType; readonly shape: readonly number[] | null } =>
  typeof v === 'number'
    ? { dtype: 'f32', shape: null }
    : v instanceof ScalarValue
      ? { dtype: v.dtype, shape: null }
      : { dtype: v.dtype, shape: v.shape };

/** Equal for arguments that one program serves. */
const signatureOf = ({ form, leaves }: Flat<Value>): string =>
  `${form}|${leaves
    .map(({ value }) => {
      const t = typeOf(value);
      return `${t.dtype}${t.shape ?? 's'}`;
    })
    .join(';')}`;

/** What a function makes of inputs like its arguments. */
interface Traced {
  readonly graph: Compilation;
  /** Inputs that carry their own data. */
  readonly literals: readonly Node[];
  readonly rebuild: Flat<AnyTensor>['rebuild'];
}

const traceCall = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  name: string,
  donated: ReadonlySet<number>,
  flat: Flat<Value>,
): Traced => {
  const nodes = flat.leaves.map(({ path, value }): Node => {
    const { dtype, shape } = typeOf(value);
    return shape === null
      ? input(path, [], dtype, 'scalar')
      : input(path, shape, dtype, donated.has(Number(path.split('.')[0])) ? 'state' : 'data');
  });
  const args = flat.rebuild<A>(nodes.map((n) => wrap<Shape, DType>(n)));
  const out = flatten(f(...args), isTensor);
  const outputs = out.leaves.map((l) => l.value.node);
  const literals = topological(outputs).filter((n) => isKind(n, 'input') && !nodes.includes(n));
  for (const n of literals)
    if (!boundData(n))
      throw new DslError(
        name,
        `reads the input '${isKind(n, 'input') ? n.op.slot : ''}', which is none of its arguments`,
        [],
        'pass it as an argument',
      );
  const inputs = [
    ...nodes.flatMap((node) =>
      isKind(node, 'input') && node.op.role === 'scalar'
        ? []
        : [{ node, donated: isKind(node, 'input') && node.op.role === 'state' }],
    ),
    ...literals.map((node) => ({ node, donated: false })),
  ];
  return { graph: { inputs, outputs }, literals, rebuild: out.rebuild };
};

/** The data of `literals` that a program reads, by name: equal ones lie on the device once. */
const uploadConstants = async (
  { backend }: JitHost,
  { inputs }: Program,
  literals: readonly Node[],
  own: Own,
): Promise<ReadonlyMap<string, DeviceBuffer>> => {
  const read = new Set(inputs.flatMap(({ name, slot }) => (slot < 0 ? [] : [name])));
  const constants = new Map<string, DeviceBuffer>();
  for (const n of literals) {
    const data = boundData(n);
    if (!data || !isKind(n, 'input') || !read.has(n.op.slot) || constants.has(n.op.slot)) continue;
    constants.set(n.op.slot, await own(orThrow(backend.upload(data, n.shape, n.dtype))));
  }
  return constants;
};

const openEntry = async (
  host: JitHost,
  { graph, literals, rebuild }: Traced,
  options: CompileOptions,
): Promise<Entry> => {
  const program = await compileCached(host, graph, options);
  return owning(async (own) => {
    const constants = await uploadConstants(host, program, literals, own);
    const executable = await orThrow(host.backend.load(program));
    return { program, executable, constants, rebuild, outputs: graph.outputs };
  });
};

const closeEntry = ({ executable, constants }: Entry): void => {
  executable.dispose();
  for (const constant of constants.values()) constant.free();
};

type ByPath = ReadonlyMap<string, Value>;

/** What each input of a program is bound to; host values are uploaded, and `own`ed. */
const bindInputs = (
  { backend }: JitHost,
  { program, constants }: Entry,
  given: ByPath,
  own: Own,
): Promise<readonly (DeviceBuffer | null)[]> =>
  Promise.all(
    program.inputs.map(async ({ name, slot, donated }): Promise<DeviceBuffer | null> => {
      const constant = constants.get(name);
      if (constant) return constant;
      const v = given.get(name);
      if (v instanceof DeviceTensor) return slot < 0 && !donated ? null : v.buffer;
      if (!(v instanceof HostTensor) || slot < 0) return null;
      return own(orThrow(backend.upload(v.data, v.shape, v.dtype)));
    }),
  );

const scalarsOf = ({ scalars }: Program, given: ByPath): Readonly<Record<string, number>> =>
  Object.fromEntries(
    scalars.map((name) => {
      const v = given.get(name);
      return [name, v instanceof ScalarValue ? v.value : Number(v)];
    }),
  );

const runEntry = (host: JitHost, entry: Entry, given: ByPath, checkFinite: boolean): Promise<readonly DeviceTensor[]> =>
  lending(async (own) => {
    const { program, executable } = entry;
    const buffers = await bindInputs(host, entry, given, own);
    const scalars = scalarsOf(program, given);
    const { onRun, onProgress } = host;
    const heard: RunOptions = {
      ...(onRun ? { profile: (times) => onRun(program, times) } : {}),
      ...(onProgress ? { progress: (share) => onProgress(program, share) } : {}),
    };
    const before = checkFinite ? await valuesOf(program, buffers) : {};
    const outputs = await orThrow(executable.run(buffers, scalars, heard));
    if (checkFinite)
      await owning(async (held) => {
        for (const b of outputs) held(Promise.resolve(b));
        await assertFinite(host.backend, entry.outputs, await readAll(outputs), { ...before, ...scalars });
      });
    return outputs.map((b) => new DeviceTensor(b));
  });

export const jit = <A extends readonly unknown[], B>(
  host: JitHost,
  f: (...args: A) => B,
  options: JitOptions = {},
): Compiled<A, B> => {
  const name = options.name ?? (f.name || 'a compiled function');
  const entries = new Map<string, Promise<Entry>>();
  const donated = new Set(options.donate ?? []);
  const checkFinite = options.checkFinite ?? host.checkFinite ?? false;
  const compileOptions: CompileOptions = {
    ...host.compileOptions,
    ...(options.fuse === undefined ? {} : { fuse: options.fuse }),
  };

  const made = async (flat: Flat<Value>): Promise<Entry> => {
    host.counters.traces++;
    const traced = withOwnNodes(() => traceCall(f, name, donated, flat));
    return openEntry(host, traced, compileOptions);
  };

  const entryFor = (flat: Flat<Value>): Promise<Entry> => {
    const key = signatureOf(flat);
    const known = entries.get(key);
    if (known) return known;
    const entry = made(flat);
    entries.set(key, entry);
    entry.catch(() => entries.delete(key));
    if (entries.size === STORM + 1)
      host.warn(
        `${name} was compiled for ${entries.size} different shapes; pass lengths that vary as run-time scalars over a buffer of the largest size`,
      );
    return entry;
  };

  const run = async (...args: readonly unknown[]): Promise<Results<B>> => {
    const flat = flatten(args, isValue);
    const entry = await entryFor(flat);
    const given = new Map(flat.leaves.map((l) => [l.path, l.value]));
    return entry.rebuild<Results<B>>(await runEntry(host, entry, given, checkFinite));
  };

  /** Calls that are not over. */
  const running = new Set<Promise<unknown>>();
  const counted = (...args: readonly unknown[]): Promise<Results<B>> => {
    const call = run(...args);
    running.add(call);
    const over = () => void running.delete(call);
    call.then(over, over);
    return call;
  };

  return Object.assign(counted as Compiled<A, B>, {
    program: async (...args: readonly unknown[]) => (await entryFor(flatten(args, isValue))).program,
    free: async () => {
      const known = [...entries.values()];
      entries.clear();
      await Promise.allSettled(running);
      for (const entry of await Promise.allSettled(known)) if (entry.status === 'fulfilled') closeEntry(entry.value);
    },
  });
};

const readAll = (buffers: readonly DeviceBuffer[]): Promise<readonly HostArray[]> =>
  Promise.all(buffers.map((b) => orThrow(b.read)));

/** What a program is about to read, by name: its donated inputs are gone after the run. */
const valuesOf = async (
  { inputs }: Program,
  buffers: readonly (DeviceBuffer | null)[],
): Promise<Readonly<Record<string, HostArray>>> => {
  const bound = inputs.flatMap(({ name }, i) => (buffers[i] ? [{ name, buffer: buffers[i] }] : []));
  const values = await readAll(bound.map((b) => b.buffer));
  return Object.fromEntries(bound.map(({ name }, i) => [name, values[i]!]));
};

const compileCached = async (host: JitHost, c: Compilation, options: CompileOptions): Promise<Program> => {
  const cache = host.cache ?? noCache;
  const found = options.onPass ? null : await cache.get(digestOf(c, host.backend.caps, options));
  if (found) {
    host.counters.cacheHits++;
    return found;
  }
  host.counters.compiles++;
  const made = compileGraph(c, host.backend.caps, options);
  if (E.isLeft(made)) throw new CompileFailure(renderCompileError(made.left));
  await cache.put(made.right);
  return made.right;
};
