import {
  type Body,
  type Finish,
  type Listener,
  type Message,
  refusal,
  type Status,
} from '@tutti/protocol';
import type { TuttiError } from '@tutti/runtime';
import { describeStatus } from './status.js';
import type { ToldEvents } from './told-events.js';

/** Answers whoever asks how the job is doing, whatever it is doing. */
export interface StatusAnswerer {
  answer(peer: string, message: Message, asked: Status): void;
  /** The peer is gone. */
  forget(peer: string): void;
  /** Tells those who have asked, and are still there, how the job has ended. */
  dismiss(farewell: Finish): void;
}

export function createStatusAnswerer(init: {
  readonly listener: Pick<Listener, 'send'>;
  readonly stamp: (body: Body) => Message;
  readonly told: Pick<ToldEvents, 'since'>;
  readonly refuse: (peer: string, why: TuttiError) => void;
  /** How the job is doing now. */
  readonly view: () => Parameters<typeof describeStatus>[0];
}): StatusAnswerer {
  const { listener, stamp, told, refuse, view } = init;
  const askers = new Set<string>();
  return {
    answer(peer, message, asked) {
      const now = view();
      const misfit = refusal(message, now.identity.id());
      if (misfit !== undefined) return refuse(peer, misfit);
      askers.add(peer);
      const history = asked.history && { history: told.since(asked.history) };
      listener.send(peer, {
        message: stamp({ type: 'status-report', status: describeStatus(now), ...history }),
      });
    },
    forget: (peer) => void askers.delete(peer),
    dismiss(farewell) {
      for (const peer of askers) listener.send(peer, { message: stamp(farewell) });
    },
  };
}
