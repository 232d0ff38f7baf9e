// Dawn's null backend: Tint checks every shader in full, nothing runs. It is what stands for graphics cards that are not there.
import { create } from 'webgpu';

export interface NullDevice {
  readonly device: GPUDevice;
  readonly limits: GPUSupportedLimits;
  /** Features of the adapter; the device has all that kernels use. */
  readonly features: ReadonlySet<string>;
}

const used: readonly string[] = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
];

let kept: { readonly gpu: GPU; readonly opened: NullDevice } | null = null;

/** The process's null device; null where the package has none. */
export const nullDevice = async (): Promise<NullDevice | null> => {
  if (kept) return kept.opened;
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = await gpu.requestAdapter();
  if (!adapter) return null;
  const has = (f: string): f is GPUFeatureName => used.includes(f) && adapter.features.has(f);
  const requiredFeatures = [...adapter.features].filter(has);
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, name);
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  kept = { gpu, opened: { device, limits: device.limits, features: new Set<string>(requiredFeatures) } };
  return kept.opened;
};
