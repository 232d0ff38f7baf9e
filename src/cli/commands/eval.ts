// `dualtoken eval`: how well a model reconstructs, and how much of meaning its features and codes keep.
import { createHash } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  evaluateKnn,
  evaluateProbe,
  evaluateReconstruction,
  evaluateRetrieval,
  evaluateZeroShot,
  type FeatureNetwork,
  networkOf,
  readClassPrompts,
} from '../../eval/evaluations/index.ts';
import { type EvaluatedModel, openInception, openLpips, openModel, outputsOf } from '../../eval/models/index.ts';
import type { LpipsNet } from '../../models/features/index.ts';
import { type EvalOptions, evaluating, type TextOptions, textTowerFor, withEval, withTexts } from '../evaluation.ts';
import { openCaptioned, openLabelled, openPictures } from '../evaluation-data.ts';
import { printKnn, printProbe, printReconstruction, printRetrieval, printZeroShot } from '../evaluation-tables.ts';
import { need, UserFailure } from '../failure.ts';
import { positiveNumber } from '../options.ts';

const modelArgument = 'tokenizer file, or checkpoint folder of SigLIP, CLIP or MobileNetV2';
const dataArgument =
  'folder or pattern of pictures, WebDataset tars, Parquet files, CIFAR-10 or 100; or JSON, {"kind": "cifar10", "path": "data", "split": "test"}';

interface LabelOptions {
  readonly labels?: string;
}
const labelsOption = [
  '--labels <file>',
  'classes of the pictures by name (JSON: {"a.jpg": 3}); default: the data’s own, or its folders',
] as const;

/** The embedding, or else the first of the features. */
const defaultFeature = (model: EvaluatedModel): string =>
  model.embedding ?? outputsOf(model, 'features')[0] ?? 'pooled';

interface ReconstructionOptions extends EvalOptions {
  readonly lpips?: string;
  readonly lpipsHeads?: string;
  readonly lpipsNet: LpipsNet;
  readonly inception?: string;
  readonly features: readonly string[];
}

const reconstruction = async (model: string, data: string, options: ReconstructionOptions): Promise<void> => {
  if (options.lpips === undefined && options.lpipsHeads !== undefined)
    throw new UserFailure('--lpips-heads are of no use without their network: name its weights by --lpips');
  await evaluating(
    'reconstruction',
    model,
    options,
    async (runtime) => {
      const { lpips, lpipsHeads, lpipsNet, inception, features } = options;
      const { dataset, name, captions } = await openPictures(data);
      const weights = [lpips, lpipsHeads].filter((path) => path !== undefined);
      const networks: FeatureNetwork[] = [];
      if (inception !== undefined)
        networks.push(networkOf(await need(openInception(runtime, inception)), 'pooled', 'rFID'));
      for (const path of features) {
        const network = await need(openModel(runtime, path));
        networks.push(networkOf(network, defaultFeature(network), `rFD-${network.family}`));
      }
      const measures = {
        lpips: lpips === undefined ? null : await need(openLpips(runtime, lpipsNet, weights)),
        networks,
      };
      return {
        identity: {
          data: name,
          pictures: dataset.size,
          'network of LPIPS': lpips === undefined ? null : lpipsNet,
        },
        files: { LPIPS: weights, inception, features, captions },
        work: (evaluation) => evaluateReconstruction(evaluation, dataset, measures),
      };
    },
    printReconstruction,
  );
};

interface FeatureOptions {
  readonly feature?: string;
}

interface ZeroShotOptions extends EvalOptions, TextOptions, LabelOptions, FeatureOptions {
  readonly classes: string;
  readonly set?: string;
  readonly templates?: string;
}

const zeroShot = (model: string, data: string, options: ZeroShotOptions): Promise<void> =>
  evaluating(
    'zero-shot',
    model,
    options,
    async (runtime, opened) => {
      const { text, tokenizer, labels, feature = opened.embedding } = options;
      const prompts = await need(readClassPrompts(options.classes, options));
      const { dataset, name, captions } = await openLabelled(data, labels);
      const texts = await textTowerFor(runtime, opened, options);
      return {
        identity: {
          data: name,
          pictures: dataset.size,
          feature,
          'classes and templates': digestOf(prompts),
        },
        files: { texts: text, tokenizer, labels, captions },
        work: (evaluation) => evaluateZeroShot(evaluation, dataset, prompts, texts, feature),
      };
    },
    printZeroShot,
  );

/** Tells two lists of classes apart. */
const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

interface RetrievalOptions extends EvalOptions, TextOptions, FeatureOptions {
  readonly captions?: string;
  readonly split?: string;
}

const retrieval = (model: string, data: string, options: RetrievalOptions): Promise<void> =>
  evaluating(
    'retrieval',
    model,
    options,
    async (runtime, opened) => {
      const { captions: file, split, text, tokenizer, feature = opened.embedding } = options;
      const folder = { ...(file === undefined ? {} : { captions: file }), ...(split === undefined ? {} : { split }) };
      const { dataset, name, captions } = await openCaptioned(data, folder);
      const texts = await textTowerFor(runtime, opened, options);
      return {
        identity: { data: name, pictures: dataset.size, feature },
        files: { texts: text, tokenizer, captions },
        work: (evaluation) => evaluateRetrieval(evaluation, dataset, texts, feature),
      };
    },
    printRetrieval,
  );

interface ClassificationOptions extends EvalOptions, LabelOptions, FeatureOptions {
  readonly testLabels?: string;
}

