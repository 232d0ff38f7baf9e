// `dualtoken devices`: what programs can run on here.
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Backend } from '../../runtime/backend.ts';
import { openBackend } from '../../runtime/choose.ts';
import { renderRunError } from '../../runtime/error.ts';
import { type BackendOptions, withBackend } from '../options.ts';
import { outputTo } from '../output.ts';

const backends = ['webgpu', 'gpujs'] as const;

interface Device {
  readonly backend: Backend['name'];
  readonly available: boolean;
  readonly adapter?: string;
  readonly software?: boolean;
  readonly features?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly reason?: string;
}

const describe = (backend: Backend['name'], caps: Caps): Device => ({
  backend,
  available: true,
  adapter: caps.name,
  software: caps.software,
  features: { f16: caps.f16, subgroups: caps.subgroups, immediates: caps.immediates, timestamps: caps.timestamps },
  limits: { ...caps.limits },
});

const lines = (d: Device): readonly string[] => {
  if (!d.available) return [`${d.backend}: not available: ${d.reason}`];
  const rows = [...Object.entries(d.features ?? {}), ...Object.entries(d.limits ?? {})];
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
  return [
    `${d.backend}: ${d.adapter}${d.software ? ' (software)' : ''}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(20)} ${text(value)}`),
  ];
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
  const chosen = found.find((d) => d.available)?.backend ?? null;
  for (const line of found.flatMap(lines)) output.print(line);
  output.print(`default: ${chosen}`);
  output.result({ default: chosen, devices: found });
};

export const devicesCommand = (program: Command): Command =>
  withBackend(
    program.command('devices').description('list the backends that run here: adapter, limits, features'),
  ).action(devices);
