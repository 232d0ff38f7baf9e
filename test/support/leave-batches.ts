// A process that takes one batch decoded by a thread and then leaves: `abandon` forgets the rest, `exit` ends the process.
import { join } from 'node:path';
import { batches, folderDataset } from '../../src/data/index.ts';
import { run } from './files.ts';
import { projectDir } from './shared.ts';

const dataset = await run(folderDataset(join(projectDir, 'assets', 'photos')));
const source = batches(dataset, {
  batchSize: 2,
  transform: { kind: 'random-resized-crop', size: 32, seed: 1 },
  workers: 1,
  prefetch: 4,
  seed: 1,
  onSkip: () => undefined,
});
const first = await source.next();
console.log(first.done === false && first.value._tag === 'Right' ? first.value.right.count : 'no batch');
if (process.argv[2] === 'exit') process.exit(0);
