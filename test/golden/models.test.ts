// The golden cases of whole models, on WebGPU and WebAssembly.
import { basename } from 'node:path';
import { suite } from 'uvu';
import { forEachDevice } from '../support/backends.ts';
import { large, passes, projectCases } from './project-cases.ts';

const test = suite('golden models');

for (const folder of projectCases.filter((path) => large.test(basename(path))))
  forEachDevice(test, basename(folder), (backend) => passes(backend, folder));

test.run();
