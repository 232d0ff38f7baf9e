// Whole models with the parameters of the case.
import * as E from 'fp-ts/lib/Either.js';
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import type { ParamsOf } from '../../../src/dsl/param.ts';
import { type AnyTensor, isTensor } from '../../../src/dsl/tensor.ts';
import { valueAndGrad, vjp } from '../../../src/dsl/transform/index.ts';
import { flatten } from '../../../src/dsl/tree.ts';
import { attentionProjection } from '../../../src/models/attention-projection.ts';
import { pixelDecoder } from '../../../src/models/autoencoders/pixel-decoder.ts';
import { clip } from '../../../src/models/clip.ts';
import { parseClipConfig, parseSiglipConfig } from '../../../src/models/hf-config.ts';
import { projectBlock } from '../../../src/models/project-block.ts';
import { siglip, siglipVision } from '../../../src/models/siglip.ts';
import { ids, paramsFrom, rank2, rank3, rank4 } from '../../support/params.ts';
import { type GoldenCase, inputOf, numbers, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

const right = <A>(parsed: E.Either<readonly string[], A>): A => {
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('; '));
  return parsed.right;
};

/** `vision.hidden_states.N` for every N. */
const named = (states: readonly AnyTensor[]) =>
  Object.fromEntries(states.map((x, n) => [`vision.hidden_states.${n}`, x]));

/** Only what the case has: a graph need not compute the rest. */
const wanted = (c: GoldenCase, all: Readonly<Record<string, AnyTensor>>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => c.outputs.has(name)));

export const siglipKind: Kind = (c, evaluate) => {
  const model = siglip(right(parseSiglipConfig(c.config)));
  const inputs = { images: rank4(inputOf(c, 'pixel_values')), ids: ids(inputOf(c, 'input_ids')) };
  const { vision, ...compared } = model.apply(paramsFrom(model.spec, c.model))(inputs);
  return evaluate(
    wanted(c, {
      ...named(vision.hiddenStates),
      'vision.last_hidden_state': vision.lastHiddenState,
      'vision.pooler_output': vision.pooled,
      image_embeds: compared.imageEmbeds,
      text_embeds: compared.textEmbeds,
      logits_per_image: compared.logitsPerImage,
    }),
  );
};

export const siglipGradKind: Kind = (c, evaluate) => {
  const tower = siglipVision(right(parseSiglipConfig(c.config)).vision_config);
  const prefix = 'vision_model.';
  const params = paramsFrom(tower.spec, c.model, {
    nameOf: (path) => `${prefix}${path}`,
    ignore: (name) => !name.startsWith(prefix),
  });
  const [images, w1, w2] = [rank4(inputOf(c, 'pixel_values')), rank3(inputOf(c, 'w1')), rank2(inputOf(c, 'w2'))];
  const loss = (p: ParamsOf<typeof tower.spec>) => {
    const { lastHiddenState, pooled } = tower.apply(p)(images);
    return add(sum(mul(lastHiddenState, w1)), sum(mul(pooled, w2)));
  };
  const { value, grads } = valueAndGrad(loss)(params);
  const byPath = flatten(grads, isTensor).leaves.map((leaf) => [`grad.${leaf.path}`, leaf.value] as const);
  return evaluate({ loss: reshape(value, [1]), ...Object.fromEntries(byPath) });
};

export const clipKind: Kind = (c, evaluate) => {
  const model = clip(right(parseClipConfig(c.config)));
  const inputs = { images: rank4(inputOf(c, 'pixel_values')), ids: ids(inputOf(c, 'input_ids')) };
  const { vision, ...compared } = model.apply(paramsFrom(model.spec, c.model))(inputs);
  return evaluate(
    wanted(c, {
      ...named(vision.hiddenStates),
      image_embeds: compared.imageEmbeds,
      text_embeds: compared.textEmbeds,
      logits_per_image: compared.logitsPerImage,
    }),
  );
};

export const projectBlockKind: Kind = (c, evaluate) => {
  const [outputs, inputs] = c.model.get('conv1.weight')!.shape;
  const block = projectBlock(inputs!, outputs!);
  return evaluate({ y: block.apply(paramsFrom(block.spec, c.model))(rank4(inputOf(c, 'x'))) });
};

export const attentionProjectionKind: Kind = (c, evaluate) => {
  const [outputs, inputs] = c.model.get('proj.weight')!.shape;
  const block = attentionProjection(inputs!, outputs!, { causal: c.settings.causal === true });
  const { value, pull } = vjp(block.apply(paramsFrom(block.spec, c.model)), rank3(inputOf(c, 'x')));
  const [grad] = pull(rank3(inputOf(c, 'cotangent')));
  return evaluate({ y: value, 'grad.x': grad });
};

export const pixelDecoderKind: Kind = (c, evaluate) => {
  const decoder = pixelDecoder({
    ch: setting(c, 'ch'),
    ch_mult: numbers(c, 'ch_mult'),
    num_res_blocks: setting(c, 'num_res_blocks'),
    attn_resolutions: numbers(c, 'attn_resolutions'),
    resolution: setting(c, 'resolution'),
    in_channels: inputOf(c, 'z').shape[1]!,
    out_ch: c.model.get('conv_out.weight')!.shape[0]!,
    groups: setting(c, 'groups', 32),
  });
  const decode = decoder.apply(paramsFrom(decoder.spec, c.model));
  const { value, pull } = vjp(decode, rank4(inputOf(c, 'z')));
  const [grad] = pull(rank4(inputOf(c, 'cotangent')));
  return evaluate({ y: value, 'grad.z': grad });
};
