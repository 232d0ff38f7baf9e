// A process of a user's: from the package as it is installed to the first result of a ViT-Base block.
import { openRuntime } from '../../dist/index.js';
import { block } from '../../dist/models/index.js';

const runtime = await openRuntime({ backend: 'webgpu' });
const layer = block(
  {
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 1,
    num_attention_heads: 12,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-6,
  },
  false,
);
const isSpec = (x) => typeof x === 'object' && x !== null && 'shape' in x && 'init' in x;
const values = async (tree) => {
  if (isSpec(tree)) {
    const data = new Float32Array(tree.shape.reduce((a, b) => a * b, 1)).fill(0.01);
    return runtime.upload(data, tree.shape);
  }
  const made = Array.isArray(tree) ? [] : {};
  for (const key of Object.keys(tree)) made[key] = tree[key] === undefined ? undefined : await values(tree[key]);
  return made;
};
const params = await values(layer.spec);
const x = await runtime.upload(new Float32Array(196 * 768).fill(0.5), [1, 196, 768]);
const run = runtime.compile((p, v) => layer.apply(p)(v));
const out = await (await run(params, x)).read();
if (!out.every(Number.isFinite)) throw new Error('the block gives no numbers');
// Since the process was launched: Node counts from there.
console.log(JSON.stringify({ ms: performance.now(), cacheHits: runtime.stats().cacheHits }));
runtime.close();
