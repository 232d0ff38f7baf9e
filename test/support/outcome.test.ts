// What the runner makes of a test file's output.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judge } from './outcome.ts';

const summary = (total: number, passed: number, skipped = 0) =>
  `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;

const outcome = suite('test runner: outcome of a file');

outcome('counts what passed', () => {
  assert.equal(judge(` x  • • •  (3 / 3)\n${summary(3, 3)}`, null), { passed: 3, failed: 0, skips: [], fault: null });
});

outcome('counts failing tests once', () => {
  assert.equal(judge(summary(3, 1), 'exit code 1'), { passed: 1, failed: 2, skips: [], fault: null });
});

outcome('a crash after the last test is a fault', () => {
  assert.equal(judge(summary(3, 3), 'ended by SIGSEGV').fault, 'ended by SIGSEGV');
  assert.equal(judge(summary(3, 3), 'exit code 1').fault, 'exit code 1');
  assert.equal(judge(summary(3, 2), 'ended by SIGSEGV'), {
    passed: 2,
    failed: 1,
    skips: [],
    fault: 'ended by SIGSEGV',
  });
});

outcome('no summary and no tests are faults', () => {
  assert.match(judge(' x  • ', null).fault ?? '', 'suite.run()');
  assert.equal(judge(summary(0, 0), null).fault, 'no tests ran');
});

outcome('a hook that throws is a fault: uvu swallows it and ends well', () => {
  assert.match(judge(summary(2, 0), null).fault ?? '', 'hook');
});

outcome('a skip inside a test takes it from the passed ones', () => {
  const result = judge(`x • \nSKIP test: no adapter\n• (2 / 2)\n${summary(2, 2)}`, null);
  assert.equal(result, { passed: 1, failed: 0, skips: ['no adapter'], fault: null });
});

outcome('a skip at module level stands beside the tests, or for all of them', () => {
  assert.equal(judge(`\nSKIP: no folder\n${summary(2, 2)}`, null).passed, 2);
  assert.equal(judge('\nSKIP: no folder\n', null), { passed: 0, failed: 0, skips: ['no folder'], fault: null });
});

outcome('a test switched off counts as skipped', () => {
  assert.is(judge(summary(2, 2, 3), null).skips.length, 3);
});

outcome.run();
