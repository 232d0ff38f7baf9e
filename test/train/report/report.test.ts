// The record of a run and the page that is made of it: what is grouped, smoothed and chosen, and that the page stands by itself.
import { appendFile, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Script } from 'node:vm';
import fc from 'fast-check';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blank, type Picture } from '../../../src/data/index.ts';
import { curvesOf, sectionsOf } from '../../../src/train/report/charts.ts';
import { words } from '../../../src/train/report/format.ts';
import { headline } from '../../../src/train/report/headline.ts';
import { appendSkipped, duration, readSkipped, short, writeReport } from '../../../src/train/report/index.ts';
import { readLog } from '../../../src/train/report/log.ts';
import type { RunFolder } from '../../../src/train/report/run-folder.ts';
import { outline, type Series, seriesOf, smooth, thin } from '../../../src/train/report/series.ts';
import { openRecord } from '../../../src/train/run/record.ts';
import { failure, inFolder, run } from '../../support/files.ts';

const test = suite('report of a run');

const curve = (values: readonly number[]): Series => ({ name: 'x', steps: values.map((_, i) => i + 1), values });
const ramp = (n: number, f: (i: number) => number): readonly number[] => Array.from({ length: n }, (_, i) => f(i));

test('numbers and times are short', () => {
  assert.equal(
    [0.0000123, 0.5, 12.3456, 1234.56, 123456.7, -3e9, Number.NaN].map((x) => short(x)),
    ['0.00001230', '0.5000', '12.35', '1235', '123457', '-3.000e+9', 'NaN'],
  );
  assert.equal([0, 59.4, 60, 3599, 3600, 7384, 86399, 86400, 100000].map(duration), [
    '0s',
    '59s',
    '1m00s',
    '59m59s',
    '1h00m',
    '2h03m',
    '1d00h',
    '1d00h',
    '1d04h',
  ]);
});

test('names in words', () => {
  assert.equal(['learningRate', 'psnr', 'pooled', 'tap_3.deepLoss'].map(words), [
    'learning rate',
    'PSNR, dB',
    'pooled',
    'tap 3 deep loss',
  ]);
});

test('curves by key, without what is no number', () => {
  const lines = [
    { step: 1, loss: 3, a: 1 },
    { step: 2, loss: Number.NaN, b: 2 },
    { step: 3, loss: 1 },
  ];
  assert.equal(
    [...seriesOf(JSON.parse(JSON.stringify(lines))).values()],
    [
      { name: 'loss', steps: [1, 3], values: [3, 1] },
      { name: 'a', steps: [1], values: [1] },
      { name: 'b', steps: [2], values: [2] },
    ],
  );
});

test('a smoothed curve is not late, keeps what is even, and loses noise', () => {
  const few = curve(ramp(20, Math.sin));
  assert.is(smooth(few), few);
  const line = smooth(curve(ramp(2000, (i) => 3 * i + 5)));
  for (const [i, step] of line.steps.entries()) {
    if (step > 1800) break;
    assert.ok(Math.abs(line.values[i]! - (3 * (step - 1) + 5)) < 60, `step ${step}: ${line.values[i]}`);
  }
  const noisy = smooth(curve(ramp(2000, (i) => 1 + Math.sin(i * i))));
  for (const value of noisy.values.slice(20)) assert.ok(Math.abs(value - 1) < 0.35, String(value));
});

test('an outline has the extremes and no more points than asked for; a thinned curve has its last', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 200 }), (values) => {
      const { steps, values: kept } = outline(curve(values), 10);
      assert.ok(kept.length <= 20);
      assert.equal([Math.min(...kept), Math.max(...kept)], [Math.min(...values), Math.max(...values)]);
      assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]!));
      const few = thin(curve(values), 7);
      assert.ok(few.steps.length <= 7);
      assert.is(few.values.at(-1), values.at(-1));
    }),
  );
});

