// A golden case on disk: its settings, its inputs and expected outputs, and the model that it uses.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { renderDataError } from '../../src/data/error.ts';
import { readAllValues, type TensorData } from '../../src/data/safetensors/index.ts';

export interface GoldenCase {
  readonly name: string;
  /** |a - b| <= atol + rtol |b|. */
  readonly atol: number;
  readonly rtol: number;
  /** What the case says in words, where some settings of operations are only given. */
  readonly what: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** `in.*` without the prefix. */
  readonly inputs: ReadonlyMap<string, TensorData>;
  /** `out.*` without the prefix. */
  readonly outputs: ReadonlyMap<string, TensorData>;
  /** Parameters by their published names; empty where the case has none. */
  readonly model: ReadonlyMap<string, TensorData>;
  /** Hugging Face's config.json, or null. */
  readonly config: unknown;
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null;

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

const readTensors = async (path: string): Promise<ReadonlyMap<string, TensorData>> => {
  const read = await readAllValues(path)();
  if (E.isLeft(read)) throw new Error(renderDataError(read.left));
  return read.right;
};

const under = (all: ReadonlyMap<string, TensorData>, prefix: string): ReadonlyMap<string, TensorData> =>
  new Map([...all].flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t] as const] : [])));

const modelOf = async (folder: string): Promise<Pick<GoldenCase, 'model' | 'config'>> => {
  const [weights, config] = [join(folder, 'model.safetensors'), join(folder, 'config.json')];
  return {
    model: existsSync(weights) ? await readTensors(weights) : new Map(),
    config: existsSync(config) ? await readJson(config) : null,
  };
};

/** Reads the case in `folder`; `weights` in its case.json names the folder beside it whose model it uses. Throws Error. */
export const readCase = async (folder: string): Promise<GoldenCase> => {
  const settings = await readJson(join(folder, 'case.json'));
  if (!isObject(settings)) throw new Error(`${folder}/case.json is no object`);
  const { atol, rtol, what, weights } = settings;
  if (typeof atol !== 'number' || typeof rtol !== 'number')
    throw new Error(`${folder}/case.json has no numbers atol and rtol`);
  const io = await readTensors(join(folder, 'io.safetensors'));
  const owner = typeof weights === 'string' ? join(dirname(resolve(folder)), weights) : folder;
  return {
    name: basename(resolve(folder)),
    atol,
    rtol,
    what: typeof what === 'string' ? what : '',
    settings,
    inputs: under(io, 'in.'),
    outputs: under(io, 'out.'),
    ...(await modelOf(owner)),
  };
};

/** A numeric setting of case.json; else the number after `name` in its words; else `fallback`. Throws where all are missing. */
export const setting = (c: GoldenCase, name: string, fallback?: number): number => {
  const stated = c.settings[name];
  if (typeof stated === 'number') return stated;
  const words = name.replaceAll('_', '[ _-]');
  const told = new RegExp(`\\b${words} (-?[\\d.]+(?:e-?\\d+)?)`, 'i').exec(c.what)?.[1];
  if (told !== undefined) return Number(told);
  if (fallback !== undefined) return fallback;
  throw new Error(`${c.name}: case.json says nothing of '${name}'`);
};

/** A list of whole numbers in case.json. Throws where it is missing. */
export const numbers = (c: GoldenCase, name: string): readonly number[] => {
  const value = c.settings[name];
  if (Array.isArray(value) && value.every((v): v is number => typeof v === 'number')) return value;
  throw new Error(`${c.name}: case.json has no list '${name}'`);
};

export const inputOf = (c: GoldenCase, name: string): TensorData => {
  const found = c.inputs.get(name);
  if (found === undefined) throw new Error(`${c.name}: io.safetensors has no in.${name}`);
  return found;
};
