// Event files that TensorBoard reads: scalars and pictures by step, a file for each sitting of a run.
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import { PbfWriter } from 'pbf';
import { type DataError, fileError } from '../../data/error.ts';
import { makeFolder } from '../../files/folder.ts';
import { tfRecord } from './tf-record.ts';

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const summary = { value: 1, tag: 1, simple: 2, image: 4 } as const;
const image = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const;
const RGB = 3;
const session = { status: 1, START: 1 } as const;

type Write = (to: PbfWriter) => void;

const message = (to: PbfWriter, field: number, write: Write): void =>
  to.writeMessage(field, (_: null, inner) => write(inner), null);

const record = (step: number, write: Write): Uint8Array => {
  const to = new PbfWriter();
  to.writeDoubleField(event.wallTime, Date.now() / 1000);
  to.writeVarintField(event.step, step);
  write(to);
  return tfRecord(to.finish());
};

const summaryRecord = (step: number, values: readonly Write[]): Uint8Array =>
  record(step, (to) =>
    message(to, event.summary, (inner) => {
      for (const value of values) message(inner, summary.value, value);
    }),
  );

/** TensorBoard groups tags by what stands before a slash: `usage.pixel` is shown under `usage`. */
const tagOf = (name: string): string => name.replace('.', '/');

const prefix = 'events.out.tfevents.';

/** TensorBoard reads files in the order of their names: a new one is younger than those that are there. */
const nameIn = (names: readonly string[]): string => {
  const times = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number.parseInt(name.slice(prefix.length), 10));
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...times.filter(Number.isFinite).map((time) => time + 1));
  return `${prefix}${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}`;
};

/**
 * Begins the event file of a sitting that goes on after `step` steps, and gives its path. What earlier files in `folder` hold of
 * later steps, of a run that was cut off, TensorBoard then leaves out. Left: a folder that cannot be written.
 */
export const openEvents = (folder: string, step: number): TE.TaskEither<DataError, string> =>
  tryCatch(
    async () => {
      await makeFolder(folder);
      const path = join(folder, nameIn(await readdir(folder)));
      const version = record(0, (to) => to.writeStringField(event.fileVersion, 'brain.Event:2'));
      const start = record(step === 0 ? 0 : step + 1, (to) =>
        message(to, event.sessionLog, (inner) => inner.writeVarintField(session.status, session.START)),
      );
      await writeFile(path, Buffer.concat([version, start]), { flag: 'wx' });
      return path;
    },
    fileError('write', folder),
  );

const append = (path: string, bytes: Uint8Array): TE.TaskEither<DataError, void> =>
  tryCatch(() => appendFile(path, bytes), fileError('write', path));

/** Appends numbers by name to an event file, as f32. */
export const appendScalars = (
  path: string,
  step: number,
  values: Readonly<Record<string, number>>,
): TE.TaskEither<DataError, void> =>
  append(
    path,
    summaryRecord(
      step,
      Object.entries(values).map(([name, value]) => (to) => {
        to.writeStringField(summary.tag, tagOf(name));
        to.writeFloatField(summary.simple, value);
      }),
    ),
  );

/** A picture's PNG bytes, with the size that they state. */
const pngSize = (png: Uint8Array): readonly [width: number, height: number] => {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return [view.getUint32(16), view.getUint32(20)];
};

/** Appends a picture, as the bytes of a PNG file in RGB, to an event file. */
export const appendImage = (
  path: string,
  step: number,
  name: string,
  png: Uint8Array,
): TE.TaskEither<DataError, void> =>
  append(
    path,
    summaryRecord(step, [
      (to) => {
        const [width, height] = pngSize(png);
        to.writeStringField(summary.tag, tagOf(name));
        message(to, summary.image, (inner) => {
          inner.writeVarintField(image.height, height);
          inner.writeVarintField(image.width, width);
          inner.writeVarintField(image.colorspace, RGB);
          inner.writeBytesField(image.encoded, png);
        });
      },
    ]),
  );
