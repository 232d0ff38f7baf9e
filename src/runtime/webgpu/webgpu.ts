// The WebGPU backend.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Program } from '../../compiler/program.ts';
import { badInput } from '../attempt.ts';
import type { Backend, Executable } from '../backend.ts';
import type { RunError } from '../error.ts';
import { Memory } from './buffers.ts';
import type { WebGpuContext } from './context.ts';
import { type OpenDevice, openDevice, openHardwareDevice } from './device.ts';
import { Health } from './health.ts';
import { Pipelines } from './pipelines.ts';
import { planProgram } from './plan.ts';
import { WebGpuExecutable } from './run.ts';

export interface WebGpuBackend extends Backend {
  readonly name: 'webgpu';
  /** Destroys the device as a crashing driver would, so that what follows can be tested. */
  readonly loseDeviceForTest: () => void;
}

const backendOf = ({ device, caps }: OpenDevice): WebGpuBackend => {
  const health = new Health(device);
  const memory = new Memory(device, health, caps.limits.buffer);
  const context: WebGpuContext = { device, caps, health, memory, pipelines: new Pipelines(device) };
  let runs = 0;

  const load = (program: Program): TaskEither<RunError, Executable> =>
    health.guard(async () => {
      if (program.target !== 'wgsl')
        throw badInput(`load: a program for target '${program.target}' on the webgpu backend`);
      const plan = await planProgram(program, context);
      return new WebGpuExecutable(program, plan, context, () => {
        runs++;
      });
    });

  return {
    name: 'webgpu',
    caps,
    upload: (data, shape, dtype) => memory.upload(data, shape, dtype),
    load,
    idle: health.guard(async () => {
      await device.queue.onSubmittedWorkDone();
    }),
    stats: () => ({
      liveBytes: memory.pool.liveBytes,
      peakBytes: memory.pool.peakBytes,
      buffers: memory.pool.buffers,
      kernelsCompiled: context.pipelines.compiled,
      runs,
    }),
    dispose: () => {
      health.fail({ _tag: 'DeviceLost', reason: 'the runtime was disposed', kernel: '', site: '' });
      memory.dispose();
      device.destroy();
    },
    loseDeviceForTest: () => device.destroy(),
  };
};

/** Opens the adapter's device; fails with NoAdapter. */
export const openWebGpu: TaskEither<RunError, WebGpuBackend> = TE.map(backendOf)(openDevice);

/** The same where the adapter is hardware; with a software one it fails with NoAdapter too, before a device is made. */
export const openHardware: TaskEither<RunError, WebGpuBackend> = TE.map(backendOf)(openHardwareDevice);
