// Folds a count of workgroups into two grid dimensions; kernels compute `wid.x + wid.y * nwg.x` and leave past the end.

export interface Grid {
  readonly x: number;
  readonly y: number;
}

/** The smallest overshoot with at most `limit` a dimension: x * y - groups < y. */
export const foldGroups = (groups: number, limit: number): Grid => {
  const y = Math.ceil(groups / limit);
  return y <= 1 ? { x: groups, y: 1 } : { x: Math.ceil(groups / y), y };
};
