import { constants } from 'node:fs';
import { access, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TuttiError } from '@tutti/runtime';
import { bindingPath } from './paths.js';
import { setupCommand } from './setup-command.js';

/** For example; it is the owner's to choose. */
const SHARED_CACHE = '/opt/tutti';

/** What keeps this user from native TensorFlow that somebody else has set up, and what mends it. */
export interface ForeignInstall {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Whether the native library lies where this user may not read: in the home folder of whoever has
 * set it up.
 * @param tfjsNode the folder of the installed package
 */
export async function foreignInstall(tfjsNode: string): Promise<ForeignInstall | undefined> {
  const link = bindingPath(tfjsNode);
  // Unnamed wait: it is done at once.
  const target = await readlink(link).catch(() => undefined);
  if (target === undefined || !(await isDenied(stat(target)))) return undefined;
  return {
    reason: `it was set up by another user, in ${dirname(dirname(target))}, where this one may not read`,
    remedy: `Have it set up in a folder that all may read, by the owner of ${tfjsNode}: ${setupCommand({ cache: SHARED_CACHE })}.`,
  };
}

/** Whether this user may set TensorFlow up for the package. */
export async function maySetUp(tfjsNode: string): Promise<boolean> {
  const { W_OK, X_OK } = constants;
  return access(join(tfjsNode, 'lib'), W_OK | X_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/**
 * What is said to a user who can neither load TensorFlow nor set it up.
 * @param problem why it does not load
 */
export async function notForThisUser(tfjsNode: string, problem: string): Promise<TuttiError> {
  const foreign = await foreignInstall(tfjsNode);
  const { reason, remedy } = foreign ?? {
    reason: `this user may not write into ${join(tfjsNode, 'lib')}, and what is there does not load (${problem})`,
    remedy: `Have the owner of that folder set it up, in a folder that all may read: ${setupCommand({ cache: SHARED_CACHE })}.`,
  };
  const message = `Native TensorFlow is not to be had here: ${reason}`;
  return new TuttiError('NO_TENSORFLOW', message, { remedy, details: { tfjsNode } });
}

async function isDenied(looking: Promise<unknown>): Promise<boolean> {
  return looking.then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EACCES' || error.code === 'EPERM',
  );
}
