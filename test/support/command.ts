// The `dualtoken` command as a user runs it, and a tokenizer small enough for it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { hostSource } from '../../src/checkpoints/source.ts';
import { tokenizerSpec, writeTokenizer } from '../../src/checkpoints/tokenizer.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { readVariant, type Variant } from '../../src/models/variants/index.ts';
import { run } from './files.ts';
import { projectDir } from './shared.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What Node is started with for `dualtoken`: the sources, or what a run of all tests has compiled of them (test/support/built.ts),
 * which starts in half the time. Modules of test/support that are to be loaded before need the sources.
 */
export const commandLine = (preload: readonly string[] = []): readonly string[] => {
  const built = process.env.DUALTOKEN_TEST_BUILT;
  if (built !== undefined && preload.length === 0) return [join(built, 'cli/main.js')];
  const modules = ['tsx', ...preload.map((name) => join(projectDir, 'test/support', name))];
  const before = modules.flatMap((module) => ['--import', module]);
  return ['--conditions=dualtoken-source', ...before, join(projectDir, 'src/cli/main.ts')];
};

/** Runs `dualtoken ARGS` in the project's folder. */
export const dualtoken = (...args: readonly string[]): Promise<Ran> => dualtokenIn({}, ...args);

/** The same with more environment variables. */
export const dualtokenIn = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> =>
  dualtokenAfter([], env, ...args);

/** The same after modules of test/support have been loaded into its process. */
export const dualtokenAfter = (
  preload: readonly string[],
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ran> => startDualtoken(preload, env, ...args).ran;

/** The same, to be watched and ended while it runs. */
export const startDualtoken = (
  preload: readonly string[],
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): { readonly kill: (signal: NodeJS.Signals) => void; readonly ran: Promise<Ran> } => {
  const child = spawn(process.execPath, [...commandLine(preload), ...args], {
    cwd: projectDir,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ran = new Promise<Ran>((done, failed) => {
    child.on('error', failed).on('close', (code) => done({ code, stdout, stderr }));
  });
  return { kill: (signal) => child.kill(signal), ran };
};

/** The same in this process, in a tenth of the time: for what ends before it computes. */
export const dualtokenHere = async (
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ran> => {
  const [before, streams] = [{ ...process.env }, [process.stdout, process.stderr]];
  const [written, writes] = [['', ''], streams.map((stream) => stream.write)];
  Object.assign(process.env, { NO_COLOR: '1', ...env });
  streams.forEach((stream, i) => {
    stream.write = (text: string | Uint8Array) => {
      written[i] += typeof text === 'string' ? text : new TextDecoder().decode(text);
      return true;
    };
  });
  try {
    return { code: await runCommandLine(args), stdout: written[0]!, stderr: written[1]! };
  } finally {
    streams.forEach((stream, i) => {
      stream.write = writes[i]!;
    });
    for (const name of Object.keys(env)) {
      const value = before[name];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

/** What the command said to a person: its message, without the lines about the adapter. */
export const messageOf = ({ stderr }: Ran): string =>
  stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Warning: ') && !line.startsWith('backend '))
    .join('\n');

/** Changes to `mini` that leave 16 pixels, 2 x 2 positions of 2 codes, and about 30,000 parameters. */
export const tinyModel = {
  vision: {
    hidden_size: 32,
    intermediate_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 1,
    image_size: 16,
    patch_size: 8,
  },
  taps: { pixel: 1, semantic: 1 },
  quantiser: { depth: 2, codes: 8, dim: 32 },
  decoder: {
    ch: 8,
    ch_mult: [1, 1],
    num_res_blocks: 0,
    attn_resolutions: [],
    resolution: 16,
    in_channels: 32,
    groups: 4,
  },
} as const;

export const tinyVariant = (): Variant => {
  const read = readVariant({ ...tinyModel, variant: 'mini' });
  if (E.isLeft(read)) throw new Error(read.left.join('; '));
  return read.right;
};

/** Values of a model that nobody trained, by name. */
export const untrained = (variant: Variant) =>
  new Map(
    namedSpecs(tokenizerSpec(variant)).map(({ path: name, spec: { shape } }, n) => {
      const data = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => 0.2 * Math.sin(i * 12.9898 + n),
      );
      return [name, { shape, data }] as const;
    }),
  );

/** Writes such a model; default: the tiny tokenizer. */
export const writeTinyTokenizer = async (path: string, variant: Variant = tinyVariant()): Promise<void> => {
  await run(writeTokenizer(path, variant, hostSource(untrained(variant))));
};
