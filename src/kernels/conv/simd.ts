// A convolution on a processor with vectors of four, whose images lie in padded rows and whose weights in panels (see rows.ts): tiles
// of a few output channels in registers, one tile a workgroup. Vectors are neighbouring output places; in few places with long kernels,
// as weight gradients are, they are neighbouring taps.
import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import {
  component,
  type Expr,
  element,
  f32x4,
  i32,
  int,
  lit,
  ref,
  splat4,
  variable,
  vec4,
} from '../../compiler/ir/expr.ts';
import { add, delinearise, div, lt, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import { sumOfLanes } from '../quads.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import { type ConvAlong, convAlong, convolutionOfRows, panelOf } from './rows.ts';
import type { Convolution } from './sizes.ts';

const LANES = 4;

interface Tile {
  /** Output channels. */
  readonly rows: number;
  /** Neighbouring lines of the result, and along each: vectors of places, or places whose sums are vectors. */
  readonly lines: number;
  readonly across: number;
  /** Vectors of taps in a turn of their loop; none: the loop is over lines of taps. */
  readonly unroll: number;
}
const tileOf = (s: Schedule): Tile => ({
  rows: Number(s.rows),
  lines: Number(s.lines ?? 1),
  across: Number(s.across),
  unroll: Number(s.unroll ?? 0),
});

/** Where a tile works, and how much of it is there. */
interface At {
  readonly c: Convolution;
  readonly block: Block;
  readonly image: Expr;
  readonly group: Expr;
  readonly row0: Expr;
  readonly line0: Expr;
  readonly column0: Expr;
  readonly rows: number;
  readonly lines: number;
  /** Places of a line. */
  readonly columns: number;
  readonly unroll: number;
}

const zero = lit(0, 'f32');
const accName = (row: number, line: number, across: number): string => `acc${row}_${line}_${across}`;
const counted = (name: string, count: number, body: (at: Expr) => readonly Stmt[], step = 1): readonly Stmt[] => {
  if (count <= 0) return [];
  if (count <= step) return body(int(0));
  const at = counter(name, count - step);
  return [loop(at, count, body(at), { step })];
};

const accumulate = (name: string, x: Expr, w: Expr): Stmt => ({
  s: 'assign',
  name,
  value: plus(variable(name, f32x4), times(x, w)),
});

const pixel = (t: At, channel: Expr, line: Expr, ky: Expr, column: Expr, kx: Expr): Expr => {
  const { c } = t;
  return t.block.load(0, [
    t.image,
    add(mul(t.group, int(c.channels)), channel),
    add(mul(line, int(c.stride[0])), mul(ky, int(c.dilation[0]))),
    add(mul(column, int(c.stride[1])), mul(kx, int(c.dilation[1]))),
  ]);
};
const weight = (t: At, row: number, channel: Expr, ky: Expr, kx: Expr): Expr =>
  t.block.load(1, [add(mul(t.group, int(t.c.outputs)), add(t.row0, int(row))), channel, ky, kx]);

/** Sums over vectors of neighbouring places; a weight goes to all four. */
const byPlaces = (t: At): readonly Stmt[] => {
  const { c } = t;
  const across = range(Math.ceil(t.columns / LANES));
  const lines = range(t.lines);
  const step = (channel: Expr, ky: Expr, kx: Expr): readonly Stmt[] => [
    ...lines.flatMap((l) =>
      across.map((j): Stmt => {
        const at = (i: number): Expr => add(t.column0, int(LANES * j + i));
        const four = range(LANES).map((i) => pixel(t, channel, add(t.line0, int(l)), ky, at(i), kx));
        return { s: 'let', name: `x${l}_${j}`, value: vec4(four) };
      }),
    ),
    ...range(t.rows).flatMap((r): readonly Stmt[] => [
      { s: 'let', name: `w${r}`, value: splat4(weight(t, r, channel, ky, kx)) },
      ...lines.flatMap((l) =>
        across.map((j) => accumulate(accName(r, l, j), ref(`x${l}_${j}`, f32x4), ref(`w${r}`, f32x4))),
      ),
    ]),
  ];
  // One tap a turn: engines keep the values of one in registers, and not those of several.
  return counted('kx', c.kw, (kx) =>
    // Channels of a row follow each other, and rows do: one loop passes all, unless rows are skipped.
    c.dilation[0] > 1 && c.channels > 1
      ? counted('ky', c.kh, (ky) => counted('channel', c.channels, (channel) => step(channel, ky, kx)))
      : counted('step', c.kh * c.channels, (q) => step(mod(q, c.channels), div(q, c.channels), kx)),
  );
};

/** Taps that lie in the first cache beside the pixels that they meet. */
const CACHED = 2048;

/** Sums over vectors along the taps of a row, one a place. */
const byTaps = (t: At): readonly Stmt[] => {
  const { c } = t;
  const places = range(t.columns);
  const whole = Math.floor(c.kw / LANES);
  const rest = c.kw % LANES;
  const step = (t: At, channel: Expr, ky: Expr, j: Expr, name: string, taps: number): readonly Stmt[] => {
    const four = (load: (kx: Expr) => Expr): Expr =>
      vec4(range(LANES).map((i) => (i < taps ? load(add(mul(j, int(LANES)), int(i))) : zero)));
    return [
      ...places.map((p): Stmt => {
        const value = four((kx) => pixel(t, channel, t.line0, ky, add(t.column0, int(p)), kx));
        return { s: 'let', name: `x${name}_${p}`, value };
      }),
      ...range(t.rows).flatMap((r): readonly Stmt[] => [
        { s: 'let', name: `w${name}_${r}`, value: four((kx) => weight(t, r, channel, ky, kx)) },
        ...places.map((p) => accumulate(accName(r, 0, p), ref(`x${name}_${p}`, f32x4), ref(`w${name}_${r}`, f32x4))),
      ]),
    ];
  };
  const last = (t: At, channel: Expr, ky: Expr): readonly Stmt[] =>
    rest > 0 ? step(t, channel, ky, int(whole), 'rest', rest) : [];
  const all = (t: At, channel: Expr, ky: Expr): readonly Stmt[] => {
    if (t.unroll === 0) return range(whole).flatMap((j) => step(t, channel, ky, int(j), `${j}`, LANES));
    const turns = whole - (whole % t.unroll);
    return [
      ...counted(
        'tap',
        turns,
        (j) => range(t.unroll).flatMap((u) => step(t, channel, ky, add(j, int(u)), `${u}`, LANES)),
        t.unroll,
      ),
      ...range(whole - turns).flatMap((k) => step(t, channel, ky, int(turns + k), `past${k}`, LANES)),
    ];
  };
  const row = (at: At, channel: Expr, ky: Expr): readonly Stmt[] => [...all(at, channel, ky), ...last(at, channel, ky)];
  if (t.lines === 1)
    return counted('channel', c.channels, (channel) => counted('ky', c.kh, (ky) => row(t, channel, ky)));
  // The lines of the result read the same taps: they take turns with a few rows of them, while these are in the cache.
  const band = Math.min(c.kh, Math.max(1, Math.floor(CACHED / (t.rows * c.kw))));
  const names = range(t.rows).flatMap((r) => places.map((p) => accName(r, 0, p)));
  const turn = (channel: Expr, first: Expr, count: number, name: string): readonly Stmt[] =>
    counted(`line${name}`, t.lines, (line) => {
      const at: At = { ...t, line0: add(t.line0, line) };
      const index = (k: number): Expr => add(mul(line, int(names.length)), int(k));
      return [
        ...names.map((name, k): Stmt => ({ s: 'var', name, type: f32x4, value: element('sums', index(k), f32x4) })),
        ...counted(`ky${name}`, count, (ky) => row(at, channel, add(first, ky))),
        ...names.map(
          (name, k): Stmt => ({ s: 'setElement', array: 'sums', index: index(k), value: variable(name, f32x4) }),
        ),
      ];
    });
  const bands = c.kh - (c.kh % band);
  return counted('channel', c.channels, (channel) => [
    ...counted('band', bands, (first) => turn(channel, first, band, ''), band),
    ...(c.kh > bands ? turn(channel, int(bands), c.kh - bands, 'Rest') : []),
  ]);
};

/** Vectors leave through a private array, whole ones in a loop, so that the epilogue is written once and not once a vector. */
const store = (t: At, vectors: readonly Expr[]): readonly Stmt[] => {
  const { c } = t;
  const across = Math.ceil(t.columns / LANES);
  const whole = Math.floor(t.columns / LANES);
  const leave = (name: string, count: number, first: number, columns: number): readonly Stmt[] =>
    counted(name, t.rows * t.lines * count, (i) => {
      const [r, l, k] = delinearise(i, [t.rows, t.lines, count]) as readonly [Expr, Expr, Expr];
      const j = add(k, int(first));
      const out = ref(`out${name}`, f32x4);
      const index = add(mul(add(mul(r, int(t.lines)), l), int(across)), j);
      const channel = add(mul(t.group, int(c.outputs)), add(t.row0, r));
      return [
        { s: 'let', name: `out${name}`, value: element('tile', index, f32x4) },
        ...range(columns).flatMap((i) =>
          t.block.store(
            0,
            [t.image, channel, add(t.line0, l), add(t.column0, add(mul(j, int(LANES)), int(i)))],
            component(out, i),
          ),
        ),
      ];
    });
  return [
    { s: 'array', name: 'tile', type: f32x4, length: vectors.length },
    ...vectors.map((value, k): Stmt => ({ s: 'setElement', array: 'tile', index: int(k), value })),
    ...(whole > 0 ? leave('vector', whole, 0, LANES) : []),
    ...(across > whole ? leave('last', 1, whole, t.columns % LANES) : []),
  ];
};

const zeroed = (names: readonly string[]): readonly Stmt[] =>
  names.map((name): Stmt => ({ s: 'var', name, type: f32x4, value: splat4(zero) }));

const compute = (t: At, along: ConvAlong): readonly Stmt[] => {
  const vectors = range(Math.ceil(t.columns / LANES));
  const [rows, lines] = [range(t.rows), range(t.lines)];
  if (along === 'places') {
    const names = rows.flatMap((r) => lines.flatMap((l) => vectors.map((j) => accName(r, l, j))));
    const sums = names.map((name) => variable(name, f32x4));
    return [...zeroed(names), ...byPlaces(t), ...store(t, sums)];
  }
  const apart = t.rows * t.columns;
  const sum = (r: number, l: number, p: number): Expr =>
    t.lines === 1 ? variable(accName(r, 0, p), f32x4) : element('sums', int(l * apart + r * t.columns + p), f32x4);
  const total = (r: number, l: number, p: number): Expr => (p < t.columns ? sumOfLanes(sum(r, l, p)) : zero);
  const totals = rows.flatMap((r) =>
    lines.flatMap((l) => vectors.map((j) => vec4(range(LANES).map((i) => total(r, l, LANES * j + i))))),
  );
  const start: readonly Stmt[] =
    t.lines > 1
      ? [{ s: 'array', name: 'sums', type: f32x4, length: t.lines * apart }]
      : zeroed(rows.flatMap((r) => range(t.columns).map((p) => accName(r, 0, p))));
  return [...start, ...byTaps(t), ...store(t, totals)];
};

const emit = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const c = convolutionOfRows(n)!;
  const along = convAlong(c);
  const tile = tileOf(schedule);
  const width = along === 'places' ? LANES * tile.across : tile.across;
  const counts = [
    Math.ceil(c.outputs / tile.rows),
    Math.ceil(c.height / tile.lines),
    Math.ceil(c.width / width),
  ] as const;
  const [rowTiles, lineTiles, columnTiles] = counts;
  const groups = c.images * c.groups * rowTiles * lineTiles * columnTiles;
  const group = ref(builtins.group, i32, 0, groups - 1);
  // Places come first: the weights of a tile stay in the cache while a map passes.
  const at = delinearise(group, [c.images, c.groups, ...counts]);
  const names = ['image', 'part', 'rowTile', 'lineTile', 'columnTile'];
  const sizes = [c.images, c.groups, ...counts];
  const place = (k: number): Expr => (sizes[k] === 1 ? int(0) : ref(names[k]!, i32, 0, sizes[k]! - 1));
  /** A tile's first place: of whole tiles, or of the last one. */
  const first = (k: number, size: number, of: number, last: boolean): Expr =>
    last ? int(size - (size % of)) : size < of ? int(0) : mul(bounded(names[k]!, Math.floor(size / of)), int(of));
  const body = (lastRows: boolean, lastLines: boolean, lastColumns: boolean): readonly Stmt[] =>
    compute(
      {
        c,
        block,
        image: place(0),
        group: place(1),
        row0: first(2, c.outputs, tile.rows, lastRows),
        line0: first(3, c.height, tile.lines, lastLines),
        column0: first(4, c.width, width, lastColumns),
        rows: lastRows ? c.outputs % tile.rows : tile.rows,
        lines: lastLines ? c.height % tile.lines : tile.lines,
        columns: lastColumns ? c.width % width : width,
        unroll: tile.unroll,
      },
      along,
    );
  const either = (k: number, size: number, of: number, one: (last: boolean) => readonly Stmt[]): readonly Stmt[] => {
    if (size % of === 0) return one(false);
    if (size < of) return one(true);
    const isLast = lt(int(Math.floor(size / of) - 1), ref(names[k]!, i32, 0, sizes[k]! - 1));
    return [{ s: 'if', cond: isLast, then: one(true), else: one(false) }];
  };
  return {
    workgroupSize: 1,
    groups,
    body: [
      ...names.map((name, k): Stmt => ({ s: 'let', name, value: at[k]! })),
      ...either(2, c.outputs, tile.rows, (r) =>
        either(3, c.height, tile.lines, (l) => either(4, c.width, width, (x) => body(r, l, x))),
      ),
    ],
  };
};
/** A tile's number among the whole ones. */
const bounded = (name: string, count: number): Expr => (count === 1 ? int(0) : ref(name, i32, 0, count - 1));

