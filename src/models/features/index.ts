// Pretrained networks whose features others are measured by. Read in this order: stack, alexnet, vgg16 and squeezenet, inputs (what they
// take), lpips on them, names of all; then, on frozen-norm, mobilenet-v2 (with mobilenet-v2-config, mobilenet-v2-names) and inception-v3 (on
// inception-blocks).
export { alexNet } from './alexnet.ts';
export type { FrozenNormSpec } from './frozen-norm.ts';
export { cleanFidInput, inceptionSide, inceptionV3, inceptionV3Names, pytorchFidInput } from './inception-v3.ts';
export { caffeInput, imageNetInput, mobileNetV2Input } from './inputs.ts';
export {
  type LpipsHeadSpec,
  type LpipsHeadsSpec,
  type LpipsSpec,
  lpips,
  lpipsAlex,
  lpipsHeadsSpec,
  lpipsSqueeze,
  lpipsVgg,
  type Pair,
  type PerceptualDistance,
} from './lpips.ts';
export { type MobileNetV2Outputs, mobileNetV2 } from './mobilenet-v2.ts';
export {
  type MobileNetV2Config,
  mobileNetV2Default,
  mobileNetV2Torchvision,
  parseMobileNetV2Config,
} from './mobilenet-v2-config.ts';
export { mobileNetV2Names } from './mobilenet-v2-names.ts';
export { type LpipsNet, lpipsHeadNames, lpipsNames, type Stored as StoredTensors, stackNames } from './names.ts';
export {
  type Classified,
  type FireSpec,
  type SqueezeNetOptions,
  type SqueezeNetVersion,
  squeezeNet,
  squeezeNetStack,
} from './squeezenet.ts';
export type { ConvStack, FeatureStack, StackSpec } from './stack.ts';
export { vgg16 } from './vgg16.ts';
