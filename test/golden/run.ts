// `npm run golden -- DIR [--backend webgpu|wasm|gpujs] [--only PART]`: runs every case folder below DIR and holds it against the
// reference, on WebGPU and on WebAssembly where no backend is named. One line a case and backend; the last one is
// `N passed, N failed`, with those at a kink (kinks.ts) and the skipped ones where there are any.
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import type { Backend } from '../../src/runtime/backend.ts';
import { backendNames, openBackend } from '../../src/runtime/choose.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { casesIn, runCase } from './cases.ts';

const named = backendNames.filter((name) => name !== 'null');
const usage = `usage: npm run golden -- DIR [--backend ${named.join('|')}] [--only PART]`;

const count = { passed: 0, failed: 0, kink: 0, skipped: 0 };

const runAll = async (backend: Backend, dir: string, folders: readonly string[]): Promise<void> => {
  const width = Math.max(...folders.map((folder) => relative(dir, folder).length));
  for (const folder of folders) {
    const started = performance.now();
    const result = await runCase(backend, folder);
    count[result.outcome]++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const name = (relative(dir, folder) || '.').padEnd(width);
    const word = { passed: 'passed ', failed: 'FAILED ', kink: 'AT KINK', skipped: 'SKIPPED' }[result.outcome];
    console.log(`${word} ${name}  ${result.text}${result.outcome === 'skipped' ? '' : `  (${seconds} s)`}`);
  }
};

const main = async (): Promise<string | null> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { backend: { type: 'string' }, only: { type: 'string', default: '' } },
  });
  const [dir] = positionals;
  if (dir === undefined) return usage;
  if (!existsSync(dir)) return `${dir} does not exist\n${usage}`;
  const asked = named.filter((name) => name === values.backend);
  if (values.backend !== undefined && asked.length === 0) return `no backend '${values.backend}'\n${usage}`;
  const folders = casesIn(dir).filter((folder) => relative(dir, folder).includes(values.only));
  if (folders.length === 0) return `${dir} holds no folder with a case.json`;
  for (const backend of asked.length > 0 ? asked : (['webgpu', 'wasm'] as const)) {
    const opened = await openBackend({ backend, log: console.log })();
    if (E.isRight(opened)) {
      await runAll(opened.right, dir, folders);
      opened.right.dispose();
    } else if (asked.length > 0 || opened.left._tag !== 'NoAdapter') return renderRunError(opened.left);
    else {
      count.skipped += folders.length;
      console.log(`SKIPPED all on ${backend}: ${renderRunError(opened.left)}`);
    }
  }
  const rest = [
    ...(count.kink > 0 ? [`${count.kink} at a kink`] : []),
    ...(count.skipped > 0 ? [`${count.skipped} skipped`] : []),
  ];
  console.log([`${count.passed} passed`, `${count.failed} failed`, ...rest].join(', '));
  return count.failed > 0 ? '' : null;
};

const fault = await main();
if (fault !== null) {
  if (fault !== '') console.error(fault);
  process.exitCode = 1;
}
