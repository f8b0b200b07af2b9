import { Worker } from 'node:worker_threads';
import { PARENT_LOOK_MS } from '../tunables.js';

/** Runs in a thread of its own, as plain JavaScript, since that needs no file and no loader. */
const WATCH = `
  const { parent, intervalMs } = require('node:worker_threads').workerData;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, intervalMs);
`;

/**
 * Ends this process when its parent is gone, even while the main thread is busy and hears nothing: a
 * program that loops for ever must not outlive a run whose launcher was killed.
 */
export function endWithParent(exit: (code: number) => void): void {
  // It may have gone while this process was starting, before anybody listened.
  if (!process.connected) exit(1);
  process.on('disconnect', () => exit(1));
  const workerData = { parent: process.ppid, intervalMs: PARENT_LOOK_MS };
  new Worker(WATCH, { eval: true, execArgv: [], workerData }).unref();
}
