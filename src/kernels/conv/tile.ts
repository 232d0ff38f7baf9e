// Convolution by register tiles: `rows` output channels by four neighbouring output places a lane. For each input channel and row of
// the kernel a lane loads the few pixels that its places' windows share. Weights reach all lanes through workgroup memory, by broadcast,
// each lane having loaded others, or by the lane's own loads.

import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  and,
  call,
  component,
  type Expr,
  element,
  f32,
  f32x4,
  i32,
  int,
  lit,
  ref,
  variable,
  vec4,
  where,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, delinearise, div, min, mod, mul, sub, within } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import { fixedSubgroup } from '../lanes.ts';
import { meet, type Parts, stepOf } from '../parts.ts';
import { broadcast } from '../subgroup-tile.ts';
import type { Block, Emitted, Schedule } from '../template.ts';
import { asConvolution, type Convolution } from './sizes.ts';

const PLACES = 4;
/** Invocations of a workgroup where each lane loads its own weights, and where they share them. */
const DIRECT = 64;
export const SHARED = 128;
/** Steps whose weights lie in workgroup memory at a time. */
const STAGED = 16;

interface Params {
  readonly weights: 'broadcast' | 'own' | 'shared';
  readonly rows: number;
  /** Tiles of a workgroup, and the subgroups that take turns with the steps of each. */
  readonly subgroups: number;
  readonly parts: number;
}
const params = (s: Schedule): Params => ({
  weights: s.weights === 'broadcast' || s.weights === 'shared' ? s.weights : 'own',
  rows: Number(s.rows),
  subgroups: Number(s.subgroups),
  parts: Number(s.parts ?? 1),
});

/** Where an invocation works: which quad of places, which rows of which group, and whether there are such. */
interface Site {
  readonly size: number;
  readonly groups: number;
  readonly quad: Expr;
  readonly rowTile: Expr;
  readonly live: Expr | null;
}

const siteOf = (c: Convolution, p: Params, lanes: number): Site => {
  const rowTiles = c.groups * Math.ceil(c.outputs / p.rows);
  const inside = (x: Expr, n: number, count: number): { at: Expr; live: Expr | null } =>
    count % n === 0 ? { at: x, live: null } : { at: min(x, int(count - 1)), live: call('lt', x, int(count)) };
  if (p.weights === 'own') {
    const items = rowTiles * c.quads;
    const groups = Math.ceil(items / DIRECT);
    const raw = add(mul(ref(builtins.group, i32, 0, groups - 1), int(DIRECT)), ref(builtins.local, i32, 0, DIRECT - 1));
    const { at, live } = inside(raw, DIRECT, items);
    return { size: DIRECT, groups, quad: mod(at, c.quads), rowTile: div(at, c.quads), live };
  }
  if (p.weights === 'shared') {
    const groups = rowTiles * Math.ceil(c.quads / SHARED);
    const group = ref(builtins.group, i32, 0, groups - 1);
    const raw = add(mul(div(group, rowTiles), int(SHARED)), ref(builtins.local, i32, 0, SHARED - 1));
    const { at, live } = inside(raw, SHARED, c.quads);
    return { size: SHARED, groups, quad: at, rowTile: mod(group, rowTiles), live };
  }
  const quadTiles = Math.ceil(c.quads / lanes);
  const tiles = rowTiles * quadTiles;
  const groups = Math.ceil(tiles / p.subgroups);
  const group = ref(builtins.group, i32, 0, groups - 1);
  const raw = p.parts > 1 ? group : add(mul(group, int(p.subgroups)), ref(builtins.subgroup, i32, 0, p.subgroups - 1));
  const tile = inside(raw, p.subgroups, tiles);
  const quad = inside(
    add(mul(div(tile.at, rowTiles), int(lanes)), ref(builtins.lane, i32, 0, lanes - 1)),
    lanes,
    c.quads,
  );
  const live = tile.live && quad.live ? and(tile.live, quad.live) : (tile.live ?? quad.live);
  return { size: lanes * p.subgroups * p.parts, groups, quad: quad.at, rowTile: mod(tile.at, rowTiles), live };
};