test('keys become sections: losses, validation, codebooks, others, optimisation', () => {
  const lines = [1, 2, 3].flatMap((step) => [
    {
      step,
      loss: 3 / step,
      pixel: 0.1,
      lpips: 0.5,
      gradNorm: 2,
      learningRate: 1e-3,
      'usage.pixel': 0.01,
      'usage.semantic': 0.9,
      'perplexity.pixel': 500,
      'adversary.loss': 1,
      'adversary.real': 0.5,
      'adversary.fake': -0.5,
      'adversary.gradNorm': 40,
      seconds: step * 2,
    },
    { step, psnr: 20 + step, lpips: 0.4 },
  ]);
  const shown = (batchSize: number | null) =>
    sectionsOf(curvesOf(lines, batchSize)).map(({ title, charts }) => [
      title,
      ...charts.map((chart) => `${chart.title}: ${chart.series.map(({ name }) => name).join(', ')}`),
    ]);
  assert.equal(shown(8), [
    ['Losses', 'loss: loss', 'pixel: pixel', 'LPIPS: lpips'],
    ['Validation', 'PSNR, dB: psnr', 'LPIPS: lpips'],
    ['Codebooks', 'share of codes in use: pixel, semantic', 'perplexity of codes: pixel: perplexity.pixel'],
    ['Adversary', 'adversary: loss, real, fake', 'adversary: gradient norm: adversary.gradNorm'],
    ['Optimisation', 'gradient norm: gradNorm', 'learning rate: learningRate', 'images per second: imagesPerSecond'],
  ]);
  assert.not.ok(shown(null).flat().includes('images per second: imagesPerSecond'));
  const speeds = (more: object, batchSize: number | null) =>
    sectionsOf(
      curvesOf(
        lines.map((line) => ({ ...line, ...more })),
        batchSize,
      ),
    )
      .flatMap(({ charts }) => charts)
      .find(({ title }) => title === 'images per second')?.series[0];
  assert.equal(speeds({}, 8), { name: 'imagesPerSecond', steps: [2, 3], values: [4, 4] });
  const losses = sectionsOf(curvesOf(lines, 8))[0]!.charts.map(({ series }) => series[0]!.values);
  assert.equal(losses[2], [0.5, 0.5, 0.5], 'the loss, not the measure of that name');
});

test('how long a run still takes is told where its configuration says how many steps it has', () => {
  const lines = [{ step: 40, loss: 1, seconds: 20 }];
  const time = (config: RunFolder['config']) =>
    headline({ name: '', config, lines, samples: [], skipped: [] }, curvesOf(lines, null), [])[1];
  const notes = [{ steps: 100 }, { steps: 40 }, {}].map((config) => time(config)?.note);
  assert.equal(notes, ['30s left', 'finished', '']);
});

const sheet = (shade: number): Picture => blank(48, 16, [shade, 90, 200 - shade]);

/** A run of so many steps with a sheet every ten. */
const record = async (folder: string, steps: number): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({
      variant: 'mini',
      steps: 100,
      batchSize: 4,
      note: '<script>alert(1)</script>',
      data: { crop: [0.5, 1] },
    }),
  );
  const { numbers, sample, skipped, report } = await run(openRecord(folder, 0));
  for (let step = 1; step <= steps; step++) {
    await run(
      numbers(step, {
        loss: 10 / step,
        pixel: 1 / step,
        'usage.pixel': 0.5,
        'usage.semantic': 0.75,
        seconds: step / 2,
      }),
    );
    if (step % 10 !== 0) continue;
    await run(sample(step, sheet(step)));
    await run(numbers(step, { psnr: 10 + step / 10 }));
  }
  await run(skipped(3, 'image a&b.jpg: the file is empty'));
  await run(report());
};

const pageOf = (folder: string): Promise<string> => readFile(join(folder, 'report.html'), 'utf8');

