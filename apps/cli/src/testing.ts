import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tutti/runtime';
import { runCli } from './cli.js';

/** Only tests import this file. */
export const LINE = fileURLToPath(new URL('../fixtures/line.ts', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The objects of stdout, one a line. */
  json(): Record<string, unknown>[];
}

/** Runs the command line in this process. */
export async function tutti(
  args: readonly string[],
  { environment = {}, signal = new AbortController().signal }: TuttiOptions = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await runCli(args, {
    environment,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    clock: systemClock,
    signal,
  });
  return {
    code,
    ...written,
    json: () =>
      written.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

export interface TuttiOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

export async function inTemporaryFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-cli-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
