// `npm run limits`: what dualtoken promises of its own costs, measured: per run, at the start, and in memory.

import { cpus } from 'node:os';
import { Command } from 'commander';
import { openRuntime } from '../src/index.ts';
import { describeCaps } from '../src/runtime/choose.ts';
import { checkpointing } from './limits/checkpoint.ts';
import type { Limit } from './limits/limit.ts';
import { oddSizes } from './limits/odd-sizes.ts';
import { overhead } from './limits/overhead.ts';
import { start } from './limits/start.ts';
import { trainingStep } from './limits/training-step.ts';
import { vision } from './limits/vision.ts';

const parts = {
  overhead,
  start,
  'odd-sizes': oddSizes,
  checkpoint: checkpointing,
  vision,
  'training-step': trainingStep,
} as const;
type Part = keyof typeof parts;
const isPart = (name: string): name is Part => Object.hasOwn(parts, name);

const command = new Command('limits')
  .description('measures what a run, a start and a large model cost, against what the project promises')
  .argument('[parts...]', `any of ${Object.keys(parts).join(', ')}; default: all`)
  .option('--json', 'print one JSON object on standard output, and nothing else there', false)
  .parse();
const { json } = command.opts<{ readonly json: boolean }>();
const unknown = command.args.find((name) => !isPart(name));
if (unknown !== undefined) command.error(`there is no part '${unknown}'; there are ${Object.keys(parts).join(', ')}`);
const chosen = command.args.length > 0 ? command.args.filter(isPart) : Object.keys(parts).filter(isPart);

const runtime = await openRuntime({ backend: 'webgpu' });
const machine = {
  adapter: describeCaps(runtime.backend.caps),
  processor: cpus()[0]?.model ?? 'unknown processor',
  cores: cpus().length,
  node: process.version,
};
runtime.close();
if (!json) console.log(Object.values(machine).join('; '));

const limits: Limit[] = [];
for (const name of chosen) {
  if (!json) console.error(`measuring: ${name}`);
  for (const limit of await parts[name]()) {
    limits.push(limit);
    if (!json)
      console.log(
        `${limit.kept ? 'kept  ' : 'MISSED'}  ${limit.name}: ${limit.measured}, ${limit.wanted}\n        ${limit.details}`,
      );
  }
}
if (json) console.log(JSON.stringify({ ...machine, limits }, null, 2));
if (limits.some((l) => !l.kept)) process.exitCode = 1;
