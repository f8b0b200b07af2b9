import type { WarningEvent } from '@tutti/telemetry';
import { OWN_FILES } from '../tunables.js';

/**
 * What is to be said of a process that will hardly be able to serve so many workers; undefined if it can, or
 * the system does not tell.
 * @param filesOfWorker how many each of them takes up
 * @param most how many files this process may have open: see `mostOpenFiles`
 */
export function fewOpenFiles(
  workers: number,
  filesOfWorker: number,
  most: number | undefined,
): WarningEvent | undefined {
  const needed = OWN_FILES + workers * filesOfWorker;
  if (most === undefined || most >= needed) return undefined;
  return {
    event: 'warning',
    code: 'LIMIT',
    message: `This process may have ${most} files and connections open, and may need ${needed} with ${workers} worker${workers === 1 ? '' : 's'}: whoever comes then has to wait`,
    remedy: `Raise the limit: ulimit -n ${needed}`,
  };
}
