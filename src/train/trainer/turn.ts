// How one side takes its step on a device: at once, or in micro-batches; a step that gives no number leaves the state as it was.
import type { Results, Values } from '../../runtime/jit.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { DeviceTensor, u32 } from '../../runtime/tensor.ts';
import type { AdamScalars } from '../optimiser/index.ts';
import { accumulationOf, applicationOf, type Draw, type Player, stepOf } from './player.ts';
import { freeAll, type SideState } from './side.ts';

type Numbers = readonly number[];
type At = AdamScalars<number>;
type Forward = Draw<ReturnType<typeof u32>>;

/** What a turn has made: the side's next state, the loss, the gradient's norm and the terms. */
export interface Turn {
  readonly state: SideState;
  readonly metrics: Numbers;
}

/** Several forwards that make one step. */
export interface Parts<I, H> {
  /** One more forward. Gives its loss and terms, and what it hands on. */
  readonly add: (
    inputs: Values<I>,
    draw: Forward,
  ) => Promise<{ readonly metrics: Numbers; readonly handed: Results<H> }>;
  /** The step by the mean of their gradients. */
  readonly finish: (at: At) => Promise<Turn>;
}

/** A player on a device. States that are handed in are gone after a turn. */
export interface Seat<I, H> {
  readonly whole: (
    state: SideState,
    inputs: Values<I>,
    draw: Forward,
    at: At,
  ) => Promise<Turn & { readonly handed: Results<H> }>;
  readonly inParts: (state: SideState) => Parts<I, H>;
  /**
   * The step on one batch with every operation checked, `state` staying as it is; gives the player's own state after it.
   * @throws RunFailure naming the first operation that gives an infinity or NaN
   */
  readonly check: (
    state: SideState,
    inputs: Values<I>,
    draw: Forward,
    at: At,
  ) => Promise<{ readonly extra: SideState['extra']; readonly handed: Results<H> }>;
  /** Gives the programs' memory back, once those that run are over. */
  readonly free: () => Promise<void>;
}

const numbersOf = async (t: DeviceTensor): Promise<Numbers> => {
  const values = await t.read();
  t.free();
  return [...values];
};
const mean = (all: readonly Numbers[]): Numbers =>
  all[0]!.map((_, i) => all.reduce((sum, one) => sum + one[i]!, 0) / all.length);

/** Compiles a player's programs, each at its first use. `count` forwards make a step; `what` names the player in messages. */
export const seat = <P, Q, I, H>(
  { compile }: Pick<Runtime, 'compile'>,
  player: Player<P, Q, I, H>,
  count: number,
  what: string,
): Seat<I, H> => {
  const step = compile(stepOf(player), { name: `the ${what} step`, donate: [0] });
  // The first forward's state is kept: the step may come to nothing.
  const first = compile(accumulationOf(player), { name: `the ${what} gradients` });
  const more = compile(accumulationOf(player), { name: `the ${what} gradients`, donate: [0, 1] });
  const apply = compile(applicationOf(player, count), { name: `the ${what} update`, donate: [0, 1] });
  const checked = compile(stepOf(player), { name: `the ${what} step, checked`, checkFinite: true });

  return {
    whole: async ({ fixed, ...moving }, inputs, draw, at) => {
      const out = await step(moving, fixed, inputs, draw, at);
      return { state: { ...out.state, fixed }, metrics: await numbersOf(out.metrics), handed: out.handed };
    },
    inParts: (state) => {
      let sums: readonly DeviceTensor[] | null = null;
      let extra = state.extra;
      const seen: Numbers[] = [];
      return {
        add: async (inputs, draw) => {
          const accumulate = sums === null ? first : more;
          const out: Awaited<ReturnType<typeof more>> = await accumulate(
            sums,
            extra,
            state.params,
            state.fixed,
            inputs,
            draw,
          );
          sums = out.sums;
          extra = out.extra;
          const metrics = await numbersOf(out.metrics);
          seen.push(metrics);
          return { metrics, handed: out.handed };
        },
        finish: async (at) => {
          if (sums === null) throw new Error('a step of no forwards');
          const { fixed, extra: before, ...moving } = state;
          const [loss, ...terms] = mean(seen);
          const out = await apply(moving, sums, at, Number.isFinite(loss) ? 1 : 0);
          const [norm] = await numbersOf(out.gradNorm);
          const sound = Number.isFinite(loss) && Number.isFinite(norm);
          freeAll(sound ? before : extra);
          return {
            state: { ...out.state, fixed, extra: sound ? extra : before },
            metrics: [loss!, norm!, ...terms],
          };
        },
      };
    },
    check: async ({ fixed, ...moving }, inputs, draw, at) => {
      const { state, metrics, handed } = await checked(moving, fixed, inputs, draw, at);
      freeAll([state.params, state.m, state.v, state.ema, [metrics]].flat());
      return { extra: state.extra, handed };
    },
    free: async () => {
      for (const program of [step, first, more, apply, checked]) await program.free();
    },
  };
};
