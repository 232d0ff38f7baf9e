// A promise of the project in numbers, and what was measured.

export interface Limit {
  readonly name: string;
  /** What was measured, with its unit. */
  readonly measured: string;
  readonly wanted: string;
  readonly kept: boolean;
  /** Sizes, and what the figure is made of. */
  readonly details: string;
}

export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
