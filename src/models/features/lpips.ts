// LPIPS 0.1, the learned perceptual distance (Zhang and others 2018): differences of unit features, weighted by channel.
import { onesInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { add, div, maximum, mul, sqrt, square, sub } from '../../dsl/ops/elementwise.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import { mean, sum } from '../../dsl/ops/reduce.ts';
import { type ParamSpec, type ParamsOf, weight } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Maps } from '../nn/conv2d.ts';
import { alexNet } from './alexnet.ts';
import { imageNetInput } from './inputs.ts';
import { squeezeNetStack } from './squeezenet.ts';
import type { FeatureStack } from './stack.ts';
import { vgg16 } from './vgg16.ts';

/** The weights of one tap's channels, [1, C, 1, 1], none below 0; named as in the published file. */
export interface LpipsHeadSpec {
  readonly model: { readonly 1: { readonly weight: ParamSpec<Rank4, 'f32'> } };
}
export type LpipsHeadsSpec = Readonly<Record<`lin${number}`, LpipsHeadSpec>>;
/** `net`: the backbone. */
export interface LpipsSpec<P> extends LpipsHeadsSpec {
  readonly net: P;
}

/** The heads of a backbone with taps of these widths: `lin0.model.1.weight` and so on. */
export const lpipsHeadsSpec = (widths: readonly number[]): LpipsHeadsSpec =>
  Object.fromEntries(
    widths.map((width, i) => [`lin${i}`, { model: { 1: { weight: weight([1, width, 1, 1], onesInit) } } }]),
  );

/** Two batches of pictures [B, 3, H, W] in [-1, 1]. */
export interface Pair {
  readonly a: Maps;
  readonly b: Maps;
}

const eps = 1e-10;
/** Features of length 1 at each position. Where all are 0 they stay so, and the root under them keeps a finite gradient. */
const unit = (x: Maps): Maps => {
  const squares = sum(square(x), 1, { keepDims: true });
  return div(x, broadcastLike(add(sqrt(maximum(squares, eps * eps)), eps), x));
};

/** The weighted squared difference of two taps, averaged over positions: [B]. */
const apart = (a: Maps, b: Maps, weights: Tensor<Rank4>): Tensor<Rank1> => {
  const d = square(sub(unit(a), unit(b)));
  return mean(sum(mul(d, broadcastLike(weights, d)), 1), [1, 2]);
};

/** A distance of pairs, [B], of pictures of `leastSide` at least. */
export interface PerceptualDistance<P> extends Layer<LpipsSpec<P>, Pair, Tensor<Rank1>> {
  readonly leastSide: number;
}

/**
 * The distance of each pair, [B]: 0 for equal pictures, symmetric. Nothing is asked of the order of `a` and `b`, but the one that
 * needs no gradient costs a forward pass alone. `input` makes of [-1, 1] what the backbone's weights take.
 */
export const lpips = <P>(net: FeatureStack<P>, input: (x: Maps) => Maps = imageNetInput): PerceptualDistance<P> => {
  const spec: LpipsSpec<P> = { net: net.spec, ...lpipsHeadsSpec(net.widths) };
  const distance = layer(spec, (params: ParamsOf<LpipsSpec<P>>) => ({ a, b }: Pair) => {
    const features = net.apply(params.net);
    const [ofA, ofB] = [features(input(a)), features(input(b))];
    const taps = ofA.map((x, i) => apart(x, ofB[i]!, params[`lin${i}`]!.model[1].weight));
    return taps.reduce((total, tap) => add(total, tap));
  });
  return { ...distance, leastSide: net.leastSide };
};

/** The published distances, by the names of their heads (R. Zhang and others, 2018): on VGG16. */
export const lpipsVgg = () => lpips(vgg16());
/** On AlexNet. */
export const lpipsAlex = () => lpips(alexNet());
/** On SqueezeNet 1.1. */
export const lpipsSqueeze = () => lpips(squeezeNetStack('1.1'));
