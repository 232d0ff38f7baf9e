// The workloads of the table, and the sizes of the plots.
import { type Attention, attention } from './attention.ts';
import { type Block, type BlockTraining, block, blockTraining } from './block.ts';
import { type Conv, conv } from './conv.ts';
import { type Decode, decode } from './decode.ts';
import { type LayerNorm, layerNorm } from './layer-norm.ts';
import { type Matmul, matmul } from './matmul.ts';
import { type MlpTraining, mlpTraining } from './mlp.ts';
import { type Nearest, nearest } from './nearest.ts';
import { type Softmax, softmax } from './softmax.ts';
import { type Tokenizer, type TokenizerTraining, tokenizer, tokenizerTraining } from './tokenizer.ts';

export type Workload =
  | Matmul
  | Decode
  | Conv
  | Softmax
  | LayerNorm
  | Attention
  | Block
  | BlockTraining
  | MlpTraining
  | Nearest
  | Tokenizer
  | TokenizerTraining;
export type Kind = Workload['kind'];
export type WorkloadOf<K extends Kind> = Extract<Workload, { readonly kind: K }>;

const vitBase = { batch: 1, tokens: 196, width: 768, heads: 12, hidden: 3072, gelu: 'exact' } as const;
const so400m = { batch: 1, tokens: 729, width: 1152, heads: 16, hidden: 4304, gelu: 'tanh' } as const;

const vitBaseBlock = block('ViT-Base block', vitBase);

export const workloads: readonly Workload[] = [
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(729, 1152, 4304),
  decode(2048, 11_008),
  conv(64, 128),
  conv(512, 48),
  softmax(4096, 1024),
  layerNorm(729, 1152),
  attention(16, 729, 72),
  vitBaseBlock,
  block('SO400M block', so400m),
  blockTraining('ViT-Base block', vitBase, 0.5),
  mlpTraining(128, [784, 512, 256, 10], 0.1),
  nearest(729, 256, 16_384),
  nearest(729, 256, 32_768),
  tokenizer('mini', 64),
  tokenizerTraining('mini', 64, 8),
];

/** A process without anything in its cache folder, or with what another one left there. */
export type FirstCall = 'cold' | 'cached';

const firstOf = (base: Workload, name: string): Workload => ({
  ...base,
  name: `${base.name}, ${name}`,
  flops: 0,
  bytes: 0,
});

/** First calls that have rows of their own: their time is no rate. */
export const firstCalls: readonly { readonly workload: Workload; readonly first: FirstCall }[] = [
  { workload: firstOf(vitBaseBlock, 'first call, cold'), first: 'cold' },
  { workload: firstOf(vitBaseBlock, 'first call from the disk cache'), first: 'cached' },
];

/** What a plot is drawn over. */
export const costAxes = ['tokens', 'batch', 'width'] as const;
export type CostAxis = (typeof costAxes)[number];

/** The block of the plots, half a ViT-Base wide; each plot changes one of its sizes. */
const costBase: Readonly<Record<CostAxis, number>> = { tokens: 196, batch: 1, width: 384 };
const costSizes: Readonly<Record<CostAxis, readonly number[]>> = {
  tokens: [49, 98, 196, 392, 784],
  batch: [1, 2, 4, 8],
  width: [192, 384, 576, 768],
};
const HEAD = 64;

/** A block at each size of each axis. */
export const costs: readonly { readonly axis: CostAxis; readonly size: number; readonly workload: Block }[] =
  costAxes.flatMap((axis) =>
    costSizes[axis].map((size) => {
      const { tokens, batch, width }: typeof costBase = { ...costBase, [axis]: size };
      const shape = { tokens, batch, width, heads: width / HEAD, hidden: 4 * width, gelu: 'exact' } as const;
      return { axis, size, workload: block(`cost over ${axis}: block of width ${width}`, shape) };
    }),
  );
