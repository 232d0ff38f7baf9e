// The decoder's last convolution, by whose gradient adversarial losses are weighed, under the name that all decoders have for it.
import type { Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';

interface Painting {
  readonly decoder: { readonly conv_out: { readonly weight: Tensor<Rank4> } };
}

/** Its weights, and parameters with others in their place. */
export const lastOfDecoder = {
  last: ({ decoder }: Painting): Tensor<Rank4> => decoder.conv_out.weight,
  withLast: <P extends Painting>(params: P, weight: Tensor<Rank4>): P => ({
    ...params,
    decoder: { ...params.decoder, conv_out: { ...params.decoder.conv_out, weight } },
  }),
};
