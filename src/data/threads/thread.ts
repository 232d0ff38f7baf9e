// The program of a thread: decodes and transforms the pictures that it is sent. Started by pool.ts, with the transform as its data.
import { parentPort, workerData } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import { decodeStored } from '../datasets/dataset.ts';
import { type TransformSpec, transformOf } from '../images/index.ts';
import type { FromThread, ToThread } from './messages.ts';

const spec: TransformSpec = workerData;
const transform = transformOf(spec);
const port = parentPort;
if (port === null) throw new Error('this module is the program of a thread: it is not imported');

port.on('message', async (job: ToThread) => {
  if (job === null) return port.close();
  const { id, sample, stored } = job;
  const decoded = await decodeStored(stored)();
  const result = E.isLeft(decoded) ? decoded : E.right(transform(decoded.right, sample));
  const message: FromThread = { id, result };
  // Not transferred: a transform may hand on pixels that lie in a buffer of the decoder's.
  port.postMessage(message);
});
