// What type-checking costs: the instantiations of 2,000 typed operations stay within 10 % of the recorded number.
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from '../support/shared.ts';

const budget = suite('types: what checking costs');

/** Measured with the compiler in package-lock.json; lower it when the types get cheaper. */
const RECORDED = 256_664;
const BLOCKS = 100;

const modules: Readonly<Record<string, readonly string[]>> = {
  'tensor.ts': ['type Tensor'],
  'shape.ts': ['type Dim'],
  'ops/contract.ts': ['batchedMatmul', 'einsum', 'linear', 'matmul'],
  'ops/elementwise.ts': ['add', 'cast', 'lt', 'mul', 'sub', 'where'],
  'ops/fused.ts': ['attention', 'layerNorm', 'softmax'],
  'ops/joining.ts': ['concat', 'split'],
  'ops/movement.ts': ['bias', 'permute', 'reshape', 'transpose', 'unsqueeze'],
  'ops/rearrange.ts': ['rearrange'],
  'ops/reduce.ts': ['mean', 'sum'],
  'ops/slicing.ts': ['sliceAxis'],
};
const imports = Object.entries(modules)
  .map(([file, names]) => `import { ${names.join(', ')} } from '${join(projectDir, 'src', 'dsl', file)}';`)
  .join('\n');

/** 20 operations at sizes of its own, every third block over unknown sizes, every third generic in its first two dims. */
const block = (i: number): string => {
  const [tokens, width, hidden] = [10 + i, 1000 + 8 * i, 5000 + 4 * i];
  const [lead, generic] = [
    [`'batch', ${tokens}`, ''],
    ['number, number', ''],
    ['B, T', '<B extends Dim, T extends Dim>'],
  ][i % 3]!;
  return `
export const f${i} = ${generic}(
  x: Tensor<readonly [${lead}, ${width}]>,
  w: Tensor<readonly [${width}, ${hidden}]>,
  v: Tensor<readonly [${width}, ${hidden}]>,
  b: Tensor<readonly [${hidden}]>,
) => {
  const a1 = layerNorm(x);
  const a2 = matmul(a1, w);
  const a3 = bias(a2, b);
  const a4 = mul(a3, a2);
  const a5 = add(a4, 1);
  const a6 = where(lt(a5, 0), 0, a5);
  const a7 = linear(a6, v);
  const a8 = sub(a7, x);
  const a9 = rearrange(a8, 'b t (h d) -> b h t d', { h: 8, d: ${width / 8} });
  const a10 = einsum('bhqd,bhkd->bhqk', a9, a9);
  const a11 = softmax(a10);
  const a12 = batchedMatmul(a11, a9);
  const a13 = attention(a12, a9, a9, { causal: true });
  const a14 = permute(a13, [0, 2, 1, 3]);
  const a15 = mean(a14, [1, 2]);
  const [a16] = split(a15, 2);
  const a17 = concat([a16, a16], -1);
  const a18 = transpose(unsqueeze(cast('f16')(a17), 1));
  const a19 = sliceAxis(a18, 1, 0, 3);
  return sum(reshape(a19, [-1, 3]), 0, { keepDims: true });
};`;
};

const instantiations = async (text: string): Promise<number> => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dualtoken-budget-')));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'program.ts'), `${imports}\n${text}\n`);
    const settings = {
      extends: join(projectDir, 'tsconfig.json'),
      compilerOptions: { types: [], rewriteRelativeImportExtensions: false },
      include: ['.'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const output = await new Promise<string>((done) => {
      const args = [
        tsc,
        '-p',
        join(folder, 'tsconfig.json'),
        '--extendedDiagnostics',
        '--singleThreaded',
        '--pretty',
        'false',
      ];
      execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (_, stdout, stderr) => done(stdout + stderr));
    });
    const errors = output.split('\n').filter((line) => line.includes('program.ts') && line.includes('error'));
    assert.equal(errors, [], 'the generated program type-checks');
    const found = /^Instantiations:\s+(\d+)/m.exec(output)?.[1];
    assert.ok(found, `the compiler reports its instantiations:\n${output}`);
    return Number(found);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

budget('2,000 operations', async () => {
  const blocks = Array.from({ length: BLOCKS }, (_, i) => block(i)).join('\n');
  // What the library itself costs is taken off: this is about using it.
  const [all, none] = [await instantiations(blocks), await instantiations('')];
  const spent = all - none;
  console.log(`${spent} instantiations for ${BLOCKS * 20} operations, ${RECORDED} recorded`);
  assert.ok(spent <= RECORDED * 1.1, `${spent} instantiations, ${RECORDED} were recorded: find what became dearer`);
});

budget.run();
