// The golden cases of whole models on WebGPU.
import { basename } from 'node:path';
import { suite } from 'uvu';
import { webGpu } from '../support/backends.ts';
import { large, passes, projectCases } from './project-cases.ts';

const test = suite('golden models');

for (const folder of projectCases.filter((path) => large.test(basename(path))))
  test(`${basename(folder)} (webgpu)`, async () => {
    const backend = await webGpu();
    if (backend) await passes(backend, folder);
  });

test.run();
