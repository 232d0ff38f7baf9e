// One candidate on the device: compiled, run once, and timed as often as it is asked.
import * as E from 'fp-ts/lib/Either.js';
import { type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Choice, Tuning } from '../../compiler/select/tuning.ts';
import type { HostArray } from '../../dsl/core/dtype.ts';
import { orThrow } from '../attempt.ts';
import type { Backend, DeviceBuffer } from '../backend.ts';
import { CompileFailure } from '../evaluate.ts';
import { owning } from '../owned.ts';
import type { Isolated } from './isolate.ts';
import { readValues } from './operands.ts';
import { inPieces } from './pieces.ts';

export interface Trial {
  /** Milliseconds from the program to its first result: compilation by the driver, and one run. */
  readonly firstMs: number;
  /** Milliseconds of one more run: of the kernels alone where the adapter has timestamps. */
  readonly time: () => Promise<number>;
  /** Results on other operands. */
  readonly results: (operands: readonly DeviceBuffer[]) => Promise<readonly HostArray[]>;
  readonly dispose: () => void;
}

const only = (choice: Choice): Tuning => ({ digest: JSON.stringify(choice), find: () => choice });

/**
 * The isolated call by `choice`, or by its reference in generic kernels where that is null. Throws CompileFailure or RunFailure, also
 * where another template took the call.
 */
export const openTrial = async (
  backend: Backend,
  { inputs, call, outputs }: Isolated,
  choice: Choice | null,
  operands: readonly DeviceBuffer[],
  templates?: CompileOptions['templates'],
): Promise<Trial> => {
  const caps: Caps = choice ? backend.caps : { ...backend.caps, templates: false };
  const made = compileGraph(
    { inputs: inputs.map((node) => ({ node, donated: false })), outputs: choice ? outputs : inPieces(call, outputs) },
    caps,
    choice ? { tuning: only(choice), ...(templates ? { templates } : {}) } : {},
  );
  if (E.isLeft(made)) throw new CompileFailure(renderCompileError(made.left));
  const program = made.right;
  const wanted = choice && JSON.stringify(choice.schedule);
  if (
    choice &&
    !program.steps.some(
      ({ origin }) => origin.schedule.startsWith(`${choice.template}@`) && origin.schedule.endsWith(`${wanted}`),
    )
  )
    throw new CompileFailure(`${choice.template} ${wanted} was not used for this call`);
  const started = performance.now();
  const executable = await orThrow(backend.load(program));
  const run = async (given: readonly DeviceBuffer[]): Promise<readonly DeviceBuffer[]> =>
    orThrow(executable.run(given, {}));
  const free = (buffers: readonly DeviceBuffer[]): void => {
    for (const b of buffers) b.free();
  };
  const firstMs = await owning(async (own) => {
    own(Promise.resolve({ free: executable.dispose }));
    free(await run(operands));
    await orThrow(backend.idle);
    return performance.now() - started;
  });
  const onClock = async (): Promise<number> => {
    const from = performance.now();
    free(await run(operands));
    await orThrow(backend.idle);
    return performance.now() - from;
  };
  const onDevice = async (): Promise<number> => {
    let ns = 0;
    const profile = (times: readonly { readonly durationNs: number }[]): void => {
      ns = times.reduce((sum, t) => sum + t.durationNs, 0);
    };
    free(await orThrow(executable.run(operands, {}, { profile })));
    return ns / 1e6;
  };
  return {
    firstMs,
    time: backend.caps.timestamps ? onDevice : onClock,
    results: async (given) => {
      const out = await run(given);
      const values: HostArray[] = [];
      for (const b of out) values.push(await readValues(backend, b));
      return values;
    },
    dispose: () => executable.dispose(),
  };
};
