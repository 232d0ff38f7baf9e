// Dawn for Node. The only importer of `webgpu`; bundles for a browser leave it out.
import { tmpdir } from 'node:os';
import { calmPolling } from './polling.ts';
import { matricesAsked } from './subgroups.ts';

/** Mesa complains on stderr where the variable is missing. */
const quietMesa = (): void => {
  if (process.platform === 'linux') process.env.XDG_RUNTIME_DIR ||= tmpdir();
};

/** Dawn's `navigator.gpu`. Throws BadInput where the user's setting of subgroup matrices is wrong. */
export const createDawn = async (): Promise<GPU> => {
  const unsafe = matricesAsked() ? ['enable-dawn-features=allow_unsafe_apis'] : [];
  quietMesa();
  calmPolling();
  const { create } = await import('webgpu');
  // Without this, times are multiples of 65 microseconds.
  return create(['disable-dawn-features=timestamp_quantization', ...unsafe]);
};
