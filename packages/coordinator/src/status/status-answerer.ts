import { type Body, type Listener, type Message, refusal, type Status } from '@tutti/protocol';
import type { TuttiError } from '@tutti/runtime';
import { describeStatus } from './status.js';
import type { ToldEvents } from './told-events.js';

/** Answers whoever asks how the job is doing, whatever it is doing. */
export type StatusAnswerer = (peer: string, message: Message, asked: Status) => void;

export function createStatusAnswerer(init: {
  readonly listener: Pick<Listener, 'send'>;
  readonly stamp: (body: Body) => Message;
  readonly told: Pick<ToldEvents, 'since'>;
  readonly refuse: (peer: string, why: TuttiError) => void;
  /** How the job is doing now. */
  readonly view: () => Parameters<typeof describeStatus>[0];
}): StatusAnswerer {
  const { listener, stamp, told, refuse, view } = init;
  return (peer, message, asked) => {
    const now = view();
    const misfit = refusal(message, now.identity.id());
    if (misfit !== undefined) return refuse(peer, misfit);
    const history = asked.history && { history: told.since(asked.history) };
    listener.send(peer, {
      message: stamp({ type: 'status-report', status: describeStatus(now), ...history }),
    });
  };
}
