import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Program } from '@tutti/worker';
import { regression } from './regression.js';

const program = regression();

/** Writes to stderr past JavaScript, as a native library does; with CHATTY_HANGS it then never opens. */
export default {
  ...program,
  async open() {
    writeSync(
      2,
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n' +
        'I0000 00:00:1795981771.237527   27259 port.cc:153] oneDNN custom operations are on.\n' +
        'F0000 a true fault\n',
    );
    if (process.env.CHATTY_HANGS !== undefined) await setTimeout(2 ** 30);
    return program.open();
  },
} satisfies Program;
