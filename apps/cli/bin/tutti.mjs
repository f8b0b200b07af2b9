#!/usr/bin/env node
// Not a file that is built: npm links a command only if it is there when it installs.
import { existsSync, readFileSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  try {
    await import(main.href);
  } catch (error) {
    // Not even its own files can be opened; of some Node.js says that they are not there.
    const unopened = ['EMFILE', 'ENFILE'].includes(error?.code);
    if (!unopened && !(error?.code === 'ERR_MODULE_NOT_FOUND' && opensFew())) throw error;
    process.stderr.write(
      `error LIMIT: A limit of this system is reached: this process may open no more files (${error.message})\n  Raise the limit of open files: ulimit -n 1024\n`,
    );
    process.exitCode = 1;
  }
} else {
  process.stderr.write('error: Tutti is not built\n  Run `npm run setup` in its checkout.\n');
  process.exitCode = 1;
}

function opensFew() {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1]) < 128;
  } catch (error) {
    // There is not even one left to ask by.
    return error.code === 'EMFILE';
  }
}
