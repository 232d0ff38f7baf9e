// What the WebAssembly backend is to reach, by rows of its table, and whether it does.
import { compared, type Report, type Row, type Verdict } from './measure/results.ts';
import { milliseconds, times } from './report/cells.ts';

type Target =
  /** The least time of these entrants to dualtoken's, at least; `fused`: where the engine has relaxed SIMD. */
  | { readonly beside: readonly string[]; readonly ratio: number; readonly fused?: number }
  /** At most so long. */
  | { readonly mostMs: number };

/** Rows by name, in the order of the table; null: shown without a target. */
export const targets: Readonly<Record<string, Target | null>> = {
  'matmul 1024x1024x1024': { beside: ['ort-web-wasm', 'jax-js-wasm'], ratio: 1, fused: 1.5 },
  'matmul 729x1152x4304': null,
  'conv 3x3 64 channels at 128x128': { beside: ['ort-web-wasm'], ratio: 1 },
  'softmax 4096x1024': { beside: ['ort-web-wasm'], ratio: 1 / 1.3 },
  'ViT-Base block, 196 tokens': { beside: ['ort-web-wasm'], ratio: 1 },
  'ViT-Base block, training step': { beside: ['jax-js-wasm'], ratio: 2 },
  'MLP 784-512-256-10, batch 128, training step': { beside: ['jax-js-wasm'], ratio: 1 },
  'mini tokenizer, training step, batch 8': { beside: ['ours-webgpu'], ratio: 5 },
  'ViT-Base block, 196 tokens, first call, cold': { mostMs: 1000 },
  'ViT-Base block, 196 tokens, first call from the disk cache': { mostMs: 300 },
};

type Measured = Pick<Row, 'workload' | 'entries'>;

const judged = ({ entries }: Measured, target: Target, relaxedSimd: boolean): Verdict => {
  const mine = compared({ entries })?.ours;
  const untold = (wanted: string, who: string): Verdict => ({
    wanted,
    measured: `no right result of ${who}`,
    kept: null,
  });
  if ('mostMs' in target) {
    const wanted = `at most ${target.mostMs} ms`;
    if (!mine) return untold(wanted, 'dualtoken');
    return { wanted, measured: `${milliseconds(mine.ms.median)} ms`, kept: mine.ms.median <= target.mostMs };
  }
  const least = relaxedSimd ? (target.fused ?? target.ratio) : target.ratio;
  const rivals = entries.filter((e) => target.beside.includes(e.id));
  const names = target.beside.map((id) => rivals.find((e) => e.id === id)?.name ?? id);
  const wanted = `at least ${times(least)} beside ${names.join(' and ')}`;
  if (!mine) return untold(wanted, 'dualtoken');
  const medians = rivals.flatMap((e) =>
    e.status === 'measured' && e.timing.precision === 'f32' ? [e.timing.ms.median] : [],
  );
  if (medians.length < target.beside.length) return untold(wanted, names.join(' and '));
  const ratio = Math.min(...medians) / mine.ms.median;
  return { wanted, measured: times(ratio), kept: ratio >= least };
};

/** What is laid down for that row on that backend; null: nothing. */
export const verdictOf = (
  { backend, relaxedSimd }: Pick<Report, 'backend' | 'relaxedSimd'>,
  row: Measured,
): Verdict | null => {
  const target = backend === 'wasm' ? targets[row.workload.name] : null;
  return target ? judged(row, target, relaxedSimd) : null;
};
