// Loading functions of TensorFlow.js for the benchmark. It runs operation by operation, and frees what `tidy` has seen.
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Running } from '../../process/library.ts';
import type { HostArray } from '../../workloads/values.ts';

export { tf };

export const upload = ({ shape, data }: HostArray): tf.Tensor => tf.tensor(data, [...shape]);

/** What was recorded goes to the queue, and the queue runs dry. In WebAssembly a call returns when it is done. */
export const settle = async (): Promise<void> => {
  if (tf.getBackend() !== 'webgpu') return;
  // The only backend that is loaded.
  const backend = tf.backend() as WebGPUBackend;
  // Submitting alone would leave a pass open.
  backend.endComputePassEncoder();
  backend.submitQueue();
  await (await import('../webgpu.ts')).devicesIdle();
};

/** Runs of a call, whose result may have another order on the host. */
export const running = (call: () => tf.Tensor, reordered: (y: tf.Tensor) => tf.Tensor = (y) => y): Running => ({
  launch: async () => {
    tf.tidy(call).dispose();
  },
  wait: settle,
  result: async () => {
    const y = tf.tidy(() => reordered(call()));
    const values = await y.data();
    y.dispose();
    return values;
  },
});
