import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, parse, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  byteOrderMark,
  closest,
  isTuttiError,
  limitReached,
  type Monitor,
  NoTextError,
  TuttiError,
  textOf,
  type Wait,
} from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import { checkProgram } from '@tutti/worker/internal';
import { type BuildFailure, build } from 'esbuild';
import { placeOf } from './place.js';

/** Most programs of a folder that an error names. */
const LISTED = 6;

export interface LoadedProgram {
  readonly program: Program;
  /** SHA-256 over the program's sources, local imports included, packages not. */
  readonly hash: string;
}

/**
 * Imports a program as it is, TypeScript or JavaScript.
 * @throws TuttiError BAD_PROGRAM: missing, does not parse (with file, line and the line itself),
 *   throws on import, or exports no program
 * @param monitor says so if the import takes long
 * @param prepare awaited before the import; is given the packages that the sources import by name
 */
export async function loadProgram(
  path: string,
  monitor?: Monitor,
  prepare?: (packages: ReadonlySet<string>) => Promise<void>,
): Promise<LoadedProgram> {
  const file = resolve(path);
  // Unnamed wait: a small file of this machine.
  const found = await stat(file).catch(async (cause) => {
    // Unnamed wait: a folder of this machine.
    throw bad(`There is no program at ${path}`, await othersThan(path), cause);
  });
  if (found.isDirectory())
    throw bad(`${path} is a folder, not a program`, 'Name the file in it that is the program.');
  const ending = extname(file);
  if (ending !== '' && !isSource(ending))
    throw bad(
      `${path} is no program: its name ends in ${ending}`,
      'Name a file of TypeScript or JavaScript, which ends in .ts or .js.',
    );
  const monitored = <T>(loading: Promise<T>) => monitor?.race(loading, importOf(path)) ?? loading;
  const { hash, packages } = await monitored(readSources(file));
  // Unnamed wait: what it awaits names its own waits.
  await prepare?.(packages);
  const { href } = pathToFileURL(file);
  let exported: unknown;
  try {
    // Node alone runs JavaScript, and tells by its syntax what kind it is.
    const typescript = isTypeScript(file);
    await monitored(importOurs(packages, file));
    // From here on, so that the stack of an error names the lines of the program as it was written: to read the
    // maps of our own files takes as long as to compile them.
    process.setSourceMapsEnabled(true);
    const importing = typescript ? importTypeScript(href) : import(href);
    const imported = await monitored(importing);
    exported = imported.default;
  } catch (thrown) {
    if (isTuttiError(thrown)) throw thrown;
    throw importFailed(path, thrown);
  }
  const program = checkProgram(exported, `program ${path}`);
  const name = program.name ?? basename(file, extname(file));
  return { program: { ...program, name }, hash };
}

/**
 * Loads what loading the program will need: nothing of the program is run yet. What is wrong with it
 * whoever loads it is told.
 */
export async function prepareProgram(path: string): Promise<void> {
  const file = resolve(path);
  try {
    // Unnamed wait: files of this machine.
    const { packages } = await readSources(file);
    await importOurs(packages, file);
    if (isTypeScript(file)) await import('./import-typescript.js');
  } catch {
    // It is told when the program is loaded.
  }
}

const isSource = (file: string) => /\.[cm]?[jt]sx?$/.test(file) && !/\.d\.[cm]?ts$/.test(file);

/** The programs where this one is not, for whoever mistyped it. */
async function othersThan(path: string): Promise<string> {
  const folder = dirname(path);
  // Unnamed wait: a folder of this machine.
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return `Check the path: ${folder} is no folder that can be read.`;
  const programs = names.filter(isSource).sort();
  const [sought, stem] = [basename(path), parse(path).name];
  const meant = closest(sought, programs) ?? programs.find((name) => parse(name).name === stem);
  if (meant !== undefined) return `Did you mean ${join(folder, meant)}?`;
  if (programs.length === 0) return `Check the path: ${folder} has no programs.`;
  const more = programs.length > LISTED ? ', …' : '';
  return `Check the path: ${folder} has ${programs.slice(0, LISTED).join(', ')}${more}.`;
}

const isTypeScript = (file: string) => /\.[cm]?tsx?$/.test(file);

function importOf(path: string): Wait {
  return {
    who: `the program ${path}`,
    what: 'be read and imported',
    remedy: 'See whether its disk answers, and what it awaits at its top level.',
  };
}

