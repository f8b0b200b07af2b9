import { TuttiError } from '@tutti/runtime';
import type { WithPayload } from './fields.js';
import type { Envelope } from './link.js';
import type { Body, Stamp } from './messages.js';

type PayloadOf<T extends Body['type']> = T extends WithPayload ? Uint8Array : undefined;

/**
 * What a role does with each message that it may be sent; the compiler sees that none is forgotten.
 * @typeParam From how the role names the sender
 */
export type Answers<B extends Body, From> = {
  readonly [T in B['type']]: (
    from: From,
    message: Extract<B, { type: T }> & Stamp,
    payload: PayloadOf<T>,
  ) => void;
};

/** Does what there is for a message. Returns false if there is nothing: then it is to be refused. */
export function answer<B extends Body, From>(
  answers: Answers<B, From>,
  from: From,
  { message, payload }: Envelope,
): boolean {
  if (!Object.hasOwn(answers, message.type)) return false;
  // What was decoded has the fields and the payload of its type.
  const handle = answers[message.type as B['type']] as (...of: unknown[]) => void;
  handle(from, message, payload);
  return true;
}

/** Why a message is refused that this role does not expect from that one. */
export function unexpected(role: string, type: string, sender: string): TuttiError {
  return new TuttiError('REFUSED', `A ${role} takes no message of type ${type} from a ${sender}`, {
    remedy:
      // Nobody else listens.
      'Check which address belongs to the server and which to the coordinator, and that all run the same version of Tutti.',
    details: { role, type, sender },
  });
}
