// A command's runtime: opened with its options, profiled where asked, closed whatever happens.
import { writeAtomic } from '../data/atomic.ts';
import { Profile } from '../runtime/profile.ts';
import { openRuntime, type Runtime } from '../runtime/runtime.ts';
import { need } from './failure.ts';
import type { RunOptions } from './options.ts';
import type { Output } from './output.ts';

/** Opens the runtime that `options` ask for, hands it to `body`, and closes it. `onProgress` hears of long runs. With `--profile` the slowest kernels are listed. */
export const withRuntime = async <A>(
  options: RunOptions,
  output: Output,
  body: (runtime: Runtime) => Promise<A>,
  onProgress?: (share: number) => void,
): Promise<A> => {
  const profile = options.profile ? new Profile() : null;
  const runtime = await openRuntime({
    ...(options.backend ? { backend: options.backend } : {}),
    fast: options.fast,
    checkFinite: options.checkFinite,
    log: output.log,
    warn: output.log,
    ...(onProgress ? { onProgress: (_, share) => onProgress(share) } : {}),
    ...(profile ? { onRun: (program, times) => profile.add(program, times) } : {}),
  });
  try {
    const result = await body(runtime);
    if (profile) {
      output.log(profile.table());
      await need(writeAtomic(options.trace, profile.trace()));
      output.log(`trace written to ${options.trace}: open it in chrome://tracing or ui.perfetto.dev`);
    }
    return result;
  } finally {
    runtime.close();
  }
};
