// Preloaded before the command: its WebGPU device is lost after so many submissions (`LOSE_DEVICE_AFTER`).
import { create } from 'webgpu';

const gpu = create([]);
const requestAdapter = gpu.requestAdapter.bind(gpu);
gpu.requestAdapter = async (options) => {
  const adapter = await requestAdapter(options);
  if (!adapter) return adapter;
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice(descriptor);
    const { queue } = device;
    const submit = queue.submit.bind(queue);
    let left = Number(process.env.LOSE_DEVICE_AFTER);
    queue.submit = (buffers) => {
      submit(buffers);
      if (left-- === 0) device.destroy();
    };
    Object.defineProperty(device, 'queue', { value: queue });
    return device;
  };
  return adapter;
};
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
