#!/usr/bin/env node
// The executable `dualtoken`.
import { lostOutputs } from './lost-outputs.ts';
import { runCommandLine } from './run.ts';

const lost = lostOutputs(process);
let ended = false;
process.once('beforeExit', () => {
  if (ended) return;
  process.stderr.write(
    'dualtoken: it waits for something that never comes, as a promise of a configuration that nobody settles\n',
  );
  process.exitCode = 1;
});
const code = await runCommandLine(process.argv.slice(2));
ended = true;
process.exitCode = code === 0 && lost() ? 1 : code;
