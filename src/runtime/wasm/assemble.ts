// WebAssembly text to binary. The only importer of `wabt`, which takes a tenth of a second to load: not where kernels are cached.
import { messageOf } from '../attempt.ts';
import { RunFailure } from '../error.ts';

const features = {
  threads: true,
  simd: true,
  relaxed_simd: true,
  bulk_memory: true,
  sat_float_to_int: true,
  sign_extension: true,
  multi_value: true,
  mutable_globals: true,
};

type Wabt = Awaited<ReturnType<typeof load>>;
const load = async () => (await import('wabt')).default();
let loaded: Promise<Wabt> | null = null;

/** Throws ShaderError with what is wrong with the text, and where. */
export const assemble = async (text: string, label: string): Promise<Uint8Array> => {
  loaded ??= load();
  const wabt = await loaded;
  try {
    const module = wabt.parseWat('kernel.wat', text, features);
    try {
      // Its validation knows no shared memory; the engine validates.
      module.resolveNames();
      return module.toBinary({}).buffer;
    } finally {
      module.destroy();
    }
  } catch (thrown) {
    throw new RunFailure({ _tag: 'ShaderError', kernel: label, messages: [messageOf(thrown)], source: text });
  }
};
