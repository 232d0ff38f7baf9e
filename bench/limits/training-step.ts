// Where the time of a training step of `mini` goes: its codes, all losses of the paper (SqueezeNet's features in LPIPS's place), generator
// and discriminator. Each kernel of a contraction or convolution is held against its own benchmark: alone, on operands of its own.

import { noCache } from '../../src/compiler/cache.ts';
import { callClass } from '../../src/compiler/call-class.ts';
import { candidatesFor } from '../../src/compiler/candidates.ts';
import type { Origin } from '../../src/compiler/program.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { openRuntime, Profile } from '../../src/index.ts';
import { variants, withSystem } from '../../src/models/index.ts';
import type { Loss } from '../../src/models/losses/index.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { isolate } from '../../src/runtime/tune/isolate.ts';
import { median } from '../../src/runtime/tune/median.ts';
import { makeOperands } from '../../src/runtime/tune/operands.ts';
import { openTrial } from '../../src/runtime/tune/trial.ts';
import { openTrainer, tokenizerTask } from '../../src/train/index.ts';
import { pictures } from '../workloads/tokenizer.ts';
import type { Limit } from './limit.ts';

const BATCH = 8;
const STEPS = 9;
const RUNS = 15;
const LEAST_SHARE = 0.6;
const MOST_RATIO = 1.5;
/** A kernel with less of the step's time than this is not held against its benchmark. */
const WORTH = 0.003;

const losses: readonly Loss[] = [
  { kind: 'pixel', weight: 40 },
  { kind: 'perceptual', weight: 1, net: 'squeezenet1_0' },
  { kind: 'adversarial', weight: 0.5, channels: 32 },
  { kind: 'deep', weight: 5 },
  { kind: 'pooled', weight: 1 },
  { kind: 'commitment', weight: 40 },
];

/** What the time of a kernel is called by: a fused kernel has the kind of its heaviest operation. */
const kindOf = ({ label }: Origin): string => label.split(' ')[0]!.replace('mark', 'copy');
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const keyOf = ({ label, schedule, site, path }: Origin): string => [label, schedule, site, path].join('\n');

/** Milliseconds of a call alone, by the schedule that the step has it in. */
const alone = async (backend: Backend, call: Node): Promise<number> => {
  const isolated = isolate(call);
  const operands = await makeOperands(backend, call, isolated.inputs, 'fractions');
  const trial = await openTrial(backend, isolated, candidatesFor(call, backend.caps)?.list[0] ?? null, operands);
  try {
    const times: number[] = [];
    for (let i = 0; i < RUNS; i++) times.push(await trial.time());
    return median(times);
  } finally {
    trial.dispose();
    for (const b of operands) b.free();
  }
};

export const trainingStep = async (): Promise<readonly Limit[]> => {
  const profile = new Profile();
  let stepping = false;
  const calls = new Map<string, Node>();
  const runtime = await openRuntime({
    cache: noCache,
    tuning: { digest: 'none', find: () => undefined },
    compile: { onCall: (call, _, origin) => calls.set(keyOf(origin), call) },
    onRun: (program, times) => {
      // What draws the parameters is no part of a step.
      if (stepping) profile.add(program, times);
    },
  });
  try {
    const { size, trainer } = await withSystem(variants.mini!, async (system) => ({
      size: system.size,
      trainer: await openTrainer(runtime, tokenizerTask(system, losses), {
        seed: 0,
        optimizer: { kind: 'adamw', betas: [0.9, 0.99], eps: 1e-8, weightDecay: 1e-4, clip: null },
      }),
    }));
    const batch = { images: pictures(BATCH, size).data, count: BATCH, height: size, width: size };
    const walls: number[] = [];
    stepping = true;
    for (let step = 0; step <= STEPS; step++) {
      const from = performance.now();
      await trainer.step([batch], step, { learningRate: 1e-3 });
      if (step > 0) walls.push(performance.now() - from);
    }
    stepping = false;
    const kernels = profile.kernels();
    const shares = new Map<string, number>();
    for (const { origin, share } of kernels) shares.set(kindOf(origin), (shares.get(kindOf(origin)) ?? 0) + share);
    const of = (kind: string): number => shares.get(kind) ?? 0;
    const products = of('contract') + of('conv');
    const rest = [...shares]
      .filter(([kind, share]) => kind !== 'contract' && kind !== 'conv' && share >= 0.01)
      .sort(([, a], [, b]) => b - a);

    const heavy = kernels.filter(
      ({ origin, share }) => (kindOf(origin) === 'contract' || kindOf(origin) === 'conv') && share >= WORTH,
    );
    const known = new Map<string, number>();
    const held: { readonly text: string; readonly ratio: number }[] = [];
    for (const { origin, count, ms, share } of heavy) {
      const call = calls.get(keyOf(origin));
      if (call === undefined) continue;
      const key = callClass(call);
      const own = known.get(key) ?? (await alone(runtime.backend, call));
      known.set(key, own);
      const ratio = ms / count / own;
      held.push({
        ratio,
        text: `${origin.label}: ${percent(share)} of the step, ${(ms / count).toFixed(2)} ms, alone ${own.toFixed(2)} ms (${ratio.toFixed(2)})`,
      });
    }
    const worst = held.reduce((a, b) => (b.ratio > a.ratio ? b : a), { text: 'none', ratio: 0 });
    const perStep = profile.totalMs / STEPS;
    const where = `${runtime.backend.caps.name}; ${BATCH} pictures of ${size} px`;
    return [
      {
        name: "contractions and convolutions in mini's training step",
        measured: percent(products),
        wanted: `at least ${percent(LEAST_SHARE)} of the kernels' time`,
        kept: products >= LEAST_SHARE,
        details: `${where}; a step ${median(walls).toFixed(0)} ms, its kernels ${perStep.toFixed(0)} ms; the others: ${rest
          .map(([kind, share]) => `${kind} ${percent(share)}`)
          .join(', ')}`,
      },
      {
        name: `${held.length} of these kernels against their own benchmarks`,
        measured: `at most ${worst.ratio.toFixed(2)} times as long`,
        wanted: `at most ${MOST_RATIO} times`,
        kept: held.length > 0 && worst.ratio <= MOST_RATIO,
        details: [...held]
          .sort((a, b) => b.ratio - a.ratio)
          .map(({ text }) => text)
          .join('\n        '),
      },
    ];
  } finally {
    runtime.close();
  }
};
