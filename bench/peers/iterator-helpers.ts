// The helpers of iterators that jax-js's einsum and attention use, and Node has from version 22.

const prototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

function* map(this: Iterable<unknown>, f: (x: unknown, i: number) => unknown): Generator<unknown> {
  let i = 0;
  for (const x of this) yield f(x, i++);
}
function* filter(this: Iterable<unknown>, f: (x: unknown, i: number) => unknown): Generator<unknown> {
  let i = 0;
  for (const x of this) if (f(x, i++)) yield x;
}

for (const [name, value] of Object.entries({ map, filter }))
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