export const emitConvolution = (node: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const c = asConvolution(node)!;
  const p = params(schedule);
  const lanes = p.weights === 'broadcast' ? fixedSubgroup(caps) : 1;
  const site = siteOf(c, p, lanes);
  const name = (id: string, size: number): Expr => (size === 1 ? int(0) : ref(id, i32, 0, size - 1));
  const rowTiles = Math.ceil(c.outputs / p.rows);
  const [image, oy, quad] = [name('image', c.images), name('oy', c.height), name('quad', c.width4)];
  const [group, rowTile] = [name('part', c.groups), name('rows', rowTiles)];
  const place = delinearise(site.quad, [c.images, c.height, c.width4]);
  const rowPlace = delinearise(site.rowTile, [c.groups, rowTiles]);
  const body: Stmt[] = [
    { s: 'let', name: 'image', value: place[0]! },
    { s: 'let', name: 'oy', value: place[1]! },
    { s: 'let', name: 'quad', value: place[2]! },
    { s: 'let', name: 'part', value: rowPlace[0]! },
    { s: 'let', name: 'rows', value: rowPlace[1]! },
  ];
  const row0 = mul(rowTile, int(p.rows));
  const acc = (r: number): Expr => variable(`acc${r}`, f32x4);
  for (const r of range(p.rows)) body.push({ s: 'var', name: `acc${r}`, type: f32x4, value: zero4 });

  const steps = c.channels * c.kh * c.chunks;
  const shared = p.weights === 'shared';
  const staged = shared ? Math.min(STAGED, steps) : steps / p.parts;
  const [turn, step] = [counter('turn', Math.ceil(steps / staged) - 1), counter('step', staged - 1)];
  const placeOf = (q: Expr) => {
    const [channel, ky, chunk] = delinearise(q, [c.channels, c.kh, c.chunks]) as readonly [Expr, Expr, Expr];
    return { channel, ky, kx0: mul(chunk, int(c.taps)) };
  };
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  const parts: Parts | null =
    p.parts > 1
      ? { count: p.parts, part: ref(builtins.subgroup, i32, 0, p.parts - 1), owners: lanes, owner: lane }
      : null;
  const own = parts ? stepOf(parts, step) : step;
  const { channel, ky, kx0 } = placeOf(shared ? min(add(mul(turn, int(staged)), step), int(steps - 1)) : own);
  const inner: Stmt[] = [
    ...pixels(c, block, { image, oy, quad, channel: add(mul(group, int(c.channels)), channel), ky, kx0 }),
  ];
  const weightAt = (row: Expr, s: ReturnType<typeof placeOf>, j: Expr): Expr => {
    const kx = add(s.kx0, j);
    const o = add(mul(group, int(c.outputs)), min(add(row0, row), int(c.outputs - 1)));
    const w = block.load(1, [o, s.channel, s.ky, min(kx, int(c.kw - 1))]);
    return c.kw % c.taps === 0 ? w : where(call('lt', kx, int(c.kw)), w, lit(0, 'f32'));
  };
  const weight = (row: Expr, j: number): Expr => weightAt(row, { channel, ky, kx0 }, int(j));
  const registers = Math.ceil(p.rows / lanes);
  /** Weight of row r and tap j of the step. */
  let at = (r: number, j: number): Expr => weight(int(r), j);
  if (p.weights === 'broadcast') {
    const rowOf = (i: number): Expr => min(add(lane, int(i * lanes)), int(p.rows - 1));
    const quads = range(registers).map((i) =>
      weightQuad(
        c,
        block,
        add(mul(group, int(c.outputs)), min(add(row0, rowOf(i)), int(c.outputs - 1))),
        channel,
        ky,
        kx0,
      ),
    );
    if (quads.every((x) => x !== null)) {
      for (const i of range(registers)) inner.push({ s: 'let', name: `w${i}`, value: quads[i]! });
      at = (r, j) => broadcast(component(ref(`w${Math.floor(r / lanes)}`, f32x4), j), r % lanes);
    } else {
      for (const i of range(registers))
        for (const j of range(c.taps)) inner.push({ s: 'let', name: `w${i}_${j}`, value: weight(rowOf(i), j) });
      at = (r, j) => broadcast(ref(`w${Math.floor(r / lanes)}_${j}`, f32), r % lanes);
    }
  }
  const rowQuads = Math.ceil(p.rows / 4);
  if (shared) {
    const quadName = (j: number, quad: number): string => `w${j}_${quad}`;
    for (const j of range(c.taps))
      for (const k of range(rowQuads)) {
        const index = add(mul(add(mul(step, int(c.taps)), int(j)), int(rowQuads)), int(k));
        inner.push({ s: 'let', name: quadName(j, k), value: element('weights', index, f32x4) });
      }
    at = (r, j) => component(ref(quadName(j, Math.floor(r / 4)), f32x4), r % 4);
  }
  for (const r of range(p.rows)) {
    const sum = range(c.taps).reduce((s, j) => plus(s, times(ref(`x4_${j}`, f32x4), at(r, j))), acc(r));
    inner.push({ s: 'assign', name: `acc${r}`, value: sum });
  }
  const first = mul(turn, int(staged));
  const to = shared ? min(int(staged), sub(int(steps), first)) : int(staged);
  const walk = loop(step, to, inner);
  if (shared) {
    const stage = stageWeights(rowQuads, staged * c.taps, (row, i) =>
      weightAt(row, placeOf(min(add(first, div(i, c.taps)), int(steps - 1))), mod(i, c.taps)),
    );
    const each: readonly Stmt[] = [...stage, { s: 'barrier' }, walk, { s: 'barrier' }];
    body.push(loop(turn, turn.hi + 1, each));
  } else body.push(walk);

  const meeting = parts
    ? meet(
        parts,
        range(p.rows).map((r) => `acc${r}`),
      )
    : null;
  const store = storeTile(c, block, {
    rows: p.rows,
    at: (r, x) => [image, add(mul(group, int(c.outputs)), add(row0, r)), oy, x],
    row0,
    quad,
    from: parts?.part ?? int(0),
    step: p.parts,
    value: (r) => (meeting ? meeting.sum(r) : element('tile', r, f32x4)),
  });
  body.push(
    ...(meeting?.body ??
      range(p.rows).map((r): Stmt => ({ s: 'setElement', array: 'tile', index: int(r), value: acc(r) }))),
  );
  body.push(...(site.live ? [{ s: 'if' as const, cond: site.live, then: store }] : store));
  return {
    workgroupSize: site.size,
    groups: site.groups,
    subgroups: p.weights === 'broadcast',
    arrays: shared ? [{ name: 'weights', type: f32x4, length: rowQuads * staged * c.taps }] : (meeting?.arrays ?? []),
    body: meeting ? body : [{ s: 'array', name: 'tile', type: f32x4, length: p.rows }, ...body],
  };
};

