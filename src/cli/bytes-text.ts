// Numbers of bytes as people read and write them.
import { InvalidArgumentError } from 'commander';

const units = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** `n` bytes in the largest unit that leaves a whole one. */
export const bytesText = (n: number): string => {
  const unit = n === 0 ? 0 : Math.min(3, Math.floor(Math.log2(n + 1) / 10));
  return `${Number((n / 1024 ** unit).toFixed(1))} ${units[unit]}`;
};

const factors: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Reads a number of bytes: 500MB, 2GB, 1.5GiB. */
export const byteCount = (text: string): number => {
  const [, value, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMG]?i?B)?$/.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(value) * (factors[unit] ?? Number.NaN));
  if (!(bytes > 0)) throw new InvalidArgumentError('It must be a number of bytes, as 500MB or 2GB.');
  return bytes;
};
