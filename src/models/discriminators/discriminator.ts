// What all discriminators are: pictures to a map of logits, one a patch, with a state beside the parameters where there is one.
import type { ParamsOf } from '../../dsl/param.ts';
import type { Maps } from '../nn/conv2d.ts';

export interface DiscriminatorConfig {
  /** Channels of the pictures. Default 3. */
  readonly in_channels?: number;
  /** Channels after the first convolution, `ndf`; they double with every layer, up to 8 times as many. Default 64. */
  readonly channels?: number;
  /** Layers between the first convolution and the last; all but the last of them halve the map. Default 3. */
  readonly layers?: number;
}

/** Logits [B, 1, h, w], and the state after this forward. */
export interface Judged<S> {
  readonly logits: Maps;
  readonly next: S;
}

/** Parameters `P`, and a state `S` that a forward returns anew; both are specs. */
export interface Discriminator<P, S> {
  readonly spec: P;
  readonly stateSpec: S;
  /** Pictures [B, C, H, W] in [-1, 1]. */
  readonly forward: (params: ParamsOf<P>, state: ParamsOf<S>) => (images: Maps) => Judged<ParamsOf<S>>;
}

/** Channels after the first convolution and after every layer. */
export const widthsOf = ({ channels = 64, layers = 3 }: DiscriminatorConfig): readonly number[] =>
  Array.from({ length: layers + 1 }, (_, n) => channels * Math.min(2 ** n, 8));
