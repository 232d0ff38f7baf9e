// Reads a report on standard input, and writes its plots as one SVG: time over tokens, batch and width.
import { text } from 'node:stream/consumers';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Report } from '../measure/results.ts';
import { costAxes } from '../workloads/list.ts';

const report: Report = JSON.parse(await text(process.stdin));

const points = report.rows.flatMap(({ cost, entries }) =>
  cost === null
    ? []
    : entries.flatMap((e) =>
        e.status === 'measured' && e.timing.precision !== 'wrong'
          ? [{ axis: cost.axis, size: cost.size, name: e.name, on: e.on, ms: e.timing.ms.median }]
          : [],
      ),
);

const titles = { tokens: 'tokens', batch: 'batch', width: 'width' } as const;

const spec: TopLevelSpec = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  title: `A transformer block on ${report.device.split(',')[0]}`,
  data: { values: points },
  hconcat: costAxes.map((axis) => ({
    width: 240,
    height: 280,
    transform: [{ filter: { field: 'axis', equal: axis } }],
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'size', type: 'quantitative', title: titles[axis], scale: { type: 'log', base: 2, nice: false } },
      y: { field: 'ms', type: 'quantitative', title: 'milliseconds', scale: { type: 'log' } },
      color: { field: 'name', type: 'nominal', title: null },
      strokeDash: { field: 'on', type: 'nominal', title: null },
    },
  })),
  config: { background: 'white' },
};

const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
process.stdout.write(await view.toSVG());