/** Sums that engines keep in registers beside what they are made of. */
const SUMS = 8;

const placesTiles = (c: Convolution): readonly Schedule[] => {
  const panel = panelOf(c);
  const heights = [1, 2, 4, 8, panel, 2 * panel].filter((r) => r <= c.outputs && (r % panel === 0 || panel % r === 0));
  return [...new Set(heights)].flatMap((rows) =>
    [1, 2, 3, 4].flatMap((lines) =>
      [1, 2, 3, 4, 6, 8]
        .filter((across) => rows * lines * across <= SUMS && lines <= c.height && across <= c.width4)
        .map((across): Schedule => ({ along: 'places', rows, lines, across })),
    ),
  );
};

/** Lines of the result that take turns with taps at most. */
const LINES = 4;

const tapsTiles = (c: Convolution): readonly Schedule[] => {
  const vectors = Math.floor(c.kw / LANES);
  const unrolls = vectors > 1 ? [1, 2] : [0];
  return [4, 3, 2, 1]
    .filter((rows) => rows <= c.outputs)
    .flatMap((rows) =>
      [1, 2, 3, 4, 5]
        .filter((across) => rows * across <= SUMS && across <= c.width)
        .flatMap((across) =>
          [...new Set([Math.min(c.height, LINES), 1])].flatMap((lines) =>
            unrolls.map((unroll): Schedule => ({ along: 'taps', rows, lines, across, unroll })),
          ),
        ),
    );
};

