import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Programs under test import this file: the process that runs them tells the test who it is, and
 * the connection ends when the process does, however that comes about.
 */
export interface Answer {
  /** The worker's name; undefined in processes that are no workers. */
  readonly name?: string;
  readonly pid: number;
}

export const { name } = argument();
/** Resolves when the test knows of this process. */
export let known: Promise<unknown> = Promise.resolve();

if (process.env.ROLL_CALL_PORT !== undefined) {
  const socket = connect(Number(process.env.ROLL_CALL_PORT), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${JSON.stringify({ ...argument(), pid: process.pid } satisfies Answer)}\n`);
  known = once(socket, 'data');
  known.catch(() => {});
  socket.unref();
}

/** What the launcher told a process that it started. */
function argument(): Omit<Answer, 'pid'> {
  try {
    const { name } = JSON.parse(process.argv[2]!);
    return { name };
  } catch {
    return {};
  }
}
