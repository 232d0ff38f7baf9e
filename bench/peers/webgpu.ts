// A browser's navigator.gpu in Node, for libraries that look for it: import this before any of them.
import { create, globals } from 'webgpu';
import { calmPolling, expectWork } from '../../src/runtime/webgpu/polling.ts';
import { dawnClasses } from '../process/dawn.ts';
import { setNavigator } from './navigator.ts';

Object.assign(globalThis, globals);

// Dawn's loop of setImmediate takes a core from a software adapter; the peers get the same remedy as dualtoken.
calmPolling();
const { prototype: queue } = dawnClasses.GPUQueue;
const { submit, writeBuffer } = queue;
queue.submit = function (...args) {
  const done = submit.apply(this, args);
  expectWork();
  return done;
};

const shared = (x: unknown): x is SharedArrayBuffer =>
  typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer;

/** Dawn for Node refuses memory that threads share, which WebAssembly with threads has: a copy goes instead. */
queue.writeBuffer = function (buffer, at, data, from = 0, count) {
  if (!shared(data) && !(ArrayBuffer.isView(data) && shared(data.buffer)))
    return count === undefined
      ? writeBuffer.call(this, buffer, at, data, from)
      : writeBuffer.call(this, buffer, at, data, from, count);
  // Positions count elements of a typed array, and bytes of anything else.
  const unit = 'BYTES_PER_ELEMENT' in data && typeof data.BYTES_PER_ELEMENT === 'number' ? data.BYTES_PER_ELEMENT : 1;
  const all = shared(data) ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const copy = all.slice(from * unit, count === undefined ? undefined : (from + count) * unit);
  return writeBuffer.call(this, buffer, at, copy);
};

const devices: GPUDevice[] = [];
const { prototype: adapter } = dawnClasses.GPUAdapter;
const { requestDevice } = adapter;
adapter.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  devices.push(device);
  return device;
};

/** Waits until every device that a library opened has done all that was submitted. */
export const devicesIdle = async (): Promise<void> => {
  await Promise.all(devices.map((d) => d.queue.onSubmittedWorkDone()));
};

const gpu = create([]);
setNavigator(gpu);

/** The adapter in the driver's words. */
export const adapterName = async (): Promise<string> => {
  const found = await gpu.requestAdapter();
  if (!found) throw new Error('no adapter answers');
  return found.info.description || found.info.device || found.info.vendor;
};
