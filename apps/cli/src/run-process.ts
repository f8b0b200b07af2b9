import { Console } from 'node:console';
import { systemClock } from '@tutti/runtime';
import { RUN_APART } from './apart.js';
import { runCli } from './cli.js';
import type { CliContext } from './process/context.js';
import { DONE, FAILED } from './process/exit-codes.js';
import { hangupIsIgnored } from './process/hangup.js';
import { createStopSignals } from './process/stop-signals.js';
import { UNTOLD_MS } from './tunables.js';

/** Commands that run a program in this process: what it does there is guarded. */
const WITH_PROGRAM = ['train', 'worker', ...RUN_APART];

/** Commands that are told to leave, however early, and exit as they do then. */
const LEAVING = ['worker', 'node'];

/**
 * Runs a command as all of this process: its signals, its output and its exit code are the command's.
 * @param parent what a process of Tutti that has started this one is told, and says of it
 */
export async function runProcess(
  args: readonly string[],
  parent: Pick<CliContext, 'onJoined' | 'startedAs'> & {
    readonly stderr?: NodeJS.WriteStream;
  } = {},
): Promise<void> {
  let exit: (code: number) => never = process.exit.bind(process);
  // Child processes end with this one.
  const stopping = createStopSignals({
    clock: systemClock,
    exit: (code) => exit(code),
    lastWords: () => stderr.write('ended at once\n'),
    held: LEAVING.includes(args[0] ?? ''),
  });
  const goesOn = hangupIsIgnored(process.env);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.receive(name));
  process.on('SIGHUP', () => {
    if (!goesOn) stopping.receive('SIGHUP');
  });
  /** Whoever reads the output must not take half of it for all. */
  let unwritten: NodeJS.ErrnoException | undefined;
  const { stdout, env: environment } = process;
  const { stderr = process.stderr } = parent;
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `tutti train ... | head`: nobody reads any more.
      if (error.code === 'EPIPE') return stream === stdout && stopping.receive('SIGPIPE');
      // The terminal is gone, which SIGHUP has told.
      if (error.code !== 'EIO' && stream === stdout) unwritten ??= error;
    });

  // Scripts read stdout: what a program prints goes to stderr.
  globalThis.console = new Console(stderr, stderr);

  const { signal, onStop, stoppedBy } = stopping;
  const clock = systemClock;

  let fault: Promise<never> | undefined;
  if (WITH_PROGRAM.includes(args[0] ?? '')) {
    // Unnamed wait: a module of this machine.
    const { guardProgram } = await import('@tutti/launch/internal');
    // Unnamed wait: it is raced with what the command does.
    fault = new Promise<never>((_, reject) => {
      ({ exit } = guardProgram(process, (error) => {
        reject(error);
        setTimeout(() => {
          stderr.write(`error ${error.code}: ${error.message}\n  ${error.remedy}\n`);
          exit(FAILED);
        }, UNTOLD_MS).unref();
      }));
    });
    fault.catch(() => {});
  }

  const code = await runCli(args, {
    ...{ environment, stdout, stderr, clock, signal, onStop, stoppedBy },
    ...(fault === undefined ? {} : { fault }),
    ...parent,
  });
  if (unwritten !== undefined)
    stderr.write(
      `error STORAGE: Not all of the output could be written: ${unwritten.message}\n  See whether the disk is full.\n`,
    );
  // What a program left open (a timer, a socket) must not hold the process; output must be out.
  stdout.write('', () =>
    stderr.write('', () => exit(code === DONE && unwritten !== undefined ? FAILED : code)),
  );
}
