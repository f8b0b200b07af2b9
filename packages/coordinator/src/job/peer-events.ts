import { type ListenHandlers, PROTOCOL_VERSION, type ProgramDescription } from '@tutti/protocol';
import type { Monitor } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Servers } from '../servers/servers.js';
import type { Observations } from '../status/observations.js';
import type { StatusAnswerer } from '../status/status-answerer.js';
import type { Membership } from '../workers/membership.js';
import { createEarlyMessages } from './early-messages.js';
import type { JobRun } from './job-run.js';
import type { Lifetime } from './lifetime.js';
import type { Routes } from './routes.js';
import { foreign, full } from './stray-connections.js';

/** What the job makes of those who connect to it: workers, who asks how it is doing, and strays. */
export interface PeerEvents {
  readonly handlers: Required<ListenHandlers>;
  /** The program of the first worker that came. */
  described(): ProgramDescription | undefined;
  /** It is clear which job this is: workers are answered from now on. */
  identified(): void;
}

export function createPeerEvents(init: {
  readonly lifetime: Lifetime;
  readonly monitor: Pick<Monitor, 'notify'>;
  readonly membership: Pick<Membership, 'leave' | 'authenticate'>;
  readonly routes: Pick<Routes, 'fromWorker'>;
  readonly statuses: Pick<StatusAnswerer, 'answer' | 'forget'>;
  readonly hosts: Pick<Servers['hosts'], 'offered' | 'identified' | 'withdrawn'>;
  readonly observations: Pick<Observations, 'forget'>;
  /** What works on the job, once it is settled and has its workers. */
  readonly run: () => JobRun | undefined;
  readonly emitStray: (event: RunEvent) => void;
}): PeerEvents {
  const { lifetime, monitor, membership, routes, observations, run, emitStray, statuses, hosts } =
    init;
  const early = createEarlyMessages(lifetime.guard);
  let described: ProgramDescription | undefined;
  return {
    described: () => described,
    identified() {
      hosts.identified();
      early.answer();
    },
    handlers: {
      message(peer, envelope) {
        // Payloads come only from those who were admitted: what is kept has none.
        const { message } = envelope;
        if (message.type === 'status') return statuses.answer(peer, message, message);
        if (message.type === 'join' && message.protocol === PROTOCOL_VERSION) {
          described ??= message.description;
          hosts.offered(peer, message.server, message.servers ?? []);
          monitor.notify();
        }
        const kept = early.held() ? { message } : envelope;
        early.handle(() => routes.fromWorker(peer, kept));
      },
      place: (peer, message, bytes) =>
        lifetime.ended() ||
        message.type !== 'contribution' ||
        membership.authenticate(peer, message) === undefined
          ? undefined
          : run()?.training.aggregation.landing(message.chunk, bytes),
      closed(peer, reason) {
        observations.forget(peer);
        statuses.forget(peer);
        hosts.withdrawn(peer);
        // In its place: whoever joined and left early must not stay.
        early.handle(() => membership.leave(peer, reason));
      },
      badFrame: (peer, reason) => emitStray(foreign(`Peer ${peer} was cut off: ${reason}`)),
      stranger: (reason) => emitStray(foreign(`Refused a connection: ${reason}`)),
      full: (error) => emitStray(full(error)),
    },
  };
}
