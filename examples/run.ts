// `npm run example` lists the examples; `npm run example NAME` runs one (its name, number, or any part that is unique).
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

const list = () =>
  names.map((name) => {
    const comment = /^\/\/ (.*)$/m.exec(readFileSync(`${folder}${name}.ts`, 'utf8'))?.[1] ?? '';
    return `  ${name.padEnd(Math.max(...names.map(({ length }) => length)))}  ${comment}`;
  });

const stop = (message: string) => {
  console.error([message, ...list()].join('\n'));
  process.exitCode = 1;
};

const run = (name: string, rest: readonly string[]) => {
  const file = `${folder}${name}.ts`;
  const child = spawn(process.execPath, ['--conditions=dualtoken-source', '--import', 'tsx', file, ...rest], {
    stdio: 'inherit',
  });
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
};

const [wanted, ...rest] = process.argv.slice(2);
if (wanted === undefined) {
  console.log(['Run one with: npm run example NAME', ...list()].join('\n'));
} else {
  const part = wanted.replace(/^examples\//, '').replace(/\.ts$/, '');
  const matches = names.includes(part) ? [part] : names.filter((name) => name.includes(part));
  const [only] = matches;
  if (only === undefined) stop(`No example is called '${wanted}'. There are:`);
  else if (matches.length > 1) stop(`'${wanted}' could be ${matches.join(' or ')}. There are:`);
  else run(only, rest);
}
