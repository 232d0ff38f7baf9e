// Where the time of a training step of `mini` goes: its codes, all losses of the paper (SqueezeNet's features in LPIPS's place), generator
// and discriminator. Each kernel of a contraction or convolution is held against its own benchmark: the same kernel alone, again and again.

import { noCache } from '../../src/compiler/cache/cache.ts';
import type { Origin } from '../../src/compiler/program.ts';
import { openRuntime, Profile } from '../../src/index.ts';
import { variants, withSystem } from '../../src/models/index.ts';
import type { Loss } from '../../src/models/losses/index.ts';
import { median } from '../../src/runtime/tune/median.ts';
import { openTrainer, tokenizerTask } from '../../src/train/index.ts';
import { pictures } from '../workloads/tokenizer.ts';
import { type KernelGraph, msAlone } from './kernel-alone.ts';
import type { Limit } from './limit.ts';

const BATCH = 8;
const STEPS = 9;
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

export const trainingStep = async (): Promise<readonly Limit[]> => {
  const profile = new Profile();
  let stepping = false;
  const graphs = new Map<string, KernelGraph>();
  const runs = new Map<string, number[]>();
  const runtime = await openRuntime({
    cache: noCache,
    tuning: { digest: 'none', find: () => undefined },
    compile: { onCall: (call, _, kernel) => graphs.set(keyOf(kernel.origin), { call, ...kernel }) },
    onRun: (program, times) => {
      // What draws the parameters is no part of a step.
      if (!stepping) return;
      profile.add(program, times);
      for (const { step, durationNs } of times) {
        const key = keyOf(program.steps[step]!.origin);
        runs.set(key, [...(runs.get(key) ?? []), durationNs / 1e6]);
      }
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
    const held: { readonly text: string; readonly ratio: number }[] = [];
    for (const { origin, share } of heavy) {
      const graph = graphs.get(keyOf(origin));
      if (graph === undefined) throw new Error(`${origin.label} is in no graph`);
      const own = await msAlone(runtime.backend, graph);
      const ms = median(runs.get(keyOf(origin)) ?? []);
      const ratio = ms / own;
      const what = [origin.label, origin.path || origin.site].join('  ');
      const text = `${ratio.toFixed(2)}  ${percent(share)} of the step, ${ms.toFixed(2)} ms, alone ${own.toFixed(2)} ms  ${what}`;
      held.push({ ratio, text });
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
