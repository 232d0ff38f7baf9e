// Who takes part: dualtoken, its peers on the same adapter or in WebAssembly, and what runs on the processor.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Place } from './process/library.ts';
import type { Kind } from './workloads/list.ts';

export interface Entrant {
  /** As --only takes it. */
  readonly id: string;
  readonly name: string;
  /** The package that is measured; null: dualtoken. */
  readonly package: string | null;
  /** The program of its process, relative to bench/. */
  readonly program: string;
  /** What its process opens. */
  readonly device: string;
  readonly on: Place;
  /** Results are compared with its wherever dualtoken runs. */
  readonly everywhere?: true;
  /** Flags of Node. */
  readonly flags: readonly string[];
  /** The kinds in which it differs from another entrant: it takes part in no others. */
  readonly only?: readonly Kind[];
  /** Why it has no such workload, by kind. */
  readonly lacks: Partial<Readonly<Record<Kind, string>>>;
}

const noTokenizer = { tokenizer: 'has no such model', tokenizerTraining: 'has no such model' };
const noTraining = { ...noTokenizer, blockTraining: 'does not train', mlpTraining: 'does not train' };

/** dualtoken on a backend. Where that is, its process says. */
export const ours = (backend: string): Entrant => ({
  id: 'ours',
  name: 'dualtoken',
  package: null,
  program: 'ours/serve.ts',
  device: backend,
  on: 'adapter',
  flags: [],
  lacks: {},
});

/** What dualtoken in WebAssembly is measured against where nobody else has such a model. */
export const oursOnWebGpu: Entrant = {
  ...ours('webgpu'),
  id: 'ours-webgpu',
  name: 'dualtoken webgpu',
  everywhere: true,
  only: ['tokenizerTraining'],
};

/** Has kernels of its own for attention alone. */
const fused = { device: 'webgpu-fused', only: ['attention', 'block'] } as const;
// Otherwise V8 optimises 26 MB of WebAssembly during the first calls, which takes half a minute and changes nothing after.
const liftoff = ['--liftoff-only'];

const onnxruntimeWeb = { package: 'onnxruntime-web', program: 'peers/onnxruntime/web.ts', lacks: noTraining };
const onnxruntimeNode = { package: 'onnxruntime-node', program: 'peers/onnxruntime/node.ts', lacks: noTraining };
const tensorFlow = { package: '@tensorflow/tfjs', program: 'peers/tfjs/serve.ts', flags: [], lacks: noTokenizer };
const jaxJs = { package: '@jax-js/jax', program: 'peers/jax/serve.ts', flags: [], lacks: noTokenizer };

export const peers: readonly Entrant[] = [
  { id: 'ort-node', name: 'onnxruntime-node', ...onnxruntimeNode, device: 'webgpu', on: 'adapter', flags: [] },
  {
    id: 'ort-node-fused',
    name: 'onnxruntime-node, fused attention',
    ...onnxruntimeNode,
    ...fused,
    on: 'adapter',
    flags: [],
  },
  { id: 'ort-web', name: 'onnxruntime-web', ...onnxruntimeWeb, device: 'webgpu', on: 'adapter', flags: liftoff },
  {
    id: 'ort-web-fused',
    name: 'onnxruntime-web, fused attention',
    ...onnxruntimeWeb,
    ...fused,
    on: 'adapter',
    flags: liftoff,
  },
  { id: 'jax-js', name: 'jax-js', ...jaxJs, device: 'webgpu', on: 'adapter' },
  { id: 'tfjs', name: 'TensorFlow.js', ...tensorFlow, device: 'webgpu', on: 'adapter' },
  {
    id: 'gpu.js',
    name: 'gpu.js',
    package: 'gpu.js',
    program: 'peers/gpu.js/serve.ts',
    device: 'webgpu',
    on: 'adapter',
    flags: [],
    lacks: { ...noTraining, block: 'has no tensor operations' },
  },
  { id: 'ort-node-cpu', name: 'onnxruntime-node cpu', ...onnxruntimeNode, device: 'cpu', on: 'processor', flags: [] },
  { id: 'ort-web-wasm', name: 'onnxruntime-web wasm', ...onnxruntimeWeb, device: 'wasm', on: 'wasm', flags: [] },
  { id: 'jax-js-wasm', name: 'jax-js wasm', ...jaxJs, device: 'wasm', on: 'wasm' },
  { id: 'tfjs-wasm', name: 'TensorFlow.js wasm', ...tensorFlow, device: 'wasm', on: 'wasm' },
];

const require = createRequire(import.meta.url);

/** The installed version of what is measured, read from its package. */
export const versionOf = ({ package: name }: Entrant): string => {
  const from = name === null ? '../package.json' : pathOf(name);
  const parsed: { readonly version: string } = JSON.parse(readFileSync(require.resolve(from), 'utf8'));
  return parsed.version;
};

/** Not every package exports its package.json; all lie in one of these folders. */
const pathOf = (name: string): string => {
  const folders = require.resolve.paths(name) ?? [];
  for (const folder of folders) {
    const path = `${folder}/${name}/package.json`;
    try {
      readFileSync(path);
      return path;
    } catch {}
  }
  throw new Error(`the package '${name}' is not installed`);
};
