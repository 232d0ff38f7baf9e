// Why a graph does not become a program for a device.
import { match } from 'ts-pattern';

export type CompileError =
  | {
      readonly _tag: 'TooLarge';
      readonly what: string;
      readonly bytes: number;
      readonly limit: number;
      readonly site: string;
    }
  | { readonly _tag: 'Unsupported'; readonly what: string; readonly why: string; readonly site: string };

const size = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export const renderCompileError = (e: CompileError): string =>
  match(e)
    .with(
      { _tag: 'TooLarge' },
      ({ what, bytes, limit, site }) =>
        `${what} needs ${size(bytes)}; this adapter allows ${size(limit)} in one buffer${site ? `\n  from ${site}` : ''}\n  hint: use a smaller batch, or split the tensor`,
    )
    .with({ _tag: 'Unsupported' }, ({ what, why, site }) => `${what}: ${why}${site ? `\n  from ${site}` : ''}`)
    .exhaustive();
