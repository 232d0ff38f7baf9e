// What a training shows: a bar that fits its terminal, lines where there is none, and what is logged above a bar.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { outputTo } from '../../src/cli/output.ts';
import { progressLine } from '../../src/cli/progress-line.ts';
import { trainingProgress } from '../../src/cli/training-progress.ts';
import { terminal } from '../support/terminal.ts';

const test = suite('training progress');

const terms = { loss: 12.345678, pixel: 0.0123456, 'perplexity.pixel': 812.25, 'perplexity.semantic': 7.5 };

test('a wide terminal has all, a narrower one cut names, then fewer terms, then no bar', () => {
  const line = (width: number) => progressLine(width, 0.5, '50/100  3m20s left', terms);
  assert.is(
    line(140),
    `${'█'.repeat(15)}${'░'.repeat(15)}  50/100  3m20s left  loss 12.35  pixel 0.01235  perplexity.pixel 812.3  perplexity.semantic 7.500`,
  );
  assert.match(
    line(90),
    /^█+░+ {2}50\/100 {2}3m20s left {2}los 12\.3 {2}pix 0\.0123 {2}per\.pix 812 {2}per\.sem 7\.50$/,
  );
  assert.match(line(60), /^█+░+ {2}50\/100 {2}3m20s left {2}los 12\.3 {2}pix 0\.0123 {2}…$/);
  assert.is(line(20), '50/100  3m20s left');
  assert.is(line(12), '50/100');
  assert.is(line(6), '50/100');
  assert.is(line(4), '50/1');
});

test('the time that is left stays in narrow terminals: terms go, then the rate, then the bar', () => {
  const line = (width: number) => progressLine(width, 0.5, '50/100  12.50 images/s  3m20s left', terms);
  assert.match(line(60), /^█+░+ {2}50\/100 {2}12\.50 images\/s {2}3m20s left/);
  assert.match(line(44), /^█+░+ {2}50\/100 {2}12\.50 images\/s {2}3m20s left$/);
  assert.match(line(40), /^█+░+ {2}50\/100 {2}3m20s left/);
  assert.is(line(24), '50/100  3m20s left');
  assert.is(line(10), '50/100');
});

test('names are told apart, and no line is wider than its terminal', () => {
  const alike = progressLine(60, 1, '1/1', { discriminatorFake: 1, discriminatorReal: 2 });
  assert.match(alike, /discriminatorF 1\.00 {2}discriminatorR 2\.00$/);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.dictionary(fc.stringMatching(/^[a-z.]{1,20}$/), fc.double(), { maxKeys: 12 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      (width, progress, values, name) =>
        progressLine(width, progress, '123/456  12.50 images/s', values, name).length <= width,
    ),
  );
  assert.is(
    progressLine(40, 0.5, '50 %', {}, 'encoding pictures/of/a/cat.jpg'),
    '████░░░░  50 %  …g pictures/of/a/cat.jpg',
  );
  assert.is(progressLine(20, 0.5, '50 %', {}, 'encoding pictures/of/a/cat.jpg'), '███████░░░░░░░  50 %');
});

test('on a terminal: a bar with terms, speed and time left; lines stand above it', () => {
  const { stream, text } = terminal(true, 120);
  const output = outputTo(true, assert.unreachable, assert.unreachable);
  const shown = trainingProgress(output, 100, stream);
  shown.start(40);
  shown.step({ step: 41, sample: 410, seconds: 20 }, { loss: 3 });
  shown.step({ step: 43, sample: 430, seconds: 24 }, { loss: 2.5, pixel: 0.125 });
  shown.log('step 43: wrote something');
  shown.stop();
  shown.stop();
  const at = text().indexOf('step 43: wrote something\n');
  assert.ok(at > 0);
  assert.match(
    text().slice(at),
    /█{13}░{17} {2}43\/100 {2}5\.000 images\/s {2}1m54s left {2}loss 2\.500 {2}pixel 0\.1250/,
  );
});

test('elsewhere: what is before the first step, that step, one every ten seconds, and the last', () => {
  const { stream, text } = terminal(false, 80);
  const lines: string[] = [];
  let now = 0;
  const shown = trainingProgress(
    outputTo(false, assert.unreachable, (line) => lines.push(line)),
    30,
    stream,
    () => now,
  );
  shown.start(0);
  // Within a step of a large model.
  shown.within(0.0625);
  now = 10_000;
  shown.within(0.125);
  shown.within(0.25);
  for (let step = 1; step <= 30; step++) {
    now += 800;
    shown.step({ step, sample: step * 8, seconds: step * 0.8 }, { loss: step });
  }
  shown.log('another line');
  shown.stop();
  assert.is(text(), '');
  assert.equal(lines, [
    'step 0/30, preparing and compiling the next\n',
    'step 0/30, the next to 13 %\n',
    'step 1/30  loss 1.000\n',
    'step 14/30  loss 14.00  10.00 images/s  13s left\n',
    'step 27/30  loss 27.00  10.00 images/s  2s left\n',
    'step 30/30  loss 30.00  10.00 images/s  0s left\n',
    'another line\n',
  ]);
});

test('after the last step samples are what a program is for', () => {
  const lines: string[] = [];
  const output = outputTo(false, assert.unreachable, (line) => lines.push(line));
  const shown = trainingProgress(output, 30, terminal(false, 80).stream);
  shown.start(30);
  assert.equal(lines, []);
  shown.within(0.25);
  assert.equal(lines, ['step 30/30, samples to 25 %\n']);
});

test.run();