/** Sums that are added up at a time at least: fewer wait for each other. */
const BUSY = 6;
/** What a step costs beside its instructions, by rows that share its places: as measured. */
const byRows: Readonly<Record<number, number>> = { 1: 1.6, 2: 1.6, 8: 1.6 };

/** What each further line of a tile costs: its vectors lie in other lines of the cache. */
const SPREAD = 0.05;

/** Instructions of a step of all tiles, whole ones and what is left at the edges. */
const costOf = (c: Convolution, s: Schedule): number => {
  const { rows, lines, across } = tileOf(s);
  const taps = s.along === 'taps';
  const parts = (size: number, of: number): readonly (readonly [size: number, count: number])[] => [
    [of, Math.floor(size / of)],
    [size % of, size % of === 0 ? 0 : 1],
  ];
  const step = (r: number, vectors: number): number =>
    (r + vectors + 2 * Math.max(r * vectors, BUSY) + 1) * (taps ? 1 : (byRows[r] ?? 1));
  return parts(c.outputs, rows)
    .flatMap(([r, n]) =>
      parts(c.height, lines).flatMap(([l, m]) =>
        parts(taps ? c.width : c.width4, across).map(([a, k]) => {
          const count = n * m * k;
          if (count === 0) return 0;
          return count * (taps ? l * step(r, a) : step(r, l * a) * (1 + SPREAD * (l - 1)));
        }),
      ),
    )
    .reduce((x, y) => x + y);
};

