import { accessSync, constants } from 'node:fs';

/** The error code with which the system keeps this user from writing into a folder, or undefined. */
export function writeFault(folder) {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error.code;
  }
}
