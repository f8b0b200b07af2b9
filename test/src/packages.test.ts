import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license?: string;
  readonly repository?: { readonly url: string; readonly directory?: string };
  readonly type?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly sideEffects?: boolean | readonly string[];
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const manifestOf = (folder: string): Manifest => JSON.parse(read(folder, 'package.json'));
const foldersIn = (kind: string) => readdirSync(join(root, kind)).map((name) => join(kind, name));

const sourcesOf = (folder: string) =>
  readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/\.(test|d)\.ts$/.test(file),
  );

/** Nobody imports a value of it, and something is done in it. */
const doesOnly = (source: string) =>
  !/^export (?!type |interface )/m.test(source) && /^(?:await |try |[\w.!]+\()/m.test(source);

/** With a star for anything within one folder. */
const matchesGlob = (path: string, glob: string) =>
  new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`).test(path);

const workspace = manifestOf('.');
const all = [...foldersIn('packages'), ...foldersIn('apps')].map((folder) => ({
  folder,
  manifest: manifestOf(folder),
}));
const published = all.filter(({ manifest }) => manifest.private !== true);
const isOurs = (name: string) => name.startsWith('@tutti/');

describe('what is published', () => {
  it('is every package but the one with values for tests', () => {
    const names = all.filter((each) => !published.includes(each)).map(({ folder }) => folder);
    assert.deepEqual(names, [join('packages', 'testing')]);
  });

  for (const { folder, manifest } of published)
    describe(manifest.name, () => {
      const { name, description, keywords, files, exports = {} } = manifest;

      it('says what it is, under which licence, and where it runs', () => {
        assert.match(description ?? '', /^[A-Z].{20,}\.$/s);
        assert.ok(keywords!.includes('tutti') && keywords!.length >= 4);
        assert.equal(manifest.license, workspace.license);
        assert.deepEqual(manifest.engines, workspace.engines);
        assert.equal(manifest.type, 'module');
        assert.equal(read(folder, 'LICENSE'), read('LICENSE'));
        const readme = read(folder, 'README.md');
        assert.ok(readme.startsWith(`# ${name}\n\n${description}\n`));
        assert.equal(readme.includes(`${name}/internal`), './internal' in exports);
      });

      it('names the repository that the workspace names', () => {
        const { repository } = workspace;
        const wanted = repository && { ...repository, directory: folder };
        assert.deepEqual(manifest.repository, wanted, 'run `node tools/set-repository.mjs <url>`');
      });

      it('holds its sources, which the maps lead to, and nothing of its tests or of the build', () => {
        const excluded = ['!dist/.tsbuildinfo', '!**/*.test.ts', '!**/testing.ts'];
        for (const pattern of ['dist', 'src', ...excluded]) assert.ok(files!.includes(pattern));
        const side = manifest.sideEffects;
        assert.ok(side === false || Array.isArray(side));
        for (const path of Array.isArray(side) ? side : []) {
          const source = path.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
          assert.ok(path.includes('*') || existsSync(join(root, folder, source)), path);
        }
      });

      it('tells bundlers of each module that is there for what it does', () => {
        const side = Array.isArray(manifest.sideEffects) ? manifest.sideEffects : [];
        const isTold = (module: string) =>
          side.some((path) => matchesGlob(`./dist/${module}`, path));
        const does = sourcesOf(folder).filter((file) => doesOnly(read(folder, 'src', file)));
        const modules = does.map((file) => file.replace(/\.ts$/, '.js'));
        assert.deepEqual(
          modules.filter((module) => !isTold(module)),
          [],
        );
      });

      it('exports modules with types, to users and to siblings', () => {
        for (const [at, { types, default: code }] of Object.entries(exports)) {
          const file = at === '.' ? 'index' : at.slice(2);
          // Users are told of every other.
          const isTold = read(folder, 'README.md').includes(`'${name}${at.slice(1)}'`);
          assert.ok(at === '.' || at === './internal' || isTold, at);
          assert.deepEqual([types, code], [`./dist/${file}.d.ts`, `./dist/${file}.js`]);
          assert.ok(existsSync(join(root, folder, 'src', `${file}.ts`)));
        }
      });

      it('takes siblings of its own version, and of others what is compatible', () => {
        const { dependencies = {}, peerDependencies = {} } = manifest;
        for (const [of, range] of Object.entries({ ...dependencies, ...peerDependencies }))
          if (isOurs(of)) assert.equal(range, manifest.version, of);
          else assert.match(range, /^\^\d+\.\d+\.\d+$/, of);
        assert.ok(!('@tensorflow/tfjs-node' in dependencies), 'is a peer: one copy a process');
      });
    });

  it('is looked at by the lint as those who install it see it', () => {
    assert.match(workspace.scripts!.lint!, / && node tools\/lint-packages\.mjs$/);
  });

  it('shows nobody the exports that are for siblings', () => {
    const shown = [
      'README.md',
      ...readdirSync(join(root, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join('docs', name)),
      ...readdirSync(join(root, 'examples', 'src'))
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => join('examples', 'src', name)),
    ];
    for (const file of shown)
      assert.doesNotMatch(read(file), /from '@tutti\/[a-z-]+\/internal'/, file);
  });
});
