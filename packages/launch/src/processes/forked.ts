import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WORKER_NODE_OPTIONS, workerEnvironment } from './worker-environment.js';

/** The files that are run, from the root of this package's sources and without their ending. */
export type ChildEntry =
  | 'processes/worker-process'
  | 'processes/server-process'
  | 'single-process/single-process-main';

/** Processes that were started before it is known what they are to do. */
export interface PreparedChildren {
  /** One of these that lives, if there is one left. */
  take(): ChildProcess | undefined;
  /** Ends those that nobody took. */
  end(): void;
}

/** Forks one of this package's process mains, which loads what it needs and waits to be told what to do. */
export function forkChild(init: {
  readonly entry: ChildEntry;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Options of Node or V8. */
  readonly nodeOptions?: readonly string[];
  /** The program that it will most likely run. */
  readonly program?: string | undefined;
}): ChildProcess {
  const { entry, environment, nodeOptions = [], program } = init;
  const file = fileURLToPath(new URL(`../${entry}.js`, import.meta.url));
  return fork(file, program === undefined ? [] : [program], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
    execArgv: [...nodeOptions],
    // Typed arrays pass as they are.
    serialization: 'advanced',
  });
}

/**
 * Starts the processes of a run while this one still loads the program and all else: they load what every
 * run needs meanwhile. `runLocal` takes them.
 * @param workers how many there will most likely be; with 0 it is the plain loop
 */
export function prepareChildren(program: string, workers: number): PreparedChildren {
  const entry = workers === 0 ? 'single-process/single-process-main' : 'processes/worker-process';
  const waiting = Array.from({ length: Math.max(1, workers) }, () => {
    const environment = workerEnvironment(process.env);
    const child = forkChild({ entry, program, environment, nodeOptions: WORKER_NODE_OPTIONS });
    // Whoever takes it finds it dead, and starts another, which tells why.
    child.on('error', () => {});
    return child;
  });
  return {
    take() {
      for (;;) {
        const child = waiting.shift();
        if (child === undefined || child.connected) return child;
      }
    },
    end() {
      for (const child of waiting.splice(0)) child.kill('SIGKILL');
    },
  };
}
