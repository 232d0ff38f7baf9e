// What stands for a terminal, or for a file that takes standard error.
import { Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/progress.ts';

/** A stream of so many columns, and what was written to it. */
export const terminal = (
  isTTY: boolean,
  columns: number,
): { readonly stream: Terminal; readonly text: () => string } => {
  let text = '';
  const stream = new Writable({
    write: (chunk, _, done) => {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns }), text: () => text };
};
