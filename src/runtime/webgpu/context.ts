// What the parts of the WebGPU backend share.
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Memory } from './buffers.ts';
import type { Health } from './health.ts';
import type { Pipelines } from './pipelines.ts';

export interface WebGpuContext {
  readonly device: GPUDevice;
  readonly caps: Caps;
  readonly health: Health;
  readonly memory: Memory;
  readonly pipelines: Pipelines;
}
