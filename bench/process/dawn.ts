// Dawn's classes as objects, of the project's own copy of Dawn: participants that come with none run on the same one.
import { globals } from 'webgpu';

export interface DawnClasses {
  readonly GPUAdapter: { readonly prototype: GPUAdapter };
  readonly GPUComputePassEncoder: { readonly prototype: GPUComputePassEncoder };
  readonly GPUQueue: { readonly prototype: GPUQueue };
}

// The package declares an object without members.
export const dawnClasses = globals as DawnClasses;
