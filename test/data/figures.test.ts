// Grids and code maps: what goes where, and colours that can be told apart.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blank, codeColour, codeMap, grid, type Picture, sideBySide } from '../../src/data/images/index.ts';

const test = suite('figures');
const at = (picture: Picture, x: number, y: number): number[] => {
  const from = (y * picture.width + x) * 3;
  return [...picture.data.subarray(from, from + 3)];
};
const red = blank(4, 3, [255, 0, 0]);
const blue = blank(2, 5, [0, 0, 255]);
const white = [255, 255, 255];

test('cells align in rows and columns, gaps show the background', () => {
  const sheet = grid([[red, blue], [blue]], { gap: 1 });
  assert.equal([sheet.width, sheet.height], [4 + 1 + 2, 5 + 1 + 5]);
  assert.equal([at(sheet, 3, 2), at(sheet, 3, 3), at(sheet, 4, 0)], [[255, 0, 0], white, white]);
  assert.equal([at(sheet, 5, 4), at(sheet, 0, 6), at(sheet, 2, 6)], [[0, 0, 255], [0, 0, 255], white]);
  const row = sideBySide([red, red], { gap: 2, background: [1, 2, 3] });
  assert.equal([row.width, row.height, at(row, 4, 1)], [10, 3, [1, 2, 3]]);
  assert.equal([grid([]).width, grid([[]]).height], [1, 1]);
});

test('a code map has one panel for each depth, in place', () => {
  const codes = Int32Array.of(1, 100, 2, 200, 3, 300, 4, 400, 5, 500, 6, 600);
  const map = codeMap({ codes, height: 2, width: 3, depth: 2 }, { cell: 5, gap: 3 });
  assert.equal([map.width, map.height], [15 + 3 + 15, 10]);
  assert.equal(at(map, 0, 0), [...codeColour(1)]);
  assert.equal(at(map, 14, 9), [...codeColour(6)]);
  assert.equal(at(map, 18, 0), [...codeColour(100)]);
  assert.equal(at(map, 18 + 5, 5), [...codeColour(500)]);
  assert.equal(at(map, 16, 4), white);
});

test('colours differ: all of the first 256 codes, and neighbours in a table of 32,768', () => {
  const distance = (a: number, b: number): number => {
    const [p, q] = [codeColour(a), codeColour(b)];
    return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  };
  for (let a = 0; a < 256; a++) for (let b = 0; b < a; b++) assert.ok(distance(a, b) >= 8, `${a} and ${b}`);
  for (let a = 1; a < 32768; a++) assert.ok(distance(a, a - 1) > 90, `${a} and its neighbour`);
  const used = new Set(Array.from({ length: 32768 }, (_, code) => codeColour(code).join(',')));
  assert.ok(used.size > 32768 * 0.95, `${used.size} colours`);
});

test.run();
