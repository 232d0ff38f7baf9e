// The configuration of a run. Read in this order: rates, loss-faults, config.
export {
  type Datasets,
  defineConfig,
  parseTrainConfig,
  type TrainConfig,
  type TrainConfigInput,
  trainConfigSchema,
  variantFor,
} from './config.ts';
export { discriminatorRates } from './rates.ts';
