import { EventEmitter, once } from 'node:events';
import { errorToRecord } from '@tutti/runtime';
import { guardProgram } from '../program/guard.js';
import { prepareProgram } from '../program/load-program.js';
import type { ChildOrder, ChildReport } from './child.js';
import { endWithParent } from './end-with-parent.js';

type Body<Argument> = (
  argument: Argument,
  signal: AbortSignal,
  tell: (report: ChildReport) => void,
  /** What SIGTERM, and a parent that interrupts it, do instead of stopping at once. */
  onTerminate: (terminate: () => void) => void,
  /** Where the coordinator listens, for a process that is told so. */
  coordinator: Promise<string>,
) => Promise<void>;

/** `childMain` of a process that runs a program: whatever that does, it is told. */
export const programMain = <Argument>(body: Body<Argument>) => childMain(body, { program: true });

/**
 * The frame of every process that the launcher starts: it ends with its parent, begins and stops when that
 * says so, leaves Ctrl-C and a closed terminal to it, and tells it that it is done, or how it failed.
 */
export async function childMain<Argument>(
  body: Body<Argument>,
  options: { readonly program?: boolean } = {},
): Promise<void> {
  const stopping = new AbortController();
  let told: Promise<void> = Promise.resolve();
  const tell = (report: ChildReport) => {
    // Unnamed wait: it ends by itself.
    if (process.connected) told = new Promise((resolve) => process.send!(report, () => resolve()));
  };
  let exit: (code: number) => never = process.exit.bind(process);
  endWithParent(exit);
  if (options.program === true) ({ exit } = guardProgram(process, (error) => void fail(error)));

  /** Ends the process at once: what it was doing cannot be relied on. */
  async function fail(error: unknown) {
    if (!stopping.signal.aborted) tell({ type: 'failed', error: errorToRecord(error) });
    // Unnamed wait: it ends by itself.
    await told;
    exit(1);
  }

  // The terminal sends these to the whole group; the parent decides what they mean.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  let terminate = () => stopping.abort();
  process.on('SIGTERM', () => terminate());
  const orders = new EventEmitter<{ begin: [Argument]; coordinator: [string] }>();
  const { signal } = stopping;
  const begun = once(orders, 'begin', { signal }) as Promise<[Argument]>;
  const coordinator = once(orders, 'coordinator', { signal }).then(([address]) => address);
  for (const early of [begun, coordinator]) early.catch(() => {});
  process.on('message', (order: ChildOrder) => {
    if (order === 'stop') stopping.abort();
    else if (order === 'interrupt') terminate();
    else if ('begin' in order) orders.emit('begin', order.begin as Argument);
    else orders.emit('coordinator', order.coordinator);
  });
  try {
    const likely = process.argv[2];
    // Unnamed wait: what it awaits names its own waits.
    if (likely !== undefined) await prepareProgram(likely);
    // Unnamed wait: the parent says it, or has this process stop.
    const [argument] = await begun;
    // For a program that asks which process it is in.
    process.argv[2] = JSON.stringify(argument);
    const onTerminate = (instead: () => void) => {
      terminate = instead;
    };
    // Unnamed wait: what it awaits names its own waits.
    await body(argument, signal, tell, onTerminate, coordinator);
    tell({ type: 'done' });
  } catch (error) {
    if (!stopping.signal.aborted) return fail(error);
  }
  // Unnamed wait: it ends by itself.
  await told;
  // Nothing is left to do; a handle that somebody's program left open must not hold the process.
  process.disconnect?.();
  exit(0);
}
