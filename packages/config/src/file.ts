import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NoTextError, TuttiError, textOf } from '@tutti/runtime';
import { parse as parseToml, TomlError } from 'smol-toml';

export interface SettingsFile {
  /** As it was given or found; appears in error messages. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The files looked for beside the program, in this order. */
export const SETTINGS_FILES: readonly string[] = ['tutti.config.json', 'tutti.config.toml'];

/**
 * Reads `--config path` (which must exist), else the settings file beside the program, if any.
 * Throws BAD_CONFIG with the path and the position of what cannot be read.
 */
export async function findSettingsFile(where: {
  readonly config?: string | undefined;
  readonly programPath?: string | undefined;
}): Promise<SettingsFile | undefined> {
  if (where.config !== undefined) {
    const text = await readText(where.config);
    if (text !== undefined)
      return { path: where.config, values: parseSettings(where.config, text) };
    throw new TuttiError('BAD_CONFIG', `The settings file ${where.config} does not exist.`, {
      remedy: 'Correct --config (or TUTTI_CONFIG), or leave it out.',
      details: { path: where.config },
    });
  }
  if (where.programPath === undefined) return undefined;
  for (const name of SETTINGS_FILES) {
    const path = join(dirname(where.programPath), name);
    const text = await readText(path);
    if (text !== undefined) return { path, values: parseSettings(path, text) };
  }
  return undefined;
}

/** The settings in the text of a file; TOML if its name ends so, else JSON. */
export function parseSettings(path: string, text: string): Record<string, unknown> {
  let values: unknown;
  try {
    values = path.endsWith('.toml') ? parseToml(text) : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const line = error instanceof TomlError ? ` (line ${error.line}, column ${error.column})` : '';
    throw new TuttiError(
      'BAD_CONFIG',
      `The settings file ${path} does not parse${line}: ${reason}`,
      {
        remedy: 'Correct it. It holds one object, such as { "workers": 4, "batchSize": 128 }.',
        cause: error,
        details: { path },
      },
    );
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new TuttiError('BAD_CONFIG', `The settings file ${path} holds no object.`, {
      remedy: 'Write one object, such as { "workers": 4, "batchSize": 128 }.',
      details: { path },
    });
  }
  return { ...values };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return textOf(await readFile(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof NoTextError)
      throw new TuttiError('BAD_CONFIG', `The settings file ${path} ${message}.`, {
        remedy: 'Save it as UTF-8.',
        cause: error,
        details: { path },
      });
    throw new TuttiError('BAD_CONFIG', `The settings file ${path} cannot be read: ${message}`, {
      remedy: 'Make it a readable file, or name another one with --config.',
      cause: error,
      details: { path },
    });
  }
}
