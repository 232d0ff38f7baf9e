// The import rules of ARCHITECTURE.md: who may import whom. `import type` counts as much as a value import.
const pure = ['dsl', 'kernels', 'models', 'compiler'];

/** Folder of src -> the other folders of src that it may import. `cli` and src/index.ts may import everything. */
const mayImport = {
  dsl: [],
  files: [],
  data: ['files'],
  'compiler/ir': ['dsl'],
  kernels: ['dsl', 'compiler/ir'],
  compiler: ['dsl', 'kernels', 'files'],
  runtime: ['dsl', 'compiler'],
  models: ['dsl'],
  checkpoints: ['dsl', 'models', 'runtime', 'data'],
  train: ['dsl', 'models', 'runtime', 'data', 'files', 'checkpoints'],
  eval: ['dsl', 'models', 'runtime', 'data', 'checkpoints'],
};

/** A folder below another folder of the table has rules of its own. */
const own = (folder) => {
  const inner = Object.keys(mayImport).filter((other) => other.startsWith(`${folder}/`));
  return { path: `^src/${folder}/`, ...(inner.length > 0 ? { pathNot: `^src/(${inner.join('|')})/` } : {}) };
};

const direction = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports-only${['', ...allowed].join('-').replaceAll('/', '.') || '-itself'}`,
  severity: 'error',
  from: own(folder),
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
}));

/** Only one file of src/runtime may open a device library or an assembler, so that it has one owner. */
const device = ['webgpu', 'gpu\\.js', 'wabt', 'watr'].flatMap((name) => {
  const path = `(^|node_modules/)${name}(/|$)`;
  return [
    {
      name: `${name.replace('\\', '')}-only-in-runtime`,
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/runtime/' },
      to: { path },
    },
    {
      name: `${name.replace('\\', '')}-in-one-file`,
      severity: 'error',
      module: { path, numberOfDependentsMoreThan: 1 },
      from: { path: '^src/' },
    },
  ];
});

/** What nobody imports: the package's entry points, its command, what threads load by its URL, and what `browser` puts in a place. */
const entries = [
  '^src/((models|train|data|eval)/)?index\\.ts$',
  '^src/cli/main\\.ts$',
  '^src/data/threads/thread\\.ts$',
  '^src/runtime/wasm/assemble-web\\.ts$',
];

module.exports = {
  forbidden: [
    ...direction,
    ...device,
    {
      name: 'no-node-in-pure-folders',
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/`, pathNot: '^src/compiler/cache/' },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'imported-somewhere',
      severity: 'error',
      module: { path: '^src/', pathNot: entries, numberOfDependentsLessThan: 1 },
      from: { path: '^src/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    // TypeScript 7 has no parser for other programs; swc's keeps type-only imports.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
