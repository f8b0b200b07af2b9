import { Console } from 'node:console';
import { systemClock } from '@tutti/runtime';
import { runCli } from './cli.js';
import { INTERRUPTED } from './exit-codes.js';

/** Ctrl-C ends everything within 5 s: this long for an orderly end, then by force. */
const ORDERLY_END_MS = 4000;

// So that an error's stack names the lines of the program as it was written.
process.setSourceMapsEnabled(true);

const stopping = new AbortController();

function stop(): void {
  // A second Ctrl-C does not wait. Child processes end with this one.
  if (stopping.signal.aborted) process.exit(INTERRUPTED);
  stopping.abort();
  setTimeout(() => process.exit(INTERRUPTED), ORDERLY_END_MS).unref();
}
process.on('SIGINT', stop);
let terminate = stop;
process.on('SIGTERM', () => {
  const once = terminate;
  terminate = stop;
  once();
});
// `tutti train ... | head`: nobody reads any more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') stop();
  else throw error;
});

// Scripts read stdout: what a program prints goes to stderr.
globalThis.console = new Console(process.stderr, process.stderr);

const code = await runCli(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  signal: stopping.signal,
  onTerminate(instead) {
    terminate = instead;
  },
});
// What a program left open (a timer, a socket) must not hold the process; output must be out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
