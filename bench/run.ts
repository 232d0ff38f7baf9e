// `npm run bench [PART] [-- --backend NAME --runs N --json]`: times each workload on one adapter, medians after warm-up.
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph } from '../src/compiler/compile.ts';
import { renderCompileError } from '../src/compiler/error.ts';
import { explain, summaryOf } from '../src/compiler/explain.ts';
import { sizeOf } from '../src/dsl/core/node.ts';
import { orThrow } from '../src/runtime/attempt.ts';
import type { Backend } from '../src/runtime/backend.ts';
import { describeCaps, openBackend } from '../src/runtime/choose.ts';
import { type Case, cases } from './cases.ts';

interface Timing {
  readonly name: string;
  readonly dispatches: number;
  readonly compileMs: number;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly gflops: number;
  readonly gbytes: number;
}

const time = async (c: Case, backend: Backend, runs: number, show: boolean): Promise<Timing> => {
  const started = performance.now();
  const made = compileGraph(
    { inputs: c.inputs.map((node) => ({ node, donated: false })), outputs: c.outputs },
    backend.caps,
  );
  if (E.isLeft(made)) throw new Error(renderCompileError(made.left));
  const compileMs = performance.now() - started;
  if (show) console.log(explain(made.right));
  const executable = await orThrow(backend.load(made.right));
  const buffers = await Promise.all(
    c.inputs.map((n, k) =>
      orThrow(
        backend.upload(
          Float32Array.from({ length: sizeOf(n.shape) }, (_, i) => Math.sin(i * 0.731 + k) * 0.5),
          n.shape,
          'f32',
        ),
      ),
    ),
  );
  const once = async (): Promise<number> => {
    const t = performance.now();
    const outputs = await orThrow(executable.run(buffers, {}));
    await orThrow(backend.idle);
    const ms = performance.now() - t;
    for (const o of outputs) o.free();
    return ms;
  };
  const firstMs = await once();
  await once();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await once());
  times.sort((a, b) => a - b);
  for (const b of buffers) b.free();
  executable.dispose();
  const medianMs = times[times.length >> 1]!;
  return {
    name: c.name,
    dispatches: summaryOf(made.right).dispatches,
    compileMs,
    firstMs,
    medianMs,
    minMs: times[0]!,
    gflops: c.flops / medianMs / 1e6,
    gbytes: c.bytes / medianMs / 1e6,
  };
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string' },
    runs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    explain: { type: 'boolean', default: false },
  },
});
if (values.backend !== undefined && values.backend !== 'webgpu' && values.backend !== 'gpujs') {
  console.error(`unknown backend '${values.backend}': webgpu or gpujs`);
  process.exit(1);
}
const backend = await orThrow(
  openBackend({ log: (l) => console.error(l), ...(values.backend ? { backend: values.backend } : {}) }),
);
const results: Timing[] = [];
if (!values.json) {
  console.log(describeCaps(backend.caps));
  console.log(`${'workload'.padEnd(52)} dispatches  compile   first    median       min  GFLOP/s    GB/s`);
}
for (const make of cases) {
  const c = make();
  if (!positionals.every((p) => c.name.includes(p))) continue;
  const t = await time(c, backend, Number(values.runs), values.explain);
  results.push(t);
  const ms = (x: number): string => x.toFixed(1).padStart(8);
  if (!values.json)
    console.log(
      `${t.name.padEnd(52)} ${String(t.dispatches).padStart(10)} ${ms(t.compileMs)} ${ms(t.firstMs)}  ${ms(t.medianMs)}  ${ms(t.minMs)} ${t.gflops.toFixed(2).padStart(8)} ${t.gbytes.toFixed(2).padStart(7)}`,
    );
}
if (values.json) console.log(JSON.stringify({ adapter: describeCaps(backend.caps), backend: backend.name, results }));
backend.dispose();
