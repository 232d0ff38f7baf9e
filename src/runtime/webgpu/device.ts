// Opens the WebGPU device. The only importer of `webgpu`: in a browser `navigator.gpu` is used instead.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import { hashText } from '../../dsl/core/hash.ts';
import { attempt, messageOf } from '../attempt.ts';
import { type RunError, RunFailure } from '../error.ts';
import { calmPolling } from './polling.ts';

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly caps: Caps;
}

/** Absent in Node. */
declare const navigator: { readonly gpu?: GPU } | undefined;

// Dawn crashes once the collector takes the instance, so it stays reachable for the life of the process.
let pinned: Promise<GPU> | null = null;

/** Mesa complains on stderr where the variable is missing. */
const quietMesa = async (): Promise<void> => {
  if (process.platform !== 'linux' || process.env.XDG_RUNTIME_DIR) return;
  const { tmpdir } = await import('node:os');
  process.env.XDG_RUNTIME_DIR = tmpdir();
};

const makeInstance = async (): Promise<GPU> => {
  const browser = typeof navigator === 'undefined' ? undefined : navigator.gpu;
  if (browser) return browser;
  await quietMesa();
  const { applyEnvironment } = await import('../tune/environment.ts');
  await applyEnvironment();
  calmPolling();
  const { create } = await import('webgpu');
  // Without this, times are multiples of 65 microseconds.
  return create(['disable-dawn-features=timestamp_quantization']);
};

const noAdapter = (why: string): RunFailure => new RunFailure({ _tag: 'NoAdapter', why });

const wanted: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/** Every limit that the adapter offers: a device gets the smallest allowed ones otherwise. */
const allLimits = (adapter: GPUAdapter): Record<string, number> => {
  const limits: Record<string, number> = {};
  for (const [name, value] of entriesOf(adapter.limits)) if (typeof value === 'number') limits[name] = value;
  return limits;
};

/** Limits and infos keep their fields as getters on the prototype. */
function* entriesOf(from: object): Generator<readonly [string, unknown]> {
  for (const name in from) yield [name, Reflect.get(from, name)];
}

const capsOf = (gpu: GPU, device: GPUDevice, info: GPUAdapterInfo): Caps => {
  const { limits, features } = device;
  const immediateBytes = gpu.wgslLanguageFeatures.has('immediate_address_space') ? (limits.maxImmediateSize ?? 0) : 0;
  const words = [info.vendor, info.architecture, info.device, info.description].filter((w) => w !== '');
  const name = [...new Set(words)].join(' ') || 'unnamed adapter';
  const caps = {
    target: 'wgsl',
    templates: true,
    f16: features.has('shader-f16'),
    subgroups: features.has('subgroups') ? { min: info.subgroupMinSize ?? 4, max: info.subgroupMaxSize ?? 128 } : null,
    immediates: immediateBytes >= 16,
    timestamps: features.has('timestamp-query'),
    software: info.isFallbackAdapter || /software|llvmpipe|lavapipe|swiftshader|basic render/i.test(name),
    limits: {
      binding: limits.maxStorageBufferBindingSize,
      buffer: limits.maxBufferSize,
      storageBuffers: limits.maxStorageBuffersPerShaderStage,
      workgroupBytes: limits.maxComputeWorkgroupStorageSize,
      invocations: limits.maxComputeInvocationsPerWorkgroup,
      groupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      immediateBytes,
    },
    name,
  } as const;
  return { ...caps, fingerprint: `webgpu-${hashText(JSON.stringify(caps))}` };
};

/**
 * A device with all of its adapter's limits, and those of shader-f16, subgroups and timestamp-query that it has.
 * Fails with NoAdapter.
 */
export const openDevice: TaskEither<RunError, OpenDevice> = attempt(
  async () => {
    pinned ??= makeInstance();
    const gpu = await pinned.catch((thrown) => {
      pinned = null;
      throw noAdapter(`the package 'webgpu' does not load here (${messageOf(thrown)})`);
    });
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw noAdapter('no driver for Vulkan, Metal or Direct3D 12 answers');
    const device = await adapter
      .requestDevice({
        label: 'dualtoken',
        requiredFeatures: wanted.filter((f) => adapter.features.has(f)),
        requiredLimits: allLimits(adapter),
      })
      .catch((thrown) => {
        throw noAdapter(`'${adapter.info.description}' gives no device (${messageOf(thrown)})`);
      });
    return { device, caps: capsOf(gpu, device, adapter.info) };
  },
  (thrown) => ({ _tag: 'NoAdapter', why: messageOf(thrown) }),
);
