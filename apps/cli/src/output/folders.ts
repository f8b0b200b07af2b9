import { accessSync, constants, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nearestFolder } from '@tutti/runtime';

/** Where each run of a program gets a folder, if nobody names one: `tutti-runs/mnist-convnet`. */
export function runsFolder(programName: string): string {
  return join('tutti-runs', programName.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '') || 'program');
}

/** Why nothing can be written into a folder, as far as that shows beforehand. */
export function folderFault(path: string): string | undefined {
  const nearest = nearestFolder(resolve(path));
  try {
    if (!statSync(nearest).isDirectory()) return `${nearest} is no folder`;
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
