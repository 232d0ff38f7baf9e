// The command's side of the wire: a process for one participant and one workload, so that libraries share neither a device, nor
// memory, nor a crash.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Args, Call, Gives, Reply } from './calls.ts';

export interface ProcessOptions {
  /** The Node.js that runs it. */
  readonly engine: string;
  /** The program, relative to bench/. */
  readonly program: string;
  /** Flags of Node. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A call that takes longer has failed. */
  readonly patienceMs: number;
}

export interface Participant {
  /** Rejects with the participant's own message, or with how its process ended. */
  readonly call: <C extends Call>(call: C, ...args: Args<C>) => Promise<Gives<C>>;
  readonly close: () => void;
}

const projectDir = fileURLToPath(new URL('../../', import.meta.url));

/** Lines of a process's standard error that are kept for its obituary. */
const KEPT = 6;

const lastLines = (child: ChildProcess): (() => string) => {
  let lines: readonly string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lines = [...lines, ...text.split('\n').filter((l) => l.trim() !== '')].slice(-KEPT);
  });
  return () => lines.join(' | ');
};

export const startParticipant = ({ engine, program, flags, env, patienceMs }: ProcessOptions): Participant => {
  const child = fork(fileURLToPath(new URL(`../${program}`, import.meta.url)), {
    cwd: projectDir,
    execPath: engine,
    execArgv: ['--import', 'tsx', ...flags],
    env: { ...process.env, ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const last = lastLines(child);
  const waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (e: Error) => void }>();
  let ended: Error | null = null;
  let calls = 0;
  const end = (why: string): void => {
    ended ??= new Error(`${why}${last() === '' ? '' : `: ${last()}`}`);
    for (const w of waiting.values()) w.reject(ended);
    waiting.clear();
  };
  child.on('error', (e) => end(e.message));
  child.on('exit', (code, signal) => end(`its process ended (${signal ?? `exit code ${code}`})`));
  child.on('message', (reply: Reply) => {
    const w = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (!w) return;
    if ('error' in reply) w.reject(new Error(reply.error));
    else w.resolve(reply.value as never);
  });
  return {
    call: (call, ...args) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = calls++;
        const timer = setTimeout(() => {
          end(`it gave no answer to '${call}' for ${patienceMs / 1e3} s`);
          child.kill('SIGKILL');
        }, patienceMs);
        const settle =
          <T>(f: (x: T) => void) =>
          (x: T) => {
            clearTimeout(timer);
            f(x);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        child.send({ id, call, args });
      }),
    close: () => {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    },
  };
};
