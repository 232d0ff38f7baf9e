// Random bits: threefry-2x32 with 20 rounds, one element an invocation, in a handful of registers.
// J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
import { call, castTo, type Expr, lit, ref, u32 } from '../compiler/ir/expr.ts';
import { delinearise } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import { items } from './items.ts';
import type { KernelTemplate } from './template.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const parity = 0x1bd11bda;

const rotate = (x: Expr, bits: number): Expr =>
  call('or', call('shl', x, lit(bits, 'u32')), call('shr', x, lit(32 - bits, 'u32')));

/** The first word of threefry(key, (counter, 0)), named `bits0`, from the key's words. */
const rounds = (key0: Expr, key1: Expr, counter: Expr): { readonly setup: readonly Stmt[]; readonly bits: Expr } => {
  const setup: Stmt[] = [];
  let made = 0;
  const keep = (value: Expr): Expr => {
    const name = `threefry${made++}`;
    setup.push({ s: 'let', name, value });
    return ref(name, u32);
  };
  const [k0, k1] = [keep(key0), keep(key1)];
  const keys = [k0, k1, keep(call('xor', call('xor', k0, k1), lit(parity, 'u32')))] as const;
  const keyAt = (i: number): Expr => keys[(i % 3) as 0 | 1 | 2];
  let x0 = keep(call('add', counter, k0));
  let x1 = k1;
  for (let group = 0; group < 5; group++) {
    for (const bits of rotations[(group % 2) as 0 | 1]) {
      x0 = keep(call('add', x0, x1));
      x1 = keep(call('xor', rotate(x1, bits), x0));
    }
    x0 = keep(call('add', x0, keyAt(group + 1)));
    x1 = keep(call('add', call('add', x1, keyAt(group + 2)), lit(group + 1, 'u32')));
  }
  return { setup, bits: x0 };
};

export const random: KernelTemplate = {
  name: 'random',
  version: 1,
  refuses: (n) => (isKind(n, 'random') ? null : 'no random bits'),
  space: () => [{ item: 'element' }],
  heuristic: () => ({ item: 'element' }),
  emit: (n, _, block) =>
    items(sizeOf(n.shape), (item) => {
      const { setup, bits } = rounds(block.load(0, [lit(0)]), block.load(0, [lit(1)]), castTo(item, 'u32'));
      return [...setup, ...block.store(0, delinearise(item, n.shape), bits)];
    }),
  work: (n) => ({ flops: 110 * sizeOf(n.shape), bytes: 4 * sizeOf(n.shape) }),
  reuse: (n) => sizeOf(n.shape),
  order: () => 'ascending',
  epilogue: true,
};
