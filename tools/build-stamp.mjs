import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Nx alone takes seconds to find that nothing is to do; comparing times and sizes takes none. */
const NEVER_READ = new Set(['dist', 'node_modules']);
const ROOT_FILES = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json', 'nx.json'];

const stampFile = (root) => join(root, 'node_modules', '.cache', 'tutti', 'built');

/** Whether everything was built from exactly the files that are there now. */
export function isBuilt(root) {
  const projects = buildableProjects(root);
  if (!projects.every((project) => existsSync(join(project, 'dist')))) return false;
  try {
    return readFileSync(stampFile(root), 'utf8') === fingerprint(root, projects);
  } catch {
    return false;
  }
}

export function rememberBuilt(root) {
  mkdirSync(dirname(stampFile(root)), { recursive: true });
  writeFileSync(stampFile(root), fingerprint(root, buildableProjects(root)));
}

function buildableProjects(root) {
  const folders = ['packages', 'apps']
    .map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return [...folders, join(root, 'examples'), join(root, 'test')].filter((folder) => {
    const manifest = join(folder, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).scripts?.build;
  });
}

function fingerprint(root, projects) {
  const hash = createHash('sha256').update(process.version);
  const add = (file) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile()) add(path);
      else if (entry.isDirectory() && !NEVER_READ.has(entry.name)) walk(path);
    }
  };
  for (const name of ROOT_FILES) add(join(root, name));
  for (const project of projects) walk(project);
  return hash.digest('hex');
}
