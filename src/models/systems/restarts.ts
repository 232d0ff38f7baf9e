// Codebooks whose dead codes are replaced by vectors of the batch, and how many vectors decide which are dead.
import type { QuantiserConfig } from '../quantisers/residual-quantiser.ts';

export interface Restarts {
  /** Its name in the state. */
  readonly book: string;
  /** Vectors of each position that one update sees. */
  readonly vectors: number;
}

/** Those of a codebook that learns by running means; null where codes are not replaced. */
export const restartsOf = (
  book: string,
  { restart, learning, depth }: Pick<QuantiserConfig, 'restart' | 'learning' | 'depth'>,
): Restarts | null => (restart ? { book, vectors: learning === 'forward' ? depth : 1 } : null);
