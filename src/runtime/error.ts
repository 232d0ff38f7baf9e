// What can fail while a program is compiled for a device or runs on it, as values; `explain` renders one.
import { match } from 'ts-pattern';

export type RunError =
  | { readonly _tag: 'NoAdapter'; readonly why: string }
  | { readonly _tag: 'DeviceLost'; readonly reason: string; readonly kernel: string; readonly site: string }
  | { readonly _tag: 'OutOfMemory'; readonly asked: number; readonly what: string; readonly limit?: number }
  | { readonly _tag: 'TooLarge'; readonly what: string; readonly bytes: number; readonly limit: number }
  | {
      readonly _tag: 'ShaderError';
      readonly kernel: string;
      readonly messages: readonly string[];
      readonly source: string;
    }
  | { readonly _tag: 'ValidationError'; readonly message: string; readonly kernel: string; readonly site: string }
  | { readonly _tag: 'BadInput'; readonly message: string }
  | { readonly _tag: 'NonFinite'; readonly message: string };

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const placed = (how: string, kernel: string, site: string): string =>
  `${kernel ? `\n  ${how} '${kernel}'` : ''}${site ? `\n  from ${site}` : ''}`;

export const renderRunError = (e: RunError): string =>
  match(e)
    .with({ _tag: 'NoAdapter' }, ({ why }) => `no WebGPU adapter: ${why}`)
    .with(
      { _tag: 'DeviceLost' },
      ({ reason, kernel, site }) =>
        `the device was lost: ${reason}. Open a new runtime; its tensors are gone${placed('while it ran', kernel, site)}`,
    )
    .with(
      { _tag: 'OutOfMemory' },
      ({ asked, what, limit }) =>
        `the device has no room for ${what} (${mib(asked)}${limit === undefined ? '' : `, where all tensors share ${mib(limit)}; DUALTOKEN_MEMORY sets more, in GiB`}). Free tensors, or use a smaller batch`,
    )
    .with(
      { _tag: 'TooLarge' },
      ({ what, bytes, limit }) => `${what} needs ${mib(bytes)}; this adapter allows ${mib(limit)} in one buffer`,
    )
    .with(
      { _tag: 'ShaderError' },
      ({ kernel, messages }) => `kernel '${kernel}' does not compile:\n  ${messages.join('\n  ')}`,
    )
    .with({ _tag: 'ValidationError' }, ({ message, kernel, site }) => `${message}${placed('in kernel', kernel, site)}`)
    .with({ _tag: 'BadInput' }, { _tag: 'NonFinite' }, ({ message }) => message)
    .exhaustive();

/** A RunError on its way through a promise. */
export class RunFailure extends Error {
  readonly error: RunError;
  constructor(error: RunError) {
    super(renderRunError(error));
    this.name = error._tag;
    this.error = error;
  }
}
