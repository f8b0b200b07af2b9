import { TuttiError } from '@tutti/runtime';
import type { ConnectFault } from './link.js';
import { type Message, PROTOCOL_VERSION } from './messages.js';

/** Questions that are answered whichever job the asker has in mind. */
const ASKING: readonly Message['type'][] = ['inquire', 'status'];

/**
 * Why a message that does not fit this job must be refused, or undefined if it fits.
 * @param job the id of the job that the receiver belongs to; undefined if it has none yet
 */
export function refusal(message: Message, job: string | undefined): TuttiError | undefined {
  if (message.protocol !== PROTOCOL_VERSION)
    return new TuttiError(
      'REFUSED',
      `Protocol version ${message.protocol} was spoken to a process that speaks ${PROTOCOL_VERSION}`,
      { remedy: 'Install the same version of Tutti everywhere.' },
    );
  // Anybody may ask what there is; whoever joins has no job yet.
  if (message.job === job || ASKING.includes(message.type)) return undefined;
  if (message.type === 'join' && message.job === '') return undefined;
  return new TuttiError(
    'REFUSED',
    job === undefined
      ? `A message of job ${message.job} came before the job was opened`
      : `A message of job ${message.job} was sent to job ${job}`,
    { remedy: 'End the processes that are left over from another run.' },
  );
}

/**
 * The error of a process and a peer whose keys differ; undefined for any other fault.
 * @param peer with its address, as it stands in a sentence
 */
export function keyRefusal(peer: string, fault: ConnectFault | undefined): TuttiError | undefined {
  if (fault?.kind !== 'key') return undefined;
  const { reason, remedy } = fault;
  return new TuttiError('REFUSED', `There is no key in common with ${peer}: ${reason}`, { remedy });
}
