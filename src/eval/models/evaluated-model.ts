// What can be measured of a model: the tables of `dualtoken eval` know this interface, its adapters lie beside.
import type { Normalisation, TransformSpec } from '../../data/index.ts';
import type { Vectors } from '../vectors.ts';

/** One thing that a model makes of pictures. */
export type Output =
  /** f32 [n, 3, size, size], about [-1, 1]. */
  | { readonly kind: 'reconstruction' }
  /** i32 [n, ...], below `codes`. */
  | { readonly kind: 'codes'; readonly codes: number }
  /** f32 [n, width]. */
  | { readonly kind: 'features'; readonly width: number };

/** Values of the outputs asked for, by name. */
export type Measured = Readonly<Record<string, Float32Array | Int32Array>>;

export interface EvaluatedModel {
  /** What tables call it, and what it is one of. */
  readonly name: string;
  readonly family: string;
  /** Side of its pictures in pixels. */
  readonly size: number;
  /** Its own preprocessing: a picture of any size to `size` x `size`, and its values. */
  readonly transform: TransformSpec;
  readonly normalisation: Normalisation;
  readonly outputs: Readonly<Record<string, Output>>;
  /** The features that are compared with texts; null: there are none. */
  readonly embedding: string | null;
  /** The checkpoint folder of its own text tower; null: it has none. */
  readonly textTower: string | null;
  /** A program for some of the outputs: pictures [n, 3, size, size] to their values. It throws RunFailure or CompileFailure. */
  readonly measure: (names: readonly string[]) => (images: Float32Array) => Promise<Measured>;
  /** Gives its parameters and programs up, once those that run are over. */
  readonly free: () => Promise<void>;
}

export interface TextTower {
  readonly width: number;
  /** Embeddings [texts, width], as they are before they are normalised. Throws RunFailure or CompileFailure. */
  readonly embed: (texts: readonly string[]) => Promise<Vectors>;
}

export interface OpenTextTower extends TextTower {
  /** Gives its parameters and program up, once those that run are over. */
  readonly free: () => Promise<void>;
}

/** The names of one kind of outputs. */
export const outputsOf = ({ outputs }: EvaluatedModel, kind: Output['kind']): readonly string[] =>
  Object.keys(outputs).filter((name) => outputs[name]!.kind === kind);
