// A browser's navigator in Node, for libraries that look for it: set this before any of them is imported.
import { availableParallelism } from 'node:os';

/** With `gpu` as navigator.gpu; without one, a browser that has no WebGPU. */
export const setNavigator = (gpu?: GPU): void => {
  Object.defineProperty(globalThis, 'navigator', {
    value: {
      ...(gpu ? { gpu } : {}),
      userAgent: 'node',
      platform: process.platform,
      language: 'en',
      hardwareConcurrency: availableParallelism(),
    },
    configurable: true,
    writable: true,
  });
};