const cheapest = (c: Convolution, all: readonly Schedule[]): Schedule =>
  all.reduce((best, s) => (costOf(c, s) < costOf(c, best) ? s : best));

const spaceOf = (c: Convolution): readonly Schedule[] => (convAlong(c) === 'places' ? placesTiles(c) : tapsTiles(c));

export const convSimd: KernelTemplate = {
  name: 'conv-simd',
  version: 1,
  refuses: (n, caps) => {
    if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
    if (!convolutionOfRows(n)) return 'its images are not copied into rows, nor its weights into panels';
    return n.dtype === 'f16' && !caps.f16 ? 'half precision needs packing' : null;
  },
  space: (n) => {
    const [first, ...rest] = spaceOf(convolutionOfRows(n)!);
    return [first!, ...rest];
  },
  heuristic: (n) => {
    const c = convolutionOfRows(n)!;
    return cheapest(c, spaceOf(c));
  },
  emit,
  work: (n) => {
    const c = convolutionOfRows(n)!;
    const outputs = c.images * c.outputs * c.groups * c.height * c.width;
    const inputs = c.images * c.channels * c.groups * c.inputHeight * c.inputWidth;
    const weights = c.outputs * c.groups * c.channels * c.kh * c.kw;
    return { flops: 2 * outputs * c.channels * c.kh * c.kw, bytes: 4 * (outputs + inputs + weights) };
  },
  reuse: (n, k) => {
    const c = convolutionOfRows(n)!;
    return k === 0 ? Math.max(1, c.kh * Math.ceil(c.outputs / 4)) : c.images * c.height * Math.ceil(c.width / 4);
  },
  order: (s) => (s.along === 'taps' ? 'four sums of taps' : 'by columns of taps'),
  epilogue: true,
};
