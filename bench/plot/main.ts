// Reads a report on standard input, and writes its plots as one SVG: time over tokens, batch and width.
import { text } from 'node:stream/consumers';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Report } from '../measure/results.ts';
import { type CostAxis, costAxes } from '../workloads/list.ts';

const report: Report = JSON.parse(await text(process.stdin));

const points = report.rows.flatMap(({ cost, entries }) =>
  cost === null
    ? []
    : entries.flatMap((e) =>
        e.status === 'measured' && e.timing.precision !== 'wrong'
          ? [{ axis: cost.axis, size: cost.size, name: e.name, counts: e.counts, ms: e.timing.ms.median }]
          : [],
      ),
);

const names = [...new Set(points.map((p) => p.name))];
const sizesOf = (axis: CostAxis): number[] => [...new Set(points.filter((p) => p.axis === axis).map((p) => p.size))];

const spec: TopLevelSpec = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  title: `A transformer block on ${report.device.split(',')[0]}; dashed: not counted`,
  data: { values: points },
  hconcat: costAxes.map((axis) => ({
    width: 240,
    height: 280,
    transform: [{ filter: { field: 'axis', equal: axis } }],
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'size',
        type: 'quantitative',
        title: axis,
        scale: { type: 'log', nice: false, padding: 8 },
        axis: { values: sizesOf(axis), format: 'd' },
      },
      y: { field: 'ms', type: 'quantitative', title: 'milliseconds', scale: { type: 'log' }, axis: { format: ',~r' } },
      color: { field: 'name', type: 'nominal', title: null, sort: names, legend: { labelLimit: 0 } },
      strokeDash: { field: 'counts', type: 'nominal', scale: { domain: [true, false] }, legend: null },
    },
  })),
  config: { background: 'white', axis: { gridOpacity: 0.5 } },
};

const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
process.stdout.write(await view.toSVG());
