// The heuristics against recorded tunings (assets/tuning, one file an adapter): what a run without a table loses to the best schedules.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { graphOf, parts, variantNamed } from '../../src/cli/graphs.ts';
import { callsOf } from '../../src/runtime/tune/calls.ts';
import { lossOf, regretsOf } from '../../src/runtime/tune/regret.ts';
import { tableIn } from '../../src/runtime/tune/store.ts';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('heuristics');
const folder = join(projectDir, 'assets/tuning');

/** Of the time of the best schedules, over all recorded kernels of `mini`. */
const MOST_LOST = 0.15;
/** Of one kernel, where it counts: a hundredth of the whole or more. Small kernels have low tiles, which compile soonest. */
const WORST = 2;

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json')))
  test(`${file}: little is lost without a table`, async () => {
    const table = await tableIn(join(folder, file));
    assert.ok(table, `${file} is no table`);
    const calls = callsOf(
      table.caps,
      parts.map((part) => graphOf(variantNamed('mini'), part, 1)),
    );
    const { regrets } = regretsOf(table, calls);
    // Entries of other versions of the templates say nothing: `dualtoken tune mini` measures them again.
    const stale = Object.keys(table.entries).length - regrets.length;
    if (stale > 0) skip(`${file}: ${stale} entries are of other versions of the kernels`);
    if (regrets.length === 0) return;
    const whole = regrets.reduce((ms, r) => ms + r.count * r.best.ms, 0);
    const loss = lossOf(regrets);
    assert.ok(loss <= MOST_LOST, `untuned runs are ${(100 * loss).toFixed(1)} % slower`);
    for (const { key, count, chosen, best } of regrets)
      if (count * best.ms >= 0.01 * whole)
        assert.ok(
          chosen.ms <= WORST * best.ms,
          `${key}: ${chosen.ms.toFixed(3)} ms, the best ${best.ms.toFixed(3)} ms`,
        );
  });

test.run();
