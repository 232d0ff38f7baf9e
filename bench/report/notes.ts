// Where and how it was measured, in sentences.
import type { Report } from '../measure/results.ts';
import { peaks, placeNames } from './cells.ts';

const versions = (report: Report): string =>
  Object.entries(report.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

export const where = (report: Report): readonly string[] => [
  `Made by \`${report.command}\`.`,
  `dualtoken's backend ${report.backend} on ${report.device}.`,
  `${report.processor}, ${report.cores} cores; Node ${report.node}; ${report.day}.`,
  ...(report.roofline === null ? [] : [`At most, by kernels that do nothing else: ${peaks(report)}.`]),
  `Versions: ${versions(report)}.`,
];

export const how = (report: Report): readonly string[] => [
  `Every entrant has a process of its own for every workload. All load it, then run in turns; a time is the median of ${report.runs} runs, each until the device is done (short runs: of ${report.runs} samples of at least 50 ms; who does not count and is slow: fewer). Inputs are on the device where the library allows it.`,
  'Every result is held against one computed in f64 here: the error is relative to its largest value; of training, the losses of the first steps; of nearest codes, how much farther than the nearest. A peer whose result has the precision of f16 only counts, marked *; a wrong one does not.',
  `The ratio is the time of the fastest peer ${placeNames[report.on]} to dualtoken's; what runs elsewhere is shown, and not counted. The peers on Dawn for Node wait for it as dualtoken does, without its busy loop.`,
  report.cold
    ? 'First call: from data on the host to the first result, in a new process, with the caches of the driver and of dualtoken off. Start: from nothing until library and device are there.'
    : 'First call: from data on the host to the first result, in a new process, with the caches of the driver and of dualtoken as they were (--cold turns them off). Start: from nothing until library and device are there.',
  ...(report.rows.some((row) => row.target !== null)
    ? [
        "Targets: the time of the peer that is named (of two, the faster) to dualtoken's, or a time. dualtoken webgpu is meant on a software adapter.",
      ]
    : []),
  ...(report.rows.some((row) => row.first !== null)
    ? [
        `Rows of first calls: the median of ${report.runs} new processes each, after one that is not timed; cold with an empty folder for dualtoken's cache, else with the one that the first process left.`,
      ]
    : []),
  "Dispatches are counted where a library calls Dawn for Node; on other backends they are what dualtoken's program has; ? where a library has a build of its own or none. Peak memory is that of the process, which on a software adapter holds the device memory too.",
];
