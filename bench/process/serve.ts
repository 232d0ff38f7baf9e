// A participant's side of the wire: answers the command's calls with one library and one workload.
import type { Workload } from '../workloads/list.ts';
import type { Args, Call, Gives, Reply, Request } from './calls.ts';
import { counted } from './dispatches.ts';
import type { Library, Makers, Running, Start } from './library.ts';
import { peakBytes } from './memory.ts';

/** Loads the library for a device of that name. */
export type Open = (device: string) => Promise<Library>;
type Handlers = { readonly [C in Call]: (...args: Args<C>) => Promise<Gives<C>> };

const startOf = (makers: Makers, w: Workload): Start | Promise<Start> => {
  // The table has the kind's own maker under each kind.
  const maker = makers[w.kind] as ((w: Workload) => Start | Promise<Start>) | undefined;
  if (!maker) throw new Error(`has no way to compute '${w.name}'`);
  return maker(w);
};

const handlersOf = (open: Open): Handlers => {
  let library: Library | null = null;
  let running: Running | null = null;
  const opened = (): Library => {
    if (!library) throw new Error('nothing is open');
    return library;
  };
  const loaded = (): Running => {
    if (!running) throw new Error('no workload is loaded');
    return running;
  };
  const once = async (r: Running): Promise<void> => {
    await r.launch();
    await r.wait();
  };
  return {
    open: async (device) => {
      library = await open(device);
      const { device: name, on, relaxedSimd = false } = library;
      return { device: name, on, node: process.version, relaxedSimd };
    },
    load: async (workload) => {
      const start = await startOf(opened().makers, workload);
      const from = performance.now();
      running = await start();
      return performance.now() - from;
    },
    result: async () => {
      const r = loaded();
      const values = await r.result();
      const counts = await counted(opened().classes, () => once(r));
      const dispatches = counts?.dispatches ?? (await r.dispatches?.()) ?? null;
      return { values, dispatches, submits: counts?.submits ?? null };
    },
    sample: async (repeats) => {
      const r = loaded();
      const from = performance.now();
      for (let i = 0; i < repeats; i++) await once(r);
      return (performance.now() - from) / repeats;
    },
    memory: async () => peakBytes(),
    explain: async () => (await loaded().explain?.()) ?? '',
    roofline: async () => (await opened().roofline?.()) ?? null,
  };
};

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Answers until the command goes away. */
export const serve = (open: Open): void => {
  const handlers = handlersOf(open);
  const answer = async ({ id, call, args }: Request): Promise<Reply> => {
    try {
      // The command's types say which arguments a call has.
      const handler = handlers[call] as (...args: readonly unknown[]) => Promise<unknown>;
      return { id, value: await handler(...args) };
    } catch (thrown) {
      return { id, error: messageOf(thrown) };
    }
  };
  process.on('message', async (request: Request) => process.send?.(await answer(request)));
  // Some libraries hold the process open, and some crash while they clean up.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
};