function importFailed(path: string, thrown: unknown): TuttiError {
  const limit = limitReached(thrown);
  if (limit !== undefined)
    return new TuttiError('LIMIT', limit.message, { remedy: limit.remedy, cause: thrown });
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const lacking = /^Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(reason)?.[1];
  if (lacking !== undefined)
    return bad(
      `Program ${path} imports ${lacking}, which is not installed where the program is`,
      `Install it there: cd ${dirname(resolve(path))} && npm install ${ownPackage(lacking) ?? lacking}`,
      thrown,
    );
  const place = placeOf(thrown, dirname(resolve(path)));
  return bad(
    `Program ${path} threw while it was imported: ${reason}${place === undefined ? '' : ` (${place})`}`,
    'Correct it there; --log-level debug shows the whole stack.',
    thrown,
  );
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folder of a package of this checkout. */
function ownPackage(name: string): string | undefined {
  if (!name.startsWith('@tutti/')) return undefined;
  const folder = fileURLToPath(new URL(`../../../${name.slice(7)}`, import.meta.url));
  return existsSync(join(folder, 'package.json')) ? folder : undefined;
}

/**
 * Imports what a program imports of Tutti before there are tsx's hooks, by which each of its hundreds of
 * files would take several times as long. The program's own import then finds it there.
 */
async function importOurs(packages: ReadonlySet<string>, file: string): Promise<void> {
  const { resolve: locate } = createRequire(file);
  for (const name of packages) {
    if (!name.startsWith('@tutti/')) continue;
    try {
      // Unnamed wait: the caller races it.
      await import(pathToFileURL(locate(name)).href);
    } catch {
      // The program's own import says what is wrong.
    }
  }
}

/** tsx is loaded only when it is needed; then it looks once whether it is to keep what it has compiled. */
async function importTypeScript(url: string): Promise<{ default?: unknown }> {
  if (!isWritable(tmpdir())) process.env.TSX_DISABLE_CACHE = '1';
  const loader = await import('./import-typescript.js');
  return loader.importTypeScript(url);
}

/** Bundling finds all local sources and what they import, and says where one does not parse. */
async function readSources(
  file: string,
): Promise<{ readonly hash: string; readonly packages: ReadonlySet<string> }> {
  try {
    // Unnamed wait: the caller races it.
    const { outputFiles, metafile } = await build({
      entryPoints: [file],
      absWorkingDir: dirname(file),
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      // Comments would name folders, which differ between machines.
      minifyWhitespace: true,
      logLevel: 'silent',
    });
    for (const source of Object.keys(metafile.inputs))
      await checkEncoding(resolve(dirname(file), source));
    const imports = Object.values(metafile.inputs).flatMap((source) => source.imports);
    return {
      hash: createHash('sha256').update(outputFiles[0]!.contents).digest('hex'),
      packages: new Set(imports.flatMap(({ external, path }) => (external ? [path] : []))),
    };
  } catch (thrown) {
    const errors = (thrown as Partial<BuildFailure>).errors;
    if (errors === undefined || errors.length === 0) throw thrown;
    for (const { location } of errors)
      if (location !== null) await checkEncoding(resolve(dirname(file), location.file));
    const lines = errors.slice(0, 3).map(({ text, location }) => {
      if (location === null) return text;
      const { line, column, lineText } = location;
      const place = `${resolve(dirname(file), location.file)}:${line}:${column + 1}: ${text}`;
      // The end of a file is a line with nothing in it.
      return lineText.trim() === '' ? place : `${place}\n    ${lineText.trim()}`;
    });
    throw bad(`The program does not parse: ${lines.join('\n')}`, 'Correct it at that place.');
  }
}

/** Node and esbuild take other encodings for UTF-8, and put a sign in the place of each letter they don't know. */
async function checkEncoding(file: string): Promise<void> {
  // Unnamed wait: the caller races it.
  const bytes = await readFile(file);
  try {
    const { encoding = 'utf-8' } = byteOrderMark(bytes) ?? {};
    if (encoding !== 'utf-8') throw new NoTextError(`is ${encoding.toUpperCase()}`);
    textOf(bytes);
  } catch (thrown) {
    if (!(thrown instanceof NoTextError)) throw thrown;
    throw bad(`The source ${file} ${thrown.message}`, 'Save it as UTF-8.', thrown);
  }
}

function bad(message: string, remedy: string, cause?: unknown): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy, cause });
}
