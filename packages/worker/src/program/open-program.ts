import type { Notice } from '@tutti/data';
import { failAfter, type Monitor, programError, type Wait, withCleanUp } from '@tutti/runtime';

import { checkComputation, checkData, checkProgram } from './check-program.js';
import { holdData, noticesOf } from './hold-data.js';
import type { Computation, Program, ProgramData } from './program.js';

/** A program that is ready to compute. */
export interface OpenProgram {
  readonly data: ProgramData;
  readonly computation: Computation;
  /** What is to be said of the data. */
  readonly notices: readonly Notice[];
  /** Gives back what it holds; waits for that, with a line, whatever became of the run. */
  close(): Promise<void>;
}

/**
 * Opens the data and the computation of a program. What is opened too late, when the monitor has
 * failed, is closed as it comes.
 * @throws TuttiError PROGRAM_FAILED for what the program throws, BAD_PROGRAM
 * @param closing a monitor for the end, which the end of the run does not stop
 */
export async function openProgram(
  program: Program,
  monitor: Monitor,
  closing: Monitor,
): Promise<OpenProgram> {
  checkProgram(program, `program ${calledBy(program)}`);
  const closeData = async ({ training, evaluation }: ProgramData) => {
    // Unnamed wait: the caller races it.
    await withCleanUp(
      () => ofUser('close() of its evaluation set', () => evaluation?.close?.()),
      () => ofUser('close() of its training set', () => training.close?.()),
    );
  };
  const data = await opened(
    monitor,
    async () => holdData(checkData(await ofUser('data()', () => program.data()))),
    closeData,
    'open its data',
  );
  const closingData = () => closing.race(closeData(data), ofProgram('close its data'));
  try {
    const { computation, close } = await openWithoutData(program, monitor, closing);
    const notices = noticesOf(data);
    return { data, computation, notices, close: () => withCleanUp(closingData, close) };
  } catch (error) {
    return failAfter(closingData, error);
  }
}

/** The same of the computation alone. */
export async function openWithoutData(
  program: Program,
  monitor: Monitor,
  closing: Monitor,
): Promise<Pick<OpenProgram, 'computation' | 'close'>> {
  const computation = await opened(
    monitor,
    () => openComputation(program),
    closeComputation,
    'open its computation',
  );
  const close = () =>
    closing.race(closeComputation(computation), ofProgram('close its computation'));
  return { computation, close };
}

async function opened<T>(
  monitor: Monitor,
  open: () => Promise<T>,
  close: (late: T) => unknown,
  what: string,
): Promise<T> {
  const opening = open();
  try {
    return await monitor.race(opening, ofProgram(what));
  } catch (error) {
    opening.then(close).catch(() => {});
    throw error;
  }
}

/**
 * Opens the computation of a program, and closes it again if it is none.
 * @throws TuttiError PROGRAM_FAILED for what the program throws, BAD_PROGRAM
 */
export async function openComputation(program: Pick<Program, 'open'>): Promise<Computation> {
  // Unnamed wait: the caller races it.
  const computation = await ofUser('open()', () => program.open());
  try {
    return checkComputation(computation);
  } catch (error) {
    return failAfter(() => closeComputation(computation), error);
  }
}

const closeComputation = (computation: Computation) =>
  ofUser('close()', () => computation.close?.());

/** What errors call a program, whatever it was given for a name. */
function calledBy(program: unknown): string {
  const { name } = (program ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : 'given';
}

async function ofUser<T>(what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    throw programError(thrown, what);
  }
}

/** What only the program can do: there is no deadline but the coordinator's. */
export function ofProgram(what: string): Wait {
  return {
    who: 'the program',
    what,
    remedy: 'See what it does there, or end this process.',
  };
}