test('the page stands by itself: figures, curves, sheets, configuration, skipped images', () =>
  inFolder(async (parent) => {
    const folder = join(parent, 'my run');
    await record(folder, 60);
    const path = await run(writeReport(folder));
    const page = await readFile(path, 'utf8');
    assert.not.match(page, /<script>alert|(?:src|href)=(?!"data:)|@import|url\((?!#|"' \+)/);
    assert.equal([...new Set(page.match(/https?:[^"' ]+/g))], ['http://www.w3.org/2000/svg']);
    for (const text of [
      '<h1>my run</h1>',
      '>60<',
      'of 100',
      '30s',
      '20s left',
      '8.000',
      '75.0 %',
      'a&amp;b.jpg',
      '[0.5,1]',
    ])
      assert.match(page, text);
    for (const title of ['Reconstructions', 'Losses', 'Validation', 'Codebooks', 'Configuration', 'Skipped images'])
      assert.match(page, `<h2>${title}</h2>`);
    const urls = [...page.matchAll(/data:image\/png;base64,([^"]+)/g)].map(([, text]) => text!);
    const png = await readFile(join(folder, 'samples', 'step-00000020.png'));
    assert.is(urls.length, 6);
    assert.is(urls[1], png.toString('base64'));
    const [, program] = /<script>([\s\S]*)<\/script><\/body>/.exec(page)!;
    new Script(program!);
    assert.equal(
      (await readdir(folder)).filter((name) => name.startsWith('.')),
      [],
    );
  }));

test('each chart is an image, and its curve goes where its values go', () =>
  inFolder(async (folder) => {
    await record(folder, 60);
    const page = await pageOf(folder);
    const charts = page.match(/<svg[\s\S]*?<\/svg>/g)!;
    assert.ok(charts.length >= 5, String(charts.length));
    for (const svg of charts) {
      const style =
        '<style>.mean { fill: none; stroke: #f00 } text, .grid, .raw, .cursor { visibility: hidden }</style>';
      const { data, info } = await sharp(Buffer.from(svg.replace(/>/, `>${style}`)))
        .flatten({ background: '#fff' })
        .raw()
        .toBuffer({ resolveWithObject: true });
      const red = (x: number, y: number): boolean => data[(y * info.width + x) * info.channels + 1]! < 128;
      const [, values = '', d = ''] = /data-values="([^"]+)" d="([^"]+)"/.exec(svg)!;
      const ys = [...d.matchAll(/[ML][\d.]+,([\d.]+)/g)].map(([, y]) => Number(y));
      const logged = values.split(' ').map(Number);
      assert.is(ys.length, logged.length);
      for (let i = 1; i < ys.length; i++)
        assert.is(Math.sign(ys[i]! - ys[i - 1]!) * Math.sign(logged[i]! - logged[i - 1]!) <= 0, true);
      assert.ok(ys.every((y) => y >= 0 && y <= info.height));
      const drawn = Array.from({ length: info.height }, (_, y) => red(info.width >> 1, y)).filter(Boolean);
      assert.ok(drawn.length > 0, 'the curve is there in the middle');
    }
    assert.match(charts[0]!, 'aria-label="loss over steps"');
  }));

test('of many sheets some are shown, the same ones while more come; a large one is made smaller', () =>
  inFolder(async (folder) => {
    await record(folder, 1);
    const shown = async () =>
      [...(await pageOf(folder)).matchAll(/<figure data-step="(\d+)"/g)].map(([, step]) => Number(step));
    const small = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
      .png()
      .toBuffer();
    const add = (from: number, to: number) =>
      Promise.all(
        ramp(to - from, (i) => from + i).map((step) =>
          writeFile(join(folder, 'samples', `step-${String(step).padStart(8, '0')}.png`), small),
        ),
      );
    await mkdir(join(folder, 'samples'));
    await add(0, 33);
    const write = writeReport(folder);
    await run(write);
    const before = await shown();
    assert.equal(before, [0, 4, 8, 12, 16, 20, 24, 28, 32]);
    await add(33, 64);
    await run(write);
    assert.equal(await shown(), [...before, 36, 40, 44, 48, 52, 56, 60, 63]);
    const noise = Buffer.from(ramp(2000 * 400 * 3, (i) => Math.imul(i ^ (i >>> 7), 2654435761) >>> 24));
    const large = join(folder, 'samples', 'step-00000099.png');
    await sharp(noise, { raw: { width: 2000, height: 400, channels: 3 } })
      .png()
      .toFile(large);
    await run(write);
    const [, webp] = /data:image\/webp;base64,([^"]+)" width="1280" height="256"/.exec(await pageOf(folder))!;
    assert.equal((await sharp(Buffer.from(webp!, 'base64')).metadata()).width, 1280);
  }));

test('a sheet that was written anew is read anew', () =>
  inFolder(async (folder) => {
    await record(folder, 10);
    const write = writeReport(folder);
    await run(write);
    const path = join(folder, 'samples', 'step-00000010.png');
    const other = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fed' } })
      .png()
      .toBuffer();
    await writeFile(path, other);
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    await run(write);
    assert.match(await pageOf(folder), other.toString('base64'));
  }));

test('a run without steps has a page; what is no run, or is damaged, is named', () =>
  inFolder(async (folder) => {
    const [empty, fresh, torn] = ['empty', 'fresh', 'torn'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(empty);
    await mkdir(fresh);
    assert.match(await failure(writeReport(empty)), /empty: this is no folder of a run: .*config\.json/);
    assert.match(await failure(writeReport(join(folder, 'none'))), /none: this is no folder of a run/);
    await writeFile(join(fresh, 'config.json'), '{"variant": "mini"}');
    await run(writeReport(fresh));
    assert.match(await pageOf(fresh), 'No step is logged yet');
    await writeFile(join(fresh, 'config.json'), '{"variant": ');
    assert.match(await failure(writeReport(fresh)), /cannot read .*fresh.config\.json: .*JSON/);
    await record(torn, 10);
    const before = await pageOf(torn);
    const sample = join(torn, 'samples', 'step-00000010.png');
    await writeFile(sample, 'no picture');
    await run(writeReport(torn));
    const after = await pageOf(torn);
    assert.match(after, /<p>image .*step-00000010\.png: it is no whole PNG file .*remove it<\/p>/);
    assert.is(after.match(/data:image/g)?.length ?? 0, before.match(/data:image/g)!.length - 1);
  }));

test('a sitting goes on from its checkpoint: later lines are gone, files are one record', () =>
  inFolder(async (folder) => {
    await record(folder, 25);
    const { numbers, sample, report } = await run(openRecord(folder, 20));
    await run(numbers(21, { loss: 7 }));
    await run(sample(22, sheet(3)));
    await run(numbers(22, { psnr: 30, lpips: 0.25 }));
    await run(report());
    const lines = (await readFile(join(folder, 'log.jsonl'), 'utf8')).trimEnd().split('\n');
    assert.equal(
      lines.slice(-3).map((line) => JSON.parse(line)),
      [
        { step: 20, psnr: 12 },
        { step: 21, loss: 7 },
        { step: 22, psnr: 30, lpips: 0.25 },
      ],
    );
    const events = (await readdir(folder)).filter((name) => name.startsWith('events.')).sort();
    assert.is(events.length, 2);
    const bytes = await readFile(join(folder, events[1]!));
    for (const tag of ['loss', 'psnr', 'lpips', 'reconstructions']) assert.ok(bytes.includes(tag), tag);
    assert.match(await pageOf(folder), 'data-step="22"');
  }));

test('lines that are none are left out, and losses that are no numbers leave a page', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'log.jsonl');
    const text =
      '{"step":1,"loss":null,"seconds":2}\n{"step":2,"lo\n7\nnull\n[]\n{"loss":3}\n{"step":3,"loss":null,"a":"b"}\n';
    await writeFile(path, text);
    assert.equal(await run(readLog(path)), [
      { step: 1, loss: Number.NaN, seconds: 2 },
      { step: 3, loss: Number.NaN },
    ]);
    await run(writeReport(folder));
    assert.match(await pageOf(folder), '<dt>steps</dt><dd>3<');
  }));

test('a log that grows is read on from where it ended; one that was cut or made anew is read from its begin', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'log.jsonl');
    const read = readLog(path);
    const steps = async () => (await run(read)).map(({ step }) => step);
    assert.equal(await steps(), []);
    await writeFile(path, '{"step":1}\n{"step":2}\n{"st');
    assert.equal(await steps(), [1, 2]);
    const first = (await run(read))[0];
    await appendFile(path, 'ep":3}\n{"step":4}\n');
    assert.equal(await steps(), [1, 2, 3, 4]);
    assert.is((await run(read))[0], first, 'it was not read again');
    await writeFile(path, '{"step":9}\n');
    assert.equal(await steps(), [9]);
    await rm(path);
    assert.equal(await steps(), []);
  }));

test('an image that is skipped in every epoch is listed once', () =>
  inFolder(async (folder) => {
    assert.equal(await run(readSkipped(folder)), []);
    for (const [step, reason] of [
      [4, 'a'],
      [5, 'b'],
      [90, 'a'],
    ] as const)
      await run(appendSkipped(folder, { step, reason }));
    assert.equal(await run(readSkipped(folder)), [
      { step: 4, reason: 'a' },
      { step: 5, reason: 'b' },
    ]);
    await writeFile(join(folder, 'skipped.jsonl'), '{"step": "x"}\n');
    assert.match(await failure(readSkipped(folder)), /cannot read .*skipped\.jsonl/);
  }));

test.run();
