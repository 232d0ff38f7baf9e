// WebAssembly text to binary in a browser, where `wabt` cannot be bundled. The only importer of `watr`, which gives the same bytes.
import { messageOf } from '../attempt.ts';
import { RunFailure } from '../error.ts';

/** Throws ShaderError with what is wrong with the text. */
export const assemble = async (text: string, label: string): Promise<Uint8Array> => {
  const { default: compile } = await import('watr/compile');
  try {
    return compile(text);
  } catch (thrown) {
    throw new RunFailure({ _tag: 'ShaderError', kernel: label, messages: [messageOf(thrown)], source: text });
  }
};
