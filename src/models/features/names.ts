// The names under which files hold the parameters of stacks and heads: torchvision's, timm's, and those of LPIPS's own modules.
import type { MatchOptions, StoredInfo } from '../load.ts';

export type Stored = ReadonlyMap<string, StoredInfo>;
/** The path that a stored name stands for; undefined for what is of no use. */
type PathOf = (name: string) => string | undefined;

/** Names by the paths that `pathOf` finds in a file. */
const namesBy =
  (pathOf: PathOf) =>
  (stored: Stored): MatchOptions => {
    const names = new Map([...stored.keys()].map((name) => [pathOf(name), name] as const));
    return { nameOf: (path) => names.get(path) ?? path, ignore: (name) => pathOf(name) === undefined };
  };

/** `features.0.weight` (torchvision, timm) or `net.slice1.0.weight` (LPIPS). */
const stackPath: PathOf = (name) => {
  const place = /^(?:net\.)?(?:features|slice\d+)\.(\d+\..+)$/.exec(name)?.[1];
  return place === undefined ? undefined : `features.${place}`;
};
/** `lin0.model.1.weight`, or the same after `vgg.`, `alex.` or `squeeze.` in a file that holds all three. */
const headPath =
  (net: string): PathOf =>
  (name) => {
    const [, of, path] = /^(?:(vgg|alex|squeeze)\.)?(lin\d+\..+)$/.exec(name) ?? [];
    return of === undefined || of === net ? path : undefined;
  };

export type LpipsNet = 'vgg' | 'alex' | 'squeeze';

/** Parameters of a feature stack from a classifier's file, without its head, or from one of LPIPS. */
export const stackNames = namesBy(stackPath);
/** The heads of one backbone. */
export const lpipsHeadNames = (net: LpipsNet) => namesBy(headPath(net));
/** All of LPIPS from one file of its own. */
export const lpipsNames = (net: LpipsNet) =>
  namesBy((name) => {
    const path = stackPath(name);
    return path === undefined ? headPath(net)(name) : `net.${path}`;
  });
