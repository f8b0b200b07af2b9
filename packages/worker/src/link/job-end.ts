import { keepConnected, type Message, PROTOCOL_VERSION, type Transport } from '@tutti/protocol';
import { type Clock, errorFromRecord, type TuttiError } from '@tutti/runtime';

/**
 * Follows a coordinator from before there is a worker that can join: loading a program and its data may take
 * longer than others take for the whole job, and then nobody listens any more who could say so.
 */
export function watchForEnd(init: {
  readonly coordinator: string;
  readonly transport: Transport;
  readonly clock: Clock;
  /** The coordinator is there. */
  readonly onFound?: () => void;
  /** The job is over; with the error that it failed with. */
  readonly onEnd: (error: TuttiError | undefined) => void;
}): { close(): Promise<void> } {
  const { coordinator, transport, clock, onFound, onEnd } = init;
  const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };
  const question: Message = { type: 'status', ...stamp };
  let over = false;
  const connection = keepConnected((handlers) => transport.connect(coordinator, handlers), clock, {
    message({ message }) {
      // What else is wrong the worker is told when it joins.
      if (message.protocol !== PROTOCOL_VERSION) return;
      if (message.type === 'status-report') onFound?.();
      if (message.type !== 'finish' || over) return;
      over = true;
      onEnd(message.error && errorFromRecord(message.error));
    },
    lost: (_reason, fault) => !over && fault?.kind !== 'key',
    again: ask,
  });
  function ask() {
    connection.send({ message: question });
  }
  ask();
  return { close: () => connection.close(0) };
}
