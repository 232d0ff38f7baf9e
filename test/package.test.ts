// What a user installs: packs the project, installs the tarball, imports it by name, type-checks against it, runs its command.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from './support/shared.ts';

const windows = process.platform === 'win32';

const run = (cwd: string, command: string, ...args: string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: windows });
  assert.ok(
    status === 0,
    `${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}\n${stdout}\n${stderr}`}`,
  );
  return stdout;
};

const manifest: {
  version: string;
  files: string[];
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
} = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8'));
const tarball = `dualtoken-${manifest.version}.tgz`;

const pack = suite('package');
const temporary = mkdtempSync(join(tmpdir(), 'dualtoken-package-'));
const user = join(temporary, 'user');
const link = (name: string, folder: string) => {
  const to = join(folder, 'node_modules', name);
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(join(projectDir, 'node_modules', name), to, windows ? 'junction' : 'dir');
};

pack.after(() => rmSync(temporary, { recursive: true, force: true }));

pack('packs what its `prepare` script builds, and no sources or tests', () => {
  // A copy, so that building it doesn't disturb whatever else runs here.
  const copy = join(temporary, 'copy');
  mkdirSync(copy);
  const shipped = manifest.files.filter((name) => name !== 'dist' && existsSync(join(projectDir, name)));
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src', ...shipped])
    cpSync(join(projectDir, name), join(copy, name), { recursive: true });
  symlinkSync(join(projectDir, 'node_modules'), join(copy, 'node_modules'), windows ? 'junction' : 'dir');
  run(copy, 'npm', 'pack', '--silent', '--pack-destination', temporary);
  // npm sets the bit where it links a command, which is once; a checkout is built many times.
  if (!windows) assert.is(statSync(join(copy, 'dist', 'cli', 'main.js')).mode & 0o777, 0o755);
  mkdirSync(user);
  run(temporary, 'tar', '-xzf', tarball);
  const unpacked = join(temporary, 'package');
  assert.ok(existsSync(join(unpacked, 'dist', 'index.js')));
  assert.ok(existsSync(join(unpacked, 'LICENSE')));
  for (const name of ['src', 'test', 'examples', 'node_modules'])
    assert.not(existsSync(join(unpacked, name)), `${name} is in the package`);
});

pack('installs from the tarball with its dependencies already in place, so without a network', () => {
  for (const name of Object.keys(manifest.dependencies)) link(name, user);
  writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  run(
    user,
    'npm',
    'install',
    '--offline',
    '--ignore-scripts',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    join(temporary, tarball),
  );
  assert.ok(existsSync(join(user, 'node_modules', 'dualtoken', 'dist', 'index.js')));
});

pack('is imported by its name', () => {
  writeFileSync(join(user, 'use.js'), "import { version } from 'dualtoken';\nconsole.log(version);\n");
  assert.is(run(user, process.execPath, 'use.js').trim(), manifest.version);
});

pack('has types, which declarations of what is made with it can name', () => {
  const parts = Object.keys(manifest.exports).filter((part) => !part.endsWith('.json'));
  const imports = parts.map(
    (part, i) => `import * as part${i} from 'dualtoken${part.slice(1)}';\nexport const all${i} = { ...part${i} };\n`,
  );
  writeFileSync(
    join(user, 'types.ts'),
    `${imports.join('')}import { i32, matmul, openRuntime, type Tensor, zeros } from 'dualtoken';
import { mini, pixelDecoder, siglipVision } from 'dualtoken/models';
export const product: Tensor<readonly [2, 4]> = matmul(zeros([2, 3]), zeros([3, 4]));
export const tower = siglipVision(mini.vision);
export const decoder = pixelDecoder(mini.decoder);
export const one = i32(1);
export const { backend, stats } = await openRuntime();
export const { caps } = backend;\n`,
  );
  writeFileSync(
    join(user, 'wrong.ts'),
    "import { matmul, zeros } from 'dualtoken';\nexport const wrong = matmul(zeros([2, 3]), zeros([4, 5]));\n",
  );
  const tsc = join(projectDir, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', ''];
  // With declarations a type that no entry point exports is an error.
  const declarations = ['--declaration', '--emitDeclarationOnly', '--outDir', 'made'];
  run(user, process.execPath, tsc, ...options, ...declarations, 'types.ts');
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, '--noEmit', 'wrong.ts'], {
    cwd: user,
    encoding: 'utf8',
  });
  assert.is.not(status, 0);
  assert.match(stdout, 'matmul: x ends in 3, w starts with 4');
});

pack('is bundled for a browser as it is: no module of Node, and what is asked for rarely is loaded apart', async () => {
  writeFileSync(
    join(user, 'page.js'),
    `import { evaluate, grad, matmul, openRuntime, tensor } from 'dualtoken';
console.log(evaluate, grad, matmul, openRuntime, tensor);\n`,
  );
  writeFileSync(join(user, 'model.js'), "import { mini } from 'dualtoken/models';\nconsole.log(mini);\n");
  const { warnings, metafile } = await build({
    absWorkingDir: user,
    entryPoints: ['page.js', 'model.js'],
    outdir: 'bundle',
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  assert.equal(warnings, []);
  const inputs = Object.keys(metafile.inputs);
  assert.equal(
    inputs.filter((file) => /node:|node_modules\/(wabt|webgpu)\//.test(file)),
    [],
  );
  /** Bytes of a file and of all that is loaded with it. */
  const sizeOf = (from: string): number => {
    const all = new Set([from]);
    for (const file of all)
      for (const { path, kind } of metafile.outputs[file]!.imports) if (kind === 'import-statement') all.add(path);
    return [...all].reduce((n, file) => n + metafile.outputs[file]!.bytes, 0);
  };
  const chunkOf = (input: string): string =>
    Object.entries(metafile.outputs).find(([, { inputs: made }]) =>
      Object.keys(made).some((file) => file.endsWith(input)),
    )![0];
  const page = Object.keys(metafile.outputs).find((file) => metafile.outputs[file]!.entryPoint === 'page.js')!;
  const bytes = {
    page: sizeOf(page),
    oracle: sizeOf(chunkOf('gpu-browser.js')),
    assembler: sizeOf(chunkOf('watr/src/compile.js')),
  };
  assert.ok(bytes.page < 600_000, `the page loads ${bytes.page} bytes at first`);
  assert.ok(bytes.oracle > 500_000 && bytes.assembler < 60_000, JSON.stringify(bytes));
  assert.is.not(chunkOf('gpu-browser.js'), page);
  assert.is.not(chunkOf('watr/src/compile.js'), page);
});

pack('its command answers --help', () => {
  const help = run(user, join(user, 'node_modules', '.bin', 'dualtoken'), '--help');
  assert.match(help, 'Usage: dualtoken');
  assert.is(run(user, join(user, 'node_modules', '.bin', 'dualtoken'), '--version').trim(), manifest.version);
});

pack.run();
