import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FrozenValues } from '@tutti/parameters';
import type { JobResult } from '@tutti/run';
import { type ErrorRecord, errorFromRecord, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { LAST_LINES } from '../tunables.js';
import { type ChildEntry, forkChild, type PreparedChildren } from './forked.js';

/** What came of training in another process, as it travels. `values` follows from the rest. */
export type Trained = Omit<JobResult, 'values' | 'unsaved'> & { readonly unsaved?: ErrorRecord };

/** What a child tells its parent over the channel that fork() makes. */
export type ChildReport =
  | { readonly type: 'listening'; readonly addresses: readonly string[] }
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'frozen'; readonly frozen: readonly FrozenValues[] }
  | { readonly type: 'trained'; readonly trained: Trained }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: ErrorRecord };

/** What a parent tells its child over that channel. */
export type ChildOrder =
  | 'stop'
  | 'interrupt'
  | { readonly begin: unknown }
  | { readonly coordinator: string };

/** A process of this run. It ends with its parent, whatever happens to that. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process is gone: with an error unless it ended well. */
  readonly exited: Promise<TuttiError | undefined>;
  /** Has it end at once, or come to an orderly end, or go on; unheard by one that loops. */
  tell(order: ChildOrder): void;
  /** Ends it at once. */
  kill(): void;
  /** Asks it to end; ends it by force after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Between what happened to a child and what it said last. */
const SAID_LAST = '; its last lines were:';

/** What V8 says as it ends the process. */
const HEAP_IS_FULL = /JavaScript heap out of memory/;
/** What it says besides, of its own stack and heap, which tells nothing of the program. */
const OF_V8 = /^ *\d+: 0x[\da-f]+ |^\[\d+:0x|^<--- |^----- Native stack trace|^$/;

/** What happened to a child, without what it said last. */
export const withoutLastLines = (message: string): string =>
  message.split(SAID_LAST)[0]!.split('\n')[0]!;

/**
 * Starts one of this package's process mains.
 * @param entry the file to run
 * @param argument what it is told
 * @param prepared of the same entry, environment and options; one of them is taken if there is one
 */
export function startChild(init: {
  readonly name: string;
  readonly entry: ChildEntry;
  readonly argument: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  /** Options of Node or V8. */
  readonly nodeOptions?: readonly string[];
  readonly prepared?: PreparedChildren | undefined;
  readonly onLine?: ((name: string, line: string) => void) | undefined;
  readonly onReport?: (report: Exclude<ChildReport, { type: 'failed' | 'done' }>) => void;
}): Child {
  const { name, argument, prepared, onLine, onReport } = init;
  const child: ChildProcess = prepared?.take() ?? forkChild(init);
  const lines: string[] = [];
  let heapIsFull = false;
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on('line', (line) => {
      heapIsFull ||= HEAP_IS_FULL.test(line);
      if (!OF_V8.test(line)) lines.push(line);
      if (lines.length > LAST_LINES) lines.shift();
      onLine?.(name, line);
    });

  let failure: TuttiError | undefined;
  let done = false;
  child.on('message', (report: ChildReport) => {
    if (report.type === 'failed') failure = errorFromRecord(report.error);
    else if (report.type === 'done') done = true;
    else onReport?.(report);
  });
  send({ begin: argument });
  let stopping = false;
  // 'close' comes after the last line of output, 'exit' may come before it.
  // Unnamed wait: the caller races it.
  const exited = new Promise<TuttiError | undefined>((resolve) => {
    child.once('error', (cause) => resolve(died(`could not be started: ${cause.message}`, cause)));
    child.once('close', (code, signal) => {
      if ((code === 0 && done) || stopping) return resolve(failure);
      const early = code === 0 ? ' before it was done' : '';
      const how =
        signal === null ? `ended with exit code ${code}${early}` : `was killed by ${signal}`;
      resolve(failure ?? died(how));
    });
  });

  function send(order: ChildOrder) {
    // One that has just ended hears nothing any more.
    if (child.connected) child.send(order, () => {});
  }

  function died(how: string, cause?: unknown): TuttiError {
    const said = lines.length > 0 ? `${SAID_LAST}\n  ${lines.join('\n  ')}` : '';
    const what = heapIsFull ? `has filled its heap of JavaScript values, and ${how}` : how;
    return new TuttiError('CHILD_DIED', `${name} (pid ${child.pid}) ${what}${said}`, {
      remedy: heapIsFull
        ? 'Keep less of it at once, or allow each process more MB: NODE_OPTIONS=--max-old-space-size=8192.'
        : 'See its last lines; if it was killed, look for too little memory.',
      cause,
      details: { process: name, pid: child.pid, lastLines: [...lines] },
    });
  }

  return {
    name,
    pid: child.pid ?? -1,
    exited,
    tell: send,
    kill: () => void child.kill('SIGKILL'),
    async stop(graceMs) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      stopping = true;
      send('stop');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      // Unnamed wait: processes end within their grace.
      await exited;
      clearTimeout(force);
    },
  };
}
