// How a family takes its pictures, in training and where it is measured: what published weights of the family expect.
import { clipNormalisation, type Normalisation, toUnit } from '../data/index.ts';
import type { VariantModel } from '../models/variants/index.ts';

export const normalisationOf = ({ family }: VariantModel): Normalisation =>
  family === 'clip' ? clipNormalisation : toUnit;
