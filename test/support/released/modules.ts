// Parameters of PyTorch's modules, by name and shape: what lists of released checkpoints are written with.

export type Shape = readonly number[];
export type Named = readonly (readonly [name: string, shape: Shape])[];

/** A checkpoint: what a model of this project is made of, and what lies in it beside that. */
export interface Released {
  readonly used: Named;
  readonly beside: Named;
}

const biased = (name: string, weight: Shape, bias: boolean): Named => [
  [`${name}.weight`, weight],
  ...(bias ? [[`${name}.bias`, [weight[0]!]] as const] : []),
];
export const conv = (name: string, inputs: number, outputs: number, window: number, bias = true): Named =>
  biased(name, [outputs, inputs, window, window], bias);
export const linear = (name: string, inputs: number, outputs: number, bias = true): Named =>
  biased(name, [outputs, inputs], bias);
export const norm = (name: string, width: number): Named => biased(name, [width], true);
export const batchNorm = (name: string, width: number): Named => [
  ...norm(name, width),
  [`${name}.running_mean`, [width]],
  [`${name}.running_var`, [width]],
  [`${name}.num_batches_tracked`, []],
];

/** What `make` gives for 0, 1, ... */
export const times = (n: number, make: (i: number) => Named): Named =>
  Array.from({ length: n }, (_, i) => make(i)).flat();

/** Of the same values under other names. */
export const renamed = (named: Named, rename: (name: string) => string): Named =>
  named.map(([name, shape]) => [rename(name), shape]);

/** Lightning's shadow of a module: buffers, whose names hold no dots. */
export const shadow = (name: string, named: Named): Named => [
  [`${name}.decay`, []],
  [`${name}.num_updates`, []],
  ...renamed(named, (n) => `${name}.${n.replaceAll('.', '')}`),
];

/** How many numbers a checkpoint's tensors hold. */
export const numbersIn = (named: Named): number =>
  named.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
