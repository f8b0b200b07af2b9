import type { CoordinatorToWorker, Listener, Message } from '@tutti/protocol';
import { errorToRecord, type TuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Member } from './roster.js';

/** What the workers, and those who would like to be workers, are told. */
export interface Mail {
  tell(member: Member, body: CoordinatorToWorker): void;
  /** Tells a peer, which need not be a member, why it cannot be one. */
  refuse(peer: string, why: TuttiError): void;
  /** The same, and says so to whoever follows the run. */
  refuseAloud(peer: string, why: TuttiError): void;
}

export function createMail(init: {
  readonly listener: Pick<Listener, 'send'>;
  readonly stamp: (body: CoordinatorToWorker) => Message;
  /** Told of each who is refused. */
  readonly refused: (peer: string) => void;
  readonly emit: (event: RunEvent) => void;
}): Mail {
  const { listener, stamp, emit } = init;

  function refuse(peer: string, why: TuttiError) {
    init.refused(peer);
    listener.send(peer, { message: stamp({ type: 'refused', error: errorToRecord(why) }) });
  }

  return {
    tell({ peer, session }, body) {
      listener.send(peer, { message: { ...stamp(body), session } });
    },
    refuse,
    refuseAloud(peer, why) {
      refuse(peer, why);
      emit(warningOf(why, `Refused a peer: ${why.message}`));
    },
  };
}
