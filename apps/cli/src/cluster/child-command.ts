import { fork } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { KEY_DESCRIPTOR, NAMELESS_KEY } from './nameless-key.js';

/** A command of Tutti that another one runs as a process of its own. It ends with its parent. */
export interface ChildCommand {
  /** Resolves with its exit code; 128 and the number of the signal that killed it. */
  readonly ended: Promise<number>;
  /** Whether it is a worker that has been admitted to its job. */
  joined(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Lets it end by itself for so long, then asks it to, and ends it by force after as long again. */
  stop(graceMs: number): Promise<void>;
}

/** What a child is told besides its arguments. */
export interface ChildArgument {
  /** What was typed for it to be started. */
  readonly startedAs?: string;
}

const MAIN = fileURLToPath(new URL('../child-main.js', import.meta.url));
const STDERR = 2;

/** Hears each line that a child writes. */
export type OnLine = (stream: 'stdout' | 'stderr', line: string) => void;

const ownKey = () => (process.env.TUTTI_KEY_FILE === NAMELESS_KEY ? KEY_DESCRIPTOR : undefined);

/** @param init.output where it goes if not to this process' own: all of it to stderr, or to a function */
export function startCommand(
  args: readonly string[],
  init: ChildArgument & {
    readonly output?: 'stderr' | OnLine;
    readonly environment?: Readonly<Record<string, string>>;
    /** The descriptor of a key that the child is to have; without one, that of this process. */
    readonly key?: number | undefined;
    /** Options of Node or V8. */
    readonly nodeOptions?: readonly string[];
  } = {},
): ChildCommand {
  const { output, environment, key = ownKey(), nodeOptions = [], ...argument } = init;
  const piped = typeof output === 'function';
  const child = fork(MAIN, [JSON.stringify(argument satisfies ChildArgument), ...args], {
    stdio: [
      'ignore',
      piped ? 'pipe' : output === 'stderr' ? STDERR : 'inherit',
      piped ? 'pipe' : 'inherit',
      'ipc',
      ...(key === undefined ? [] : [key]),
    ],
    env: {
      ...process.env,
      ...environment,
      ...(key !== undefined && { TUTTI_KEY_FILE: NAMELESS_KEY }),
    },
    execArgv: [...nodeOptions],
    // What a terminal sends goes to the parent alone, which decides what it means.
    detached: true,
  });
  if (piped)
    for (const stream of ['stdout', 'stderr'] as const)
      createInterface({ input: child[stream]! }).on('line', (line) => output(stream, line));
  let joined = false;
  child.on('message', (word) => {
    joined ||= word === 'joined';
  });
  // Unnamed wait: the caller races it, or stops the process.
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    // 'close' comes after the last line of output, 'exit' may come before it.
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
  ended.catch(() => {});
  return {
    ended,
    joined: () => joined,
    signal: (name) => void child.kill(name),
    async stop(graceMs) {
      const ask = setTimeout(() => child.kill('SIGTERM'), graceMs);
      const force = setTimeout(() => child.kill('SIGKILL'), 2 * graceMs);
      // Unnamed wait: processes end within their grace.
      await ended.catch(() => {});
      clearTimeout(ask);
      clearTimeout(force);
    },
  };
}
