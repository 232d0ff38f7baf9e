// Numbers, times and names as people read them.

/** Four significant digits, or as many as are asked for; whole numbers in full below ten millions. */
export const short = (x: number, digits = 4): string => {
  const size = Math.abs(x);
  return size >= 10 ** digits && size < 1e7 ? x.toFixed(0) : x.toPrecision(digits);
};

/** Seconds as 1d03h, 2h05m, 3m20s or 45s. */
export const duration = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds));
  const two = (x: number): string => String(x).padStart(2, '0');
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  const minutes = Math.round(s / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.round(s / 3600);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
};

/** A whole number with its thousands apart. */
export const whole = (x: number): string => x.toLocaleString('en-US', { maximumFractionDigits: 0 });

const known: ReadonlyMap<string, string> = new Map([
  ['psnr', 'PSNR, dB'],
  ['ssim', 'SSIM'],
  ['lpips', 'LPIPS'],
  ['mse', 'MSE'],
  ['rfid', 'rFID'],
  ['gradNorm', 'gradient norm'],
  ['usage', 'share of codes in use'],
  ['perplexity', 'perplexity of codes'],
]);

/** A key of the log in words: `learningRate` is a learning rate. */
export const words = (key: string): string =>
  known.get(key) ??
  key.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll(/[_.]/g, ' ');
