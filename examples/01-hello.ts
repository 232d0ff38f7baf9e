// Expressions and their values: nothing is computed until you ask.
import { add, evaluate, exp, matmul, mul, show, softmax, sum, tensor } from 'dualtoken';
import { pipe } from 'fp-ts/lib/function.js';

const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const w = tensor([
  [1, 0],
  [0, 1],
  [1, 1],
]);

// Every operation takes its operands at once, or the last ones first, for a pipe.
const y = add(matmul(x, w), 0.5);
const z = pipe(x, matmul(w), add(0.5), mul(2), exp);

console.log('An expression is a graph:\n');
console.log(show(y));

console.log('\nIts value, compiled to one kernel and run on the device:\n');
console.log(await evaluate(y));

console.log('\nSeveral at once, as any tree:\n');
const { rows, total } = await evaluate({ rows: softmax(z), total: sum(z) });
console.log(rows);
console.log(total);
