// Which parameters of a spec are trained, and which of a state learns: what neither its spec nor a pattern of paths holds still.
import { namedSpecs } from '../../dsl/param.ts';
import { type RavelLayout, ravelLayout } from '../../dsl/ravel.ts';
import { TrainFailure } from '../failure.ts';

/** `siglip_model.**` or `*.bias`: `*` stands for a part of a path between dots, `**` for any number of them. */
const matcher = (pattern: string): RegExp => {
  const parts = pattern.split('**').map((p) =>
    p
      .split('*')
      .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^.]*'),
  );
  return new RegExp(`^${parts.join('.*')}$`);
};

export interface Layouts<P> {
  readonly params: RavelLayout<P>;
  readonly fixed: RavelLayout<P>;
}

/** Whether what a state has at a path is held still: a pattern must begin with its name, for `**` is all parameters and no codebook. */
export const stillIn = (freeze: readonly string[]): ((path: string) => boolean) => {
  const tests = freeze.filter((pattern) => !/^\*+(\.|$)/.test(pattern)).map(matcher);
  return (path) => tests.some((test) => test.test(path));
};

/**
 * Trained and fixed parameters in vectors. @throws TrainFailure naming a pattern that no parameter matches, nor a path of the state,
 * with the paths that there are
 */
export const layoutsOf = <P>(
  spec: P,
  freeze: readonly string[] = [],
  statePaths: readonly string[] = [],
): Layouts<P> => {
  const patterns = freeze.map((pattern) => ({ pattern, test: matcher(pattern) }));
  const paths = namedSpecs(spec).map(({ path }) => path);
  const idle = patterns.filter(
    ({ pattern, test }) => !paths.some((path) => test.test(path)) && !statePaths.some(stillIn([pattern])),
  );
  if (idle.length > 0) {
    const tops = [...new Set([...paths, ...statePaths].map((path) => path.split('.').slice(0, 2).join('.')))];
    throw new TrainFailure(
      `freeze: no parameter matches ${idle.map((p) => `'${p.pattern}'`).join(', ')}; paths begin with ${tops.join(', ')}`,
    );
  }
  const still = (tags: readonly string[], path: string): boolean =>
    tags.includes('frozen') || patterns.some(({ test }) => test.test(path));
  return {
    params: ravelLayout(spec, ({ tags }, path) =>
      still(tags, path) ? null : tags.includes('noDecay') ? 'noDecay' : 'decay',
    ),
    fixed: ravelLayout(spec, ({ tags }, path) => (still(tags, path) ? 'fixed' : null)),
  };
};
