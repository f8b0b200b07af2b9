import type { ServerEvent } from './server-event.js';

/** Why a server ends before its job. */
export function replacedText(
  name: string,
  { job, by, reason }: Extract<ServerEvent, { event: 'replaced' }>,
): string {
  return `${name} ends: it was given up (${reason}), and job ${job} goes on with the one at ${by}`;
}
