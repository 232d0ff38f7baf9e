// Which settings of a software driver are the fastest here. A driver reads them once, so each is tried in a process of its own.
import { spawn } from 'node:child_process';
import { candidates, type Environment } from '../runtime/tune/environment.ts';
import { UserFailure } from './failure.ts';

/** What a process found with one setting. */
export interface Probe {
  readonly software: boolean;
  /** Milliseconds of the heaviest kernels together; null where values were wrong. */
  readonly ms: number | null;
  readonly wrong: string | null;
}

const isProbe = (x: unknown): x is Probe => typeof x === 'object' && x !== null && 'software' in x && 'ms' in x;

/** Runs `dualtoken tune --probe` with `environment`. Null where the process failed. */
const probeWith = (environment: Environment, part: string, variant: string): Promise<Probe | null> =>
  new Promise((done) => {
    const command = [
      ...process.execArgv,
      process.argv[1]!,
      'tune',
      variant,
      '--backend',
      'webgpu',
      '--part',
      part,
      '--probe',
      '--json',
    ];
    const child = spawn(process.execPath, command, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    child.on('error', () => done(null));
    child.on('close', () => {
      try {
        const parsed: unknown = JSON.parse(out);
        done(isProbe(parsed) ? parsed : null);
      } catch {
        done(null);
      }
    });
  });

/**
 * The fastest of the driver's own settings and each of `candidates`; empty for the driver's own, and for hardware. Settings under which
 * values are wrong are dropped, and said.
 */
export const fastestEnvironment = async (
  part: string,
  variant: string,
  log: (line: string) => void,
): Promise<Environment> => {
  // Empty is the driver's own choice, and not what an earlier tuning remembered.
  const none = Object.fromEntries(Object.keys(candidates).map((name) => [name, process.env[name] ?? '']));
  const own = await probeWith(none, part, variant);
  if (own === null)
    throw new UserFailure('no kernel could be measured: see what dualtoken devices says of the adapter');
  if (!own.software) return {};
  let best: { readonly environment: Environment; readonly ms: number } = {
    environment: {},
    ms: own.ms ?? Number.POSITIVE_INFINITY,
  };
  log(`driver's own settings: ${own.ms === null ? own.wrong : `${own.ms.toFixed(1)} ms`}`);
  for (const [name, values] of Object.entries(candidates)) {
    if (process.env[name] !== undefined) continue;
    for (const value of values) {
      const environment = { [name]: value };
      const found = await probeWith(environment, part, variant);
      const ms = found?.ms ?? null;
      log(
        `${name}=${value}: ${ms === null ? `dropped, ${found?.wrong ?? 'the process failed'}` : `${ms.toFixed(1)} ms`}`,
      );
      if (ms !== null && ms < best.ms) best = { environment, ms };
    }
  }
  return best.environment;
};
