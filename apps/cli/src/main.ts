import { Console } from 'node:console';
import { systemClock } from '@tutti/runtime';
import { runCli } from './cli.js';
import { DONE, FAILED } from './exit-codes.js';
import { hangupIsIgnored } from './hangup.js';
import { createStopSignals } from './stop-signals.js';

// So that an error's stack names the lines of the program as it was written.
process.setSourceMapsEnabled(true);

// Child processes end with this one.
const stopping = createStopSignals({ clock: systemClock, exit: (code) => process.exit(code) });
const goesOn = hangupIsIgnored(process.env);
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.receive(name));
process.on('SIGHUP', () => {
  if (!goesOn) stopping.receive('SIGHUP');
});
/** Whoever reads the output must not take half of it for all. */
let unwritten: NodeJS.ErrnoException | undefined;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `tutti train ... | head`: nobody reads any more.
    if (error.code === 'EPIPE') return stream === process.stdout && stopping.receive('SIGPIPE');
    // The terminal is gone, which SIGHUP has told.
    if (error.code !== 'EIO' && stream === process.stdout) unwritten ??= error;
  });

// Scripts read stdout: what a program prints goes to stderr.
globalThis.console = new Console(process.stderr, process.stderr);

const { signal, onStop, stoppedBy } = stopping;
const { stdout, stderr, env: environment } = process;
const clock = systemClock;
const code = await runCli(process.argv.slice(2), {
  ...{ environment, stdout, stderr, clock, signal, onStop, stoppedBy },
});
if (unwritten !== undefined)
  stderr.write(`error: Not all of the output could be written: ${unwritten.message}\n`);
// What a program left open (a timer, a socket) must not hold the process; output must be out.
stdout.write('', () =>
  stderr.write('', () => process.exit(code === DONE && unwritten !== undefined ? FAILED : code)),
);
