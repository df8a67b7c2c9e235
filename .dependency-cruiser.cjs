// The folder table of the architecture as rules: a layer may import what its row names and nothing else.
// `node scripts/check.ts` runs them and also asserts that files were looked at, so that an empty run cannot pass.

const TEST = '\\.test\\.ts$';
const TESTING = '/testing/';

/** Everything of ours and of npm that a folder may import; "node" stands for the built-in modules. */
const layers = {
  'daemon/api': [],
  'daemon/world': ['daemon/api'],
  'daemon/plan': ['daemon/api', 'daemon/world'],
  'daemon/ports': ['daemon/api', 'daemon/world'],
  'daemon/controllers': ['daemon/api', 'daemon/world', 'daemon/plan', 'daemon/ports'],
  'daemon/reconcile': ['daemon/api', 'daemon/world', 'daemon/plan', 'daemon/ports'],
  'daemon/host': ['daemon/ports', 'daemon/world', 'node'],
  'daemon/adapters': ['daemon/ports', 'daemon/api', 'daemon/world', 'node'],
  'daemon/control': ['daemon/api', 'daemon/ports', 'node'],
  'daemon/status': [
    'daemon/api',
    'daemon/world',
    'daemon/plan',
    'daemon/ports',
    'daemon/controllers',
    'daemon/reconcile',
    'daemon/control',
  ],
  'daemon/cli': ['daemon/control', 'node'],
  plugins: ['daemon/api', 'daemon/world', 'daemon/ports', 'node:crypto'],
};

/** The one file through which each npm package enters. */
const doors = {
  zod: 'daemon/api/schema.ts',
  yaml: 'daemon/adapters/yaml-documents.ts',
  chokidar: 'daemon/adapters/chokidar-manifest-source.ts',
  winston: 'daemon/adapters/winston-logger.ts',
  koffi: 'daemon/host/syscalls.ts',
  commander: 'daemon/cli/program.ts',
};

const exactly = (path) => `^${path.replaceAll('.', '\\.')}$`;
const npmPackage = (name) => `^node_modules/${name}/`;
/** A folder, or, as 'node:crypto', one module of Node's own. */
const folder = (name) => (name.startsWith('node:') ? `^(node:)?${name.slice(5)}$` : `^${name}/`);
const doorsWithin = (name) =>
  Object.entries(doors).flatMap(([npm, file]) => (file.startsWith(`${name}/`) ? [npmPackage(npm)] : []));

const layerRules = Object.entries(layers).map(([name, allowed]) => ({
  name: `${name.replaceAll('/', '-')}-imports-only-its-row`,
  comment: `${name}/ may import ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}.`,
  severity: 'error',
  from: { path: folder(name), pathNot: [TEST, TESTING] },
  to: {
    pathNot: [name, ...allowed.filter((entry) => entry !== 'node')].map(folder).concat(doorsWithin(name)),
    ...(allowed.includes('node') ? { dependencyTypesNot: ['core'] } : {}),
  },
}));

const doorRules = Object.entries(doors).map(([name, file]) => ({
  name: `${name}-enters-at-one-file`,
  comment: `${name} is imported by ${file} alone, so that it can be replaced there.`,
  severity: 'error',
  from: { path: '^(daemon|plugins)/', pathNot: [exactly(file)] },
  to: { path: npmPackage(name) },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...doorRules,
    {
      name: 'no-other-npm-package',
      comment: 'A new run-time package needs a door of its own in this file.',
      severity: 'error',
      from: { path: '^(daemon|plugins)/', pathNot: [TEST, TESTING] },
      to: { path: '^node_modules/', pathNot: Object.keys(doors).map(npmPackage) },
    },
    {
      name: 'ports-import-types-only',
      comment: 'A port is an interface: it names types of api/ and world/ and runs nothing.',
      severity: 'error',
      from: { path: '^daemon/ports/', pathNot: [TEST, TESTING] },
      to: { path: '^daemon/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'control-knows-ports-by-type-only',
      comment: 'The client runs in moorctl: nothing of the daemon may come along with the protocol.',
      severity: 'error',
      from: { path: '^daemon/control/', pathNot: [TEST] },
      to: { path: '^daemon/ports/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'a-plugin-stands-alone',
      comment: 'A plugin can be deleted with its folder.',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/', pathNot: [TEST, TESTING] },
      to: { path: '^plugins/', pathNot: ['^plugins/$1/'] },
    },
    {
      name: 'testing-fakes-stay-pure',
      comment: 'Fakes and contract suites speak the language of the ports; the kernel is for integration/.',
      severity: 'error',
      from: { path: TESTING, pathNot: [TEST] },
      to: { path: '^(daemon|integration|scripts)/', pathNot: ['^daemon/(api|world|plan|ports)/'] },
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { path: '^(daemon|plugins)/', pathNot: [TEST, TESTING] },
      to: { path: [TEST, TESTING] },
    },
    {
      name: 'nobody-imports-the-outside',
      comment: 'The daemon does not know its tests and scripts; nothing but the process starts the composition root.',
      severity: 'error',
      from: { path: '^(daemon|plugins)/' },
      to: { path: '^(integration|scripts)/' },
    },
    {
      name: 'only-main-composes',
      severity: 'error',
      from: { path: '^(daemon|plugins)/', pathNot: ['^daemon/main\\.ts$'] },
      to: { path: '^daemon/(main|compose)\\.ts$' },
    },
    {
      name: 'scripts-import-nothing-of-ours',
      comment: 'Scripts start what they need; they must work while the daemon does not compile.',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^(daemon|plugins|integration)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^(dist|coverage|\\.cache)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
