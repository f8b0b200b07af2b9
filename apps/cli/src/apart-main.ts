import { isatty, WriteStream } from 'node:tty';
import { endWithParent } from '@tutti/launch/internal';
import { TERMINAL } from './apart.js';
import { runProcess } from './run-process.js';

endWithParent(process.exit.bind(process));
// Where there is a terminal its width counts, and lines that are drawn again. Else all goes one way.
const stderr = isatty(TERMINAL) ? new WriteStream(TERMINAL) : process.stderr;
await runProcess(process.argv.slice(2), { stderr });
