// How far work is: on a terminal one line that is drawn while the work leaves no turn to others, elsewhere a line every ten seconds.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { outputTo } from '../../src/cli/output.ts';
import { openProgress } from '../../src/cli/progress.ts';
import { taskProgress } from '../../src/cli/task-progress.ts';
import { dualtokenHere } from '../support/command.ts';
import { projectDir } from '../support/shared.ts';
import { terminal } from '../support/terminal.ts';

const test = suite('progress');
const view = (text: string) => ({ line: (columns: number) => text.slice(0, columns), said: text });

test('whatever ends the process, the terminal is as it was; a dumb one is none', () => {
  const ends = () => process.listenerCount('exit');
  const [{ stream, text }, before, term] = [terminal(true, 80), ends(), process.env.TERM];
  const open = () =>
    openProgress(
      outputTo(true, assert.unreachable, (line) => lines.push(line)),
      stream,
    );
  const lines: string[] = [];
  const shown = open();
  shown.show(view('half'));
  assert.is(ends(), before + 1);
  for (const listener of process.listeners('exit').slice(before)) listener.call(process, 0);
  assert.ok(text().lastIndexOf('\u001b[?7h') > text().lastIndexOf('\u001b[?7l'), JSON.stringify(text()));
  shown.stop();
  assert.is(ends(), before);
  const drawn = text();
  try {
    process.env.TERM = 'dumb';
    open().show(view('plain'));
  } finally {
    if (term === undefined) delete process.env.TERM;
    else process.env.TERM = term;
  }
  assert.equal([text(), lines], [drawn, ['plain\n']]);
});

test('no terminal: at most a line every ten seconds, but for what is due', () => {
  const { stream, text } = terminal(false, 80);
  const lines: string[] = [];
  let now = 5000;
  const shown = openProgress(
    outputTo(true, assert.unreachable, (line) => lines.push(line)),
    stream,
    () => now,
  );
  const at = (seconds: number, said: string, due?: boolean): void => {
    now = 5000 + seconds * 1000;
    shown.show(view(said), due);
  };
  at(0, 'first');
  at(9.9, 'too soon');
  at(10, 'second');
  at(11, 'due', true);
  at(20, 'too soon after what was due');
  shown.log('logged');
  at(21, 'a name with\u001b[31m what steers');
  shown.stop();
  assert.equal(lines, ['first\n', 'second\n', 'due\n', 'logged\n', 'a name with\ufffd[31m what steers\n']);
  assert.is(text(), '');
});

test('a terminal: drawn at once and again though no timer has a turn; what is logged may be wider and stands above', () => {
  const { stream, text } = terminal(true, 20);
  let now = 0;
  const shown = openProgress(outputTo(true, assert.unreachable, assert.unreachable), stream, () => now);
  shown.show(view('first'));
  assert.match(text(), 'first');
  shown.show(view('soon'));
  assert.not.match(text(), 'soon');
  now = 100;
  shown.show(view('later \n\u001b[2J than that, and too long'));
  assert.match(text(), 'later \ufffd\ufffd[2J than th');
  const long = 'what went wrong, in more words than a narrow terminal has columns';
  shown.log(long);
  // Between the two the terminal wraps.
  assert.match(text(), `\u001b[?7h${long}\n\u001b[?7l`);
  shown.show(view('last'));
  // Whatever ends the process leaves a terminal that wraps.
  const wraps = (): void =>
    assert.is(text().lastIndexOf('\u001b[?7h') > text().lastIndexOf('\u001b[?7l'), true, 'it cuts');
  wraps();
  shown.stop();
  shown.stop();
  wraps();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is sent begins with one.
  assert.match(text(), /last\u001b\[0K\n\u001b\[\?7h$/);
});

test('a task that takes long says what share of it is done, of a shorter one nothing', () => {
  const lines: string[] = [];
  let now = 0;
  const output = outputTo(true, assert.unreachable, (line) => lines.push(line));
  const shown = taskProgress(output, terminal(false, 80).stream, () => now);
  shown.begin('encoding a.jpg');
  now = 1000;
  shown.show(0.5);
  shown.begin('encoding b.jpg');
  for (const seconds of [2, 3, 4, 13]) {
    now = seconds * 1000;
    shown.show(seconds / 20);
  }
  shown.stop();
  assert.equal(lines, ['encoding b.jpg, 15 %, 11s left\n', 'encoding b.jpg, 65 %, 6s left\n']);
});

test('explain says what it compiles', async () => {
  const { stderr } = await dualtokenHere({}, 'explain', 'mini', '--part', 'decode', '--backend', 'null');
  assert.match(stderr, /^compiling mini, decode$/m);
});

test('one file opens cli-progress', () => {
  const sources = readdirSync(join(projectDir, 'src'), { recursive: true, encoding: 'utf8' });
  const openers = sources.filter(
    (file) =>
      file.endsWith('.ts') && readFileSync(join(projectDir, 'src', file), 'utf8').includes("from 'cli-progress'"),
  );
  assert.equal(openers, [join('cli', 'progress.ts')]);
});

test.run();
