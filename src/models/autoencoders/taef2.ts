// TAEF2: the tiny autoencoder of FLUX.2's latents (madebyollin/taesd), pictures in [0, 1] to 32 channels at an eighth of the size.
import { pipe } from 'fp-ts/lib/function.js';
import { compose, seq } from '../../dsl/compose.ts';
import { relu } from '../../dsl/ops/activations.ts';
import { add, div, mul, tanh } from '../../dsl/ops/elementwise.ts';
import { type Conv2dOptions, conv2d, type Maps } from '../nn/conv2d.ts';
import { groupNorm } from '../nn/norm.ts';
import { upsample2x } from '../nn/upsample.ts';

const width = 64;
const conv = (inputs: number, outputs: number, options: Conv2dOptions = {}) =>
  conv2d(inputs, outputs, 3, { padding: 1, ...options });
const pointwise = (inputs: number, outputs: number) => conv2d(inputs, outputs, 1, { bias: false });

/** relu(x + three convolutions of x); in the `middle`, x first gains a wide normalised pointwise pair. */
const block = (middle = false) =>
  compose(
    {
      pool: middle
        ? seq(pointwise(width, 4 * width), groupNorm(4 * width, 4, 1e-5), relu, pointwise(4 * width, width))
        : undefined,
      conv: seq(conv(width, width), relu, conv(width, width), relu, conv(width, width)),
    },
    (m) => (x: Maps) => {
      const y = m.pool ? add(x, m.pool(x)) : x;
      return relu(add(y, m.conv(y)));
    },
  );

const down = () => conv(width, width, { stride: 2, bias: false });
const smooth = () => conv(width, width, { bias: false });
/** Latents keep to (-3, 3). */
const softClamp = (z: Maps): Maps => pipe(z, div(3), tanh, mul(3));

/** Pictures [B, 3, H, W] in [0, 1] to latents [B, latent, H / 8, W / 8]. */
export const taef2Encoder = (latent = 32) =>
  seq(
    conv(3, width),
    block(),
    down(),
    block(),
    block(),
    block(),
    down(),
    block(),
    block(),
    block(),
    down(),
    block(true),
    block(true),
    block(true),
    conv(width, latent),
  );

/** Latents [B, latent, h, w] to pictures [B, 3, 8 h, 8 w]. */
export const taef2Decoder = (latent = 32) =>
  seq(
    softClamp,
    conv(latent, width),
    relu,
    block(true),
    block(true),
    block(true),
    upsample2x,
    smooth(),
    block(),
    block(),
    block(),
    upsample2x,
    smooth(),
    block(),
    block(),
    block(),
    upsample2x,
    smooth(),
    block(),
    conv(width, 3),
  );
