import { TuttiError, toTuttiError } from '@tutti/runtime';
import { isOfTutti, placeOf } from './place.js';

/** What is guarded: `process`. */
export type GuardedProcess = Pick<NodeJS.Process, 'on' | 'exit'>;

export interface ProgramGuard {
  /** Ends the process, which the program itself cannot any more. */
  readonly exit: (code?: number) => never;
}

/**
 * Hears of what a program does beside the functions that Tutti calls and awaits: its top level, its
 * timers and its callbacks run in the middle of a process that is Tutti's. What they throw, a promise
 * that they leave rejected, and `process.exit` would end that process without a word to anybody.
 *
 * For processes of Tutti's own; a host that embeds it keeps its own handlers.
 * @param tell is called with the first fault, and then no more
 */
export function guardProgram(
  host: GuardedProcess,
  tell: (error: TuttiError) => void,
): ProgramGuard {
  const exit = host.exit.bind(host) as (code?: number) => never;
  let told = false;
  const fault = (error: TuttiError) => {
    if (!told) tell(error);
    told = true;
  };
  host.on('uncaughtException', (thrown) =>
    fault(
      faultOf(
        thrown,
        'The program threw in a callback',
        'Correct the program; the stack shows where it threw.',
      ),
    ),
  );
  host.on('unhandledRejection', (thrown) =>
    fault(
      faultOf(
        thrown,
        'The program left a promise rejected that nobody awaits',
        'Await it, or catch what it rejects with; the stack shows where it was thrown.',
      ),
    ),
  );
  const refuse = (code: unknown = 0): never => {
    const call = new Error(`process.exit(${code})`);
    Error.captureStackTrace(call, refuse);
    const error = isOfNode(call)
      ? new TuttiError('LIMIT', 'Node.js could not start a thread of its own, and ends.', {
          remedy:
            'There may be too little memory: raise its limit (that of address space: ulimit -v unlimited), or that of processes (ulimit -u).',
          cause: call,
        })
      : new TuttiError('PROGRAM_FAILED', `The program called ${call.message}${at(call)}`, {
          remedy:
            'Let it go on, or throw an error to end the run: Tutti ends the process when all is done.',
          cause: call,
        });
    fault(error);
    // So that the program does not go on as if it had not called it.
    throw error;
  };
  host.exit = refuse as NodeJS.Process['exit'];
  return { exit };
}

/** Whether nobody's code made the call but Node's own. */
function isOfNode({ stack = '' }: Error): boolean {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return (
    frames.length > 0 && frames.every((line) => /\(?node:internal\/|\(?node:events/.test(line))
  );
}

function faultOf(thrown: unknown, what: string, remedy: string): TuttiError {
  if (isOfTutti(thrown))
    return toTuttiError(
      thrown,
      'INTERNAL',
      'Unexpected error',
      'This is a fault in Tutti; the stack shows where.',
    );
  return toTuttiError(thrown, 'PROGRAM_FAILED', `${what}${at(thrown)}`, remedy);
}

function at(thrown: unknown): string {
  const place = placeOf(thrown);
  return place === undefined ? '' : ` (${place})`;
}
