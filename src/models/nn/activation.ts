// Activation functions by the names that Hugging Face's configurations use.
import { gelu, geluTanh, quickGelu, silu } from '../../dsl/ops/activations.ts';

/** Functions of tensors of any shape, by name. */
export const activations = { gelu_pytorch_tanh: geluTanh, gelu, quick_gelu: quickGelu, silu };

/** A name in `activations`. */
export type ActivationName = keyof typeof activations;
