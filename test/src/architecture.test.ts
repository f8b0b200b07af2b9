import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tuttiVersion } from '@tutti/runtime';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Lower floors first; a package may import from floors below its own only. */
const FLOORS = [
  ['runtime', 'edge'],
  ['protocol', 'kernels', 'config', 'telemetry', 'data', 'tensorflow-setup'],
  ['testing'],
  ['parameters', 'reduction', 'transport', 'store', 'checkpoint', 'compress'],
  ['run', 'dashboard', 'tracking'],
  ['server', 'coordinator', 'worker'],
  ['tensorflow', 'launch'],
];
const floorOf = (name: string) => FLOORS.findIndex((floor) => floor.includes(name));

/** Who may import what must not spread. */
const ONLY: Readonly<Record<string, string>> = {
  zeromq: 'transport',
  // The set-up loads what it has found.
  '@tensorflow/tfjs-node': 'tensorflow tensorflow-setup',
  '@tensorflow/tfjs-core': 'tensorflow',
  '@tensorflow/tfjs': 'tensorflow',
};

/** They are handed a transport: who brings one of their own installs no zeromq. */
const WITHOUT_TRANSPORT = ['coordinator', 'server', 'worker'];

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

/** The folders below a package's sources, as paths from there. */
function* foldersIn(folder: string, path = ''): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    yield `${path}${entry.name}`;
    yield* foldersIn(join(folder, entry.name), `${path}${entry.name}/`);
  }
}

/** [file, what it imports] for the product's sources; tests may reach further. */
function imports(name: string): [file: string, imported: string][] {
  return [...sources(join(root, 'packages', name, 'src'))]
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      // Statements start their line; text that shows code does not.
      [...readFileSync(file, 'utf8').matchAll(/^(?:import|export|\}).*?'([^'.][^']*)'/gm)].map(
        ([, imported]): [string, string] => [file, imported!],
      ),
    );
}

/** The imports between folders that form circles. A file at the top stands for itself. */
function circles(src: string): string[] {
  const placeOf = (file: string) => (dirname(file) === src ? file : dirname(file));
  let edges = [...sources(src)]
    // Tests, and what they share, may reach further.
    .filter((file) => !/(?:\.test|\btesting|\bcompliance)\.ts$/.test(file))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import)[\s(]*'(\.[^']*)\.js'/g)].map(
        ([, imported]) => [file, join(dirname(file), `${imported}.ts`)] as const,
      ),
    )
    .map(([file, imported]) => ({
      from: placeOf(file),
      to: placeOf(imported),
      told: `${relative(src, file)} imports ${relative(src, imported)}`,
    }))
    .filter(({ from, to }) => from !== to);
  for (;;) {
    const within = edges.filter(
      ({ from, to }) =>
        edges.some((before) => before.to === from) && edges.some((after) => after.from === to),
    );
    if (within.length === edges.length) return within.map(({ told }) => told);
    edges = within;
  }
}

const packages = readdirSync(join(root, 'packages'));

describe('architecture', () => {
  it('every package has its floor', () => {
    assert.deepEqual(
      packages.filter((name) => floorOf(name) < 0),
      [],
    );
  });

  it('every folder has its line in docs/ARCHITECTURE.md, and every line its folder', () => {
    const folders = ['packages', 'apps'].flatMap((kind) =>
      readdirSync(join(root, kind)).flatMap((name) =>
        [...foldersIn(join(root, kind, name, 'src'))].map((folder) => `${name}/${folder}`),
      ),
    );
    const text = readFileSync(join(root, 'docs', 'ARCHITECTURE.md'), 'utf8');
    const rows = [...text.matchAll(/^\| ([a-z-]+(?:\/[a-z-]+)+) \| \S/gm)].map(([, row]) => row!);
    assert.deepEqual(rows.toSorted(), folders.toSorted());
  });

  for (const kind of ['packages', 'apps'])
    for (const name of readdirSync(join(root, kind)))
      it(`the folders of ${name} depend one way`, () => {
        assert.deepEqual(circles(join(root, kind, name, 'src')), []);
      });

  it("all packages have one version, which is Tutti's", () => {
    const folders = ['packages', 'apps'].flatMap((kind) =>
      readdirSync(join(root, kind)).map((name) => join(root, kind, name)),
    );
    for (const folder of folders) {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      assert.equal(version, tuttiVersion(), folder);
    }
  });

  for (const name of packages)
    it(`${name} imports from below only`, () => {
      for (const [file, imported] of imports(name)) {
        const other = /^@tutti\/([a-z-]+)/.exec(imported)?.[1];
        if (other !== undefined && other !== name)
          assert.ok(floorOf(other) < floorOf(name), `${file} imports ${imported}`);
        const owner = ONLY[imported];
        if (owner !== undefined)
          assert.ok(owner.split(' ').includes(name), `${file} imports ${imported}`);
      }
    });

  it('whoever installs a role, installs no transport with it', () => {
    const dependenciesOf = (name: string): string[] => {
      const manifest = JSON.parse(
        readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
      );
      const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
      const siblings = names.flatMap((each) => /^@tutti\/(.*)/.exec(each)?.[1] ?? []);
      return [...names, ...siblings.flatMap(dependenciesOf)];
    };
    assert.ok(dependenciesOf('launch').includes('zeromq'));
    for (const name of WITHOUT_TRANSPORT) {
      const found = dependenciesOf(name).filter((each) =>
        /^(?:zeromq|@tutti\/transport)$/.test(each),
      );
      assert.deepEqual(found, [], name);
      for (const [file, imported] of imports(name))
        assert.ok(!imported.startsWith('@tutti/transport'), `${file} imports ${imported}`);
    }
  });

  it('no library package touches the clock, Math.random, the console or the process', () => {
    const forbidden =
      /\bDate\.now\(|\bsetTimeout\(|\bsetInterval\(|\bconsole\.\w+\(|\bprocess\.(?:exit|on|once)\(/;
    // The launcher and the set-up of the native library start processes: that is their trade.
    const exempt = ['launch', 'tensorflow-setup'];
    const allowed = [join('runtime', 'src', 'clock.ts')];
    for (const name of packages.filter((each) => !exempt.includes(each)))
      for (const file of sources(join(root, 'packages', name, 'src'))) {
        if (file.endsWith('.test.ts') || allowed.some((end) => file.endsWith(end))) continue;
        // It runs in a browser, where they are.
        if (file.includes(join('dashboard', 'src', 'page'))) continue;
        for (const [at, line] of readFileSync(file, 'utf8').split('\n').entries())
          assert.ok(!forbidden.test(line), `${file}:${at + 1}: ${line.trim()}`);
      }
  });
});