interface Step {
  readonly image: Expr;
  readonly oy: Expr;
  readonly quad: Expr;
  readonly channel: Expr;
  readonly ky: Expr;
  readonly kx0: Expr;
}
/** Loads the pixels of a step, each once, and names for each tap j the four places' pixels `x4_j`. */
const pixels = (c: Convolution, block: Block, s: Step): readonly Stmt[] => {
  const places = Math.min(PLACES, c.width);
  const offset = (place: number, j: number): number => place * c.stride[1] + j * c.dilation[1];
  const offsets = [...new Set(range(places).flatMap((place) => range(c.taps).map((j) => offset(place, j))))].sort(
    (a, b) => a - b,
  );
  const y = add(sub(mul(s.oy, int(c.stride[0])), int(c.padding[0])), mul(s.ky, int(c.dilation[0])));
  const left = add(sub(mul(s.quad, int(PLACES * c.stride[1])), int(c.padding[1])), mul(s.kx0, int(c.dilation[1])));
  const loads = offsets.map((o): Stmt => {
    const x = add(left, int(o));
    const inside = and(within(y, 0, c.inputHeight), within(x, 0, c.inputWidth));
    return { s: 'let', name: `x${o}`, value: where(inside, block.load(0, [s.image, s.channel, y, x]), lit(0, 'f32')) };
  });
  const at = (place: number, j: number): Expr => (place < places ? ref(`x${offset(place, j)}`, f32) : lit(0, 'f32'));
  const quads = range(c.taps).map(
    (j): Stmt => ({ s: 'let', name: `x4_${j}`, value: vec4(range(PLACES).map((place) => at(place, j))) }),
  );
  return [...loads, ...quads];
};

/** Puts weights into workgroup memory as quads of rows; `weight` is that of a row at one of `places` steps and taps. */
const stageWeights = (rowQuads: number, places: number, weight: (row: Expr, i: Expr) => Expr): readonly Stmt[] => {
  const total = rowQuads * places;
  return range(Math.ceil(total / SHARED)).flatMap((k): readonly Stmt[] => {
    // Neighbouring invocations load neighbouring weights of a row.
    const i = add(ref(builtins.local, i32, 0, SHARED - 1), int(k * SHARED));
    const [quad, place] = [div(i, places), mod(i, places)];
    const value = vec4(range(4).map((r) => weight(add(mul(quad, int(4)), int(r)), place)));
    const put: Stmt = { s: 'setElement', array: 'weights', index: add(mul(place, int(rowQuads)), quad), value };
    return (k + 1) * SHARED <= total ? [put] : [{ s: 'if', cond: call('lt', i, int(total)), then: [put] }];
  });
};

/** The weights of a step as one vector load, where memory is laid out so. */
const weightQuad = (c: Convolution, block: Block, row: Expr, channel: Expr, ky: Expr, kx0: Expr): Expr | null => {
  if (c.taps !== 4 || c.kw % 4 !== 0) return null;
  const v = block.loadVector(1, [row, channel, ky, kx0], 3, 4);
  return v.e === 'load' ? v : null;
};

interface Leaving {
  readonly rows: number;
  readonly at: (row: Expr, x: Expr) => readonly Expr[];
  readonly row0: Expr;
  readonly quad: Expr;
  /** Which rows of the tile the invocation stores: every `step`-th from `from` on, each with its value. */
  readonly from: Expr;
  readonly step: number;
  readonly value: (r: Expr) => Expr;
}

/** The rows leave through an array, so that the epilogue is written once and not once a row. */
const storeTile = (c: Convolution, block: Block, t: Leaving): readonly Stmt[] => {
  const { rows, at, row0, quad } = t;
  const r = counter('r', rows - 1);
  const stores = range(Math.min(PLACES, c.width)).flatMap((k): readonly Stmt[] => {
    const x = add(mul(quad, int(PLACES)), int(k));
    const store = block.store(0, at(r, x), component(ref('out', f32x4), k));
    return c.width % PLACES === 0 ? store : [{ s: 'if', cond: call('lt', x, int(c.width)), then: store }];
  });
  const to = c.outputs % rows === 0 ? int(rows) : min(int(rows), sub(int(c.outputs), row0));
  return [loop(r, to, [{ s: 'let', name: 'out', value: t.value(r) }, ...stores], { from: t.from, step: t.step })];
};
