// Buffers of which four aligned elements and more are read or written at once: their arrays hold vectors, and indices count those.
import type { DType } from '../../dsl/core/dtype.ts';
import { bitcastTo, call, component, type Expr, f32x4, int, lit, load, rawCall, scalarType } from '../ir/expr.ts';
import { div, divisible, mod, mul, sub } from '../ir/index-math.ts';
import type { KernelCode, Stmt } from '../ir/stmt.ts';
import { childrenOf, expressionsOf, mapStmt, visitExprs, visitStmts, withChildren } from '../ir/walk.ts';

/** The array's element type, and how many of the buffer's elements it holds. */
export interface Wide {
  readonly type: string;
  readonly elements: 4 | 8;
}
const wholeWords: Readonly<Partial<Record<DType, string>>> = { f32: 'vec4<f32>', i32: 'vec4<i32>', u32: 'vec4<u32>' };
const isHalf = (d: DType): boolean => d === 'f16' || d === 'bf16';

/** Whether the four elements at `index` lie in one aligned group of eight, and in which half of it; null where that is unknown. */
const halfOf = (index: Expr): 0 | 4 | null => (divisible(index, 8) ? 0 : divisible(sub(index, int(4)), 8) ? 4 : null);

/** By binding. What is also written is accessed in whole vectors only, and sixteen-bit floats are read as words. */
export const wideBuffers = (code: KernelCode, body: readonly Stmt[]): ReadonlyMap<number, Wide> => {
  const all = new Set<number>();
  const not = new Set<number>();
  /** Of sixteen-bit buffers: not always by halves of aligned groups of eight. */
  const loose = new Set<number>();
  const roots: Expr[] = [];
  visitStmts(body, (s) => {
    roots.push(...expressionsOf(s));
    if (s.s !== 'store') return;
    if (s.value.type.width === 4 && divisible(s.index, 4) && !isHalf(code.buffers[s.buffer]!.dtype)) all.add(s.buffer);
    else not.add(s.buffer);
  });
  visitExprs(roots, (e) => {
    if (e.e !== 'load') return;
    const { dtype, access } = code.buffers[e.buffer]!;
    const whole = e.type.width === 4 && divisible(e.index, 4);
    const single = e.type.width === 1 && access === 'read';
    if (!(isHalf(dtype) ? access === 'read' : dtype in wholeWords) || !(whole || single)) not.add(e.buffer);
    else if (whole) {
      all.add(e.buffer);
      if (isHalf(dtype) && halfOf(e.index) === null) loose.add(e.buffer);
    }
  });
  return new Map(
    [...all]
      .filter((b) => !not.has(b))
      .map((b): [number, Wide] => {
        const whole = wholeWords[code.buffers[b]!.dtype];
        if (whole) return [b, { type: whole, elements: 4 }];
        return [b, loose.has(b) ? { type: 'vec2<u32>', elements: 4 } : { type: 'vec4<u32>', elements: 8 }];
      }),
  );
};

/** The two sixteen-bit floats of a word, in f32. */
const unpacked = (word: Expr, dtype: DType): readonly Expr[] =>
  dtype === 'f16'
    ? [rawCall('unpackHalf2', [word], scalarType('f32', 2))]
    : [
        bitcastTo(call('shl', word, lit(16, 'u32')), 'f32'),
        bitcastTo(call('and', word, lit(0xffff0000, 'u32')), 'f32'),
      ];

const at = (v: Expr, i: Expr): Expr => rawCall('component', [v, i], scalarType(v.type.scalar));

/** One element of a vector: only it is read, for the vector has no name of its own. */
const singleLoad = (buffer: number, index: Expr, { elements }: Wide, dtype: DType, e: Expr): Expr => {
  if (!isHalf(dtype)) return at(load(buffer, div(index, 4), scalarType(e.type.scalar, 4)), mod(index, 4));
  const words = elements === 8 ? 4 : 2;
  const word = at(load(buffer, div(index, elements), scalarType('u32', words)), mod(div(index, 2), words));
  if (dtype === 'f16') return at(rawCall('unpackHalf2', [word], scalarType('f32', 2)), mod(index, 2));
  const low = mul(mod(index, 2), int(16));
  return bitcastTo(call('shl', call('shr', word, low), lit(16, 'u32')), 'f32');
};

const wideLoad = (buffer: number, index: Expr, wide: Wide, dtype: DType, e: Expr): Expr => {
  if (e.type.width === 1) return singleLoad(buffer, index, wide, dtype, e);
  // The division is done here, for a shader compiler does not know that it is exact.
  if (!isHalf(dtype)) return load(buffer, div(index, 4), e.type);
  const { elements } = wide;
  const half = elements === 8 ? halfOf(index)! : 0;
  const words = load(buffer, div(sub(index, int(half)), elements), scalarType('u32', elements === 8 ? 4 : 2));
  const values = [0, 1].flatMap((k) => unpacked(component(words, half / 2 + k), dtype));
  return rawCall('vec', values, f32x4);
};

/** The body with its accesses to `wide` buffers in whole vectors. */
export const withWide = (code: KernelCode, body: readonly Stmt[], wide: ReadonlyMap<number, Wide>): readonly Stmt[] => {
  if (wide.size === 0) return body;
  const memo = new Map<Expr, Expr>();
  const rebuild = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const kids = childrenOf(e).map(rebuild);
    const how = e.e === 'load' ? wide.get(e.buffer) : undefined;
    const made =
      e.e === 'load' && how
        ? wideLoad(e.buffer, kids[0]!, how, code.buffers[e.buffer]!.dtype, e)
        : withChildren(e, kids);
    memo.set(e, made);
    return made;
  };
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map((s) => {
      const now = mapStmt(s, rebuild, block);
      return now.s === 'store' && wide.has(now.buffer) ? { ...now, index: div(now.index, 4) } : now;
    });
  return block(body);
};
