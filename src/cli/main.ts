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
process.once('exit', () => {
  if (lost()) process.exitCode ||= 1;
});
process.exitCode = await runCommandLine(process.argv.slice(2));
ended = true;
