// The golden cases of whole models, on WebGPU and WebAssembly; the vast ones on WebAssembly alone.
import { basename } from 'node:path';
import { suite } from 'uvu';
import { forEachDevice, wasm } from '../support/backends.ts';
import { large, passes, projectCases, vast } from './project-cases.ts';

const test = suite('golden models');

for (const folder of projectCases.filter((path) => large.test(basename(path)))) {
  const name = basename(folder);
  if (vast.test(name)) test(`${name} (wasm)`, async () => passes(await wasm(), folder));
  else forEachDevice(test, name, (backend) => passes(backend, folder));
}

test.run();
