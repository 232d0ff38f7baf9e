// `npm test [PART...]`: runs each test/**/*.test.ts in a process of its own, two at a time, and adds up what uvu reports.
// A file that crashes, hangs, or ends before uvu's summary counts as failed. Where all run, commands start from compiled sources.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build } from './support/built.ts';
import { judge, type Outcome } from './support/outcome.ts';
import { projectDir } from './support/shared.ts';

const PARALLEL = 2;
const TIMEOUT_SECONDS = Number(process.env.DUALTOKEN_TEST_TIMEOUT ?? 420);
/** Those that take longest, which start first, so that none of them runs alone at the end. */
const LONG = [
  'golden/models',
  'cli/command',
  'kernels/cards',
  'cli/resume',
  'bench',
  'train/variants',
  'kernels/attention',
  'cli/disk-full',
  'kernels/contract',
  'golden/golden',
  'cli/train-options',
  'cli/bad-input',
  'compiler/fusion',
  'ops/windows',
].map((name) => `test/${name}.test.ts`);
/**
 * Mesa's processor driver compiles each kernel without LLVM's optimiser: a test runs it on a few values, so that optimising
 * takes longer than all else. The values are the same. `GALLIVM_PERF=` has it back; `npm start` and the golden cases keep it.
 */
const DRIVER = { GALLIVM_PERF: 'nopt' };
const posix = process.platform !== 'win32';

const running = new Set<ChildProcess>();
const kill = (child: ChildProcess) => {
  if (child.pid === undefined) return;
  try {
    // The group, so that programs which a test started end with it.
    process.kill(posix ? -child.pid : child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
};

const runFile = (file: string, built: string | null): Promise<{ output: string; outcome: Outcome; seconds: number }> =>
  new Promise((done) => {
    const started = performance.now();
    const { FORCE_COLOR: _, ...env } = process.env;
    const child = spawn(process.execPath, ['--conditions=dualtoken-source', '--import', 'tsx', file], {
      cwd: projectDir,
      env: { ...DRIVER, ...env, NO_COLOR: '1', ...(built === null ? {} : { DUALTOKEN_TEST_BUILT: built }) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: posix,
    });
    running.add(child);
    let output = '';
    let timedOut = false;
    const collect = (chunk: string) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const timer = setTimeout(() => {
      timedOut = true;
      kill(child);
    }, TIMEOUT_SECONDS * 1000);
    const finish = (end: string | null) => {
      clearTimeout(timer);
      kill(child);
      running.delete(child);
      done({ output, outcome: judge(output, end), seconds: (performance.now() - started) / 1000 });
    };
    child.on('error', (error) => finish(`did not start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (timedOut) finish(`not finished after ${TIMEOUT_SECONDS} s`);
      else if (signal !== null) finish(`ended by ${signal}`);
      else finish(code === 0 ? null : `exit code ${code}`);
    });
  });

const plural = (n: number, what: string) => (n > 0 ? [`${n} ${what}`] : []);

const report = (name: string, width: number, { passed, failed, skips, fault }: Outcome, seconds: number) => {
  const verdict = failed > 0 || fault !== null ? 'FAIL' : passed === 0 ? 'skip' : 'ok  ';
  const counts = [...plural(passed, 'passed'), ...plural(failed, 'failed'), ...plural(skips.length, 'skipped')];
  if (fault !== null) counts.push(fault);
  console.log(`${verdict}  ${name.padEnd(width)}  ${counts.join(', ')}  (${seconds.toFixed(1)} s)`);
};

const main = async () => {
  const testDir = join(projectDir, 'test');
  const parts = process.argv.slice(2);
  const files = readdirSync(testDir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => relative(projectDir, join(testDir, file)).split(sep).join('/'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort();
  const built = parts.length === 0 ? build() : null;
  let passed = 0;
  let failed = 0;
  if (files.length === 0) {
    console.error(`No file test/**/*.test.ts has ${parts.map((part) => `'${part}'`).join(' or ')} in its name.`);
    failed++;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      for (const child of running) kill(child);
      process.exit(130);
    });

  const width = Math.max(0, ...files.map((file) => file.length));
  const waiting = [...LONG.filter((file) => files.includes(file)), ...files.filter((file) => !LONG.includes(file))];
  const skips: string[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { output, outcome, seconds } = await runFile(file, built);
      report(file, width, outcome, seconds);
      if (outcome.failed > 0 || outcome.fault !== null) console.log(output.trimEnd().replace(/^/gm, '  | '));
      passed += outcome.passed;
      failed += outcome.failed + (outcome.fault === null ? 0 : 1);
      for (const reason of outcome.skips) skips.push(`${file}: ${reason}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));

  for (const line of skips) console.log(`skipped  ${line}`);
  console.log([`${passed} passed, ${failed} failed`, ...plural(skips.length, 'skipped')].join(', '));
  if (failed > 0) process.exitCode = 1;
};

await main();
