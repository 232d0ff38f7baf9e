// `npm run golden -- DIR [--backend webgpu|gpujs] [--only PART]`: runs every case folder below DIR and holds it against the
// reference. One line a case; the last one is `N passed, N failed`, with the skipped ones where there are any.
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { openBackend } from '../../src/runtime/choose.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { casesIn, runCase } from './cases.ts';

const usage = 'usage: npm run golden -- DIR [--backend webgpu|gpujs] [--only PART]';

const main = async (): Promise<string | null> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { backend: { type: 'string' }, only: { type: 'string', default: '' } },
  });
  const [dir] = positionals;
  if (dir === undefined) return usage;
  if (!existsSync(dir)) return `${dir} does not exist\n${usage}`;
  const wanted = values.backend;
  if (wanted !== undefined && wanted !== 'webgpu' && wanted !== 'gpujs') return `no backend '${wanted}'\n${usage}`;
  const folders = casesIn(dir).filter((folder) => relative(dir, folder).includes(values.only));
  if (folders.length === 0) return `${dir} holds no folder with a case.json`;
  const opened = await openBackend({ ...(wanted ? { backend: wanted } : {}), log: console.log })();
  if (E.isLeft(opened)) return renderRunError(opened.left);

  const count = { passed: 0, failed: 0, skipped: 0 };
  const width = Math.max(...folders.map((folder) => relative(dir, folder).length));
  for (const folder of folders) {
    const started = performance.now();
    const result = await runCase(opened.right, folder);
    count[result.outcome]++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const name = (relative(dir, folder) || '.').padEnd(width);
    const word = { passed: 'passed ', failed: 'FAILED ', skipped: 'SKIPPED' }[result.outcome];
    console.log(`${word} ${name}  ${result.text}${result.outcome === 'skipped' ? '' : `  (${seconds} s)`}`);
  }
  opened.right.dispose();
  console.log(`${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`);
  return count.failed > 0 ? '' : null;
};

const fault = await main();
if (fault !== null) {
  if (fault !== '') console.error(fault);
  process.exitCode = 1;
}
