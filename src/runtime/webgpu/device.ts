// Opens the WebGPU device: a browser's own, or else Dawn's.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import { hashText } from '../../dsl/core/hash.ts';
import { attempt, messageOf } from '../attempt.ts';
import { type RunError, RunFailure } from '../error.ts';
import { inNode } from '../in-node.ts';
import { MATRIX_FEATURE, matricesOf, subgroupsOf } from './subgroups.ts';

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly caps: Caps;
}

/** Absent in Node. */
declare const navigator: { readonly gpu?: GPU } | undefined;

// Dawn crashes once the collector takes the instance, so it stays reachable for the life of the process.
let pinned: Promise<GPU> | null = null;

const makeInstance = async (): Promise<GPU> => {
  const browser = typeof navigator === 'undefined' ? undefined : navigator.gpu;
  if (browser) return browser;
  if (!inNode())
    throw noAdapter('this browser has no navigator.gpu, or the page is not served by HTTPS or from localhost');
  return (await import('./dawn.ts')).createDawn();
};

const noAdapter = (why: string): RunFailure => new RunFailure({ _tag: 'NoAdapter', why });

const wanted: ReadonlySet<string> = new Set(['shader-f16', 'subgroups', 'timestamp-query', MATRIX_FEATURE]);

/** What the device is asked for; a subgroup size is set only where there are several. */
const featuresOf = ({ features, info }: GPUAdapter): readonly GPUFeatureName[] => {
  const several = info.subgroupMinSize !== info.subgroupMaxSize;
  const isWanted = (f: string): f is GPUFeatureName => wanted.has(f) || (several && f === 'subgroup-size-control');
  return [...features].filter(isWanted);
};

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

const nameOf = (info: GPUAdapterInfo): string => {
  const words = [info.vendor, info.architecture, info.device, info.description].filter((w) => w !== '');
  return [...new Set(words)].join(' ') || 'unnamed adapter';
};

const isSoftware = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter || /software|llvmpipe|lavapipe|swiftshader|basic render/i.test(nameOf(info));

const capsOf = (gpu: GPU, device: GPUDevice, info: GPUAdapterInfo): Caps => {
  const { limits, features } = device;
  const immediateBytes = gpu.wgslLanguageFeatures.has('immediate_address_space') ? (limits.maxImmediateSize ?? 0) : 0;
  const name = nameOf(info);
  const subgroups = subgroupsOf(features, info);
  const subgroupMatrices = matricesOf(features, info, subgroups);
  const language = { target: 'wgsl', templates: true, f16: features.has('shader-f16'), subgroups } as const;
  const said = {
    timestamps: features.has('timestamp-query'),
    software: isSoftware(info),
    unrolls: isSoftware(info),
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
  };
  // The name has the vendor. An adapter without matrices is one adapter, asked for them or not. Measured schedules are found by this
  // text, so its form stays.
  const key = JSON.stringify({
    ...language,
    immediates: immediateBytes >= 16,
    ...said,
    ...(subgroupMatrices.length > 0 ? { subgroupMatrices } : {}),
  });
  return { ...language, ...said, vendor: info.vendor, subgroupMatrices, fingerprint: `webgpu-${hashText(key)}` };
};

const findAdapter = async (): Promise<{ readonly gpu: GPU; readonly adapter: GPUAdapter }> => {
  pinned ??= makeInstance();
  const gpu = await pinned.catch((thrown) => {
    pinned = null;
    if (thrown instanceof RunFailure) throw thrown;
    throw noAdapter(`the package 'webgpu' does not load here (${messageOf(thrown)})`);
  });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw noAdapter(inNode() ? 'no driver for Vulkan, Metal or Direct3D 12 answers' : 'this browser offers no adapter');
  return { gpu, adapter };
};

/** `hardware`: fails with NoAdapter, before a device is asked for, where the adapter is software. */
const open = (hardware: boolean): TaskEither<RunError, OpenDevice> =>
  attempt(
    async () => {
      const { gpu, adapter } = await findAdapter();
      if (hardware && isSoftware(adapter.info))
        throw noAdapter(`the adapter ${adapter.info.description || nameOf(adapter.info)} is software`);
      const device = await adapter
        .requestDevice({
          label: 'dualtoken',
          requiredFeatures: featuresOf(adapter),
          requiredLimits: allLimits(adapter),
        })
        .catch((thrown) => {
          throw noAdapter(`'${adapter.info.description}' gives no device (${messageOf(thrown)})`);
        });
      return { device, caps: capsOf(gpu, device, adapter.info) };
    },
    (thrown) => ({ _tag: 'NoAdapter', why: messageOf(thrown) }),
  );

/**
 * A device with all of its adapter's limits, and those that it has of shader-f16, subgroups of a size that can be chosen, subgroup
 * matrices (in Node where DUALTOKEN_SUBGROUP_MATRIX is 1) and timestamp-query. Fails with NoAdapter, or BadInput for another value.
 */
export const openDevice: TaskEither<RunError, OpenDevice> = open(false);

/** The same of an adapter that is hardware. */
export const openHardwareDevice: TaskEither<RunError, OpenDevice> = open(true);
