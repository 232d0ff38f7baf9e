// `dualtoken report`: a page about a run, from what its folder holds.
import type { Command } from 'commander';
import { writeReport } from '../../train/report/index.ts';
import { need } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import { outputTo } from '../output.ts';

export const report = async (run: string, options: CommonOptions): Promise<void> => {
  const output = outputTo(options.json);
  const path = await need(writeReport(run));
  output.print(`wrote ${path}`);
  output.result({ report: path });
};

export const reportCommand = (program: Command): Command =>
  withCommon(
    program.command('report').description('write report.html for a run: curves, reconstructions, configuration'),
  )
    .argument('<run>', "a run's folder, as `train --out` named it")
    .action(report);
