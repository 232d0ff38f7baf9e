// Checks of what a caller binds to a program's inputs, the same on every backend.
import type { Program } from '../compiler/program.ts';
import { badInput } from './attempt.ts';
import type { DeviceBuffer } from './backend.ts';
import { tensorText } from './host.ts';

/** Numbers every run of the process. */
let runs = 0;
/** The last run that a tensor was an input of, and the last that it was given up to. */
const seen = new WeakMap<DeviceBuffer, { run: number; donated: boolean }>();

/**
 * The caller's tensors in the program's order, null for an input that is neither read nor given up.
 * `own` tells this backend's tensors. Throws BadInput: a wrong count, type or shape, a freed tensor, a donated one given twice.
 */
export const checkInputs = <B extends DeviceBuffer>(
  program: Program,
  inputs: readonly (DeviceBuffer | null)[],
  own: (b: DeviceBuffer) => b is B,
): readonly (B | null)[] => {
  if (inputs.length !== program.inputs.length)
    throw badInput(`run: ${inputs.length} inputs for a program of ${program.inputs.length}`);
  const run = ++runs;
  return program.inputs.map((expected, i) => {
    const got = inputs[i] ?? null;
    if (expected.slot < 0 && !(got && expected.donated)) return null;
    const { name, dtype, shape, donated } = expected;
    const fail = (why: string): Error => badInput(`run: input '${name}', ${tensorText(dtype, shape)}, ${why}`);
    if (!got) throw fail('is missing');
    if (!own(got)) throw fail('is on another backend');
    if (got.dtype !== dtype || got.shape.length !== shape.length || got.shape.some((n, k) => n !== shape[k]))
      throw fail(`was given ${tensorText(got.dtype, got.shape)}`);
    if (got.freed) throw fail('was freed, or donated to an earlier run');
    const before = seen.get(got);
    if (before?.run === run && (before.donated || donated)) throw fail('is donated, and is given twice');
    if (before) {
      before.run = run;
      before.donated = donated;
    } else seen.set(got, { run, donated });
    return got;
  });
};

/** Slot of output i where it takes the slot's buffer over; -1 where it needs a copy: of an input that the caller keeps, or of an earlier output. */
export const ownedSlots = (program: Program): readonly number[] => {
  const taken = new Set<number>();
  const donated = new Set(program.inputs.flatMap((i) => (i.donated ? [i.slot] : [])));
  return program.outputs.map(({ slot }) => {
    const { holds } = program.slots[slot]!;
    const free = !taken.has(slot) && (holds === 'output' || (holds === 'input' && donated.has(slot)));
    taken.add(slot);
    return free ? slot : -1;
  });
};
