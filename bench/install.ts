// The peers' packages: bench/ is a package of its own, so that whoever uses dualtoken never installs them.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/** npm writes its own copy of the lock file last: a newer one means that this lock file is installed. */
const installed = (): boolean => {
  const [done, wanted] = [`${here}node_modules/.package-lock.json`, `${here}package-lock.json`];
  return existsSync(done) && statSync(done).mtimeMs >= statSync(wanted).mtimeMs;
};

/** Installs them where they are missing. Left: why they can't be. */
export const installPeers = (log: (line: string) => void): string | null => {
  if (installed()) return null;
  log("bench: installing the peers' packages (970 MB) into bench/node_modules with npm ci --ignore-scripts");
  const { status, stderr, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: here,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  if (status === 0) return null;
  const lines = (stderr ?? '').split('\n').flatMap((l) => /^npm (?:ERR!|error) (.*)/.exec(l)?.slice(1) ?? []);
  return error?.message ?? lines.find((l) => l.includes('Error')) ?? lines[0] ?? `npm ci: exit code ${status}`;
};