/** Data and feature of a probe or of neighbours. */
const classification = async (
  model: EvaluatedModel,
  trainData: string,
  testData: string | undefined,
  { labels, testLabels, feature = defaultFeature(model) }: ClassificationOptions,
) => {
  const train = await openLabelled(trainData, labels);
  if (testData === undefined && testLabels !== undefined)
    throw new UserFailure('--test-labels: there is no second data set that they are of');
  const test = testData === undefined ? null : await openLabelled(testData, testLabels ?? labels);
  return {
    data: { train: train.dataset, test: test?.dataset ?? null },
    feature,
    identity: {
      data: train.name,
      pictures: train.dataset.size,
      test: test?.name ?? null,
      'test pictures': test?.dataset.size ?? null,
      feature,
    },
    files: { labels, 'test labels': testLabels, captions: train.captions, 'test captions': test?.captions },
  };
};

const probe = (model: string, train: string, test: string | undefined, options: ClassificationOptions): Promise<void> =>
  evaluating(
    'probe',
    model,
    options,
    async (_, opened) => {
      const { data, feature, ...about } = await classification(opened, train, test, options);
      return { ...about, work: (evaluation) => evaluateProbe(evaluation, data, feature) };
    },
    printProbe,
  );

interface KnnOptions extends ClassificationOptions {
  readonly neighbours?: readonly number[];
  readonly temperature: number;
}

const neighbours = (model: string, train: string, test: string | undefined, options: KnnOptions): Promise<void> =>
  evaluating(
    'knn',
    model,
    options,
    async (_, opened) => {
      const { data, feature, ...about } = await classification(opened, train, test, options);
      const { neighbours: asked, temperature } = options;
      const measured = { temperature, ...(asked === undefined ? {} : { neighbours: asked }) };
      return { ...about, work: (evaluation) => evaluateKnn(evaluation, data, feature, measured) };
    },
    printKnn,
  );

const gathered = (path: string, before: readonly string[]): readonly string[] => [...before, path];

/** Reads `1,10,20`. */
const wholeNumbers = (text: string): readonly number[] => {
  const values = text.split(',').map(Number);
  if (values.some((n) => !Number.isInteger(n) || n < 1))
    throw new InvalidArgumentError('It must be whole numbers from 1, with commas between them.');
  return values;
};

const featureOption = ['--feature <name>', 'which of the model’s features; default: its embedding'] as const;

const withClassification = (command: Command): Command =>
  withEval(command)
    .argument('<model>', modelArgument)
    .argument('<train>', `training pictures with classes: ${dataArgument}`)
    .argument('[test]', 'pictures to measure on; default: a fifth of the training pictures is held out')
    .option(...featureOption)
    .option(...labelsOption)
    .option('--test-labels <file>', 'the same for the test pictures; default: --labels');

export const evalCommand = (program: Command): Command => {
  const command = program
    .command('eval')
    .description(
      'measure a model: reconstruction, zero-shot, retrieval, linear probe, nearest neighbours; Ctrl-C keeps its state and stops (exit code 130)',
    );
  withEval(command.command('reconstruction').description('PSNR, SSIM, LPIPS, Fréchet distances, use of the codebooks'))
    .argument('<model>', modelArgument)
    .argument('<data>', dataArgument)
    .option('--lpips <file>', 'weights of LPIPS’s network (torchvision’s or timm’s VGG16), or of all of LPIPS')
    .option('--lpips-heads <file>', 'the published linear heads, where they are not in that file')
    .addOption(new Option('--lpips-net <name>', 'which network').choices(['vgg', 'alex', 'squeeze']).default('vgg'))
    .option('--inception <file>', 'Inception V3 in pytorch-fid’s layout, for rFID')
    .option('--features <path>', 'another model for a Fréchet distance, rFD-NAME; may be given again', gathered, [])
    .action(reconstruction);
  withTexts(withEval(command.command('zero-shot').description('classification by texts, as CLIP’s on ImageNet')))
    .argument('<model>', modelArgument)
    .argument('<data>', `pictures with classes: ${dataArgument}`)
    .requiredOption(
      '--classes <file>',
      'names of the classes and templates, JSON: {"classes": ["cat"], "templates": ["a photo of a {}."]}, several of these by name, or open_clip’s {"wnids", "openai_classnames", "templates"}',
    )
    .option('--set <name>', 'which classes, where the file holds several sets')
    .option('--templates <name>', 'which list of templates, where the file holds several')
    .option(...labelsOption)
    .option(...featureOption)
    .action(zeroShot);
  withTexts(withEval(command.command('retrieval').description('R@1, 5 and 10 of pictures by captions and back')))
    .argument('<model>', modelArgument)
    .argument('<data>', `pictures with captions: ${dataArgument}`)
    .option('--captions <file>', 'captions of a folder’s pictures: COCO’s or Karpathy’s JSON, Flickr8k’s captions.txt')
    .option('--split <name>', 'only pictures of this split, where the file of captions tells splits: Karpathy’s test')
    .option(...featureOption)
    .action(retrieval);
  withClassification(command.command('probe').description('logistic regression on a feature')).action(probe);
  withClassification(command.command('knn').description('k nearest neighbours by a feature'))
    .option('--neighbours <numbers>', 'how many, as 10,20 (default: 1, 5, 10, 20, 50, 100, 200)', wholeNumbers)
    .option('--temperature <number>', 'of the votes', positiveNumber, 0.07)
    .action(neighbours);
  for (const each of command.commands)
    each.copyInheritedSettings(program).showHelpAfterError(`(try 'dualtoken eval ${each.name()} --help')`);
  return command;
};
