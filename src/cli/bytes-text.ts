// Numbers of bytes as people read them.

const units = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** `n` bytes in the largest unit that leaves a whole one. */
export const bytesText = (n: number): string => {
  const unit = n === 0 ? 0 : Math.min(3, Math.floor(Math.log2(n + 1) / 10));
  return `${Number((n / 1024 ** unit).toFixed(1))} ${units[unit]}`;
};
