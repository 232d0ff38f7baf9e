// What is said between the pool and its threads.
import type * as E from 'fp-ts/lib/Either.js';
import type { EncodedImage } from '../datasets/dataset.ts';
import type { DataError } from '../error.ts';
import type { Picture } from '../images/index.ts';

export interface Job {
  /** Told back with the result. */
  readonly id: number;
  /** The number of the sample in the run, for transforms that draw. */
  readonly sample: number;
  readonly stored: EncodedImage | Picture;
}

/** A job; null: end when all jobs are done. */
export type ToThread = Job | null;

export interface FromThread {
  readonly id: number;
  readonly result: E.Either<DataError, Picture>;
}
