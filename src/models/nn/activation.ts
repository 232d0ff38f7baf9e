// Activation functions by the names that Hugging Face's configurations use.
import { gelu, geluTanh, quickGelu, silu } from '../../dsl/ops/activations.ts';

export const activations = { gelu_pytorch_tanh: geluTanh, gelu, quick_gelu: quickGelu, silu };

export type ActivationName = keyof typeof activations;
