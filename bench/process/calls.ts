// What the command asks of a participant's process, and what comes back.
import type { Workload } from '../workloads/list.ts';
import type { Place, Roofline } from './library.ts';

export interface Opened {
  /** What the library runs on, in its own words. */
  readonly device: string;
  readonly on: Place;
  /** The engine's version. */
  readonly node: string;
  readonly relaxedSimd: boolean;
}
export interface Result {
  readonly values: ArrayLike<number>;
  /** Of one run; null where the library's calls can't be seen. */
  readonly dispatches: number | null;
  readonly submits: number | null;
}

export interface Calls {
  readonly open: { readonly args: readonly [device: string]; readonly gives: Opened };
  /** Gives the milliseconds from data on the host to a loaded workload. */
  readonly load: { readonly args: readonly [workload: Workload]; readonly gives: number };
  readonly result: { readonly args: readonly []; readonly gives: Result };
  /** Gives the milliseconds of a run, the mean of `repeats` that follow one another. */
  readonly sample: { readonly args: readonly [repeats: number]; readonly gives: number };
  /** Gives the peak resident bytes of the process so far. */
  readonly memory: { readonly args: readonly []; readonly gives: number };
  readonly explain: { readonly args: readonly []; readonly gives: string };
  readonly roofline: { readonly args: readonly []; readonly gives: Roofline | null };
}
export type Call = keyof Calls;
export type Args<C extends Call> = Calls[C]['args'];
export type Gives<C extends Call> = Calls[C]['gives'];

export interface Request {
  readonly id: number;
  readonly call: Call;
  readonly args: readonly unknown[];
}
export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };
