import { join } from 'node:path';

/** The folder of a program's checkpoints, if nobody names one: `tutti-runs/mnist-convnet`. */
export function runFolder(programName: string): string {
  return join('tutti-runs', programName.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '') || 'program');
}
