import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '@tutti/runtime';
import { runCli } from './cli.js';
import type { CliContext } from './process/context.js';

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
  {
    environment = {},
    signal = new AbortController().signal,
    clock = systemClock,
    isTTY = false,
    onText,
    onStop,
  }: TuttiOptions = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    write(text: string) {
      written[name] += text;
      if (name === 'stdout') onText?.(text);
    },
  });
  const code = await runCli(args, {
    environment,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    clock,
    signal,
    ...(onStop && { onStop }),
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
  readonly clock?: Clock;
  /** Whether it writes to a terminal. */
  readonly isTTY?: boolean;
  /** Sees what is written to stdout as it is written. */
  readonly onText?: (text: string) => void;
  /** Given what the first signal is to do. */
  readonly onStop?: NonNullable<CliContext['onStop']>;
}

/** Starts a command that listens (with --json); resolves with its address. */
export async function listening(
  args: readonly string[],
  options: Pick<TuttiOptions, 'signal'> = {},
): Promise<{ readonly address: string; readonly ran: Promise<Ran> }> {
  let heard: (address: string) => void = () => {};
  const address = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const ran = tutti(args, {
    ...options,
    onText(text) {
      const event = JSON.parse(text);
      if (event.event === 'listening') heard(event.address);
    },
  });
  const failed = ran.then(({ stderr }) => Promise.reject(new Error(stderr)));
  return { address: await Promise.race([address, failed]), ran };
}

export async function inTemporaryFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-cli-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
