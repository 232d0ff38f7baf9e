// `dualtoken devices`: what programs can run on here.
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Backend } from '../../runtime/backend.ts';
import { openBackend } from '../../runtime/choose.ts';
import { renderRunError } from '../../runtime/error.ts';
import { bytesText } from '../bytes-text.ts';
import { type BackendOptions, withBackend } from '../options.ts';
import { outputTo } from '../output.ts';

const backends = ['webgpu', 'wasm', 'gpujs'] as const;

interface Device {
  readonly backend: Backend['name'];
  readonly available: boolean;
  readonly adapter?: string;
  readonly software?: boolean;
  readonly features?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly reason?: string;
}

const matricesText = ({ subgroupMatrices }: Caps): string | null =>
  subgroupMatrices.map((m) => `${m.component} ${m.M}x${m.N}x${m.K} to ${m.result}`).join(', ') || null;

const describe = (backend: Backend['name'], caps: Caps): Device => ({
  backend,
  available: true,
  adapter: caps.name,
  software: caps.software,
  features: {
    ...(caps.target === 'wasm' ? { 'fused multiply-add': caps.relaxedSimd ?? false } : {}),
    f16: caps.f16,
    subgroups: caps.subgroups,
    matrices: matricesText(caps),
    timestamps: caps.timestamps,
  },
  limits: { ...caps.limits },
});

/** How a limit is shown: its meaning, and whether it counts bytes. */
const limitText: Readonly<Record<keyof Caps['limits'], readonly [name: string, bytes: boolean]>> = {
  binding: ['largest binding', true],
  buffer: ['largest buffer', true],
  storageBuffers: ['buffers a kernel', false],
  workgroupBytes: ['workgroup memory', true],
  invocations: ['workgroup size', false],
  groupsPerDimension: ['workgroups a side', false],
  immediateBytes: ['immediates', true],
};
const limitRow = ([key, value]: readonly [string, number]): readonly [string, string] => {
  const [name, bytes] = Object.entries(limitText).find(([k]) => k === key)?.[1] ?? [key, false];
  return [name, bytes ? bytesText(value) : `${value}`];
};

const lines = (d: Device): readonly string[] => {
  if (!d.available) return [`${d.backend}: not available: ${d.reason}`];
  const text = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([k, v]) => `${k} ${v}`)
          .join(', ')
      : value === true
        ? 'yes'
        : value === false || value === null
          ? 'no'
          : `${value}`;
  const rows = [
    ...Object.entries(d.features ?? {}).map(([name, value]) => [name, text(value)] as const),
    ...Object.entries(d.limits ?? {}).map(limitRow),
  ];
  return [
    `${d.backend}: ${d.adapter}${d.backend === 'webgpu' && d.software ? ' (software)' : ''}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(20)} ${value}`),
  ];
};

/** What a run without --backend uses, and why. */
const defaultBackend = async (): Promise<{ readonly name: Backend['name'] | null; readonly why: string }> => {
  const lines: string[] = [];
  const opened = await openBackend({ log: (line) => lines.push(line) })();
  if (E.isLeft(opened)) return { name: null, why: `none: ${renderRunError(opened.left)}` };
  opened.right.dispose();
  return { name: opened.right.name, why: lines.join('\n').replace(/^backend /, '') };
};

export const devices = async ({ json, backend: only }: BackendOptions): Promise<void> => {
  const output = outputTo(json);
  const found: Device[] = [];
  for (const backend of only ? [only] : backends) {
    const opened = await openBackend({ backend })();
    if (E.isLeft(opened)) found.push({ backend, available: false, reason: renderRunError(opened.left) });
    else {
      found.push(describe(backend, opened.right.caps));
      opened.right.dispose();
    }
  }
  const { name, why } = await defaultBackend();
  for (const line of found.flatMap(lines)) output.print(line);
  output.print(`default: ${why}`);
  output.result({ default: name, devices: found });
};

export const devicesCommand = (program: Command): Command =>
  withBackend(
    program.command('devices').description('list the backends that run here: adapter, limits, features'),
  ).action(devices);
