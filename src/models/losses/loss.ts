// The losses of a variant as data: each a value with a weight, in a list. reference: DualToken, section 3; weights are those of the
// authors' public code of March 2025.
import { z } from 'zod';

const weight = z.number().min(0);
const l2OrCosine = z.enum(['l2', 'l2-cosine']);

/** Distance of the reconstruction, in units of [-1, 1]: its square is four times that of [0, 1]. */
const pixel = z.strictObject({ kind: z.literal('pixel'), weight, distance: z.enum(['l2', 'l1']).optional() });

/**
 * LPIPS with the published heads (`lpips-vgg`, `-alex`, `-squeeze`), or a plain distance of unit features without heads
 * (`squeezenet1_0` with torchvision's weights, `-caffe` with its authors' own, which take other numbers), which is no LPIPS. Its
 * weights are named where it is trained.
 */
const perceptual = z.strictObject({
  kind: z.literal('perceptual'),
  weight,
  net: z.enum(['lpips-vgg', 'lpips-alex', 'lpips-squeeze', 'squeezenet1_0', 'squeezenet1_0-caffe']),
});

/** The tower's features against those of the frozen initial tower: 'l2' of the March 2025 code, 'l2-cosine' of v3: L2 - cos. */
const deep = z.strictObject({
  kind: z.literal('deep'),
  weight,
  form: l2OrCosine.optional(),
  /** Features before quantisation (default), or after it, projected back. */
  of: z.enum(['before', 'after']).optional(),
});
const pooled = z.strictObject({ kind: z.literal('pooled'), weight, form: l2OrCosine.optional() });

/** Keeps features near the codes that stand for them. */
const commitment = z.strictObject({ kind: z.literal('commitment'), weight });

/** Entropy of lookup-free codes: sure of each, even over all. */
const entropy = z.strictObject({ kind: z.literal('entropy'), weight });

/** Image and caption embeddings: a sigmoid of every pair (SigLIP), or a softmax over rows and columns (CLIP). */
const contrastive = z.strictObject({
  kind: z.literal('contrastive'),
  weight,
  form: z.enum(['sigmoid', 'softmax']).optional(),
});

/** A linear map of the pooled feature against a teacher's features: 1 - cos. */
const teacher = z.strictObject({
  kind: z.literal('teacher'),
  weight,
  net: z.enum(['mobilenet_v2']),
  /** Side of the pictures that the teacher sees, resized from the model's. Default 224. */
  size: z.int().positive().optional(),
});

/** Reconstructions that a discriminator takes for pictures. */
const adversarial = z.strictObject({
  kind: z.literal('adversarial'),
  weight,
  /** 'residual': section 3.2. 'patch': that of taming-transformers. */
  discriminator: z.enum(['residual', 'patch']).optional(),
  /** Channels after its first convolution, and layers that halve but for the last. Default 64 and 3. */
  channels: z.int().positive().optional(),
  layers: z.int().positive().optional(),
  /** The discriminator's loss. Default 'leaky-hinge'. */
  objective: z.enum(['leaky-hinge', 'hinge', 'vanilla', 'non-saturating']).optional(),
  /** What the model is trained by: -mean D(x^), or cross entropy. Default: what goes with the objective. */
  generator: z.enum(['hinge', 'non-saturating']).optional(),
  /** The step from which it plays. Default 0. */
  start: z.int().min(0).optional(),
  /**
   * Bounds of ||d(pixel + perceptual)/dW|| / (||d(generator)/dW|| + 1e-4), W the decoder's last convolution, by which the weight is
   * multiplied; null: it is not. Default [0.3, 10].
   */
  adaptive: z
    .tuple([z.number().min(0), z.number().positive()])
    .nullable()
    .optional(),
  /** Weight of LeCAM regularisation of the discriminator. Default 0. */
  lecam: weight.optional(),
});

/** Checks a loss from JSON by its kind: its weight, and the options that its kind has; unknown keys are faults. */
export const lossSchema = z.discriminatedUnion('kind', [
  pixel,
  perceptual,
  deep,
  pooled,
  commitment,
  entropy,
  contrastive,
  teacher,
  adversarial,
]);
/** One loss of a variant. */
export type Loss = Readonly<z.infer<typeof lossSchema>>;
export type LossOf<K extends Loss['kind']> = Extract<Loss, { readonly kind: K }>;
type Rest<K extends Loss['kind']> = Omit<LossOf<K>, 'kind' | 'weight'>;

/** An adversarial loss with its defaults. */
export const adversarialOf = ({
  weight,
  discriminator = 'residual',
  channels = 64,
  layers = 3,
  objective = 'leaky-hinge',
  generator = objective === 'non-saturating' ? 'non-saturating' : 'hinge',
  start = 0,
  adaptive = [0.3, 10],
  lecam = 0,
}: LossOf<'adversarial'>) => ({
  weight,
  discriminator,
  channels,
  layers,
  objective,
  generator,
  start,
  adaptive,
  lecam,
});
export type Adversarial = ReturnType<typeof adversarialOf>;

const loss =
  <K extends Loss['kind']>(kind: K, usual: number) =>
  (weight = usual, rest?: Rest<K>) => ({ kind, weight, ...rest });

/** L2 distance of the reconstruction, times 10. */
export const pixelLoss = loss('pixel', 10);
/** LPIPS on VGG16, times 1, where nothing else is asked for. */
export const perceptualLoss = (weight = 1, net: LossOf<'perceptual'>['net'] = 'lpips-vgg') =>
  ({ kind: 'perceptual', weight, net }) as const;
/** Times 0.75 and the adaptive weight, against the residual discriminator. */
export const adversarialLoss = loss('adversarial', 0.75);
/** Keeps the semantic tap where the initial tower had it, times 5. */
export const deepDistillation = loss('deep', 5);
/** Keeps the pooled feature, which passes through the semantic quantiser, where the initial tower had it, times 1. */
export const pooledDistillation = loss('pooled', 1);
/** Of both quantisers, added, times 40. */
export const commitmentLoss = loss('commitment', 40);
/** Of lookup-free codes, times 0.1 (Open-MAGVIT2). */
export const entropyLoss = loss('entropy', 0.1);
/** Of images with their captions, times 1: a sigmoid of every pair (X. Zhai and others, "SigLIP", 2023), where nothing else is asked for. */
export const contrastiveLoss = loss('contrastive', 1);
/** 1 - cos of a tower's pooled feature, mapped, and its teacher's, times 1. */
export const teacherLoss = (weight = 1, net: LossOf<'teacher'>['net'] = 'mobilenet_v2') =>
  ({ kind: 'teacher', weight, net }) as const;

/** Half of the code's first epoch, in which the discriminator does not play: 256 shards of CC12M, 1,290,496 pictures, in batches of 64. */
const discriminatorStart = 10_082;

/** The whole loss of the March 2025 code: L = 10 L_pix + LPIPS + 0.75 g L_gen + 5 MSE(F, F0) + MSE(p, p0) + 40 (L_c,pix + L_c,sem). */
export const dualTokenLosses: readonly Loss[] = [
  pixelLoss(),
  perceptualLoss(),
  adversarialLoss(0.75, { start: discriminatorStart }),
  deepDistillation(),
  pooledDistillation(),
  commitmentLoss(),
];
